"""Batch normalisation in the weights of the convolution before it."""

from __future__ import annotations

import numpy as np
import pytest
from graphs import const, conv, fused_norm, graph_of, nodes_of, placeholder, transformed, value, wiring

from tfcross.graph.construction import make_node

WEIGHTS = np.array([[[[1, 2], [3, 4]], [[0.1, 0.2], [0.3, 0.4]]]])
PARAMS = ["gamma", "beta", "mean", "variance"]
VECTORS = [
    const("gamma", [1, 2]),
    const("beta", [0.1, 0.6]),
    const("mean", [10, 20]),
    const("variance", [0.25, 0.5]),
]
SCALE = [1 / (0.25 + 1e-5) ** 0.5, 2 / (0.5 + 1e-5) ** 0.5]
OFFSET = [0.1 - 10 * SCALE[0], 0.6 - 20 * SCALE[1]]


def test_factors_go_into_the_weights():
    graph = graph_of(
        placeholder(),
        const("w", WEIGHTS),
        conv("conv", "input", "w"),
        const("factors", [2, 3]),
        make_node("output", "Mul", ["conv", "factors"], T="DT_FLOAT"),
    )
    new, notes = transformed(graph, "fold_batch_norms")
    assert wiring(new) == {"w": ["Const"], "input": ["Placeholder"], "output": ["Conv2D", "input", "w"]}
    assert np.array(value(new, "w")) == pytest.approx(WEIGHTS * [2, 3])
    assert notes == ["fold_batch_norms: 1 folded"]


@pytest.mark.parametrize("turned", [False, True])
def test_factors_go_into_a_product(turned):
    weights = np.arange(12.0).reshape(6, 2)
    graph = graph_of(
        placeholder(shape=[1, 6]),
        const("w", weights.T if turned else weights),
        make_node("product", "MatMul", ["input", "w"], T="DT_FLOAT", transpose_b=turned),
        const("factors", [2, 3]),
        make_node("output", "Mul", ["product", "factors"], T="DT_FLOAT"),
    )
    new, _ = transformed(graph, "fold_batch_norms")
    assert nodes_of(new)["output"].op == "MatMul"
    expected = weights * [2, 3]
    assert value(new, "w") == (expected.T if turned else expected).tolist()


@pytest.mark.parametrize(
    ("factors", "reason"),
    [
        pytest.param(2.0, "the vector has the shape [], and there are [2] channels", id="scalar"),
        pytest.param([1, 2, 3], "the vector has the shape [3], and there are [2] channels", id="too long"),
    ],
)
def test_other_factors_stay_and_are_told(factors, reason):
    graph = graph_of(
        placeholder(),
        const("w", WEIGHTS),
        conv("conv", "input", "w"),
        const("factors", factors),
        make_node("output", "Mul", ["conv", "factors"], T="DT_FLOAT"),
    )
    new, notes = transformed(graph, "fold_batch_norms")
    assert wiring(new).keys() == wiring(graph).keys()
    assert notes == ["fold_batch_norms: 0 folded, 1 left", f"fold_batch_norms: 'output': {reason}"]


def norm_graph(op="FusedBatchNorm", before=(), source="conv", **more):
    return graph_of(
        placeholder(),
        const("w", WEIGHTS),
        conv("conv", "input", "w"),
        *before,
        *VECTORS,
        fused_norm("norm", [source, *PARAMS], op, **more),
        make_node("output", "Relu", ["norm"], T="DT_FLOAT"),
    )


@pytest.mark.parametrize("op", ["FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"])
def test_a_fused_norm_becomes_a_bias(op):
    new, notes = transformed(norm_graph(op), "fold_old_batch_norms")
    assert wiring(new) == {
        "w": ["Const"],
        "input": ["Placeholder"],
        "conv": ["Conv2D", "input", "w"],
        "conv_bn_offset": ["Const"],
        "norm": ["BiasAdd", "conv", "conv_bn_offset"],
        "output": ["Relu", "norm"],
    }
    assert np.array(value(new, "w")) == pytest.approx(WEIGHTS * SCALE)
    assert value(new, "conv_bn_offset") == pytest.approx(OFFSET)
    assert notes == ["fold_old_batch_norms: 1 folded"]


