"""What training leaves behind made the graph that runs: frozen, cut and transformed, each step once."""
