"""What an output folder and a package hold."""
