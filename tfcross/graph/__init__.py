"""Graphs as files and as values: what they are cut to, and what that takes."""
