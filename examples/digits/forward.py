"""The digits network in NumPy: what the library must compute, and the reference for its answers.

Layers, channels last: Conv2D 3x3 (16) + bias + ReLU, max-pool 2x2, Conv2D 3x3 (32) + bias + ReLU,
max-pool 2x2, dense (10) + bias, softmax. Images are [n, 8, 8, 1] with pixels from 0 to 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tfcross.graph import messages

Array = NDArray[np.float64]
Weights = Mapping[str, Array]

WHITE = 16.0  # the brightest pixel of the data set
SHAPES = {
    "conv1/weights": (3, 3, 1, 16),
    "conv1/biases": (16,),
    "conv2/weights": (3, 3, 16, 32),
    "conv2/biases": (32,),
    "dense/weights": (128, 10),
    "dense/biases": (10,),
}


def windows(images: Array) -> Array:
    """Each pixel's 3x3 neighbourhood, zeros outside: [n, h, w, 9 * c], in the order of a kernel's weights."""
    n, height, width, channels = images.shape
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)))
    views = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
    return views.transpose(0, 1, 2, 4, 5, 3).reshape(n, height, width, 9 * channels)


def convolve(images: Array, kernel: Array) -> Array:
    """Conv2D with stride 1 and SAME padding."""
    return windows(images) @ kernel.reshape(-1, kernel.shape[-1])


def blocks(images: Array) -> Array:
    """Each 2x2 block in two axes of its own: [n, h / 2, 2, w / 2, 2, c]."""
    n, height, width, channels = images.shape
    return images.reshape(n, height // 2, 2, width // 2, 2, channels)


def softmax(logits: Array) -> Array:
    powers: Array = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def activations(images: Array, weights: Weights) -> dict[str, Array]:
    """Every layer's output by name; training walks them back."""
    conv1 = np.maximum(convolve(images, weights["conv1/weights"]) + weights["conv1/biases"], 0)
    pool1 = blocks(conv1).max(axis=(2, 4))
    conv2 = np.maximum(convolve(pool1, weights["conv2/weights"]) + weights["conv2/biases"], 0)
    pool2 = blocks(conv2).max(axis=(2, 4))
    flat = pool2.reshape(len(images), -1)
    logits = flat @ weights["dense/weights"] + weights["dense/biases"]
    return {
        "conv1": conv1,
        "pool1": pool1,
        "conv2": conv2,
        "pool2": pool2,
        "flat": flat,
        "probabilities": softmax(logits),
    }


def probabilities(images: Array, weights: Weights) -> Array:
    """[n, 10], in double precision."""
    return activations(images, weights)["probabilities"]


def read_weights(graph: Path) -> dict[str, Array]:
    """The constants of the frozen graph that are weights, by name."""
    nodes = messages.GraphDef.FromString(graph.read_bytes()).node
    tensors = {node.name: node.attr["value"].tensor for node in nodes if node.name in SHAPES}
    return {
        name: np.frombuffer(tensor.tensor_content, "<f4").reshape(SHAPES[name]).astype(np.float64)
        for name, tensor in tensors.items()
    }


def read_images(table: Path) -> tuple[NDArray[np.int64], Array]:
    """Labels and images of a CSV with the lines ``label,pixel,…`` (64 pixels from 0 to 16, row by row)."""
    rows = np.loadtxt(table, delimiter=",", dtype=np.int64)
    return rows[:, 0], rows[:, 1:].reshape(-1, 8, 8, 1) / WHITE
