"""What graphs, lists of ops and --default_ops ask a selective header for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from small_registry import registry, rule

from tfcross.errors import TfcrossError
from tfcross.graph.construction import make_node
from tfcross.graph.messages import FunctionDef, GraphDef
from tfcross.registry.parser import Problem
from tfcross.selection.upstream_pairs import (
    RAW,
    TEXT,
    GraphNodes,
    Pair,
    Picked,
    parse_default_ops,
    pick_pairs,
    read_graph,
    read_ops_list,
)

ADD_FLOAT = Pair("Add", "BinaryOp<CPUDevice, functor::add<float>>")
ADD_INT32 = Pair("Add", "BinaryOp<CPUDevice, functor::add<int32>>")
TEXT_GRAPH = 'node { name: "a" op: "Add" input: "nowhere" attr { key: "T" value { type: DT_FLOAT } } }\n'


def graph(folder: Path, *nodes: Any, functions: tuple[Any, ...] = ()) -> GraphNodes:
    message = GraphDef(node=nodes)
    message.library.function.extend(functions)
    path = folder / "g.pb"
    path.write_bytes(message.SerializeToString())
    return read_graph(path, RAW)


def picked(read: GraphNodes, *replaced: str) -> Picked:
    return pick_pairs(read, rule(inserted=dict.fromkeys(replaced, ())))


def function(name: str, *nodes: Any) -> Any:
    body = FunctionDef(node_def=nodes)
    body.signature.name = name
    return body


def test_each_node_gets_the_class_of_its_types(tmp_path: Path) -> None:
    nodes = [make_node("a", "Add", T="DT_FLOAT"), make_node("b", "Add", T="DT_INT32")]
    assert picked(graph(tmp_path, *nodes, nodes[0])) == Picked(frozenset({ADD_FLOAT, ADD_INT32}), ())


@pytest.mark.parametrize("device", ["", "/cpu:0", "/device:GPU:0", "/job:worker/task:3"])
def test_the_cpu_kernel_stays_whatever_device_a_node_names(tmp_path: Path, device: str) -> None:
    node = make_node("a", "Add", T="DT_FLOAT")
    node.device = device
    assert picked(graph(tmp_path, node)).pairs == {ADD_FLOAT}


def test_nodes_of_functions_count_and_calls_of_functions_are_no_ops(tmp_path: Path) -> None:
    body = function("twice", make_node("a", "Add", T="DT_FLOAT"))
    assert picked(graph(tmp_path, make_node("call", "twice"), functions=(body,))) == Picked(
        frozenset({ADD_FLOAT}), ()
    )


def test_a_function_whose_callers_know_its_types_keeps_every_cpu_kernel(tmp_path: Path) -> None:
    node = make_node("a", "Add")
    node.attr["T"].placeholder = "T"
    assert picked(graph(tmp_path, make_node("call", "f"), functions=(function("f", node),))).pairs == {
        ADD_FLOAT,
        ADD_INT32,
    }


@pytest.mark.parametrize(
    ("op", "attrs", "warning"),
    [
        pytest.param(
            "Conv9D",
            {},
            "{path}: node 'a' (and 1 more) is left out: no kernel found: op 'Conv9D' is not defined by "
            "this release. A custom op needs its own sources (OPS_DIR=), a newer op a newer RELEASE.",
            id="unknown op",
        ),
        pytest.param(
            "MatMul",
            {"T": "DT_INT32"},
            "{path}: node 'a' (and 1 more) is left out: no kernel found: op 'MatMul' has no "
            "CPU kernel for T=int32. Compiled: T: float. If this is TYPES=slim: TYPES=full has more types.",
            id="type",
        ),
        pytest.param(
            "CudnnRNN",
            {},
            "{path}: node 'a' (and 1 more) is left out: no kernel found: op 'CudnnRNN' has "
            "no CPU kernel, only for GPU. Strip or replace the node.",
            id="only for another device",
        ),
    ],
)
def test_nodes_without_a_kernel_are_left_out_with_one_warning(
    tmp_path: Path, op: str, attrs: dict[str, str], warning: str
) -> None:
    read = graph(tmp_path, make_node("a", op, **attrs), make_node("b", op, **attrs))
    assert picked(read) == Picked(frozenset(), (warning.format(path=tmp_path / "g.pb"),))


def test_a_warning_tells_of_a_registration_that_could_not_be_read(tmp_path: Path) -> None:
    read = graph(tmp_path, make_node("a", "MatMul", T="DT_INT32"))
    problem = Problem("tensorflow/core/kernels/matmul_op.cc", "MatMul", "kernel MatMul has an odd constraint")
    (warning,) = pick_pairs(read, rule(of=registry([problem]))).warnings
    assert warning.endswith(
        f" A registration cannot be read: {problem}. Correct that source (SOURCE_tensorflow=…), or report it."
    )


def test_an_op_that_the_runtime_replaces_stays_without_a_kernel(tmp_path: Path) -> None:
    read = graph(tmp_path, make_node("a", "_DeviceArg"))
    assert picked(read, "_DeviceArg") == Picked(frozenset({Pair("_DeviceArg", "")}), ())


def test_an_op_with_kernels_for_other_types_does_not_stay_without_one(tmp_path: Path) -> None:
    found = picked(graph(tmp_path, make_node("a", "MatMul", T="DT_INT32")), "MatMul")
    assert (found.pairs, len(found.warnings)) == (frozenset(), 1)


def test_text_graphs_are_read_unchecked(tmp_path: Path) -> None:
    path = tmp_path / "g.pbtxt"
    path.write_text(TEXT_GRAPH)
    assert picked(read_graph(path, TEXT)).pairs == {ADD_FLOAT}


@pytest.mark.parametrize(
    ("content", "form", "message"),
    [
        pytest.param(
            TEXT_GRAPH.encode(),
            RAW,
            "{path}: a text graph, and --proto_fileformat is rawproto; pass --proto_fileformat=textproto.",
            id="text as raw",
        ),
        pytest.param(
            GraphDef(node=[make_node("a", "Add", T="DT_FLOAT")]).SerializeToString(),
            TEXT,
            "{path}: a binary graph, and --proto_fileformat is textproto; pass --proto_fileformat=rawproto.",
            id="raw as text",
        ),
        pytest.param(
            b"nonsense",
            TEXT,
            "{path}: this is no TensorFlow graph (it does not start like a text graph); allowed are a frozen "
            "GraphDef, a SavedModel and a checkpoint; pass the model's .pb, .pbtxt or SavedModel folder.",
            id="neither",
        ),
        pytest.param(
            GraphDef(version=3).SerializeToString(),
            RAW,
            "{path}: the graph has no nodes; pass the graph that your app loads.",
            id="no nodes",
        ),
        pytest.param(b"", RAW, "{path}: the model is empty (0 bytes); copy or freeze it again.", id="empty"),
    ],
)
def test_a_file_of_another_form_is_refused(tmp_path: Path, content: bytes, form: str, message: str) -> None:
    path = tmp_path / "g"
    path.write_bytes(content)
    with pytest.raises(TfcrossError) as caught:
        read_graph(path, form)
    assert str(caught.value) == message.format(path=path)


def test_a_list_of_ops_gives_its_pairs(tmp_path: Path) -> None:
    path = tmp_path / "ops.json"
    path.write_text(
        '[["Add", "BinaryOp<CPUDevice, functor::add<float>>"], ["AccumulateNV2", null], ["Old", ""]]'
    )
    assert read_ops_list(path) == {ADD_FLOAT, Pair("AccumulateNV2", ""), Pair("Old", "")}


EXAMPLE = 'a list of pairs, as [["NoOp", "NoOp"], ["AccumulateNV2", null]].'


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param("", f"no JSON: Expecting value: line 1 column 1 (char 0); write {EXAMPLE}", id="empty"),
        pytest.param("[]", f"lists no ops; write {EXAMPLE}", id="no pairs"),
        pytest.param('{"a": "b"}', f"lists no ops; write {EXAMPLE}", id="an object"),
        pytest.param('[["A", "B"], "C"]', f'entry 2 is "C"; write {EXAMPLE}', id="no pair"),
        pytest.param('[["A", "B", "C"]]', f'entry 1 is ["A", "B", "C"]; write {EXAMPLE}', id="three"),
        pytest.param('[["", "B"]]', f'entry 1 is ["", "B"]; write {EXAMPLE}', id="no op"),
        pytest.param('[["A", 3]]', f'entry 1 is ["A", 3]; write {EXAMPLE}', id="a number"),
        pytest.param('[["A", "B\\n#"]]', f'entry 1 is ["A", "B\\n#"]; write {EXAMPLE}', id="two lines"),
    ],
)
def test_a_list_of_ops_that_is_none_is_refused(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "ops.json"
    path.write_text(content)
    with pytest.raises(TfcrossError) as caught:
        read_ops_list(path)
    assert str(caught.value) == f"{path}: {message}"


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        pytest.param("", set(), id="nothing"),
        pytest.param(
            "NoOp:NoOp,_Recv:RecvOp,_Send:SendOp",
            {Pair("NoOp", "NoOp"), Pair("_Recv", "RecvOp"), Pair("_Send", "SendOp")},
            id="upstream's default",
        ),
        pytest.param(
            "Add:BinaryOp<CPUDevice, functor::add<float>>, NoOp:NoOp",
            {ADD_FLOAT, Pair("NoOp", "NoOp")},
            id="commas and colons of a template",
        ),
    ],
)
def test_default_ops_are_pairs(text: str, pairs: set[Pair]) -> None:
    assert parse_default_ops(text) == pairs


@pytest.mark.parametrize("entry", ["NoOp", "NoOp:", ":NoOp", "functor::add", "", "a b:C"])
def test_a_default_op_that_is_no_pair_is_refused(entry: str) -> None:
    with pytest.raises(TfcrossError) as caught:
        parse_default_ops(f"_Recv:RecvOp,{entry}")
    assert str(caught.value) == (
        f"--default_ops: '{entry}' is no pair of an op and a kernel class; "
        "write op:class,op:class as NoOp:NoOp,_Recv:RecvOp, or all."
    )
