from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tfcross.graph.construction import graph_bytes, make_const, make_node, make_placeholder, shape_attr
from tfcross.graph.messages import AttrValue, GraphDef, SavedModel
from tfcross.graph.model import FunctionRef, Placeholder, TensorSummary, load_model

GRAPHS = Path(__file__).parents[1] / "fixtures" / "graphs"


def write(path: Path, *nodes, producer: int = 26) -> Path:
    path.write_bytes(graph_bytes(nodes, producer))
    return path


def function_attr(name: str) -> AttrValue:
    attr = AttrValue()
    attr.func.name = name
    return attr


def test_a_frozen_graph_gives_its_ends_ops_and_hash(tmp_path):
    path = write(
        tmp_path / "graph.pb",
        make_placeholder("x", "DT_FLOAT", [-1, 3]),
        make_const("w", "DT_FLOAT", [3, 1], b"\0" * 12),
        make_node("y", "MatMul", ["x", "w"], T="DT_FLOAT"),
        make_node("init", "NoOp", ["^y"]),
    )
    model = load_model(path)
    assert model.placeholders == (Placeholder("x", "DT_FLOAT", (-1, 3)),)
    assert model.outputs == ("y",)
    assert model.ops() == {"Const": "graph", "MatMul": "graph", "NoOp": "graph", "Placeholder": "graph"}
    assert model.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (model.producer, model.min_consumer, model.notes) == (26, 0, ())


def test_attributes_keep_their_kind_and_value(tmp_path):
    listed = AttrValue()
    listed.list.type.extend([1, 101])
    path = write(
        tmp_path / "graph.pb",
        make_node("x", "Odd", a=True, b=7, c=0.5, d="SAME", e=b"\xff", f="DT_HALF", g=shape_attr([2, -1])),
        make_node("y", "Odd", ["^x"], types=listed, ints=[1, 2], empty=[], f=function_attr("g")),
    )
    x, y = load_model(path).nodes
    assert {name: (attr.kind, attr.value) for name, attr in x.attrs.items()} == {
        "a": ("bool", True),
        "b": ("int", 7),
        "c": ("float", 0.5),
        "d": ("string", "SAME"),
        "e": ("string", "\\xff"),
        "f": ("type", "DT_HALF"),
        "g": ("shape", (2, -1)),
    }
    assert {name: (attr.kind, attr.value) for name, attr in y.attrs.items()} == {
        "types": ("list(type)", ("DT_FLOAT", "DT_FLOAT_REF")),
        "ints": ("list(int)", (1, 2)),
        "empty": ("list", ()),
        "f": ("func", FunctionRef("g", {})),
    }
    assert list(y.types()) == [("types", ("DT_FLOAT", "DT_FLOAT_REF"))]
    assert x.attr("f", "type") == "DT_HALF"
    assert x.attr("f", "int") is None


@pytest.mark.parametrize(
    ("dtype", "fields", "values"),
    [
        pytest.param(3, {"tensor_content": b"\1\0\0\0\xff\xff\xff\xff"}, (1, -1), id="content"),
        pytest.param(3, {"int_val": [5]}, (5, 5), id="the last listed element fills the rest"),
        pytest.param(1, {}, (0, 0), id="nothing listed means zeros"),
        pytest.param(7, {"string_val": [b"a", b"\xfe"]}, ("a", "\\xfe"), id="strings"),
        pytest.param(10, {"bool_val": [True, False]}, (True, False), id="bools"),
        pytest.param(19, {"half_val": [1, 2]}, None, id="a type that is not read"),
        pytest.param(3, {"tensor_content": b"\1\0\0\0"}, None, id="content of the wrong size"),
    ],
)
def test_a_small_tensor_keeps_its_values(tmp_path, dtype, fields, values):
    attr = AttrValue()
    attr.tensor.dtype = dtype
    attr.tensor.tensor_shape.dim.add(size=2)
    for name, value in fields.items():
        if isinstance(value, bytes):
            setattr(attr.tensor, name, value)
        else:
            getattr(attr.tensor, name).extend(value)
    path = write(tmp_path / "graph.pb", make_node("c", "Const", value=attr))
    assert load_model(path).nodes[0].attrs["value"].value.values == values


