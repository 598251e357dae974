"""Graphs: TensorFlow's messages without TensorFlow, and what a model is."""
