"""The compilers for a target: found, asked for their version, downloaded where a file says so."""
