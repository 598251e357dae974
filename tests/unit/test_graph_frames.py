"""Cuts of a graph with a while loop: before, behind and through it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tfcross.errors import TfcrossError
from tfcross.graph.construction import graph_bytes, make_const, make_node, make_placeholder
from tfcross.graph.cutting.ends import parse_ends
from tfcross.graph.model import Model, load_model

ADVICE = "let INPUTS= and OUTPUTS= name nodes that are outside of it"


def loop(frame: str, prefix: str, start: str) -> list[Any]:
    """``<prefix>exit``: ``start`` doubled until it is 100 or more, with a constant in the body."""
    names = ("enter", "merge", "switch", "body", "next", "limit", "less", "cond", "two", "exit")
    enter, merge, switch, body, following, limit, less, cond, two, end = (prefix + name for name in names)
    return [
        make_node(enter, "Enter", [start], T="DT_FLOAT", frame_name=frame),
        make_node(merge, "Merge", [enter, following], T="DT_FLOAT", N=2),
        make_const(limit, "DT_FLOAT", [], b"\0\0\xc8\x42"),
        make_node(f"{limit}/enter", "Enter", [limit], T="DT_FLOAT", frame_name=frame, is_constant=True),
        make_node(less, "Less", [merge, f"{limit}/enter"], T="DT_FLOAT"),
        make_node(cond, "LoopCond", [less]),
        make_node(switch, "Switch", [merge, cond], T="DT_FLOAT"),
        make_node(two, "Identity", [f"{switch}:1"], T="DT_FLOAT"),
        make_node(body, "Add", [two, f"{switch}:1"], T="DT_FLOAT"),
        make_node(following, "NextIteration", [body], T="DT_FLOAT"),
        make_node(end, "Exit", [switch], T="DT_FLOAT"),
    ]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "loops.pb"
    nodes = [
        make_placeholder("x", "DT_FLOAT", []),
        make_node("relu", "Relu", ["x"], T="DT_FLOAT"),
        *loop("first", "a/", "relu"),
        *loop("second", "b/", "a/exit"),
        make_node("y", "Relu", ["b/exit"], T="DT_FLOAT"),
    ]
    path.write_bytes(graph_bytes(nodes, 1482))
    return path


def cut(path: Path, inputs: str, outputs: str) -> Model:
    return load_model(path, ends=parse_ends(inputs, outputs, ""))


@pytest.mark.parametrize(
    ("inputs", "outputs", "count"),
    [
        pytest.param("", "y", 25, id="both loops"),
        pytest.param("relu", "y", 24, id="before both"),
        pytest.param("a/exit=float[]", "y", 13, id="between them"),
        pytest.param("b/exit=float[]", "y", 2, id="behind both"),
        pytest.param("relu", "a/exit,y", 24, id="an Exit is outside"),
        pytest.param("a/less=bool[],b/exit=float[]", "a/cond,y", 4, id="no loop is left"),
    ],
)
def test_a_cut_beside_a_loop_keeps_or_drops_all_of_it(
    path: Path, inputs: str, outputs: str, count: int
) -> None:
    assert len(cut(path, inputs, outputs).nodes) == count


@pytest.mark.parametrize(
    ("inputs", "outputs", "problem"),
    [
        pytest.param(
            "a/two,x",
            "y",
            "'a/merge' would take tensors from inside and outside of the loop 'first'",
            id="the body fed",
        ),
        pytest.param("a/switch", "a/exit", "'a/exit' (Exit) would be in no loop", id="an Exit left alone"),
        pytest.param(
            "a/body",
            "a/next",
            "'a/next' (NextIteration) would be in no loop",
            id="a NextIteration left alone",
        ),
        pytest.param(
            "", "a/body", "the output 'a/body' is inside of the loop 'first'", id="the body fetched"
        ),
        pytest.param(
            "relu", "y,b/enter", "the output 'b/enter' is inside of the loop 'second'", id="an Enter"
        ),
    ],
)
def test_a_cut_through_a_loop_is_refused(path: Path, inputs: str, outputs: str, problem: str) -> None:
    with pytest.raises(TfcrossError) as caught:
        cut(path, inputs, outputs)
    assert str(caught.value) == f"{path}: {problem}; {ADVICE}."
