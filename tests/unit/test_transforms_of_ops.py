"""The transforms that log, fuse, backport, sparsify and quantize ops, each in a small graph."""

from __future__ import annotations

import numpy as np
import pytest
from graphs import (
    chain,
    const,
    conv,
    graph_of,
    identity,
    nodes_of,
    placeholder,
    relu,
    transformed,
    value,
    wiring,
)

from tfcross.errors import TfcrossError
from tfcross.graph.construction import make_node

FLOAT = "DT_FLOAT"

# Logging


def test_a_print_stands_behind_the_chosen_nodes():
    graph = graph_of(placeholder(), relu("middle", "input"), relu("output", "middle:0"))
    new, _ = transformed(
        graph, 'insert_logging(op=Relu, message="at ", show_op=true, show_name=true, first_n=3)'
    )
    assert wiring(new) == {
        "input": ["Placeholder"],
        "middle": ["Relu", "input"],
        "middle__print__": ["Print", "middle:0", "middle:0"],
        "output": ["Relu", "middle__print__:0"],
    }
    node = nodes_of(new)["middle__print__"]
    assert node.attr["message"].s == b";Relu;;middle__print__;at "
    assert (node.attr["first_n"].i, node.attr["summarize"].i, list(node.attr["U"].list.type)) == (
        3,
        1024,
        [1],
    )


def test_a_node_that_gives_nothing_is_not_logged():
    graph = graph_of(
        placeholder(), make_node("assign", "Assign", ["input"]), relu("output", "input", "^assign")
    )
    new, _ = transformed(graph, "insert_logging(op=Assign)")
    assert wiring(new) == wiring(graph)


def test_only_the_outputs_that_are_taken_are_logged():
    graph = graph_of(
        const("axis", 0, "int32"),
        placeholder(),
        make_node("split", "Split", ["axis", "input"], T=FLOAT, num_split=3),
        relu("output", "split:2"),
    )
    new, _ = transformed(graph, "insert_logging(prefix=sp)")
    assert wiring(new)["split__print__"] == ["Print", "split:0", "split:2"]
    assert list(nodes_of(new)["split__print__"].attr["U"].list.type) == [1]
    assert wiring(new)["output"] == ["Relu", "split:2"]


def test_logged_ranges_become_constants(tmp_path):
    log = tmp_path / "log"
    lines = [f";range__print__;__requant_min_max:[{-n}][{n}]" for n in range(1, 21)]
    log.write_text("\n".join(["other line", *lines, ";x__print__;__requant_min_max:[a][b]"]))
    graph = graph_of(
        placeholder(),
        make_node("range", "RequantizationRange", ["input", "input", "input"]),
        make_node("output", "Add", ["range", "range:1"]),
    )
    new, _ = transformed(graph, f'freeze_requantization_ranges(min_max_log_file="{log}")')
    assert wiring(new)["output"] == ["Add", "range/frozen_min:0", "range/frozen_max:0"]
    assert (value(new, "range/frozen_min"), value(new, "range/frozen_max")) == (-19, 20)
    with pytest.raises(TfcrossError, match="the log has a node 'range', and the graph has not"):
        transformed(chain(), f'freeze_requantization_ranges(min_max_log_file="{log}")')


# Convolutions


def test_an_atrous_convolution_gets_a_filter_with_zeros():
    graph = graph_of(
        placeholder(shape=[1, 9, 9, 1]),
        const("block", [2, 2], "int32"),
        const("before", [[2, 3], [2, 3]], "int32"),
        make_node("space", "SpaceToBatchND", ["input", "block", "before"], T=FLOAT),
        const("w", np.arange(9.0).reshape(3, 3, 1, 1)),
        conv("conv", "space", "w", padding="VALID"),
        const("after", [[0, 1], [0, 1]], "int32"),
        make_node("output", "BatchToSpaceND", ["conv", "block", "after"], T=FLOAT),
    )
    new, _ = transformed(graph, "flatten_atrous_conv")
    assert wiring(new) == {"input": ["Placeholder"], "w": ["Const"], "output": ["Conv2D", "input", "w"]}
    assert nodes_of(new)["output"].attr["padding"].s == b"SAME"
    assert np.array(value(new, "w")).reshape(5, 5).tolist() == [
        [0, 0, 1, 0, 2],
        [0] * 5,
        [3, 0, 4, 0, 5],
        [0] * 5,
        [6, 0, 7, 0, 8],
    ]
    graph.node[2].CopyFrom(const("before", [[0, 1], [0, 1]], "int32"))
    new, notes = transformed(graph, "flatten_atrous_conv")
    assert notes[0] == "flatten_atrous_conv: 'output' stays: its margins are not those of SAME"
    assert sorted(nodes_of(new)) == sorted(nodes_of(graph))


