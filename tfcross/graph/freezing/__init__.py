"""Frozen graphs from what training leaves behind: variables become constants, functions a flat graph."""
