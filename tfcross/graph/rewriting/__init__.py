"""What rewriting a graph takes: names of inputs, patterns of nodes, tensors, functions, evaluation of ops."""
