"""The stages of a build as SCons nodes."""