def resize_graph(pad=True):
    middle = [const("margins", [[0, 0], [1, 1], [1, 1], [0, 0]], "int32")]
    middle += (
        [make_node("pad", "MirrorPad", ["resized", "margins"], T=FLOAT, mode="SYMMETRIC")] if pad else []
    )
    return graph_of(
        placeholder(),
        const("size", [8, 8], "int32"),
        make_node("resized", "ResizeBilinear", ["input", "size"], T=FLOAT, align_corners=True),
        *middle,
        const("w", [[[[1.0], [1]]]]),
        conv("output", "pad" if pad else "resized", "w"),
    )


def test_resizing_and_margins_go_into_the_convolution():
    new, _ = transformed(resize_graph(), "fuse_resize_pad_and_conv")
    node = nodes_of(new)["output"]
    assert [node.op, *node.input] == ["FusedResizeAndPadConv2D", "input", "size", "margins", "w"]
    assert (node.attr["mode"].s, node.attr["resize_align_corners"].b) == (b"SYMMETRIC", True)


def test_resizing_alone_gets_margins_of_no_width():
    new, _ = transformed(resize_graph(pad=False), "fuse_resize_and_conv")
    node = nodes_of(new)["output"]
    assert [node.op, *node.input] == [
        "FusedResizeAndPadConv2D",
        "input",
        "size",
        "output_dummy_paddings",
        "w",
    ]
    assert value(new, "output_dummy_paddings") == [[0, 0]] * 4


def test_margins_alone_go_into_the_convolution():
    new, _ = transformed(resize_graph(), "fuse_pad_and_conv")
    assert wiring(new)["output"] == ["FusedPadConv2D", "resized", "margins", "w"]


def test_what_another_node_takes_is_not_fused():
    graph = resize_graph()
    graph.node.append(relu("another", "pad"))
    new, notes = transformed(graph, "fuse_pad_and_conv", outputs="output,another")
    assert wiring(new)["output"] == ["Conv2D", "pad", "w"]
    assert notes[0] == "fuse_pad_and_conv: 'output' stays: something else takes 'pad'"


def test_a_layout_that_the_fused_op_has_not_stays():
    graph = resize_graph()
    graph.node[-1].attr["data_format"].s = b"NCHW"
    assert wiring(transformed(graph, "fuse_pad_and_conv")[0])["output"] == ["Conv2D", "pad", "w"]


# Older ops


def test_a_joined_axis_comes_first_in_the_old_op():
    graph = graph_of(
        placeholder(),
        const("axis", 3, "int32"),
        make_node("output", "ConcatV2", ["input", "input", "axis"], T=FLOAT, N=2, Tidx="DT_INT32"),
    )
    node = nodes_of(transformed(graph, "backport_concatv2")[0])["output"]
    assert [node.op, *node.input] == ["Concat", "axis", "input", "input"]
    assert sorted(node.attr) == ["N", "T"]


def test_arrays_lose_their_flow():
    graph = graph_of(
        placeholder(),
        const("size", 3, "int32"),
        make_node("array", "TensorArrayV3", ["size"], dtype=FLOAT),
        const("index", 1, "int32"),
        make_node("write", "TensorArrayWriteV3", ["array", "index", "input", "array:1"], T=FLOAT),
        make_node("output", "TensorArrayReadV3", ["array", "index", "write"], dtype=FLOAT),
    )
    new, _ = transformed(graph, "backport_tensor_array_v3")
    assert wiring(new)["array"] == ["TensorArrayV2", "size"]
    assert wiring(new)["write"] == [
        "TensorArrayWriteV2",
        "array",
        "index",
        "input",
        "array/replacement_flow_node",
    ]
    assert wiring(new)["output"] == ["TensorArrayReadV2", "array", "index", "write"]
    assert value(new, "array/replacement_flow_node") == 1


# Tables


def test_a_sparse_column_becomes_a_table():
    column = np.zeros((6, 1))
    column[[1, 4]] = [[0.5], [-2]]
    graph = graph_of(
        make_node("ids", "Placeholder", dtype="DT_INT64"),
        const("w", column),
        identity("read", "w"),
        make_node("output", "Gather", ["read", "ids"], Tparams=FLOAT, Tindices="DT_INT64"),
    )
    new, notes = transformed(graph, "sparsify_gather", inputs="ids")
    assert wiring(new) == {
        "ids": ["Placeholder"],
        "w/indices": ["Const"],
        "w/values": ["Const"],
        "w/HashTable": ["HashTable"],
        "w/InitializeTable": ["InitializeTable", "w/HashTable", "w/indices", "w/values"],
        "output/LookupTableFind": ["LookupTableFind", "w/HashTable", "ids", "output/Const"],
        "output/Const": ["Const"],
        "output/ExpandDims/Const": ["Const"],
        "output": ["ExpandDims", "output/LookupTableFind", "output/ExpandDims/Const"],
        "group_deps": ["NoOp", "^w/InitializeTable"],
    }
    assert (value(new, "w/indices"), value(new, "w/values")) == ([1, 4], [0.5, -2])
    assert notes == [
        "sparsify_gather: 1 gathers changed",
        "sparsify_gather: run the node 'group_deps' once as a target before the first answer",
    ]


