from __future__ import annotations

import os
from pathlib import Path

import pytest

from tfcross.errors import TfcrossError
from tfcross.graph.construction import graph_bytes, make_const, make_node, make_placeholder
from tfcross.graph.messages import AttrValue, GraphDef, SavedModel
from tfcross.graph.model import load_model

ALLOWED = "allowed are a frozen GraphDef, a SavedModel and a checkpoint"
NO_MODEL = "pass the model's .pb, .pbtxt or SavedModel folder"
ORIGIN = "pass the TensorFlow graph that it was made from"
EXPORT = "export it as a SavedModel (model.export, or model.save of old versions) and pass that folder"
WHOLE = "pass the checkpoint with all of its files, and GRAPH= where its graph is elsewhere"
UNPACK = "unpack it and pass the .pb or the SavedModel folder in it"
AGAIN = "no runtime would load it, so freeze the model again"


def message_of(path: Path, tag: str = "serve") -> str:
    """The error's text after the path."""
    with pytest.raises(TfcrossError) as error:
        load_model(path, tag)
    text = str(error.value)
    assert text.startswith(f"{path}: ")
    assert "\n" not in text
    return text.removeprefix(f"{path}: ")


FOREIGN = [
    ("tflite", b"\x20\0\0\0TFL3", "a TFLite model", ORIGIN),
    ("hdf5", b"\x89HDF\r\n\x1a\n\0", "an HDF5 file (Keras weights or model)", EXPORT),
    ("zip", b"PK\x03\x04", "a ZIP archive (also the form of .keras and PyTorch files)", UNPACK),
    ("gzip", b"\x1f\x8b\x08", "a gzip file", UNPACK),
    ("tar", b"graph.pb".ljust(257, b"\0") + b"ustar", "a tar archive", UNPACK),
    ("onnx", b"\x08\x07\x12\x07pytorch", "an ONNX model", ORIGIN),
    ("jpeg", b"\xff\xd8\xff\xe0", "a JPEG image", NO_MODEL),
    ("wav", b"RIFF\x24\0\0\0WAVE", "a RIFF file (WAV, AVI or WebP)", NO_MODEL),
    (
        "html",
        b"\n<!DOCTYPE html><html>",
        "an HTML or XML page",
        "the download went wrong; fetch the file itself",
    ),
    ("json", b'{"class_name": "Model"}', "a JSON file", EXPORT),
    (
        "git-lfs",
        b"version https://git-lfs.example/spec/v1\noid sha256:00\nsize 9\n",
        "a git-LFS pointer",
        "run `git lfs pull` and try again",
    ),
    ("checkpoint", b'model_checkpoint_path: "m-1"\n', "a checkpoint's index of names", WHOLE),
    ("index", b"\0" * 9 + b"\x57\xfb\x80\x8b\x24\x75\x47\xdb", "a checkpoint's index", WHOLE),
]


@pytest.mark.parametrize(
    ("content", "name", "hint"), [case[1:] for case in FOREIGN], ids=[case[0] for case in FOREIGN]
)
def test_another_format_is_named_by_its_content(tmp_path, content, name, hint):
    path = tmp_path / "graph.pb"
    path.write_bytes(content)
    assert message_of(path) == f"this is {name}; {ALLOWED}; {hint}."


@pytest.mark.parametrize(
    ("file", "name", "hint"),
    [
        pytest.param("model.ckpt-9.meta", "a checkpoint's meta graph, without the weights", WHOLE, id="meta"),
        pytest.param("model.ckpt-9.data-00000-of-00001", "a checkpoint's data file", WHOLE, id="data"),
        pytest.param("net.caffemodel", "a Caffe model", ORIGIN, id="caffe"),
    ],
)
def test_another_format_is_named_by_its_suffix_when_the_content_tells_nothing(tmp_path, file, name, hint):
    path = tmp_path / file
    path.write_bytes(b"\x0a\x0b2.0" + bytes(range(200)))
    assert message_of(path) == f"this is {name}; {ALLOWED}; {hint}."


