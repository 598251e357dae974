"""The part of a graph that its outputs need."""
