"""scripts/freeze_graph.py: the options of TensorFlow's tool, what is written, how it ends."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from checkpoint_files import FLOAT, Tensor, floats, write_bundle
from google.protobuf import text_format
from test_freezing_cases import SAVER
from training_graphs import READ, VARIABLE, meta_graph

from tfcross.graph.messages import GraphDef, SaverDef
from tfcross.graph.tensors import array_of

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "tests" / "fixtures" / "freezing"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A training graph in all forms, and checkpoints for it."""
    meta = meta_graph(VARIABLE + READ + SAVER)
    (tmp_path / "graph.pbtxt").write_text(text_format.MessageToString(meta.graph_def))
    (tmp_path / "graph.pb").write_bytes(meta.graph_def.SerializeToString())
    (tmp_path / "m.meta").write_bytes(meta.SerializeToString())
    saver = SaverDef(restore_op_name="save/all", filename_tensor_name="save/Const:0", version=2)
    (tmp_path / "saver.pbtxt").write_text(text_format.MessageToString(saver))
    tensors = {"w": Tensor(FLOAT, (2,), floats(2, 3)), "key": Tensor(FLOAT, (3,), floats(4, 5, 6))}
    write_bundle(tmp_path / "m", tensors)
    return tmp_path


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, str(ROOT / "scripts" / "freeze_graph.py"), *words]
    return subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False)


def weights(path: Path) -> list[float]:
    nodes = {node.name: node for node in GraphDef.FromString(path.read_bytes()).node}
    return [float(value) for value in array_of(nodes["w"].attr["value"].tensor)]


@pytest.mark.parametrize(
    "words",
    [
        pytest.param("--input_graph=graph.pbtxt --input_checkpoint=m", id="text graph"),
        pytest.param(
            "--input_graph=graph.pb --input_binary=true --input_checkpoint=m.index", id="binary graph"
        ),
        pytest.param("--input_graph graph.pb --input_binary True --input_checkpoint m", id="values apart"),
        pytest.param("-input_graph=graph.pbtxt -input_checkpoint=m -checkpoint_version=1", id="one dash"),
        pytest.param("--input_meta_graph=m.meta --input_binary=true --input_checkpoint=m", id="meta graph"),
        pytest.param("--input_graph=graph.pb --input_saver=saver.pbtxt --input_checkpoint=m", id="saver"),
        pytest.param("--input_checkpoint=m", id="the meta graph beside it"),
        pytest.param(
            "--input_checkpoint=m --restore_op_name=save/restore_all --filename_tensor_name=save/Const:0",
            id="options that are not used",
        ),
    ],
)
def test_each_way_to_name_graph_and_checkpoint_freezes(folder: Path, words: str) -> None:
    done = run(folder, *words.split(), "--output_graph=frozen.pb", "--output_node_names= y:0 ")
    assert (done.returncode, done.stdout, done.stderr) == (0, "4 ops in the final graph.\n", "")
    assert weights(folder / "frozen.pb") == [4, 5]
    described = json.loads((folder / "frozen.json").read_text())
    assert described["inputs"] == {"x": {"tensor": "x", "type": "float", "shape": [-1]}}
    assert described["outputs"] == {"y": {"tensor": "y", "type": None, "shape": None}}


def test_a_saved_model_needs_no_more_than_its_folder(tmp_path: Path) -> None:
    done = run(tmp_path, f"--input_saved_model_dir={FIXTURES / 'tables'}", "--output_graph=frozen.pb")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "42 ops in the final graph.\nRun the node initialize once before the others: it fills tables and "
        "variables.\n"
    )
    assert json.loads((tmp_path / "frozen.json").read_text())["initializer"] == "initialize"


def test_a_saved_model_with_named_outputs_keeps_the_names(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        f"--input_saved_model_dir={FIXTURES / 'loops'}",
        "--output_node_names=StatefulPartitionedCall",
        "--output_graph=frozen.pb",
    )
    assert (done.returncode, done.stderr) == (0, "")
    graph = GraphDef.FromString((tmp_path / "frozen.pb").read_bytes())
    assert "StatefulPartitionedCall" in {node.name for node in graph.node}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param("", "--output_graph is missing: pass where to write the frozen graph.", id="no output"),
        pytest.param(
            "--output_graph=f.pb --input_graph=graph.pb",
            "--input_checkpoint is missing: pass the checkpoint that has the variables' values.",
            id="no checkpoint",
        ),
        pytest.param(
            "--output_graph=f.pb --input_graph=graph.pb --input_checkpoint=none --output_node_names=y",
            "none: there is no checkpoint; pass its prefix, a file of it, or its folder.",
            id="another checkpoint",
        ),
        pytest.param(
            "--output_graph=f.pb --input_checkpoint=m --output_node_names=reed",
            "m: there is no node 'reed'; the nearest is 'read'; give another name.",
            id="output that is not there",
        ),
        pytest.param(
            "--output_graph=f.pb --input_checkpoint=m --output_node_names=y --initializer_nodes=ini",
            "m: there is no node 'ini'; give another name.",
            id="initializer that is not there",
        ),
        pytest.param(
            "--output_graph=f.pb --input_checkpoint=m --checkpoint_version=3",
            "--checkpoint_version=3: unknown value. Known: 1, 2.",
            id="version",
        ),
        pytest.param(
            "--outputs=y", "unrecognized arguments: --outputs=y; see freeze_graph.py --help.", id="option"
        ),
        pytest.param(
            "--output_graph=f.pb --input_graph=none.pb --input_checkpoint=m --output_node_names=y",
            "none.pb: No such file or directory; pass a file that can be read.",
            id="no graph",
        ),
    ],
)
def test_a_mistake_is_one_line_and_no_success(folder: Path, words: str, message: str) -> None:
    done = run(folder, *words.split())
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"error: {message}\n")
    assert not (folder / "f.pb").exists()


def test_variables_can_stay(folder: Path) -> None:
    common = ["--input_checkpoint=m", "--output_graph=frozen.pb", "--output_node_names=y"]
    for words in (
        "--variable_names_blacklist=w",
        "--variable_names_denylist=w",
        "--variable_names_whitelist=v",
    ):
        assert run(folder, *common, words).returncode == 0
        graph = GraphDef.FromString((folder / "frozen.pb").read_bytes())
        assert {node.name: node.op for node in graph.node}["w"] == "VarHandleOp"


def test_devices_are_cleared_unless_they_are_to_stay(folder: Path) -> None:
    graph = (folder / "graph.pbtxt").read_text().replace('op: "Mul"', 'op: "Mul"\n  device: "/cpu:0"')
    (folder / "graph.pbtxt").write_text(graph)
    common = [
        "--input_graph=graph.pbtxt",
        "--input_checkpoint=m",
        "--output_graph=f.pb",
        "--output_node_names=y",
    ]
    for words, device in (([], ""), (["--clear_devices=false"], "/cpu:0")):
        assert run(folder, *common, *words).returncode == 0
        nodes = {node.name: node for node in GraphDef.FromString((folder / "f.pb").read_bytes()).node}
        assert nodes["y"].device == device
