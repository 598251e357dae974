"""What is told of a model: parameters, work, size."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tfcross.graph.construction import graph_bytes, make_const, make_node, make_placeholder
from tfcross.graph.messages import GraphDef
from tfcross.graph.model import Model, load_model
from tfcross.graph.summary import Parameters, summarize
from tfcross.graph.summarytext import summary_text

ROOT = Path(__file__).parents[2]
DIGITS = ROOT / "examples" / "digits" / "digits.pb"
GOLDEN = ROOT / "tests" / "golden"


def load(path: Path, *nodes: Any) -> Model:
    path.write_bytes(graph_bytes(nodes, 1500))
    return load_model(path)


def ints(name: str, *values: int) -> Any:
    content = b"".join(value.to_bytes(4, "little", signed=True) for value in values)
    return make_const(name, "DT_INT32", [len(values)], content)


def weights(name: str, *shape: int) -> Any:
    return make_const(name, "DT_FLOAT", list(shape), b"")


def test_the_summary_of_the_example_is_as_in_the_golden_file() -> None:
    model = load_model(DIGITS)
    text = summary_text(model, summarize(model)).replace(str(DIGITS), "digits.pb")
    assert text == (GOLDEN / "summary.txt").read_text()


def test_the_estimated_size_is_near_the_files() -> None:
    assert summarize(load_model(DIGITS)).size == pytest.approx(DIGITS.stat().st_size, rel=0.02)


SHARED = ROOT.parent / "shared" / "models" / "mobilenet_v1_0.25_224_frozen.pb"
if SHARED.is_file():

    def test_mobilenet_takes_the_41_million_multiplications_that_its_paper_tells() -> None:
        summary = summarize(load_model(SHARED))
        products = summary.flops_by_op["Conv2D"] + summary.flops_by_op["DepthwiseConv2dNative"]
        assert products / 2 / 1e6 == pytest.approx(41, abs=0.5)
        assert summary.constants["DT_FLOAT"] == Parameters(475828, 1903312)
        assert summary.untold == {}


X = make_placeholder("x", "DT_FLOAT", [-1, 8, 8, 3])
W = weights("w", 3, 3, 3, 16)


@pytest.mark.parametrize(
    ("nodes", "shape", "flops"),
    [
        pytest.param(
            [W, make_node("y", "Conv2D", ["x", "w"], strides=[1, 2, 2, 1], padding="SAME", T="DT_FLOAT")],
            (1, 4, 4, 16),
            2 * 4 * 4 * 16 * 27,
            id="convolution, same",
        ),
        pytest.param(
            [W, make_node("y", "Conv2D", ["x", "w"], strides=[1, 1, 1, 1], padding="VALID", T="DT_FLOAT")],
            (1, 6, 6, 16),
            2 * 6 * 6 * 16 * 27,
            id="convolution, valid",
        ),
        pytest.param(
            [
                weights("d", 3, 3, 3, 2),
                make_node("y", "DepthwiseConv2dNative", ["x", "d"], strides=[1, 1, 1, 1], padding="SAME"),
            ],
            (1, 8, 8, 6),
            2 * 8 * 8 * 6 * 9,
            id="depthwise",
        ),
        pytest.param(
            [make_node("y", "MaxPool", ["x"], ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="VALID")],
            (1, 4, 4, 3),
            4 * 4 * 3 * 4,
            id="pool",
        ),
        pytest.param(
            [ints("axes", 1, 2), make_node("y", "Mean", ["x", "axes"], keep_dims=False)],
            (1, 3),
            192,
            id="reduction",
        ),
        pytest.param([ints("to", -1, 96), make_node("y", "Reshape", ["x", "to"])], (2, 96), 0, id="reshape"),
        pytest.param(
            [ints("order", 0, 3, 1, 2), make_node("y", "Transpose", ["x", "order"])],
            (1, 3, 8, 8),
            0,
            id="transpose",
        ),
        pytest.param(
            [ints("axis", -1), make_node("y", "ConcatV2", ["x", "x", "axis"], N=2)],
            (1, 8, 8, 6),
            0,
            id="concatenation",
        ),
        pytest.param(
            [ints("pads", 0, 0, 1, 1, 2, 2, 0, 0), make_node("y", "Pad", ["x", "pads"])],
            (1, 10, 12, 3),
            0,
            id="padding",
        ),
        pytest.param(
            [weights("b", 3), make_node("y", "AddV2", ["b", "x"])], (1, 8, 8, 3), 192, id="broadcast"
        ),
        pytest.param([make_node("y", "MyOwnOp", ["x"])], None, 0, id="unknown op"),
    ],
)
def test_shapes_and_work_are_followed(tmp_path: Path, nodes: list[Any], shape: Any, flops: int) -> None:
    summary = summarize(load(tmp_path / "m.pb", X, *nodes))
    assert summary.outputs[0].shape == shape
    assert summary.flops == flops
    assert ("MyOwnOp" in summary.untold) == (shape is None)


def test_an_input_of_unknown_rank_is_one_row_of_what_the_weights_take(tmp_path: Path) -> None:
    x = make_placeholder("x", "DT_FLOAT", [])
    del x.attr["shape"]
    nodes = [x, weights("w", 784, 10), make_node("y", "MatMul", ["x", "w"], T="DT_FLOAT")]
    summary = summarize(load(tmp_path / "m.pb", *nodes))
    assert (summary.inputs[0].shape, summary.outputs[0].shape, summary.flops) == (None, (1, 10), 15680)


def test_variables_count_by_their_shapes_and_apart(tmp_path: Path) -> None:
    variable = make_node("v", "VarHandleOp", dtype="DT_HALF")
    for size in (3, 5):
        variable.attr["shape"].shape.dim.add(size=size)
    summary = summarize(load(tmp_path / "m.pb", X, variable, make_node("y", "Relu", ["x"], T="DT_FLOAT")))
    assert summary.variables == {"DT_HALF": Parameters(15, 30)}
    assert summary.constants == {}


def test_a_long_chain_and_a_loop_take_no_recursion(tmp_path: Path) -> None:
    chain = [make_node(f"n{i}", "Relu", [f"n{i - 1}" if i else "x"], T="DT_FLOAT") for i in range(20_000)]
    assert summarize(load(tmp_path / "m.pb", X, *chain)).flops == 20_000 * 192
    loop = [
        make_node("enter", "Enter", ["x"], T="DT_FLOAT"),
        make_node("merge", "Merge", ["enter", "next"], T="DT_FLOAT", N=2),
        make_node("next", "NextIteration", ["merge"], T="DT_FLOAT"),
    ]
    assert summarize(load(tmp_path / "l.pb", X, *loop)).untold == {"Enter": 1, "Merge": 1, "NextIteration": 1}


@pytest.mark.parametrize(
    "shape",
    [
        pytest.param([2**62, 2**62], id="huge"),
        pytest.param([0, 3], id="empty"),
        pytest.param([], id="scalar"),
    ],
)
def test_strange_shapes_are_no_trouble(tmp_path: Path, shape: list[int]) -> None:
    nodes = [make_node("y", op, ["w", "w"]) for op in ("Conv2D",)]
    graph = GraphDef(node=[weights("w", *shape), *nodes])
    path = tmp_path / "m.pb"
    path.write_bytes(graph.SerializeToString())
    assert summarize(load_model(path)).ops == {"Const": 1, "Conv2D": 1}
