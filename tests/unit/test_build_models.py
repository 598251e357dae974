"""The models of a build: which files run, and what the manifest and the last lines tell of them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from tfcross.app.proof import Proof
from tfcross.cli.options import parse_options
from tfcross.errors import TfcrossError
from tfcross.graph.construction import graph_bytes, make_node, make_placeholder
from tfcross.graph.messages import GraphDef, SavedModel
from tfcross.stages.models import BuildModel, cut_files, descriptions, model_lines, read_models

FIXTURES = Path(__file__).parents[1] / "fixtures" / "freezing"
NODES = (make_placeholder("x", "DT_FLOAT", [-1, 2]), make_node("y", "Relu", ["x"], T="DT_FLOAT"))


def saved(folder: Path, output: str = "y:0") -> Path:
    whole = SavedModel(saved_model_schema_version=1)
    meta = whole.meta_graphs.add(graph_def=GraphDef(node=NODES))
    meta.graph_def.node.append(make_node("v", "VarHandleOp"))
    meta.meta_info_def.tags.append("serve")
    meta.signature_def["serving_default"].outputs["y"].name = output
    folder.mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(whole.SerializeToString())
    return folder


def read(tmp_path: Path, *models: Path, **more: str) -> tuple[BuildModel, ...]:
    options = parse_options({"MODEL": ",".join(map(str, models)), **more})
    return read_models(options, tmp_path / "build")


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    path = tmp_path / "m.pb"
    path.write_bytes(graph_bytes(NODES, 1500))
    return path


def test_a_whole_graph_runs_as_it_is(tmp_path: Path, plain: Path) -> None:
    (built,) = read(tmp_path, plain)
    digest = hashlib.sha256(plain.read_bytes()).hexdigest()
    assert built.graph == plain
    assert built.facts() == {"name": "m.pb", "sha256": digest}
    assert cut_files([built]) == []
    assert not (tmp_path / "build").exists()


def test_a_cut_graph_is_a_file_of_its_own_for_each_cut(tmp_path: Path, plain: Path) -> None:
    (one,) = read(tmp_path, plain, OUTPUTS="y")
    (other,) = read(tmp_path, plain, INPUTS="x=float[1,2]")
    assert one.graph != other.graph
    assert (one.graph.name, one.graph.parent.name) == ("m.pb", "model")
    assert cut_files([one, other]) == [str(one.graph), str(other.graph)]
    digest = hashlib.sha256(other.graph.read_bytes()).hexdigest()
    assert other.facts()["graph"] == {"name": "model/m.pb", "sha256": digest}
    words = ("--inputs", "x=float[1,2]", "--outputs", "y")
    graph = str(other.graph)
    assert other.proof() == Proof("run_graph", "templates/run_graph.cc", (graph, *words), (graph,))


def test_saved_models_are_named_as_their_folders_and_apart(tmp_path: Path) -> None:
    folders = [
        saved(tmp_path / "a" / "digits"),
        saved(tmp_path / "b" / "digits"),
        saved(tmp_path / "c" / "words"),
    ]
    names = [built.graph.name for built in read(tmp_path, *folders)]
    assert names == ["digits-1.pb", "digits-2.pb", "words.pb"]


def test_a_saved_model_is_frozen_under_the_name_of_its_folder(tmp_path: Path) -> None:
    (built,) = read(tmp_path, FIXTURES / "tables")
    facts = built.facts()
    assert (facts["name"], facts["graph"]["name"]) == ("saved_model.pb", "model/tables.pb")
    assert (facts["inputs"], facts["outputs"]) == (["w=string[?]"], ["a", "b", "c", "d"])
    assert facts["initializer"] == "initialize"
    assert "unproven" not in facts
    assert model_lines({"models": [facts]}) == [
        "'model/tables.pb': an app runs the node 'initialize' once before others"
    ]
    (told,) = descriptions([built]).items()
    assert told[0] == "model/tables.json"
    document = json.loads(told[1])
    assert document["outputs"]["b"] == {"tensor": "b", "type": "string", "shape": [-1]}
    assert document["initializer"] == "initialize"
    words = ("--initializer", "initialize", "--inputs", "w=string[1]", "--outputs", "a,b,c,d")
    assert built.proof().arguments == (str(built.graph), *words)


def test_all_files_of_a_saved_model_are_watched(tmp_path: Path) -> None:
    (built,) = read(tmp_path, FIXTURES / "tables")
    names = sorted(Path(name).relative_to(FIXTURES / "tables").as_posix() for name in built.read())
    assert names == [
        "assets",
        "assets/vocabulary.txt",
        "assets/vocabulary.txt",
        "saved_model.pb",
        "variables",
        "variables/variables.data-00000-of-00001",
        "variables/variables.index",
    ]


def test_a_graph_apart_from_its_variables_is_refused(tmp_path: Path) -> None:
    folder = saved(tmp_path / "digits", "v:0")
    alone = (folder / "saved_model.pb").rename(tmp_path / "alone.pb")
    with pytest.raises(TfcrossError) as caught:
        read(tmp_path, alone)
    assert str(caught.value) == (
        f"{alone}: its signature 'serving_default' needs 1 variable ('v'), whose values are in files beside "
        "the graph. Pass the folder that has them all (docs/models.md#freezing)."
    )


def test_ends_need_just_one_model(tmp_path: Path, plain: Path) -> None:
    with pytest.raises(TfcrossError, match=r"^OUTPUTS= tell the ends of one model, and none is given"):
        read(tmp_path, OUTPUTS="y")
    assert read(tmp_path) == ()


def test_what_no_proof_has_run_is_told(tmp_path: Path) -> None:
    path = tmp_path / "n.pb"
    path.write_bytes(graph_bytes([make_node("x", "Placeholder", dtype="DT_FLOAT"), NODES[1]], 1500))
    (built,) = read(tmp_path, path)
    why = (
        "input 'x' (float) has no shape. Pass INPUTS='x=float[…]', or put a proof.yaml beside the model "
        "(docs/models.md#the-proof)."
    )
    assert built.facts()["unproven"] == why
    lines = model_lines({"models": [{"name": "m.pb"}, built.facts()]})
    assert lines == [f"n.pb: the generic proof did not run it: {why}"]
    (tmp_path / "proof.yaml").write_text("source: own.cc\narguments: [n.pb]\n")
    (tmp_path / "own.cc").touch()
    assert "unproven" not in built.facts()


def test_answers_are_of_one_model(tmp_path: Path, plain: Path) -> None:
    other = tmp_path / "other.pb"
    other.write_bytes(graph_bytes(NODES, 1500))
    for models, count in (([plain, other], 2), ([], 0)):
        with pytest.raises(TfcrossError) as caught:
            read_models(parse_options({"MODEL": ",".join(map(str, models)), "PROOF": "a.npz"}), tmp_path)
        assert str(caught.value) == (
            f"PROOF=a.npz: holds the answers of one model, and there are {count}; give one, or put a "
            "proof.yaml beside each."
        )
