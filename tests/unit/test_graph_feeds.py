"""What the generic runner is told to feed, and what it says it cannot know."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tfcross.graph.construction import graph_bytes, make_const, make_node, make_placeholder
from tfcross.graph.cutting.ends import parse_ends
from tfcross.graph.cutting.feeds import open_sizes, runner_arguments, suggestion, unknown_text
from tfcross.graph.model import Model, load_model

PROOF = "a proof.yaml beside the model (docs/models.md#the-proof)."
X, RELU = make_node("x", "Placeholder", dtype="DT_FLOAT"), make_node("y", "Relu", ["x"], T="DT_FLOAT")


def model(tmp_path: Path, *nodes: Any, producer: int = 1500, inputs: str = "", outputs: str = "") -> Model:
    path = tmp_path / "m.pb"
    path.write_bytes(graph_bytes(nodes, producer))
    return load_model(path, ends=parse_ends(inputs, outputs, ""))


@pytest.mark.parametrize(
    ("nodes", "text"),
    [
        pytest.param(
            [X, RELU],
            f"input 'x' (float) has no shape. Pass INPUTS='x=float[…]', or put {PROOF}",
            id="no shape",
        ),
        pytest.param(
            [make_placeholder("x", "DT_HALF", [1]), make_node("y", "Relu", ["x"])],
            f"input 'x' is of the type half, of which no values are made up. Put {PROOF}",
            id="a type without values",
        ),
        pytest.param(
            [
                make_placeholder("x", "DT_FLOAT", [1, 2]),
                make_node("w", "VariableV2", dtype="DT_FLOAT"),
                make_node("y", "MatMul", ["x", "w"]),
            ],
            "only the app knows the values of the variables 'w'. Pass INPUTS='x=float[1,2],w=float[…]', or "
            f"put {PROOF}",
            id="a variable",
        ),
        pytest.param(
            [make_node("v", "VarHandleOp", dtype="DT_FLOAT"), make_node("y", "ReadVariableOp", ["v"])],
            f"only the app sets the variables 'v'. Put {PROOF}",
            id="a variable behind a handle",
        ),
        pytest.param(
            [
                make_placeholder("word", "DT_STRING", [-1]),
                make_node("table", "HashTableV2"),
                make_node("init", "InitializeTableV2", ["table", "word", "word"]),
                make_node("y", "LookupTableFindV2", ["table", "word"]),
            ],
            f"only the app runs what fills the tables 'table'. Put {PROOF}",
            id="a table",
        ),
        pytest.param(
            [make_node("next", "IteratorGetNext"), make_node("y", "Relu", ["next"])],
            "only the app knows what comes out of 'next'. Pass INPUTS='next=…', or put " + PROOF,
            id="an iterator",
        ),
        pytest.param(
            [make_node("x", "Placeholder", dtype="DT_FLOAT"), make_node("end", "NoOp", ["^x"])],
            f"no node looks like an output. Pass INPUTS='x=float[…]' OUTPUTS=…, or put {PROOF}",
            id="no output",
        ),
    ],
)
def test_what_only_the_app_knows_is_told_with_what_to_do(tmp_path: Path, nodes: list[Any], text: str) -> None:
    assert unknown_text(model(tmp_path, *nodes)) == text


@pytest.mark.parametrize(
    "nodes",
    [
        pytest.param([make_placeholder("x", "DT_FLOAT", [-1, 2]), RELU], id="unknown sizes"),
        pytest.param([make_node("x", "Placeholder", dtype="DT_STRING"), RELU], id="a string without a shape"),
        pytest.param(
            [X, make_const("w", "DT_FLOAT", [2, 3], b"\0" * 24), make_node("y", "MatMul", ["x", "w"])],
            id="a row of what the weights take",
        ),
        pytest.param(
            [
                make_node("x", "PlaceholderWithDefault", ["c"]),
                make_const("c", "DT_FLOAT", [1], b"\0" * 4),
                RELU,
            ],
            id="a default",
        ),
        pytest.param(
            [
                make_placeholder("x", "DT_FLOAT", [1]),
                make_node("v", "VariableV2", dtype="DT_FLOAT"),
                make_node("set", "Assign", ["v", "x"]),
                make_node("y", "Identity", ["v", "^set"]),
            ],
            id="a variable that the graph sets",
        ),
    ],
)
def test_the_rest_is_made_up(tmp_path: Path, nodes: list[Any]) -> None:
    assert unknown_text(model(tmp_path, *nodes)) == ""


def test_a_scalar_that_an_old_graph_may_mean_is_tried(tmp_path: Path) -> None:
    assert unknown_text(model(tmp_path, make_placeholder("x", "DT_FLOAT", []), RELU, producer=21)) == ""


def test_the_runner_finds_the_ends_of_a_whole_graph_and_is_told_those_of_a_cut_one(tmp_path: Path) -> None:
    nodes = [
        make_placeholder("x", "DT_FLOAT", [-1, 2]),
        make_node("size", "PlaceholderWithDefault", ["c"], dtype="DT_INT32"),
        make_const("c", "DT_INT32", [], b"\0" * 4),
        make_node("a", "Relu", ["x"], T="DT_FLOAT"),
        make_node("b", "Split", ["size", "a"], T="DT_FLOAT"),
    ]
    assert runner_arguments(model(tmp_path, *nodes)) == ()
    assert runner_arguments(model(tmp_path, *nodes, outputs="b:1,a")) == (
        "--inputs",
        "x=float[1,2]",
        "--outputs",
        "b:1,a",
    )
    assert runner_arguments(model(tmp_path, *nodes, inputs="a=[?,8]")) == (
        *("--inputs", "a=float[1,8]"),
        *("--outputs", "b"),
    )
    assert runner_arguments(model(tmp_path, *nodes, outputs="c")) == ("--outputs", "c")


def test_a_suggestion_has_all_that_is_known(tmp_path: Path) -> None:
    second = make_placeholder("z", "DT_INT32", [-1, 3])
    assert suggestion(model(tmp_path, X, second, make_node("y", "F", ["x", "z"]))) == (
        "INPUTS='x=float[…],z=int32[?,3]'"
    )


def test_sizes_that_are_left_open_are_what_to_try_first(tmp_path: Path) -> None:
    varying = make_placeholder("x", "DT_FLOAT", [-1, -1, 3])
    assert open_sizes(model(tmp_path, varying, RELU)) == (
        "Sizes that the graph leaves open were taken as 1; pass INPUTS='x=float[?,?,3]' with the app's own."
    )
    assert open_sizes(model(tmp_path, make_placeholder("x", "DT_FLOAT", [1, 3]), RELU)) == ""
