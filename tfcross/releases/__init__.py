"""One TensorFlow release: what is pinned, what its core is made of, how its dependencies are built."""
