"""fold_constants, node by node."""

from __future__ import annotations

import pytest
from graphs import const, conv, fused_norm, graph_of, nodes_of, placeholder, transformed, value, wiring

from tfcross.graph.construction import make_node

FLOAT = "DT_FLOAT"


def add(name, *inputs, op="Add"):
    return make_node(name, op, inputs, T=FLOAT)


def test_what_is_between_constants_becomes_a_constant():
    graph = graph_of(
        const("a", [1, 2]),
        const("b", [10, 20]),
        add("sum", "a", "b"),
        placeholder(shape=[2]),
        add("output", "input", "sum"),
    )
    new, notes = transformed(graph, "fold_constants")
    assert wiring(new) == {
        "output": ["Add", "input", "sum/_0__cf__0"],
        "sum/_0__cf__0": ["Const"],
        "input": ["Placeholder"],
    }
    assert value(new, "sum/_0__cf__0") == [11, 22]
    assert notes == ["fold_constants: 1 nodes folded, 0 with constant inputs left"]


def test_only_what_others_take_is_written():
    graph = graph_of(
        const("a", 2.0),
        add("double", "a", "a"),
        make_node("root", "Sqrt", ["double"], T=FLOAT),
        make_node("third", "Neg", ["double"], T=FLOAT),
        placeholder(shape=[2]),
        add("half", "input", "root"),
        add("output", "half", "third:0"),
    )
    new, _ = transformed(graph, "fold_constants")
    assert list(wiring(new)) == ["half", "output", "root/_0__cf__0", "third/_1__cf__1", "input"]
    assert [value(new, name) for name in ("root/_0__cf__0", "third/_1__cf__1")] == [2, -4]


def test_all_outputs_of_a_node_can_be_constants():
    graph = graph_of(
        const("axis", 0, "int32"),
        const("a", [1.0, 2, 3, 4]),
        make_node("split", "Split", ["axis", "a"], T=FLOAT, num_split=2),
        placeholder(shape=[2]),
        add("one", "input", "split:1"),
        add("output", "one", "split"),
    )
    new, _ = transformed(graph, "fold_constants")
    assert value(new, "split/_0__cf__0") == [1, 2]
    assert value(new, "split/_1__cf__1") == [3, 4]
    assert wiring(new)["one"] == ["Add", "input", "split/_1__cf__1"]


def shape_graph(shape):
    return graph_of(
        placeholder(shape=shape),
        make_node("shape", "Shape", ["input"], T=FLOAT, out_type="DT_INT32"),
        make_node("output", "Reshape", ["input", "shape"], T=FLOAT),
    )


def test_a_shape_that_is_known_is_a_constant():
    new, _ = transformed(shape_graph([2, 3]), "fold_constants")
    assert wiring(new)["output"] == ["Reshape", "input", "shape/_0__cf__1"]
    assert value(new, "shape/_0__cf__1") == [2, 3]
    assert wiring(new)["shape/_0__cf__1"] == ["Const", "^input"]


@pytest.mark.parametrize("shape", [[-1, 3], []])
def test_a_shape_that_may_change_stays(shape):
    new, _ = transformed(shape_graph(shape), "fold_constants")
    assert wiring(new)["output"] == ["Reshape", "input", "shape"]


def test_shapes_are_followed_through_convolutions():
    graph = graph_of(
        placeholder(shape=[1, 9, 9, 2]),
        const("w", [[[[1.0, 2, 3], [4, 5, 6]]]]),
        conv("conv", "input", "w", strides=[1, 2, 2, 1]),
        *[const(name, [1.0, 1, 1]) for name in ("g", "b", "m", "v")],
        fused_norm("norm", ["conv", "g", "b", "m", "v"]),
        make_node("shape", "Shape", ["norm"], T=FLOAT),
        make_node("output", "Identity", ["shape"], T="DT_INT32"),
    )
    new, _ = transformed(graph, "fold_constants", outputs="output")
    assert nodes_of(new)["output"].op == "Identity"
    constants = [name for name in nodes_of(new) if "__cf__" in name]
    assert constants == []  # the output keeps what it was, as in TensorFlow's tool
    graph.node.append(make_node("taker", "Fill", ["output", "one"], T=FLOAT))
    graph.node.extend([const("one", 1.0), make_node("end", "Mul", ["taker", "norm"], T=FLOAT)])
    new, _ = transformed(graph, "fold_constants", outputs="end")
    (constant,) = [name for name in nodes_of(new) if "__cf__" in name]
    assert value(new, constant) == [[[[1] * 3] * 5] * 5]


