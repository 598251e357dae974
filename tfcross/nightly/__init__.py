"""The builds of a matrix, every night, in a folder for a static server."""
