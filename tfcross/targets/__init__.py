"""One target and arch: what is built for."""
