"""Functions of a graph go through transforms as the graph does."""

from __future__ import annotations

import numpy as np
import pytest
from graphs import const, conv, fused_norm, graph_of, nodes_of, placeholder, transformed, value, wiring

from tfcross.errors import TfcrossError
from tfcross.graph.construction import make_node
from tfcross.graph.messages import AttrValue, FunctionDef, GraphDef
from tfcross.graph.rewriting.bodies import close_body, open_body

FLOAT = "DT_FLOAT"
PARAMS = {"g": [1.0, 2], "b": [0.5, 1], "m": [1.0, 1], "v": [1.0, 4]}


def function(name, nodes, ret, arguments=("x",), outputs=("y",)):
    message = FunctionDef()
    message.signature.name = name
    for argument in arguments:
        message.signature.input_arg.add(name=argument, type=1)
    for output in outputs:
        message.signature.output_arg.add(name=output, type=1)
    message.node_def.extend(nodes)
    for output, text in zip(outputs, ret, strict=True):
        message.ret[output] = text
    return message


def call(name, function, *inputs, op="PartitionedCall", outputs=1):
    node = make_node(name, op, inputs)
    value = AttrValue()
    value.func.name = function
    node.attr["f"].CopyFrom(value)
    node.attr["Tout"].list.type.extend([1] * outputs)
    return node


def norm_function():
    return function(
        "net",
        [
            const("w", np.ones((1, 1, 2, 2))),
            conv("conv", "x", "w:output:0"),
            *[const(name, numbers) for name, numbers in PARAMS.items()],
            fused_norm(
                "norm",
                ["conv:output:0", *[f"{name}:output:0" for name in PARAMS]],
                "FusedBatchNormV3",
                epsilon=0.0,
            ),
            make_node("relu", "Relu", ["norm:y:0"], T=FLOAT),
        ],
        ["relu:activations:0"],
    )


def graph_with(*functions, nodes=None):
    graph = graph_of(*(nodes or [placeholder(), call("output", functions[0].signature.name, "input")]))
    graph.library.function.extend(functions)
    return graph


def body(graph, number=0):
    return GraphDef(node=graph.library.function[number].node_def)


def test_a_norm_in_a_function_is_folded_and_outputs_have_the_new_ops_names():
    new, notes = transformed(graph_with(norm_function()), "fold_old_batch_norms")
    assert wiring(body(new)) == {
        "w": ["Const"],
        "conv": ["Conv2D", "x", "w:output:0"],
        "conv_bn_offset": ["Const"],
        "norm": ["BiasAdd", "conv:output:0", "conv_bn_offset:output:0"],
        "relu": ["Relu", "norm:output:0"],
    }
    assert value(body(new), "w") == [[[[1, 1], [1, 1]]]]
    assert value(body(new), "conv_bn_offset") == [-0.5, 0]
    assert dict(new.library.function[0].ret) == {"y": "relu:activations:0"}
    assert notes == ["fold_old_batch_norms: 0 folded", "fold_old_batch_norms (function net): 1 folded"]


def test_constants_in_a_function_are_folded():
    net = function(
        "net",
        [
            const("a", [1.0, 2]),
            make_node("sum", "AddV2", ["a:output:0", "a:output:0"], T=FLOAT),
            make_node("add", "AddV2", ["x", "sum:z:0"], T=FLOAT),
            make_node("print", "Print", ["x", "sum:z:0"], T=FLOAT),
        ],
        ["add:z:0"],
    )
    new, _ = transformed(graph_with(net), "fold_constants")
    assert wiring(body(new)) == {
        "add": ["AddV2", "x", "sum/_0__cf__0:output:0"],
        "print": ["Print", "x", "sum/_0__cf__0:output:0"],
        "sum/_0__cf__0": ["Const"],
    }
    assert dict(new.library.function[0].ret) == {"y": "add:z:0"}


def test_weights_in_a_function_are_quantized():
    net = function(
        "net", [const("w", np.arange(16.0)), make_node("m", "Mul", ["x", "w:output:0"], T=FLOAT)], ["m:z:0"]
    )
    new, _ = transformed(graph_with(net), "quantize_weights(minimum_size=16)")
    names = ["w_quantized_const:output:0", "w_quantized_min:output:0", "w_quantized_max:output:0"]
    assert wiring(body(new))["w"] == ["Dequantize", *names]
    assert wiring(body(new))["m"] == ["Mul", "x", "w:output:0"]


def test_a_removed_node_in_a_function_is_bypassed_but_not_the_one_that_is_returned():
    net = function(
        "net",
        [
            make_node("passed", "Identity", ["x"], T=FLOAT),
            make_node("relu", "Relu", ["passed:output:0"], T=FLOAT),
            make_node("last", "Identity", ["relu:activations:0"], T=FLOAT),
        ],
        ["last:output:0"],
    )
    new, _ = transformed(graph_with(net), "remove_nodes(op=Identity)")
    assert wiring(body(new)) == {"relu": ["Relu", "x"], "last": ["Identity", "relu:activations:0"]}


