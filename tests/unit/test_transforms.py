"""The transforms that strip, rename, sort and merge, each in a small graph."""

from __future__ import annotations

import pytest
from graphs import chain, const, conv, graph_of, identity, nodes_of, placeholder, relu, transformed, wiring

from tfcross.errors import TfcrossError
from tfcross.graph.construction import make_node

FLOAT = "DT_FLOAT"


# What is stripped


def test_what_no_output_needs_is_stripped():
    new, _ = transformed(chain(), "strip_unused_nodes")
    assert list(wiring(new)) == ["input", "middle", "passed", "output"]


@pytest.mark.parametrize(
    ("arguments", "dtype", "shape"),
    [
        pytest.param("", 1, [], id="as upstream"),
        pytest.param('(type=int32, shape="1,2,3")', 3, [1, 2, 3], id="for all"),
        pytest.param('(shape="1,-1")', 1, [1, -1], id="an unknown size"),
        pytest.param('(name=middle, type_for_name=quint8, shape_for_name="1,2")', 12, [1, 2], id="by name"),
        pytest.param('(name="middle:0", shape_for_name="2", type=int64)', 9, [2], id="shape by name only"),
    ],
)
def test_an_input_within_the_graph_becomes_a_placeholder(arguments, dtype, shape):
    new, _ = transformed(chain(), f"strip_unused_nodes{arguments}", inputs="middle:0", outputs="output:0")
    assert wiring(new) == {
        "middle": ["Placeholder"],
        "passed": ["Identity", "middle"],
        "output": ["Relu", "passed"],
    }
    node = nodes_of(new)["middle"]
    assert node.attr["dtype"].type == dtype
    assert [dim.size for dim in node.attr["shape"].shape.dim] == shape
    assert not node.attr["shape"].shape.unknown_rank


@pytest.mark.parametrize(
    ("transforms", "message"),
    [
        pytest.param(
            "strip_unused_nodes(type=flaot)",
            "transforms: strip_unused_nodes: 'flaot' is no type of TensorFlow; "
            "write float, int32, quint8, string, ….",
            id="type",
        ),
        pytest.param(
            'strip_unused_nodes(shape="1,x")',
            "transforms: strip_unused_nodes: '1,x' is no shape; write sizes, -1 for any, as 1,224,224,3.",
            id="shape",
        ),
        pytest.param(
            "strip_unused_nodes(name=middle, name=x, type_for_name=float)",
            "transforms: strip_unused_nodes: every name= needs its type_for_name=: there are 2 and 1.",
            id="lists",
        ),
        pytest.param(
            "remove_nodes",
            "transforms: remove_nodes: give at least one op=, as remove_nodes(op=Identity).",
            id="op",
        ),
        pytest.param(
            "rename_node(old_node_name=middle, new_node_name=rest)",
            "transforms: rename_node: there is a node 'rest' already.",
            id="a name twice",
        ),
        pytest.param(
            "remove_attribute",
            "transforms: remove_attribute: takes one attribute_name=, and there are 0.",
            id="attribute",
        ),
        pytest.param(
            "quantize_nodes(input_min=0)",
            "transforms: quantize_nodes: give both input_min= and input_max=, or none.",
            id="half a range",
        ),
        pytest.param(
            "freeze_requantization_ranges(min_max_log_file=/nowhere/log)",
            "/nowhere/log: the log cannot be read (No such file or directory).",
            id="log",
        ),
    ],
)
def test_a_mistake_is_one_line(transforms, message):
    with pytest.raises(TfcrossError) as error:
        transformed(chain(), transforms, inputs="middle")
    assert str(error.value) == message


def test_ignored_errors_leave_the_graph_and_are_told():
    new, notes = transformed(chain(), "remove_nodes(ignore_errors=true) remove_nodes(op=Identity)")
    assert "passed" not in nodes_of(new)
    assert notes == [
        "ignored: transforms: remove_nodes: give at least one op=, as remove_nodes(op=Identity)."
    ]


@pytest.mark.parametrize(
    ("inputs", "outputs", "message"),
    [
        (
            "input",
            "outptu",
            "--outputs: the graph has no node 'outptu'; nearest: 'output'; scripts/summarize_graph.py lists",
        ),
        (
            "zzz",
            "output",
            "--inputs: the graph has no node 'zzz'; scripts/summarize_graph.py lists its inputs",
        ),
    ],
)
def test_inputs_and_outputs_have_to_be_there(inputs, outputs, message):
    with pytest.raises(TfcrossError) as error:
        transformed(chain(), "round_weights", inputs, outputs)
    assert str(error.value).startswith(message)


