"""Floats in eight bits: the representation, and what weights become."""

from __future__ import annotations

import numpy as np
import pytest
from graphs import const, conv, graph_of, nodes_of, placeholder, transformed, value, wiring

from tfcross.graph.construction import make_node
from tfcross.graph.rewriting.quantization import (
    dequantize,
    dequantize_channels,
    quantize,
    quantize_channels,
    rounded,
    value_range,
    widened,
    with_exact_zero,
    with_zero,
)


@pytest.mark.parametrize(
    ("values", "low", "high", "codes"),
    [
        pytest.param([-10.0, 20.0, 0.0], -10, 20, [0, 255, 85], id="the ends and zero"),
        pytest.param([-11.0, 25.0], -10, 20, [0, 255], id="beyond the range"),
        pytest.param([0.0, 1.0, 0.5], 0, 1, [0, 255, 128], id="from zero"),
        pytest.param([-1.0, 0.0, 1.0], -1, 1, [0, 128, 255], id="both sides"),
        pytest.param([3.0, 7.0], 5, 5, [0, 0], id="min = max"),
    ],
)
def test_numbers_have_the_codes_of_tensorflow(values, low, high, codes):
    assert quantize(np.array(values, np.float32), low, high).tolist() == codes


@pytest.mark.parametrize(("low", "high"), [(-10, 20), (-1, 1), (-0.3, 0.7), (0, 6), (-5, 0), (-1e-3, 1e3)])
def test_zero_comes_back_as_exactly_zero(low, high):
    low, high = with_exact_zero(low, high)
    code = quantize(np.zeros(1, np.float32), low, high)
    assert dequantize(code, low, high).tolist() == [0.0]


def test_only_a_range_that_starts_between_two_steps_is_moved():
    assert with_exact_zero(-10, 20) == (-10, 20)
    assert with_exact_zero(-1, 1) == (-1, pytest.approx(1, rel=1e-5))
    assert with_exact_zero(-1, 1) != (-1, 1)


def test_codes_come_back_within_half_a_step():
    values = np.linspace(-10, 20, 1000, dtype=np.float32)
    restored = dequantize(quantize(values, -10, 20), -10, 20)
    assert np.abs(values - restored).max() <= 30 / 255 / 2 + 1e-5


def test_a_range_of_one_number_comes_back_as_that_number():
    assert dequantize(np.array([0, 255], np.uint8), 5, 5).tolist() == [5, 5]


@pytest.mark.parametrize("function", [quantize, dequantize])
def test_a_range_that_ends_below_its_start_is_refused(function):
    with pytest.raises(ValueError, match="^the range 2 to 1 ends below its start$"):
        function(np.zeros(1), 2, 1)


def test_a_range_that_is_not_a_number_is_refused():
    with pytest.raises(ValueError, match="^the range nan to 1 ends below its start$"):
        quantize(np.zeros(1), float("nan"), 1)


def test_halves_are_rounded_away_from_zero():
    assert rounded(np.array([0.5, 1.5, 2.5, -0.5, -2.5, 0.49999999999999994])).tolist() == [
        1,
        2,
        3,
        -1,
        -3,
        0,
    ]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param([-5, -1], (-5.0, float(np.finfo(np.float32).tiny)), id="negative"),
        pytest.param([0.5, 4], (0.5, 4.0), id="positive"),
        pytest.param([1, float("nan"), 2], (1.0, 2.0), id="not a number"),
    ],
)
def test_the_range_of_values(values, expected):
    assert value_range(np.array(values, np.float32)) == expected


def test_the_range_of_weights_includes_zero():
    assert with_zero(0.5, 4) == (0, 4)
    assert with_zero(-5, -1) == (-5, 0)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0, 0, (0, 1)), (3, 3, (3, 6)), (-3, -3, (-6, -3)), (1, 2, (1, 2))],
)
def test_a_range_of_one_number_is_widened(low, high, expected):
    assert widened(low, high) == expected


def test_each_channel_has_its_own_range():
    values = np.array([[1, -100], [-0.5, 40], [0, 0]], np.float32)
    codes, largest = quantize_channels(values, 1)
    assert codes.tolist() == [[127, -127], [-64, 51], [0, 0]]
    assert largest.tolist() == [1, 100]
    assert np.abs(dequantize_channels(codes, largest, 1) - values).max() < 0.4


def test_a_channel_of_zeros_stays_zero():
    codes, largest = quantize_channels(np.zeros((2, 2), np.float32), 0)
    assert codes.tolist() == [[0, 0], [0, 0]]
    assert dequantize_channels(codes, largest, 0).tolist() == [[0, 0], [0, 0]]


def weights_graph(op="Conv2D", shape=(1, 1, 2, 8)):
    values = np.linspace(-10, 20, int(np.prod(shape))).reshape(shape)
    return graph_of(placeholder(), const("w", values), conv("output", "input", "w", op))


