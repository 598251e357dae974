"""Source trees: brought from their origins, verified, unpacked, patched, kept."""