# What is removed


def test_removed_nodes_are_bypassed_in_chains_and_for_control():
    graph = graph_of(
        placeholder(),
        identity("one", "input"),
        identity("two", "one:0"),
        relu("output", "two", "^two"),
    )
    new, _ = transformed(graph, "remove_nodes(op=Identity)")
    assert wiring(new) == {"input": ["Placeholder"], "output": ["Relu", "input", "^input"]}


def test_another_output_of_a_node_is_passed_on():
    graph = graph_of(
        const("axis", 0, "int32"),
        placeholder(),
        make_node("split", "Split", ["axis", "input"], T=FLOAT, num_split=2),
        identity("second", "split:1"),
        relu("output", "second"),
    )
    new, _ = transformed(graph, "remove_nodes(op=Identity)")
    assert wiring(new)["output"] == ["Relu", "split:1"]


def test_inputs_and_outputs_are_not_removed():
    graph = graph_of(placeholder(), identity("start", "input"), identity("output", "start"))
    new, _ = transformed(graph, "remove_nodes(op=Identity)", inputs="start:0", outputs="output:0")
    assert sorted(nodes_of(new)) == ["input", "output", "start"]


def test_an_output_that_the_removed_node_has_not_is_told():
    graph = graph_of(placeholder(), identity("gone", "input"), relu("output", "gone:7"))
    with pytest.raises(
        TfcrossError, match="^node 'output' takes 'gone:7', which is not there, or no longer.$"
    ):
        transformed(graph, "remove_nodes(op=Identity)")


def test_nodes_with_more_inputs_are_removed_when_that_is_asked():
    graph = graph_of(
        placeholder(),
        const("size", [1], "int32"),
        make_node("shaped", "Reshape", ["input", "size"]),
        relu("output", "shaped"),
    )
    assert "shaped" in nodes_of(transformed(graph, "remove_nodes(op=Reshape)")[0])
    new, _ = transformed(graph, "remove_nodes(op=Reshape, max_inputs=2)")
    assert wiring(new) == {"input": ["Placeholder"], "output": ["Relu", "input"]}


def test_control_dependencies_are_removed():
    graph = graph_of(placeholder(), relu("a", "input"), relu("output", "input", "^a"))
    assert wiring(transformed(graph, "remove_control_dependencies")[0])["output"] == ["Relu", "input"]


def test_attributes_devices_and_ops_are_changed():
    graph = graph_of(placeholder(), relu("output", "input"))
    graph.node[1].device = "/gpu:0"
    node = nodes_of(
        transformed(graph, "rename_attribute(old_attribute_name=T, new_attribute_name=U, op_name=Relu)")[0]
    )["output"]
    assert sorted(node.attr) == ["U"]
    assert "T" not in nodes_of(transformed(graph, "remove_attribute(attribute_name=T)")[0])["output"].attr
    assert (
        "T"
        in nodes_of(transformed(graph, "remove_attribute(attribute_name=T, op_name=Add)")[0])["output"].attr
    )
    assert (
        nodes_of(transformed(graph, "rename_op(old_op_name=Relu, new_op_name=Elu)")[0])["output"].op == "Elu"
    )
    assert nodes_of(transformed(graph, "remove_device")[0])["output"].device == ""
    devices = transformed(graph, 'set_device(device="/cpu:0", if_default=true)')[0]
    assert [node.device for node in devices.node] == ["/cpu:0", "/gpu:0"]
    assert [node.device for node in transformed(graph, 'set_device(device="/cpu:0")')[0].node] == [
        "/cpu:0"
    ] * 2


def test_default_attributes_are_written_out():
    graph = graph_of(placeholder(), const("w", [[[[1.0], [1]]]]), conv("output", "input", "w"))
    node = nodes_of(transformed(graph, "add_default_attributes")[0])["output"]
    assert node.attr["data_format"].s == b"NHWC"
    assert list(node.attr["dilations"].list.i) == [1, 1, 1, 1]
    assert list(node.attr["strides"].list.i) == [1, 1, 1, 1]


