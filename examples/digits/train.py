"""Trains the digits network and freezes it: digits.pb, digits.csv (the test images) and expected.csv.

    python3 examples/digits/train.py [FOLDER]

Needs scikit-learn, for its copy of the handwritten digits (1,797 images of 8x8 pixels), and NumPy; nothing
else in the project needs either to build. Takes under a minute. The same machine writes the same bytes
again; another one may train slightly different weights, so the three files belong together.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from forward import SHAPES, WHITE, Array, activations, blocks, convolve, probabilities, windows

from tfcross.graph.construction import graph_bytes, make_const, make_node, make_placeholder

SEED = 20240229
TEST_IMAGES = 360
EPOCHS = 40
BATCH = 32
RATE = 2e-3
LEAST_ACCURACY = 0.97
PRODUCER = 26  # the graph version of TensorFlow 1.8; later ones read it too


def first_weights(random: np.random.Generator) -> dict[str, Array]:
    """He's initialisation: normal, with the variance 2 / inputs; zeros for biases."""
    return {
        name: random.normal(0, np.sqrt(2 / np.prod(shape[:-1])), shape) if len(shape) > 1 else np.zeros(shape)
        for name, shape in SHAPES.items()
    }


def unpool(gradient: Array, before: Array, after: Array) -> Array:
    """The gradient of a 2x2 max-pool's input: all of it to the block's maximum, shared among equals."""
    chosen = blocks(before) == after[:, :, None, :, None, :]
    share = chosen / chosen.sum(axis=(2, 4), keepdims=True)
    return (share * gradient[:, :, None, :, None, :]).reshape(before.shape)


def kernel_gradient(images: Array, gradient: Array) -> Array:
    columns = windows(images)
    flat = columns.reshape(-1, columns.shape[-1]).T @ gradient.reshape(-1, gradient.shape[-1])
    return flat.reshape(3, 3, images.shape[-1], gradient.shape[-1])


def gradients(images: Array, labels: Any, weights: dict[str, Array]) -> dict[str, Array]:
    """Of the mean cross-entropy, by weight."""
    layer = activations(images, weights)
    error = (layer["probabilities"] - np.eye(10)[labels]) / len(images)
    pool2 = (error @ weights["dense/weights"].T).reshape(layer["pool2"].shape)
    conv2 = unpool(pool2, layer["conv2"], layer["pool2"]) * (layer["conv2"] > 0)
    flipped = weights["conv2/weights"][::-1, ::-1].transpose(0, 1, 3, 2)
    conv1 = unpool(convolve(conv2, flipped), layer["conv1"], layer["pool1"]) * (layer["conv1"] > 0)
    return {
        "conv1/weights": kernel_gradient(images, conv1),
        "conv1/biases": conv1.sum(axis=(0, 1, 2)),
        "conv2/weights": kernel_gradient(layer["pool1"], conv2),
        "conv2/biases": conv2.sum(axis=(0, 1, 2)),
        "dense/weights": layer["flat"].T @ error,
        "dense/biases": error.sum(axis=0),
    }


def train(images: Array, labels: Any, random: np.random.Generator) -> dict[str, Array]:
    """Adam with a rate that falls to zero; the weights come back rounded to single precision."""
    weights = first_weights(random)
    mean = {name: np.zeros(shape) for name, shape in SHAPES.items()}
    square = {name: np.zeros(shape) for name, shape in SHAPES.items()}
    steps = EPOCHS * (len(images) // BATCH)
    for step in range(steps):
        batch = random.choice(len(images), BATCH, replace=False)
        for name, gradient in gradients(images[batch], labels[batch], weights).items():
            mean[name] = 0.9 * mean[name] + 0.1 * gradient
            square[name] = 0.999 * square[name] + 0.001 * gradient**2
            unbiased = mean[name] / (1 - 0.9 ** (step + 1))
            scale = np.sqrt(square[name] / (1 - 0.999 ** (step + 1))) + 1e-8
            weights[name] = weights[name] - RATE * (1 - step / steps) * unbiased / scale
    return {name: value.astype("<f4").astype(np.float64) for name, value in weights.items()}


def frozen_nodes(weights: dict[str, Array]) -> list[Any]:
    """The graph: placeholder ``images``, outputs ``probabilities`` and ``labels``."""
    float_, node = {"T": "DT_FLOAT"}, make_node
    pool = {"ksize": [1, 2, 2, 1], "strides": [1, 2, 2, 1], "padding": "VALID", "data_format": "NHWC"}
    conv = {"strides": [1, 1, 1, 1], "padding": "SAME", "data_format": "NHWC"}
    nodes = [make_placeholder("images", "DT_FLOAT", [-1, 8, 8, 1])]
    for name, value in weights.items():
        nodes.append(make_const(name, "DT_FLOAT", value.shape, value.astype("<f4").tobytes()))
    nodes.append(make_const("flat/shape", "DT_INT32", [2], np.array([-1, 128], "<i4").tobytes()))
    nodes.append(make_const("labels/axis", "DT_INT32", [], np.array(1, "<i4").tobytes()))
    source = "images"
    for layer in ("1", "2"):
        name = f"conv{layer}"
        nodes += [
            node(f"{name}/sum", "Conv2D", [source, f"{name}/weights"], **conv, **float_),
            node(
                f"{name}/biased", "BiasAdd", [f"{name}/sum", f"{name}/biases"], data_format="NHWC", **float_
            ),
            node(f"{name}/relu", "Relu", [f"{name}/biased"], **float_),
            node(f"pool{layer}", "MaxPool", [f"{name}/relu"], **pool, **float_),
        ]
        source = f"pool{layer}"
    return nodes + [
        node("flat", "Reshape", ["pool2", "flat/shape"], Tshape="DT_INT32", **float_),
        node(
            "dense/sum", "MatMul", ["flat", "dense/weights"], transpose_a=False, transpose_b=False, **float_
        ),
        node("logits", "BiasAdd", ["dense/sum", "dense/biases"], data_format="NHWC", **float_),
        node("probabilities", "Softmax", ["logits"], **float_),
        node(
            "labels", "ArgMax", ["logits", "labels/axis"], Tidx="DT_INT32", output_type="DT_INT64", **float_
        ),
    ]


def write_files(folder: Path, weights: dict[str, Array], pixels: Any, labels: Any) -> float:
    """Writes the three files; returns the accuracy on the images in them."""
    answers = probabilities(pixels.reshape(-1, 8, 8, 1) / WHITE, weights)
    (folder / "digits.pb").write_bytes(graph_bytes(frozen_nodes(weights), PRODUCER))
    np.savetxt(folder / "digits.csv", np.column_stack([labels, pixels]), "%d", ",")
    np.savetxt(folder / "expected.csv", answers, "%.8f", ",")
    return float((answers.argmax(axis=1) == labels).mean())


def main(folder: Path) -> None:
    from sklearn.datasets import load_digits  # here, so that the rest works without it

    data = load_digits()
    random = np.random.default_rng(SEED)
    order = random.permutation(len(data.target))
    pixels, labels = data.data[order].astype(np.int64), data.target[order]
    images = pixels.reshape(-1, 8, 8, 1) / WHITE
    weights = train(images[TEST_IMAGES:], labels[TEST_IMAGES:], random)
    accuracy = write_files(folder, weights, pixels[:TEST_IMAGES], labels[:TEST_IMAGES])
    print(f"accuracy {accuracy:.3f} on {TEST_IMAGES} images that it was not trained on")
    if accuracy < LEAST_ACCURACY:
        sys.exit(f"error: less than {LEAST_ACCURACY}; the files in {folder} are not fit for the example")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
