"""Command lines: what they say, ask for, and may be completed with."""
