"""What SCons runs and remembers, the only part that knows SCons with stages/; it knows no TensorFlow."""