@pytest.mark.parametrize("size", [65, 1_000_000], ids=["parsed whole", "payload left out"])
def test_a_large_tensor_keeps_type_and_shape_only(tmp_path, size):
    path = write(tmp_path / "graph.pb", make_const("w", "DT_FLOAT", [size], b"\1" * (4 * size)))
    assert load_model(path).nodes[0].attrs["value"].value == TensorSummary("DT_FLOAT", (size,), None)
    assert load_model(path).nodes[0].attr("dtype", "type") == "DT_FLOAT"


@pytest.mark.parametrize(
    ("producer", "shape"),
    [pytest.param(21, None, id="21: unknown"), pytest.param(22, (), id="22: a scalar")],
)
def test_an_empty_placeholder_shape_means_what_the_producer_meant(tmp_path, producer, shape):
    path = write(tmp_path / "graph.pb", make_placeholder("x", "DT_FLOAT", []), producer=producer)
    assert load_model(path).placeholders == (Placeholder("x", "DT_FLOAT", shape),)


def test_a_while_loop_is_no_cycle(tmp_path):
    path = write(
        tmp_path / "graph.pb",
        make_const("zero", "DT_INT32", [], b"\0\0\0\0"),
        make_node("merge", "Merge", ["zero", "next"], T="DT_INT32"),
        make_node("next", "NextIteration", ["merge"], T="DT_INT32"),
        make_node("exit", "Exit", ["merge:1"], T="DT_INT32"),
    )
    assert load_model(path).outputs == ("exit",)


def test_variables_without_values_are_noted(tmp_path):
    path = write(
        tmp_path / "graph.pb",
        make_node("v", "VarHandleOp", dtype="DT_FLOAT"),
        make_node("w", "VariableV2", dtype="DT_FLOAT"),
        make_node("read", "ReadVariableOp", ["v"]),
    )
    assert load_model(path).notes == (
        "2 variables without values ('v', 'w'): pass the checkpoint that has them.",
    )


def library_graph() -> GraphDef:
    """main -> caller (by attribute) -> leaf (by name); loop bodies by attribute; orphan is never called."""
    graph = GraphDef(
        node=[
            make_placeholder("x", "DT_FLOAT", [1]),
            make_node("call", "PartitionedCall", ["x"], f=function_attr("caller")),
            make_node("loop", "While", ["x"], cond=function_attr("cond"), body=function_attr("body")),
        ]
    )
    graph.versions.producer = 1482
    bodies = {
        "caller": [make_node("inner", "leaf", ["a"]), make_node("s", "Sigmoid", ["inner:out:0"])],
        "leaf": [make_node("r", "Relu", ["a"]), make_node("t", "Tanh", ["r:activations:0", "^r"])],
        "cond": [make_node("l", "Less", ["a", "a"])],
        "body": [make_node("m", "Map", ["a"], f=function_attr("Exp"))],
        "leaf_gradient": [make_node("g", "ReluGrad", ["a"])],
        "orphan": [make_node("e", "Erf", ["a"])],
    }
    for name, nodes in bodies.items():
        function = graph.library.function.add()
        function.signature.name = name
        function.signature.input_arg.add(name="a", type=1)
        function.node_def.extend(nodes)
    graph.library.gradient.add(function_name="leaf", gradient_func="leaf_gradient")
    return graph


