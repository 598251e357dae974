"""Builds of models that are cut, of a SavedModel with its saver, and of one that nobody can feed unasked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from project_build import Run, run_scons

from tfcross.graph.construction import graph_bytes, make_const, make_node, make_placeholder
from tfcross.graph.messages import GraphDef, SavedModel


@pytest.fixture(scope="module")
def folder(built: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The models; what the README's build has compiled is there."""
    folder = tmp_path_factory.mktemp("cut")
    x, relu = make_node("x", "Placeholder", dtype="DT_FLOAT"), make_node("y", "Relu", ["x"], T="DT_FLOAT")
    (folder / "no_shape.pb").write_bytes(graph_bytes([x, relu], 1500))
    (folder / "jpeg.pb").write_bytes(graph_bytes(jpeg_nodes(), 1500))
    (folder / "saved").mkdir()
    (folder / "saved" / "saved_model.pb").write_bytes(saved_model())
    return folder


def jpeg_nodes() -> list[Any]:
    """Decodes a JPEG, for which there is no kernel; then the largest of a row that is scaled."""
    return [
        make_placeholder("contents", "DT_STRING", []),
        make_node("decoded", "DecodeJpeg", ["contents"]),
        make_node("row", "Cast", ["decoded"], SrcT="DT_UINT8", DstT="DT_FLOAT"),
        make_const("two", "DT_FLOAT", [1], b"\0\0\0\x40"),
        make_node("twice", "Mul", ["row", "two"], T="DT_FLOAT"),
    ]


def saved_model() -> bytes:
    """y = relu(x), in a function; the saver restores with an op that has no kernel here."""
    graph = GraphDef()
    called = make_node("called", "PartitionedCall", ["x"])
    called.attr["f"].func.name = "relu"
    called.attr["Tin"].list.type.append(1)
    called.attr["Tout"].list.type.append(1)
    graph.node.extend(
        [
            make_placeholder("x", "DT_FLOAT", [-1, 2]),
            called,
            make_placeholder("file", "DT_STRING", []),
            make_node("restore", "RestoreV2", ["file", "file", "file"]),
        ]
    )
    graph.versions.producer = 1500
    function = graph.library.function.add()
    function.signature.name = "relu"
    function.signature.input_arg.add(name="a", type=1)
    function.signature.output_arg.add(name="b", type=1)
    function.node_def.append(make_node("r", "Relu", ["a"], T="DT_FLOAT"))
    function.ret["b"] = "r:activations:0"
    saved = SavedModel(saved_model_schema_version=1)
    meta = saved.meta_graphs.add(graph_def=graph)
    meta.meta_info_def.tags.append("serve")
    signature = meta.signature_def["serving_default"]
    signature.inputs["x"].name, signature.inputs["x"].dtype = "x:0", 1
    signature.outputs["y"].name = "called:0"
    return bytes(saved.SerializeToString())


def build(folder: Path, model: str, *words: str) -> tuple[Run, Path, dict[str, Any]]:
    """The run, the output folder and what its manifest tells of the model."""
    out = folder / "out" / str(len(list(folder.glob("out/*"))))
    run = run_scons("TARGET=PI", f"MODEL={folder / model}", f"OUT={out}", *words)
    assert run.status == 0, run.out[-4000:] + run.err[-4000:]
    (facts,) = json.loads((out / "PI-armv7" / "manifest.json").read_text())["models"]
    return run, out / "PI-armv7", facts


def test_a_model_that_only_its_app_can_feed_gets_its_folder_and_is_told(folder: Path) -> None:
    run, out, facts = build(folder, "no_shape.pb")
    why = (
        "input 'x' (float) has no shape. Pass INPUTS='x=float[…]', or put a proof.yaml beside the model "
        "(docs/models.md#the-proof)."
    )
    assert facts["unproven"] == why
    assert "graph" not in facts
    assert f"run_graph: linked, not run: {why}\n" in (out / "proof.txt").read_text()
    lines = run.out.splitlines()
    assert f"        no_shape.pb: the generic proof did not run it: {why}" in lines[-2:]
    assert (out / "lib/libtensorflow-core.a").is_file()
    assert not (out / "model").exists()


def test_inputs_tell_the_proof_what_to_feed(folder: Path) -> None:
    run, out, facts = build(folder, "no_shape.pb", "INPUTS=x=float[1,8,8,3]", "OUTPUTS=y:0")
    assert "unproven" not in facts
    assert (facts["inputs"], facts["outputs"]) == (["x=float[1,8,8,3]"], ["y"])
    proof = (out / "proof.txt").read_text()
    assert "input x float[1,8,8,3]" in proof
    assert "output y float[1,8,8,3]" in proof
    assert "did not run" not in run.out


def test_a_graph_that_is_cut_needs_no_kernel_of_what_is_gone(folder: Path) -> None:
    _, out, facts = build(folder, "jpeg.pb", "INPUTS=row=float[?,3]")
    assert facts["graph"]["name"] == "model/jpeg.pb"
    graph = GraphDef.FromString((out / "model/jpeg.pb").read_bytes())
    assert [(node.name, node.op) for node in graph.node] == [
        ("row", "Placeholder"),
        ("two", "Const"),
        ("twice", "Mul"),
    ]
    assert "output twice float[1,3]" in (out / "proof.txt").read_text()
    manifest = json.loads((out / "manifest.json").read_text())
    assert "DecodeJpeg" not in manifest["ops"]


def test_a_saved_model_is_built_for_its_signature_without_its_saver(folder: Path) -> None:
    run, out, facts = build(folder, "saved")
    assert (facts["name"], facts["graph"]["name"]) == ("saved_model.pb", "model/saved.pb")
    assert "output y float[1,2]" in (out / "proof.txt").read_text()
    assert "RestoreV2" not in json.loads((out / "manifest.json").read_text())["ops"]
    assert run.errors == []


def test_ends_that_do_not_fit_cost_no_build(folder: Path) -> None:
    run = run_scons("TARGET=PI", f"MODEL={folder / 'jpeg.pb'}", "OUTPUTS=twise")
    assert run.errors == [
        f"error: {folder / 'jpeg.pb'}: OUTPUTS: there is no node 'twise'; the nearest: 'twice'."
    ]
    assert run.compiled == []
    both = run_scons("TARGET=PI", f"MODEL={folder / 'jpeg.pb'},{folder / 'no_shape.pb'}", "OUTPUTS=y")
    assert both.errors == [
        "error: OUTPUTS= tell the ends of one model, and there are 2; build one library for each."
    ]