def test_the_norm_of_the_first_releases_becomes_a_bias():
    norm = make_node(
        "output",
        "BatchNormWithGlobalNormalization",
        ["conv", "mean", "variance", "beta", "gamma"],
        T="DT_FLOAT",
        variance_epsilon=1e-5,
        scale_after_normalization=True,
    )
    graph = graph_of(placeholder(), const("w", WEIGHTS), conv("conv", "input", "w"), *VECTORS, norm)
    new, _ = transformed(graph, "fold_old_batch_norms")
    assert np.array(value(new, "w")) == pytest.approx(WEIGHTS * SCALE)
    assert value(new, "conv_bn_offset") == pytest.approx(OFFSET)
    assert wiring(new)["output"] == ["BiasAdd", "conv", "conv_bn_offset"]


def test_a_bias_before_the_norm_is_part_of_the_new_one():
    bias = [const("bias", [1, -1]), make_node("biased", "BiasAdd", ["conv", "bias"], T="DT_FLOAT")]
    new, _ = transformed(norm_graph("FusedBatchNormV3", bias, "biased"), "fold_old_batch_norms")
    assert list(wiring(new)) == ["w", "input", "conv", "conv_bn_offset", "norm", "output"]
    assert value(new, "conv_bn_offset") == pytest.approx(
        [OFFSET[0] + SCALE[0], OFFSET[1] - SCALE[1]], rel=1e-5
    )
    assert "biased" not in nodes_of(new)


def test_depthwise_weights_are_scaled_by_channel_and_multiplier():
    vectors = [
        const(node.name, np.tile(np.array(node_value), 2))
        for node, node_value in zip(VECTORS, [[1, 2], [0.1, 0.6], [10, 20], [0.25, 0.5]], strict=True)
    ]
    graph = graph_of(
        placeholder(),
        const("w", WEIGHTS),
        conv("conv", "input", "w", "DepthwiseConv2dNative", data_format="NHWC"),
        *vectors,
        fused_norm("output", ["conv", *PARAMS]),
    )
    new, _ = transformed(graph, "fold_old_batch_norms")
    assert np.array(value(new, "w")) == pytest.approx(WEIGHTS * np.array([SCALE, SCALE]))
    assert nodes_of(new)["output"].attr["data_format"].s == b"NHWC"


def test_two_joined_convolutions_have_a_part_of_the_norm_each():
    graph = graph_of(
        placeholder(),
        const("w1", WEIGHTS[..., :1]),
        conv("one", "input", "w1"),
        const("w2", WEIGHTS[..., 1:]),
        conv("two", "input", "w2"),
        const("axis", -1, "int32"),
        make_node("joined", "ConcatV2", ["one", "two", "axis"], T="DT_FLOAT", N=2),
        *VECTORS,
        fused_norm("output", ["joined", *PARAMS]),
    )
    new, _ = transformed(graph, "fold_old_batch_norms")
    assert wiring(new)["output"] == ["ConcatV2", "joined_bn_in0", "joined_bn_in1", "axis"]
    assert np.array(value(new, "w1")) == pytest.approx(WEIGHTS[..., :1] * SCALE[0])
    assert np.array(value(new, "w2")) == pytest.approx(WEIGHTS[..., 1:] * SCALE[1])
    assert value(new, "one_bn_offset") == pytest.approx(OFFSET[:1])
    assert value(new, "two_bn_offset") == pytest.approx(OFFSET[1:])