def test_ops_come_from_reachable_functions_only_and_say_why(tmp_path):
    path = tmp_path / "graph.pb"
    path.write_bytes(library_graph().SerializeToString())
    model = load_model(path)
    assert model.ops() == {
        "Exp": "function body",
        "Less": "function cond",
        "Map": "function body",
        "PartitionedCall": "graph",
        "Placeholder": "graph",
        "Relu": "function leaf",
        "ReluGrad": "function leaf_gradient",
        "Sigmoid": "function caller",
        "Tanh": "function leaf",
        "While": "graph",
    }
    assert [body.name for body in model.reachable()] == ["caller", "body", "cond", "leaf", "leaf_gradient"]
    assert "orphan" in model.functions
    assert model.functions["leaf"].gradient == "leaf_gradient"
    assert model.functions["leaf"].arguments == ("a",)
    assert {node.function for node in model.all_nodes()} == {
        "",
        "caller",
        "leaf",
        "cond",
        "body",
        "leaf_gradient",
    }


def saved_model(*tag_sets: list[str]) -> SavedModel:
    saved = SavedModel(saved_model_schema_version=1)
    for number, tags in enumerate(tag_sets):
        meta = saved.meta_graphs.add()
        meta.meta_info_def.tags.extend(tags)
        graph = meta.graph_def
        graph.node.append(make_placeholder("serving_x", "DT_FLOAT", [-1]))
        graph.node.append(make_node(f"call{number}", "TopKV2", ["serving_x", "k"]))
        graph.node.append(make_const("k", "DT_INT32", [], b"\1\0\0\0"))
        graph.node.append(make_placeholder("saver_filename", "DT_STRING", []))
        signature = meta.signature_def["serving_default"]
        signature.inputs["x"].name = "serving_x:0"
        signature.inputs["x"].dtype = 1
        signature.inputs["x"].tensor_shape.dim.add(size=-1)
        signature.outputs["values"].name = f"call{number}:0"
        signature.outputs["indices"].name = f"call{number}:1"
    return saved


def test_a_saved_model_gives_the_ends_of_its_signature(tmp_path):
    (tmp_path / "saved_model.pb").write_bytes(saved_model(["train"], ["serve"]).SerializeToString())
    model = load_model(tmp_path)
    assert model.path == tmp_path / "saved_model.pb"
    assert model.placeholders == (Placeholder("serving_x", "DT_FLOAT", (-1,)),)
    assert model.outputs == ("call1:1", "call1")
    assert load_model(tmp_path, tag="train").outputs == ("call0:1", "call0")


def test_a_saved_model_prefers_the_graph_with_only_the_tag(tmp_path):
    path = tmp_path / "saved_model.pb"
    path.write_bytes(saved_model(["serve", "tpu"], ["serve"]).SerializeToString())
    assert load_model(path).outputs == ("call1:1", "call1")


@pytest.mark.parametrize("name", ["graph.pbtxt", "text_in_a.pb"])
def test_a_text_graph_reads_as_its_binary_form(tmp_path, name):
    from google.protobuf import text_format

    graph = library_graph()
    binary, text = tmp_path / "binary.pb", tmp_path / name
    binary.write_bytes(graph.SerializeToString())
    text.write_text("# a comment { with a brace\n" + text_format.MessageToString(graph))
    assert load_model(text).nodes == load_model(binary).nodes
    assert load_model(text).functions == load_model(binary).functions
    assert load_model(text).producer == 1482


def test_a_text_saved_model_is_read(tmp_path):
    from google.protobuf import text_format

    (tmp_path / "saved_model.pbtxt").write_text(text_format.MessageToString(saved_model(["serve"])))
    assert load_model(tmp_path).outputs == ("call0:1", "call0")


def test_a_hand_written_text_graph_with_newer_fields_is_read():
    model = load_model(GRAPHS / "add.pbtxt")
    assert model.placeholders == (Placeholder("x", "DT_FLOAT", (2, -1)),)
    assert model.outputs == ("sum",)
    assert model.nodes[1].attrs["value"].value == TensorSummary("DT_FLOAT", (1,), (1.5,))
    assert model.nodes[0].attrs["label"].value == 'a "quoted" { brace'
