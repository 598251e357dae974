"""scripts/check_graph.py over TensorFlow's own sources, and over the library of the README's command."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from constructed_ndk import construct_ndk
from project_build import DIGITS, OUT, ROOT
from scripts_run import refused, run_script

from tfcross.graph.construction import graph_bytes, make_const, make_node, make_placeholder, shape_attr
from tfcross.graph.messages import GraphDef, SavedModel

SCRIPT, PI = "check_graph.py", "TARGET=PI"
SOON = 5.0  # seconds for 10,000 nodes; an idle machine needs one (docs/check-a-model.md)


@pytest.fixture(autouse=True)
def warm(built: object) -> None:
    """The build has left the registry."""


def write(path: Path, *nodes: Any) -> Path:
    path.write_bytes(graph_bytes(nodes, 1500))
    return path


def x(dtype: str = "DT_FLOAT") -> Any:
    return make_placeholder("x", dtype, [1, 4])


def check(*words: str | Path) -> dict[str, Any]:
    run = run_script(SCRIPT, *words, "--json")
    assert run.returncode in (0, 1), run.stderr
    document = json.loads(run.stdout)
    assert all(model["runs"] for model in document["models"]) == (run.returncode == 0)
    return dict(document)


def test_the_example_runs_and_every_node_has_a_kernel():
    document = check(DIGITS / "digits.pb", PI)
    assert document["for"] == "PI-armv7, TensorFlow 2.14.1, TYPES=full"
    (model,) = document["models"]
    assert model["runs"]
    assert {node["verdict"] for node in model["nodes"]} == {"ok"}
    kernels = {node["name"]: (node["kernel"], node["file"]) for node in model["nodes"]}
    assert kernels["conv1/sum"] == (
        "Conv2DOp<CPUDevice, float>",
        "tensorflow/core/kernels/conv_ops_float.cc",
    )


def test_the_check_knows_what_the_build_put_into_the_library():
    (model,) = check(DIGITS / "digits.pb", PI)["models"]
    manifest = json.loads((OUT / "manifest.json").read_text())
    assert model["kernels"] == manifest["kernels"]
    assert set(model["inserted"]) == {op for op, why in manifest["ops"].items() if why["kind"] == "runtime"}


def test_each_of_the_causes_is_told_with_what_to_do(tmp_path):
    graph = write(
        tmp_path / "bad.pb",
        x(),
        make_const("name", "DT_STRING", [], b""),
        make_node("save", "SaveV2", ["name", "name", "name", "x"], dtypes=types("DT_FLOAT")),
        make_node("sum", "MatMul", ["i8", "i8"], T="DT_INT8"),
        make_placeholder("i8", "DT_INT8", [1, 1]),
        make_node("rnn", "_CopyFromGpuToHost", ["x"], T="DT_FLOAT"),
        make_node("mine", "MyOwnOp", ["x"]),
    )
    (model,) = check(graph, PI)["models"]
    told = {node["name"]: (node["verdict"], node["what"], node["remedy"]) for node in model["nodes"]}
    assert told["x"] == ("ok", "", "")
    assert told["save"][0] == "checkpoint"
    assert told["save"][2].startswith("strip it: ")
    assert told["sum"][:2] == (
        "graph",
        "op 'MatMul' does not allow T=int8; allowed: bfloat16, half, float, double, int32, int64, uint8, "
        "uint16, uint32, uint64, complex64, complex128",
    )
    assert told["rnn"][0] == "no kernel"
    assert told["mine"][:2] == ("no kernel", "op 'MyOwnOp' is not defined by this release")


def types(*names: str) -> Any:
    node = make_node("n", "NoOp")
    node.attr["a"].list.type.extend([1 for _ in names])
    return node.attr["a"]


def test_a_type_that_a_switch_compiles_is_told_with_the_switch(tmp_path):
    graph = write(tmp_path / "double.pb", x("DT_DOUBLE"), make_node("y", "Softmax", ["x"], T="DT_DOUBLE"))
    assert check(graph, PI)["models"][0]["runs"]
    run = run_script(SCRIPT, graph, PI, "TYPES=slim")
    assert run.returncode == 1
    assert (
        "- type: 'y': op 'Softmax' has no CPU kernel for T=double. Compiled: T: float. "
        "TYPES=full compiles it (tensorflow/core/kernels/softmax_op.cc).\n"
    ) in run.stdout


def test_a_node_that_is_pinned_to_a_gpu_is_told(tmp_path):
    node = make_node("y", "Relu", ["x"], T="DT_FLOAT")
    node.device = "/device:GPU:0"
    run = run_script(SCRIPT, write(tmp_path / "gpu.pb", x(), node), PI)
    assert run.returncode == 1
    assert (
        "- device: 'y': it is pinned to '/device:GPU:0', and there is one device, CPU:0. Clear the device in "
        "the graph, or set allow_soft_placement in the ConfigProto.\n"
    ) in run.stdout


def test_a_library_that_is_there_is_asked_for_its_kernels(tmp_path):
    other = write(tmp_path / "other.pb", x(), make_node("y", "Tanh", ["x"], T="DT_FLOAT"))
    document = check(DIGITS / "digits.pb", other, "--library", OUT)
    assert [model["runs"] for model in document["models"]] == [True, False]
    (bad,) = [node for node in document["models"][1]["nodes"] if node["verdict"] != "ok"]
    assert (bad["name"], bad["verdict"]) == ("y", "library")
    assert bad["remedy"] == "Build it again with this graph among those of MODEL=."


def test_ten_thousand_nodes_take_no_time(tmp_path):
    nodes = [
        x(),
        *(make_node(f"n{i}", "Relu", [f"n{i - 1}" if i else "x"], T="DT_FLOAT") for i in range(10_000)),
    ]
    graph = write(tmp_path / "long.pb", *nodes)
    begun = time.monotonic()
    run = run_script(SCRIPT, graph, PI)
    assert time.monotonic() - begun < SOON
    assert "\n10000  Relu         T=float      OK       relu_op.cc\n" in run.stdout


def test_a_graph_without_functions_that_it_calls_cannot_run(tmp_path):
    graph = GraphDef(node=[x(), make_node("y", "PartitionedCall", ["x"])])
    graph.node[1].attr["f"].func.name = "gone"
    for name in ("Tin", "Tout"):
        graph.node[1].attr[name].list.type.append(1)
    path = tmp_path / "call.pb"
    path.write_bytes(graph.SerializeToString())
    (model,) = check(path, PI)["models"]
    assert [node["what"] for node in model["nodes"] if node["verdict"] != "ok"] == [
        "it calls the function 'gone', which the graph does not have"
    ]


def test_what_the_proof_of_a_build_will_need_is_told_beforehand(tmp_path):
    graph = write(
        tmp_path / "m.pb",
        make_node("x", "Placeholder", dtype="DT_FLOAT"),
        make_node("y", "Relu", ["x"], T="DT_FLOAT"),
    )
    why = (
        "input 'x' (float) has no shape. Pass INPUTS='x=float[…]', or put a proof.yaml beside the model "
        "(docs/models.md#the-proof)."
    )
    assert check(graph, PI)["models"][0]["unproven"] == why
    told = run_script(SCRIPT, graph, PI)
    assert told.returncode == 0
    assert f"\nA build's generic proof would not run it: {why}\n" in told.stdout
    (model,) = check(graph, PI, "INPUTS=x=float[1,8]")["models"]
    assert (model["runs"], model["unproven"]) == (True, "")
    assert check(DIGITS / "digits.pb", PI)["models"][0]["unproven"] == ""


def test_a_cut_graph_is_checked_without_what_is_gone(tmp_path):
    graph = write(
        tmp_path / "m.pb",
        make_placeholder("jpeg", "DT_STRING", []),
        make_node("image", "DecodeJpeg", ["jpeg"]),
        make_node("y", "Cast", ["image"], SrcT="DT_UINT8", DstT="DT_FLOAT"),
    )
    assert not check(graph, PI)["models"][0]["runs"]
    (model,) = check(graph, PI, "INPUTS=image=uint8[8,8,3]", "OUTPUTS=y:0")["models"]
    assert [(node["name"], node["op"], node["verdict"]) for node in model["nodes"]] == [
        ("image", "Placeholder", "ok"),
        ("y", "Cast", "ok"),
    ]
    assert refused(SCRIPT, graph, PI, "OUTPUTS=z") == (
        f"{graph}: OUTPUTS: there is no node 'z'; summarize_graph.py lists its ends."
    )


def saved_with_a_variable() -> bytes:
    saved = SavedModel(saved_model_schema_version=1)
    meta = saved.meta_graphs.add()
    meta.meta_info_def.tags.append("serve")
    variable = make_node("w", "VarHandleOp", dtype="DT_FLOAT", shape=shape_attr([2]))
    meta.graph_def.node.extend([variable, make_node("read", "ReadVariableOp", ["w"], dtype="DT_FLOAT")])
    meta.graph_def.versions.producer = 1500
    meta.signature_def["serve"].outputs["y"].name = "read:0"
    return bytes(saved.SerializeToString())


def test_a_saved_model_is_checked_as_a_build_freezes_it():
    folder = ROOT / "tests/fixtures/freezing/tables"
    (model,) = check(folder, PI)["models"]
    assert (model["model"], model["runs"], model["unproven"]) == (f"{folder}/saved_model.pb", True, "")
    assert model["notes"] == [
        "frozen for its signature 'serving_default': 42 nodes.",
        "an app runs the node 'initialize' once before others; it fills tables.",
    ]
    assert "VarHandleOp" not in {node["op"] for node in model["nodes"]}


def test_a_saved_model_apart_from_its_variables_cannot_run(tmp_path):
    (tmp_path / "alone.pb").write_bytes(saved_with_a_variable())
    (model,) = check(tmp_path / "alone.pb", PI)["models"]
    assert not model["runs"]
    assert model["refused"] == [
        "its signature 'serve' needs 1 variable ('w'), whose values are in files beside the graph. "
        "Pass the folder that has them all (docs/models.md#freezing)."
    ]
    (tmp_path / "saved_model.pb").write_bytes(saved_with_a_variable())
    assert refused(SCRIPT, tmp_path, PI) == (
        f"{tmp_path}: the variable 'w' has no value, as there is no checkpoint; pass the one that training "
        "wrote."
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param(
            ["x.pb", "y.pb", PI, "INPUTS=x"],
            "INPUTS= tell the ends of one model, and there are 2; build one library for each.",
            id="ends of two models",
        ),
        pytest.param(
            [PI],
            "no model is given; pass graphs (.pb, .pbtxt), SavedModel folders or checkpoints.",
            id="no model",
        ),
        pytest.param(
            ["x.pb", "--all"], "--all: unknown option. Known: --json, --library, --nodes.", id="option"
        ),
        pytest.param(
            ["README.md", PI],
            "README.md: this is no TensorFlow graph (byte 0: a field of the unknown kind 3); allowed are a "
            "frozen GraphDef, a SavedModel and a checkpoint; pass the model's .pb, .pbtxt or SavedModel "
            "folder.",
            id="no graph",
        ),
        pytest.param(
            [DIGITS / "digits.pb", "--library", "docs"],
            "docs/manifest.json: cannot be read: No such file or directory; build first (scons TARGET=… "
            "MODEL=…), or give a folder that a build made.",
            id="no library",
        ),
    ],
)
def test_a_mistake_is_one_line(words, message):
    assert refused(SCRIPT, *words) == message


def test_a_phone_is_checked_with_the_compiler_of_its_ndk(tmp_path: Path):
    ndk = construct_ndk(tmp_path / "ndk", "r25c")
    document = check(DIGITS / "digits.pb", "TARGET=ANDROID", f"NDK_ROOT={ndk}")
    assert document["for"].startswith("ANDROID-armeabi-v7a, ")
    assert document["models"][0]["runs"]
