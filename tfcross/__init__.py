"""From a frozen TensorFlow model and a device to the smallest static core library that runs it."""

__version__ = "0.1.0"