# Names and order


def test_names_become_numbers_but_for_inputs_and_outputs():
    graph = graph_of(
        placeholder(),
        *[relu(f"node{n}", "input") for n in range(63)],
        relu("1", "node0", "^node1"),
        relu("output", "1:0"),
    )
    new, _ = transformed(graph, "obfuscate_names", outputs="output:0,1")
    names = list(wiring(new))
    assert names[:4] == ["input", "0", "2", "3"]
    assert names[61:] == ["Z", "10", "11", "1", "output"]
    assert wiring(new)["1"] == ["Relu", "0", "^2"]
    assert wiring(new)["output"] == ["Relu", "1:0"]


def test_a_node_is_renamed_everywhere():
    new, _ = transformed(chain(), "rename_node(old_node_name=middle, new_node_name=new)")
    assert wiring(new)["passed"] == ["Identity", "new"]


def colocated_graph():
    graph = chain()
    graph.node[3].attr["_class"].list.s.extend([b"loc:@middle", b"loc:@rest", b"mark"])
    return graph


@pytest.mark.parametrize(
    ("transforms", "places"),
    [
        pytest.param("remove_device", [b"loc:@middle", b"loc:@rest", b"mark"], id="as they were"),
        pytest.param("strip_unused_nodes", [b"loc:@middle", b"mark"], id="a node that went"),
        pytest.param("obfuscate_names", [b"loc:@0", b"loc:@2", b"mark"], id="numbers"),
        pytest.param(
            "rename_node(old_node_name=rest, new_node_name=new)",
            [b"loc:@middle", b"loc:@new", b"mark"],
            id="name",
        ),
    ],
)
def test_a_node_stays_beside_nodes_that_are_there(transforms, places):
    """A runtime refuses a graph with a colocation that leads nowhere."""
    new, _ = transformed(colocated_graph(), transforms)
    assert list(nodes_of(new)["output"].attr["_class"].list.s) == places


def test_nodes_are_sorted_behind_what_they_take():
    graph = graph_of(relu("output", "b"), relu("b", "a"), relu("a", "input"), placeholder())
    assert list(wiring(transformed(graph, "sort_by_execution_order")[0])) == ["input", "a", "b", "output"]


def test_a_cycle_cannot_be_sorted():
    graph = graph_of(placeholder(), relu("output", "b"), relu("b", "output"))
    with pytest.raises(
        TfcrossError, match="^transforms: sort_by_execution_order: nodes form a cycle: 'output', 'b'.$"
    ):
        transformed(graph, "sort_by_execution_order")


# Duplicates


def test_equal_nodes_are_merged_and_then_those_that_take_them():
    graph = graph_of(
        placeholder(),
        const("a", 1.0),
        const("b", 1.0),
        make_node("one", "Add", ["input", "a"], T=FLOAT),
        make_node("two", "Add", ["input:0", "b"], T=FLOAT),
        make_node("output", "Mul", ["one", "two", "^b"], T=FLOAT),
    )
    new, notes = transformed(graph, "merge_duplicate_nodes")
    assert wiring(new) == {
        "input": ["Placeholder"],
        "a": ["Const"],
        "one": ["Add", "input", "a"],
        "output": ["Mul", "one", "one", "^a"],
    }
    assert notes == ["merge_duplicate_nodes: 2 nodes merged into equal ones"]


@pytest.mark.parametrize(
    "twins",
    [
        pytest.param([make_node(n, "RandomUniform", ["input"], T=FLOAT) for n in "ab"], id="stateful"),
        pytest.param([make_node(n, "Mystery", ["input"], T=FLOAT) for n in "ab"], id="unknown"),
        pytest.param([placeholder(n) for n in "ab"], id="fed"),
    ],
)
def test_nodes_with_a_state_of_their_own_are_not_merged(twins):
    graph = graph_of(placeholder(), *twins, make_node("output", "Add", ["a", "b"], T=FLOAT))
    assert wiring(transformed(graph, "merge_duplicate_nodes")[0]) == wiring(graph)


def test_outputs_are_not_merged():
    graph = graph_of(placeholder(), relu("output", "input"), relu("other", "input"))
    new, _ = transformed(graph, "merge_duplicate_nodes", outputs="output:0,other:0")
    assert wiring(new) == wiring(graph)