def test_large_weights_become_codes_and_a_node_of_the_old_name():
    graph, notes = transformed(weights_graph(), "quantize_weights(minimum_size=16)")
    assert wiring(graph) == {
        "input": ["Placeholder"],
        "w_quantized_const": ["Const"],
        "w_quantized_min": ["Const"],
        "w_quantized_max": ["Const"],
        "w": ["Dequantize", "w_quantized_const", "w_quantized_min", "w_quantized_max"],
        "output": ["Conv2D", "input", "w"],
    }
    codes = [0, 17, 34, 51, 68, 85, 102, 119, 136, 153, 170, 187, 204, 221, 238, 255]
    assert value(graph, "w_quantized_const") == [[[codes[:8], codes[8:]]]]
    assert [value(graph, f"w_quantized_{end}") for end in ("min", "max")] == [-10, 20]
    assert nodes_of(graph)["w_quantized_const"].attr["dtype"].type == 12
    assert notes == ["quantize_weights: 'w': 16 elements, worst relative error 0.0000"]


@pytest.mark.parametrize(
    ("values", "ends"),
    [
        pytest.param(np.linspace(-5, -1, 16), (-5, np.finfo(np.float32).tiny), id="negative"),
        pytest.param(np.linspace(0.1, 4, 16), (0, 4), id="positive"),
    ],
)
def test_the_stored_range_includes_zero(values, ends):
    graph = graph_of(
        placeholder(), const("w", values), make_node("output", "Mul", ["input", "w"], T="DT_FLOAT")
    )
    graph, _ = transformed(graph, "quantize_weights(minimum_size=16)")
    assert [value(graph, f"w_quantized_{end}") for end in ("min", "max")] == pytest.approx(ends)


def test_small_and_other_constants_stay():
    graph = graph_of(
        placeholder(),
        const("small", [1.0] * 15),
        const("whole", [1] * 16, "int32"),
        make_node("output", "Identity", ["input"], T="DT_FLOAT"),
    )
    assert wiring(transformed(graph, "quantize_weights(minimum_size=16)")[0]) == wiring(graph)


def test_weights_that_are_not_finite_stay():
    graph = graph_of(
        placeholder(), const("w", [float("inf")] * 16), make_node("output", "Mul", ["input", "w"])
    )
    new, notes = transformed(graph, "quantize_weights(minimum_size=16)")
    assert wiring(new) == wiring(graph)
    assert notes == ["quantize_weights: 'w' stays: it holds values that are not finite"]


@pytest.mark.parametrize(
    ("op", "shape", "axis"),
    [("Conv2D", (1, 1, 2, 8), 3), ("DepthwiseConv2dNative", (2, 2, 4, 1), 2)],
)
def test_per_channel_weights_have_a_range_for_each_channel(op, shape, axis):
    graph, _ = transformed(weights_graph(op, shape), "quantize_weights(minimum_size=16, per_channel=true)")
    node = nodes_of(graph)["w"]
    assert (node.op, node.attr["axis"].i, node.attr["mode"].s) == ("Dequantize", axis, b"SCALED")
    assert (node.attr["T"].type, node.attr["narrow_range"].b) == (11, True)
    highest = value(graph, "w_quantized_max")
    assert len(highest) == shape[axis]
    assert value(graph, "w_quantized_min") == [-number for number in highest]


def test_the_error_is_that_of_the_worst_channel_and_depthwise_weights_are_warned_of():
    values = np.ones((1, 1, 16, 1))
    values[0, 0, 3] = 0.01
    values[0, 0, 5] = -1
    graph = graph_of(placeholder(), const("w", values), conv("output", "input", "w", "DepthwiseConv2dNative"))
    _, notes = transformed(graph, "quantize_weights(minimum_size=16)")
    assert notes == [
        "quantize_weights: 'w': 16 elements, worst relative error 0.2157",
        "quantize_weights: warning: 'w' are depthwise weights with channels of very different size; "
        "measure the accuracy, or take per_channel=true",
    ]
    _, notes = transformed(graph, "quantize_weights(minimum_size=16, per_channel=true)")
    assert notes == [
        "quantize_weights: 'w': 16 elements, worst relative error 0.0000",
        "quantize_weights: Dequantize has an axis in TensorFlow 2 only; the graph does not load in 1.8.0",
    ]


def test_rounded_weights_are_the_middles_of_their_steps():
    values = [0.0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16]
    graph = graph_of(placeholder(), const("w", values), make_node("output", "Mul", ["input", "w"]))
    graph, _ = transformed(graph, "round_weights(num_steps=4)")
    assert value(graph, "w") == [2, 2, 2, 2, 6, 6, 6, 6, 10, 10, 10, 10, 14, 14, 14, 18]
