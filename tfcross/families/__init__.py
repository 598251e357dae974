"""One module for each family of toolchains: how it is found, asked and told."""
