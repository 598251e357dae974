"""The transforms of the Graph Transform Tool, a module for each family; ``table`` lists them."""