@pytest.mark.parametrize(
    ("argument", "left"),
    [
        pytest.param("exclude_op=Sqrt", "root", id="op"),
        pytest.param("exclude_node=root", "root", id="node"),
        pytest.param("max_constant_size_in_bytes=4", "root", id="size"),
    ],
)
def test_what_is_excluded_stays(argument, left):
    graph = graph_of(
        const("a", [4.0, 9]),
        make_node("root", "Sqrt", ["a"], T=FLOAT),
        placeholder(shape=[2]),
        add("output", "input", "root"),
    )
    new, _ = transformed(graph, f"fold_constants({argument})")
    assert wiring(new)["output"] == ["Add", "input", left]


def test_a_second_time_new_constants_have_other_names():
    graph = graph_of(
        const("a", [1, 2]), add("sum", "a", "a"), placeholder(shape=[2]), add("output", "input", "sum")
    )
    once, _ = transformed(graph, "fold_constants", outputs="output,sum")
    new, _ = transformed(once, "fold_constants", outputs="output,sum")
    assert wiring(once) == wiring(new)
    once.node.append(make_node("more", "Neg", ["sum"], T=FLOAT))
    once.node.append(add("end", "more", "input"))
    new, _ = transformed(once, "fold_constants", outputs="output,sum,end")
    assert value(new, "more/_0__cf__0") == [-2, -4]


def test_what_cannot_be_computed_stays_and_is_counted():
    graph = graph_of(
        const("a", [4.0, 9]),
        make_node("odd", "Erf", ["a"], T=FLOAT),
        placeholder(shape=[2]),
        add("output", "input", "odd"),
    )
    new, notes = transformed(graph, "fold_constants")
    assert wiring(new)["odd"] == ["Erf", "a"]
    assert notes == [
        "fold_constants: 0 nodes folded, 1 with constant inputs left",
        "fold_constants: 1 left: Erf: Erf is not evaluated",
    ]


def test_what_no_output_needs_goes_and_inputs_stay():
    graph = graph_of(
        placeholder(shape=[2]),
        make_node("default", "PlaceholderWithDefault", ["a"], dtype=FLOAT),
        const("a", 1.0),
        add("unused", "input", "a"),
        add("output", "input", "default"),
    )
    new, _ = transformed(graph, "fold_constants", inputs="input,default")
    assert wiring(new) == {
        "output": ["Add", "input", "default"],
        "input": ["Placeholder"],
        "default": ["Placeholder"],
    }


def test_a_default_that_is_no_input_is_not_folded():
    """The app may still feed it."""
    graph = graph_of(
        placeholder(shape=[2]),
        const("a", 1.0),
        make_node("default", "PlaceholderWithDefault", ["a"], dtype=FLOAT),
        add("output", "input", "default"),
    )
    new, _ = transformed(graph, "fold_constants")
    assert wiring(new)["output"] == ["Add", "input", "default"]


def test_a_folded_node_still_waits_for_what_it_waited_for():
    graph = graph_of(
        placeholder(shape=[2]),
        make_node("first", "Relu", ["input"], T=FLOAT),
        const("a", 4.0),
        make_node("root", "Sqrt", ["a", "^first"], T=FLOAT),
        add("output", "input", "root"),
    )
    new, _ = transformed(graph, "fold_constants")
    assert wiring(new)["root/_0__cf__0"] == ["Const", "^first"]


def test_loops_stay():
    """A Merge is never constant, whatever goes into the loop."""
    graph = graph_of(
        const("start", 0.0),
        make_node("enter", "Enter", ["start"], T=FLOAT, frame_name="f"),
        make_node("merge", "Merge", ["enter", "next"], T=FLOAT, N=2),
        placeholder(shape=[]),
        add("more", "merge", "input"),
        make_node("next", "NextIteration", ["more"], T=FLOAT),
        make_node("output", "Exit", ["merge"], T=FLOAT),
    )
    new, _ = transformed(graph, "fold_constants")
    assert wiring(new)["enter"] == ["Enter", "start"]
    assert wiring(new)["merge"] == ["Merge", "enter", "next"]


def test_stale_shapes_are_cleared_unless_told_otherwise():
    graph = graph_of(placeholder(shape=[2]), make_node("output", "Relu", ["input"], T=FLOAT))
    graph.node[1].attr["_output_shapes"].list.shape.add()
    assert "_output_shapes" not in nodes_of(transformed(graph, "fold_constants")[0])["output"].attr
    kept = transformed(graph, "fold_constants(clear_output_shapes=false)")[0]
    assert "_output_shapes" in nodes_of(kept)["output"].attr