def test_other_outputs_of_ops_keep_their_names():
    net = function(
        "net",
        [
            make_node("top", "TopKV2", ["x", "x"], T=FLOAT),
            make_node("parts", "Split", ["x", "x"], T=FLOAT, num_split=2),
            make_node("sum", "AddV2", ["top:indices:0", "parts:output:1"], T=FLOAT),
        ],
        ["top:indices:0"],
    )
    opened = open_body(net)
    assert [list(node.input) for node in opened.nodes if node.name == "sum"] == [["top:1", "parts:1"]]
    assert close_body(opened, opened.nodes) == net


def test_a_function_of_tensorflow_comes_back_as_it_was():
    opened = open_body(norm_function())
    assert opened.outputs == ("relu",)
    assert close_body(opened, opened.nodes) == norm_function()


# Calls


def test_calls_are_inlined_at_any_depth():
    inner = function(
        "inner",
        [make_node("parts", "Unique", ["a"], T=FLOAT), make_node("neg", "Neg", ["b"], T=FLOAT)],
        ["parts:idx:0", "neg:y:0"],
        ("a", "b"),
        ("y", "z"),
    )
    outer = function(
        "outer",
        [
            call("deep", "inner", "x", "x", op="StatefulPartitionedCall", outputs=2),
            make_node("sum", "AddV2", ["deep:output:0", "deep:output:1"], T=FLOAT),
        ],
        ["sum:z:0"],
    )
    nodes = [
        placeholder(),
        call("net", "outer", "input"),
        make_node("output", "Relu", ["net", "^net"], T=FLOAT),
    ]
    new, notes = transformed(graph_with(outer, inner, nodes=nodes), "inline_partitionedcall")
    assert wiring(new) == {
        "input": ["Placeholder"],
        "net/deep/parts": ["Unique", "input"],
        "net/deep/neg": ["Neg", "input"],
        "net/sum": ["AddV2", "net/deep/parts:1", "net/deep/neg"],
        "output": ["Relu", "net/sum", "^net/sum"],
    }
    assert notes == ["inline_partitionedcall: 2 calls inlined"]


def test_a_call_that_is_the_graphs_output_leaves_its_name():
    net = function("net", [make_node("relu", "Relu", ["x"], T=FLOAT)], ["relu:activations:0"])
    new, _ = transformed(graph_with(net), "inline_partitionedcall")
    assert wiring(new)["output"] == ["Identity", "output/relu"]


def test_an_output_of_an_op_that_is_not_common_is_found_in_its_definition():
    net = function("net", [make_node("pair", "Moments", ["x"], T=FLOAT)], ["pair:variance:0"])
    nodes = [placeholder(), call("net", "net", "input"), make_node("output", "Relu", ["net"], T=FLOAT)]
    new, _ = transformed(graph_with(net, nodes=nodes), "inline_partitionedcall")
    assert wiring(new)["output"] == ["Relu", "net/pair:1"]


def test_types_of_the_call_go_into_the_body():
    relu = make_node("relu", "Relu", ["x"])
    relu.attr["T"].placeholder = "S"
    graph = graph_with(function("net", [relu], ["relu:activations:0"]))
    graph.node[1].attr["f"].func.attr["S"].type = 2
    new, _ = transformed(graph, "inline_partitionedcall")
    assert nodes_of(new)["output/relu"].attr["T"].type == 2


@pytest.mark.parametrize(
    ("functions", "message"),
    [
        pytest.param(
            [function("net", [call("again", "net", "x")], ["again:output:0"])],
            "functions that call each other without an end, or too many nodes",
            id="circle",
        ),
        pytest.param(
            [function("net", [make_node("n", "Neg", ["x"])], ["n:y:0"], ("x", "z"))],
            "node 'output' gives 1 tensors to 'net', which takes 2",
            id="arguments",
        ),
        pytest.param(
            [function("net", [call("again", "none", "x")], ["again:output:0"])],
            "node 'output/again' calls 'none', and there is no such function",
            id="missing",
        ),
    ],
)
def test_calls_that_cannot_be_inlined_are_refused(functions, message):
    with pytest.raises(TfcrossError) as error:
        transformed(graph_with(*functions), "inline_partitionedcall")
    assert str(error.value) == f"transforms: inline_partitionedcall: {message}."


def test_versions_and_gradients_are_kept():
    graph = graph_with(norm_function())
    graph.versions.min_consumer = 12
    graph.library.gradient.add(function_name="net", gradient_func="other")
    new, _ = transformed(graph, "fold_constants remove_device strip_unused_nodes")
    assert new.versions == graph.versions
    assert new.library.gradient == graph.library.gradient