def test_unknown_bytes_are_no_graph_and_tell_where_they_stop_making_sense(tmp_path):
    path = tmp_path / "graph.pb"
    path.write_bytes(b"\xff" * 64)
    detail = "byte 0: a number without an end"
    assert message_of(path) == f"this is no TensorFlow graph ({detail}); {ALLOWED}; {NO_MODEL}."


def test_a_missing_model_is_told(tmp_path):
    assert message_of(tmp_path / "no.pb") == (
        "the model cannot be read (No such file or directory); "
        "pass a frozen graph (.pb, .pbtxt), a SavedModel folder or a checkpoint."
    )


def test_an_empty_model_is_told(tmp_path):
    (tmp_path / "graph.pb").touch()
    assert message_of(tmp_path / "graph.pb") == "the model is empty (0 bytes); copy or freeze it again."


def test_a_folder_that_is_no_saved_model_is_told(tmp_path):
    assert message_of(tmp_path) == (
        "a folder without saved_model.pb or checkpoint; pass a frozen graph (.pb, .pbtxt), a SavedModel "
        "folder or a checkpoint."
    )


def test_a_pipe_is_refused_without_waiting_for_a_writer(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert message_of(tmp_path / "pipe").startswith("not a regular file; ")


def test_a_truncated_graph_tells_the_byte(tmp_path):
    content = graph_bytes([make_const("weights", "DT_FLOAT", [4], b"\0" * 16)], 26)
    path = tmp_path / "graph.pb"
    path.write_bytes(content[:40])
    assert message_of(path) == (
        "truncated: it ends at byte 40, and the field at byte 0 should have 68 bytes and has 38; "
        "copy it again."
    )


def test_a_truncated_saved_model_tells_the_byte(tmp_path):
    saved = SavedModel(saved_model_schema_version=1)
    saved.meta_graphs.add().graph_def.node.append(make_placeholder("x", "DT_FLOAT", [1]))
    path = tmp_path / "saved_model.pb"
    path.write_bytes(saved.SerializeToString()[:20])
    assert message_of(path) == (
        "truncated: it ends at byte 20, and the field at byte 2 should have 50 bytes and has 16; "
        "copy it again."
    )


def test_a_damaged_node_tells_the_byte(tmp_path):
    content = graph_bytes([make_node("x", "NoOp"), make_node("y", "Relu", ["x"], T="DT_FLOAT")], 26)
    path = tmp_path / "graph.pb"
    path.write_bytes(content.replace(b"\x12\x04Relu", b"\x12\x7fRelu"))
    assert message_of(path) == "damaged: at byte 13 is no valid NodeDef; copy or freeze it again."


TWO_RELUS = [make_node("x", "NoOp"), make_node("a", "Relu", ["b"]), make_node("b", "Relu", ["c"])]


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        pytest.param(
            [make_node("x", "NoOp"), make_node("x", "Const")],
            "two nodes are named 'x'; names must be unique",
            id="duplicate names",
        ),
        pytest.param(
            [make_node("x", "NoOp"), make_node("y", "Relu", ["z:1"])],
            "node 'y' (op 'Relu') takes 'z:1', and there is no node 'z'",
            id="missing input",
        ),
        pytest.param(
            [make_node("x", "NoOp"), make_node("y", "Relu", ["^z"])],
            "node 'y' (op 'Relu') takes '^z', and there is no node 'z'",
            id="missing control input",
        ),
        pytest.param(
            [*TWO_RELUS, make_node("c", "Relu", ["a"])],
            "its nodes form a cycle: 'a' <- 'b' <- 'c' <- 'a'",
            id="cycle",
        ),
        pytest.param(
            [make_node("x", "NoOp"), make_node("y", "Relu", ["y"])],
            "its nodes form a cycle: 'y' <- 'y'",
            id="a node that takes itself",
        ),
        pytest.param(
            [make_node("x", "NoOp"), make_node("", "Relu")], "a node without a name (op 'Relu')", id="no name"
        ),
        pytest.param([make_node("x", "NoOp"), make_node("y", "")], "node 'y': it has no op", id="no op"),
        pytest.param(
            [make_node("x\x1b[2J\n" + "y" * 200, "Relu", ["z"])],
            "node 'x\\x1b[2J\\n" + "y" * 71 + "...' (op 'Relu') takes 'z', and there is no node 'z'",
            id="a name that a terminal would obey",
        ),
    ],
)
def test_a_graph_that_no_runtime_would_load_names_the_node(tmp_path, nodes, message):
    path = tmp_path / "graph.pb"
    path.write_bytes(graph_bytes(nodes, 26))
    assert message_of(path) == f"{message}; {AGAIN}."


