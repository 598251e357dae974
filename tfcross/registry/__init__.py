"""Every op and kernel that a release registers."""
