"""The example's files belong together: graph, images and expected answers."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from tfcross.graph.construction import graph_bytes
from tfcross.graph.model import Placeholder, load_model

DIGITS = Path(__file__).parents[2] / "examples" / "digits"


@pytest.fixture
def forward(monkeypatch) -> ModuleType:
    return load_script("forward", monkeypatch)


@pytest.fixture
def train(forward, monkeypatch) -> ModuleType:
    return load_script("train", monkeypatch)


def load_script(name: str, monkeypatch) -> ModuleType:
    """The example's scripts are no package: they import each other from their own folder."""
    monkeypatch.syspath_prepend(str(DIGITS))
    spec = importlib.util.spec_from_file_location(name, DIGITS / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, module)
    spec.loader.exec_module(module)
    return module


def test_the_graph_is_small_and_has_the_ends_that_classify_uses():
    model = load_model(DIGITS / "digits.pb")
    assert model.placeholders == (Placeholder("images", "DT_FLOAT", (-1, 8, 8, 1)),)
    assert model.outputs == ("probabilities", "labels")
    assert list(model.ops()) == [
        "ArgMax",
        "BiasAdd",
        "Const",
        "Conv2D",
        "MatMul",
        "MaxPool",
        "Placeholder",
        "Relu",
        "Reshape",
        "Softmax",
    ]
    assert model.notes == ()
    assert (DIGITS / "digits.pb").stat().st_size < 60_000


def test_the_weights_of_the_graph_give_the_expected_probabilities(forward):
    labels, images = forward.read_images(DIGITS / "digits.csv")
    answers = forward.probabilities(images, forward.read_weights(DIGITS / "digits.pb"))
    expected = np.loadtxt(DIGITS / "expected.csv", delimiter=",")
    assert expected.shape == (360, 10)
    assert np.abs(answers - expected).max() < 1e-7
    assert int((expected.argmax(axis=1) == labels).sum()) == 353


def test_the_images_are_of_all_digits_and_within_range(forward):
    labels, images = forward.read_images(DIGITS / "digits.csv")
    assert sorted(set(labels)) == list(range(10))
    assert images.shape == (360, 8, 8, 1)
    assert (images.min(), images.max()) == (0.0, 1.0)


def test_convolution_pads_with_zeros_and_does_not_flip_the_kernel(forward):
    image = np.arange(1.0, 10.0).reshape(1, 3, 3, 1)
    kernel = np.zeros((3, 3, 1, 1))
    kernel[1, 2] = 1  # the right neighbour
    assert forward.convolve(image, kernel)[0, :, :, 0].tolist() == [[2, 3, 0], [5, 6, 0], [8, 9, 0]]


def test_softmax_of_large_numbers_is_finite(forward):
    assert forward.softmax(np.array([[1000.0, 1000.0]])).tolist() == [[0.5, 0.5]]


def test_freezing_the_graphs_own_weights_gives_the_graph_again(forward, train):
    weights = forward.read_weights(DIGITS / "digits.pb")
    frozen = graph_bytes(train.frozen_nodes(weights), train.PRODUCER)
    assert frozen == (DIGITS / "digits.pb").read_bytes()


@pytest.mark.parametrize("name", ["conv1/weights", "conv1/biases", "conv2/weights", "dense/weights"])
def test_the_gradients_are_the_slopes_of_the_loss(forward, train, name):
    random = np.random.default_rng(1)
    weights = train.first_weights(random)
    images, labels = random.random((4, 8, 8, 1)), np.array([0, 3, 3, 9])

    def loss(step: float) -> float:
        moved = dict(weights) | {name: weights[name] + step * direction}
        return float(-np.log(forward.probabilities(images, moved)[np.arange(4), labels]).mean())

    direction = random.normal(size=weights[name].shape)
    slope = float((train.gradients(images, labels, weights)[name] * direction).sum())
    assert slope == pytest.approx((loss(1e-6) - loss(-1e-6)) / 2e-6, rel=1e-4)
