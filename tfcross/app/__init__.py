"""Apps that link the library: proven, looked into, explained."""