def test_a_convolution_in_blocks_is_scaled_before_they_are_joined():
    blocks = [
        const("block", [2, 2], "int32"),
        const("crops", [[0, 0], [0, 0]], "int32"),
        make_node("whole", "BatchToSpaceND", ["conv", "block", "crops"], T="DT_FLOAT"),
    ]
    new, _ = transformed(norm_graph("FusedBatchNorm", blocks, "whole"), "fold_old_batch_norms")
    assert wiring(new)["conv/biasadd"] == ["BiasAdd", "conv", "conv_bn_offset"]
    assert wiring(new)["norm"] == ["BatchToSpaceND", "conv/biasadd", "block", "crops"]
    assert np.array(value(new, "w")) == pytest.approx(WEIGHTS * SCALE)


ANOTHER = make_node("another", "Relu", ["conv"], T="DT_FLOAT")


@pytest.mark.parametrize(
    ("more", "outputs", "changes", "reason"),
    [
        pytest.param(
            [ANOTHER], "output,another", {}, "something else takes 'conv'", id="the convolution is taken"
        ),
        pytest.param([], "output,conv", {}, "something else takes 'conv'", id="the convolution is an output"),
        pytest.param(
            [conv("another", "input", "w")],
            "output,another",
            {},
            "something else takes the weights 'w'",
            id="the weights are taken",
        ),
        pytest.param([], "output", {"is_training": True}, "it is in training mode", id="training"),
        pytest.param(
            [make_node("another", "Identity", ["norm:1"], T="DT_FLOAT")],
            "output,another",
            {},
            "another of its outputs is taken, too",
            id="another output",
        ),
    ],
)
def test_what_would_change_another_answer_stays(more, outputs, changes, reason):
    graph = norm_graph(**changes)
    graph.node.extend(more)
    new, notes = transformed(graph, "fold_old_batch_norms", outputs=outputs)
    assert {name: sorted(words) for name, words in wiring(new).items()} == {
        name: sorted(words) for name, words in wiring(graph).items()
    }
    assert value(new, "w") == value(graph, "w")
    assert notes == ["fold_old_batch_norms: 0 folded, 1 left", f"fold_old_batch_norms: 'norm': {reason}"]


def test_a_name_that_is_taken_leaves_the_norm():
    graph = norm_graph()
    graph.node.append(const("conv_bn_offset", 1.0))
    new, notes = transformed(graph, "fold_old_batch_norms")
    assert wiring(new)["norm"] == ["FusedBatchNorm", "conv", *PARAMS]
    assert notes[1] == "fold_old_batch_norms: 'norm': the name 'conv_bn_offset' is taken"


def test_constants_that_two_norms_share_serve_both():
    graph = graph_of(
        placeholder(),
        const("w1", WEIGHTS),
        conv("one", "input", "w1"),
        *VECTORS,
        fused_norm("norm", ["one", *PARAMS]),
        const("w2", WEIGHTS),
        conv("two", "norm", "w2"),
        fused_norm("output", ["two", *PARAMS]),
    )
    new, notes = transformed(graph, "fold_old_batch_norms")
    assert notes == ["fold_old_batch_norms: 2 folded"]
    assert np.array(value(new, "w1")) == pytest.approx(WEIGHTS * SCALE)
    assert np.array(value(new, "w2")) == pytest.approx(WEIGHTS * SCALE)
    assert sorted(nodes_of(new)) == [
        "input",
        "norm",
        "one",
        "one_bn_offset",
        "output",
        "two",
        "two_bn_offset",
        "w1",
        "w2",
    ]


def test_factors_that_something_else_takes_are_kept_for_it():
    graph = graph_of(
        placeholder(),
        const("w", WEIGHTS),
        conv("conv", "input", "w"),
        const("factors", [2, 3]),
        make_node("scaled", "Mul", ["conv", "factors"], T="DT_FLOAT"),
        make_node("output", "Add", ["scaled", "factors"], T="DT_FLOAT"),
    )
    new, notes = transformed(graph, "fold_batch_norms")
    assert notes == ["fold_batch_norms: 1 folded"]
    assert value(new, "factors") == [2, 3]
    assert np.array(value(new, "w")) == pytest.approx(WEIGHTS * [2, 3])