def test_a_function_with_a_missing_input_is_named(tmp_path):
    graph = GraphDef(node=[make_node("x", "f")])
    function = graph.library.function.add()
    function.signature.name = "f"
    function.node_def.append(make_node("y", "Relu", ["nowhere:out:0"]))
    path = tmp_path / "graph.pb"
    path.write_bytes(graph.SerializeToString())
    assert message_of(path) == (
        f"function 'f': node 'y' (op 'Relu') takes 'nowhere:out:0', and there is no node 'nowhere'; {AGAIN}."
    )


def test_a_shape_with_too_many_dimensions_is_refused(tmp_path):
    attr = AttrValue()
    for _ in range(255):
        attr.shape.dim.add(size=1)
    path = tmp_path / "graph.pb"
    path.write_bytes(graph_bytes([make_node("x", "Placeholder", shape=attr)], 26))
    assert message_of(path) == f"node 'x': a shape of 255 dimensions; at most 254 are allowed; {AGAIN}."


def test_a_saved_model_without_the_tag_lists_the_tags(tmp_path):
    saved = SavedModel(saved_model_schema_version=1)
    saved.meta_graphs.add().meta_info_def.tags.extend(["train", "gpu"])
    path = tmp_path / "saved_model.pb"
    path.write_bytes(saved.SerializeToString())
    assert message_of(path) == "the SavedModel has no graph with the tag 'serve'. Known: train and gpu."


def test_a_signature_that_names_a_missing_node_is_refused(tmp_path):
    saved = SavedModel(saved_model_schema_version=1)
    meta = saved.meta_graphs.add()
    meta.meta_info_def.tags.append("serve")
    meta.graph_def.node.append(make_placeholder("x", "DT_FLOAT", [1]))
    meta.signature_def["serving_default"].outputs["y"].name = "gone:0"
    path = tmp_path / "saved_model.pb"
    path.write_bytes(saved.SerializeToString())
    assert message_of(path) == f"its signature's 'y' is 'gone:0', and there is no such node; {AGAIN}."


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(
            'node { name: "x"\n  op: "NoOp"\n',
            "line 3: truncated: a block opened on line 1 never ends",
            id="truncated",
        ),
        pytest.param(
            'node { name: "x" op: "NoOp" }\nnode {\n  name: 7\n}\n',
            "line 3: Expected string but found: '7'",
            id="wrong type",
        ),
        pytest.param('node { name: "x }\n', "line 1: a string without an end", id="open string"),
        pytest.param('node { name: "x" op: "NoOp" }\n}\n', "line 2: a stray brace", id="stray brace"),
        pytest.param("node " + "{ a " * 200, "line 1: braces that are too deep", id="deep nesting"),
    ],
)
def test_a_text_graph_that_cannot_be_parsed_tells_the_line(tmp_path, text, message):
    path = tmp_path / "graph.pbtxt"
    path.write_text(text)
    assert message_of(path) == f"{message}; mend the text, or pass the binary graph."