# Eight bits


def test_an_op_in_eight_bits_measures_its_range():
    new, notes = transformed(graph_of(placeholder(), relu("output", "input")), "quantize_nodes")
    assert wiring(new) == {
        "input": ["Placeholder"],
        "output_eightbit/input/reshape_dims": ["Const", "^input"],
        "output_eightbit/input/reduction_dims": ["Const", "^input"],
        "output_eightbit/input/reshape": ["Reshape", "input", "output_eightbit/input/reshape_dims"],
        "output_eightbit/input/min": [
            "Min",
            "output_eightbit/input/reshape",
            "output_eightbit/input/reduction_dims",
        ],
        "output_eightbit/input/max": [
            "Max",
            "output_eightbit/input/reshape",
            "output_eightbit/input/reduction_dims",
        ],
        "output_eightbit/input/quantize": [
            "QuantizeV2",
            "input",
            "output_eightbit/input/min",
            "output_eightbit/input/max",
        ],
        "output/eightbit": [
            "QuantizedRelu",
            "output_eightbit/input/quantize:0",
            "output_eightbit/input/quantize:1",
            "output_eightbit/input/quantize:2",
        ],
        "output": ["Dequantize", "output/eightbit:0", "output/eightbit:1", "output/eightbit:2"],
    }
    assert notes == ["quantize_nodes: 1 ops in eight bits"]


def test_neighbours_in_eight_bits_stay_in_them():
    graph = graph_of(placeholder(), relu("first", "input"), relu("output", "first"))
    new, _ = transformed(graph, "quantize_nodes strip_unused_nodes")
    assert wiring(new)["output/eightbit"] == [
        "QuantizedRelu",
        "first/eightbit:0",
        "first/eightbit:1",
        "first/eightbit:2",
    ]
    assert [node.name for node in new.node if node.op == "Dequantize"] == ["output"]


def test_a_range_that_is_given_is_not_measured():
    graph = graph_of(placeholder(), const("w", [[[[1.0], [1]]]]), conv("output", "input", "w"))
    new, _ = transformed(graph, "quantize_nodes(fallback_min=-1, fallback_max=2, input_min=0, input_max=6)")
    assert value(new, "output/eightbit/fallback_min") == -1
    assert wiring(new)["output/eightbit/requantize"][-2:] == [
        "output/eightbit/fallback_min",
        "output/eightbit/fallback_max",
    ]
    assert nodes_of(new)["input"].attr["dtype"].type == 12
    assert value(new, "input_eightbit/max") == 6


def test_an_input_that_is_taken_twice_is_quantized_once():
    graph = graph_of(placeholder(), make_node("output", "Mul", ["input", "input"], T=FLOAT))
    new, _ = transformed(graph, "quantize_nodes")
    quantized = "output_eightbit/input/quantize"
    assert wiring(new)["output/eightbit"] == [
        "QuantizedMul",
        *[f"{quantized}:{n}" for n in (0, 0, 1, 2, 1, 2)],
    ]


def test_a_trained_range_takes_the_place_of_a_measured_one():
    graph = graph_of(
        placeholder(),
        const("w", [[[[1.0], [1]]]]),
        conv("conv", "input", "w"),
        const("low", -1.0),
        const("high", 6.0),
        make_node("output", "FakeQuantWithMinMaxVars", ["conv", "low", "high"]),
    )
    new, _ = transformed(graph, "quantize_nodes")
    assert wiring(new)["output_eightbit/requantize"] == [
        "Requantize",
        "conv/eightbit:0",
        "conv/eightbit:1",
        "conv/eightbit:2",
        "low",
        "high",
    ]
    assert not [node for node in new.node if node.op == "RequantizationRange"]


def test_ops_that_are_ignored_or_no_floats_stay():
    graph = graph_of(placeholder(), relu("output", "input"))
    assert wiring(transformed(graph, "quantize_nodes(ignore_op=Relu)")[0]) == wiring(graph)
    whole = graph_of(placeholder(), make_node("output", "Relu", ["input"], T="DT_INT32"))
    assert wiring(transformed(whole, "quantize_nodes")[0]) == wiring(whole)
