"""What training left made the graph that runs: frozen once, cut, transformed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, NoReturn

import pytest
from checkpoint_files import FLOAT, Tensor, floats, write_bundle
from test_freezing_cases import SAVER
from training_graphs import READ, VARIABLE, meta_graph

from tfcross.errors import TfcrossError
from tfcross.graph.construction import graph_bytes, make_const, make_node, make_placeholder
from tfcross.graph.cutting.ends import parse_ends
from tfcross.graph.cutting.feeds import runner_arguments, unknown_text
from tfcross.graph.messages import GraphDef
from tfcross.graph.preparing.prepare import prepare_models, title_of
from tfcross.graph.preparing.wanted import Prepared, Wanted
from tfcross.graph.tensors import array_of

FIXTURES = Path(__file__).parents[1] / "fixtures" / "freezing"


def no_definitions() -> NoReturn:
    raise AssertionError("nobody needs the op definitions")


def prepared(tmp_path: Path, model: Path, ends: tuple[str, str] = ("", ""), **wanted: Any) -> Prepared:
    asked = Wanted(parse_ends(*ends, ""), **wanted)
    (made,) = prepare_models([str(model)], asked, tmp_path / "made", no_definitions)
    return made


def nodes(made: Prepared) -> dict[str, str]:
    graph = GraphDef.FromString(made.graph.read_bytes())
    return {node.name: node.op for node in graph.node}


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """Of y = x * w; its .meta has a saver that gives w the values [4, 5]. In other.pbtxt, y is called z."""
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "m.ckpt-7.meta").write_bytes(meta_graph(VARIABLE + READ + SAVER).SerializeToString())
    other = meta_graph(VARIABLE + READ.replace('"y"', '"z"'))
    (folder / "other.pbtxt").write_text(str(other.graph_def))
    tensors = {"w": Tensor(FLOAT, (2,), floats(2, 3)), "key": Tensor(FLOAT, (3,), floats(4, 5, 6))}
    write_bundle(folder / "m.ckpt-7", tensors)
    return folder / "m.ckpt-7"


def test_a_saved_model_is_frozen_once_and_again_when_a_file_of_it_changes(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(FIXTURES / "tables", tmp_path / "tables"))
    first = prepared(tmp_path, folder)
    made = first.graph.stat()
    again = prepared(tmp_path, folder / "saved_model.pb")
    assert (again.graph, again.graph.stat().st_ino) == (first.graph, made.st_ino)
    assert again == first
    vocabulary = folder / "assets" / "vocabulary.txt"
    vocabulary.write_bytes(vocabulary.read_bytes().replace(b"7", b"8"))
    other = prepared(tmp_path, folder)
    assert other.graph != first.graph
    assert other.model.sha256 != first.model.sha256


@pytest.mark.parametrize("name", ["loops.pb", "loops.json"])
def test_what_somebody_else_has_changed_is_made_again(tmp_path: Path, name: str) -> None:
    first = prepared(tmp_path, FIXTURES / "loops")
    content = first.graph.with_name(name).read_bytes()
    first.graph.with_name(name).write_bytes(content[:-1])
    assert prepared(tmp_path, FIXTURES / "loops") == first
    assert first.graph.with_name(name).read_bytes() == content


def test_a_frozen_model_is_told_as_the_user_knows_it(tmp_path: Path) -> None:
    made = prepared(tmp_path, FIXTURES / "tables")
    assert made.model.path == FIXTURES / "tables" / "saved_model.pb"
    assert made.model.outputs == ("a", "b", "c", "d")
    assert made.model.notes == (
        "frozen for its signature 'serving_default': 42 nodes.",
        "an app runs the node 'initialize' once before others; it fills tables.",
    )
    assert [file.name for file in made.files] == [
        "saved_model.pb",
        "variables.data-00000-of-00001",
        "variables.index",
        "vocabulary.txt",
        "vocabulary.txt",
    ]


def test_variables_that_the_initializer_sets_are_no_surprise(tmp_path: Path) -> None:
    made = prepared(tmp_path, FIXTURES / "v1")
    assert nodes(made)["local"] == "VarHandleOp"
    assert not any("without values" in note for note in made.model.notes)


@pytest.mark.parametrize("name", ["m.ckpt-7", "m.ckpt-7.index", "m.ckpt-7.meta"])
def test_a_checkpoint_is_frozen_for_the_outputs_that_are_named(checkpoint: Path, name: str) -> None:
    made = prepared(checkpoint.parent, checkpoint.with_name(name), ("", "y:0"))
    graph = GraphDef.FromString(made.graph.read_bytes())
    values = {node.name: node.attr["value"].tensor for node in graph.node if node.op == "Const"}
    assert [float(value) for value in array_of(values["w"])] == [4.0, 5.0]
    assert (made.graph.name, made.model.path) == ("m.pb", checkpoint)
    assert json.loads(made.description)["outputs"]["y"]["tensor"] == "y"


def test_another_graph_of_a_checkpoint_is_taken(checkpoint: Path) -> None:
    graph = str(checkpoint.with_name("other.pbtxt"))
    made = prepared(checkpoint.parent, checkpoint, ("", "z"), graph=graph)
    assert "z" in nodes(made)
    assert Path(graph) in made.files


def test_outputs_of_a_signature_cut_what_was_frozen(tmp_path: Path) -> None:
    made = prepared(tmp_path, FIXTURES / "tables", ("", "c"))
    assert nodes(made).keys() & {"a", "b", "c", "d", "initialize"} == {"c", "initialize"}
    assert json.loads(made.description) == {
        "signature": "serving_default",
        "inputs": {"w": {"tensor": "w", "type": "string", "shape": [-1]}},
        "outputs": {"c": {"tensor": "c", "type": "int64", "shape": [-1]}},
        "initializer": "initialize",
    }


def test_inputs_behind_all_tables_need_no_initializer(tmp_path: Path) -> None:
    inner = "StatefulPartitionedCall/Identity"
    made = prepared(tmp_path, FIXTURES / "tables", (f"{inner}=int64[2]", "a"))
    assert nodes(made) == {inner: "Placeholder", "a": "Identity"}
    assert made.model.initializer == ""
    assert json.loads(made.description)["initializer"] is None


def transformable(folder: Path) -> Path:
    path = folder / "g.pb"
    two = make_const("two", "DT_FLOAT", [1], b"\0\0\0\x40")
    twice = make_node("twice", "Mul", ["two", "two"], T="DT_FLOAT")
    y = make_node("y", "Mul", ["x", "twice"], T="DT_FLOAT")
    path.write_bytes(graph_bytes([make_placeholder("x", "DT_FLOAT", [-1, 2]), two, twice, y], 1500))
    return path


def test_transforms_are_done_once_on_the_way(tmp_path: Path) -> None:
    path = transformable(tmp_path)
    made = prepared(tmp_path, path, transforms="fold_constants")
    assert sorted(nodes(made).values()) == ["Const", "Mul", "Placeholder"]
    assert (made.model.path, made.model.outputs, made.transforms) == (path, ("y",), "fold_constants")
    assert made.model.notes == ("fold_constants: 1 nodes folded, 0 with constant inputs left",)
    assert prepared(tmp_path, path, transforms="fold_constants") == made
    assert prepared(tmp_path, path, transforms="remove_device").graph != made.graph


def test_transforms_leave_the_initializer(tmp_path: Path) -> None:
    text = "strip_unused_nodes fold_constants sort_by_execution_order"
    made = prepared(tmp_path, FIXTURES / "tables", transforms=text)
    assert (made.model.initializer, nodes(made)["initialize"]) == ("initialize", "NoOp")
    assert list(nodes(made).values()).count("InitializeTableV2") == 3


def test_a_file_that_a_transform_reads_counts(tmp_path: Path) -> None:
    log = tmp_path / "ranges.log"
    log.write_text(";r__print__;__requant_min_max:[-1][1]\n")
    text = f'freeze_requantization_ranges(min_max_log_file="{log}")'
    path = transformable(tmp_path)
    ranges = make_node("r", "RequantizationRange", ["x", "two", "two"])
    taken = make_node("z", "Sub", ["y", "r"], T="DT_FLOAT")
    path.write_bytes(path.read_bytes() + graph_bytes([ranges, taken], 1500))
    made = prepared(tmp_path, path, transforms=text)
    assert log in made.files
    log.write_text(";r__print__;__requant_min_max:[-2][2]\n")
    assert prepared(tmp_path, path, transforms=text).graph != made.graph


@pytest.mark.parametrize(
    ("model", "ends", "wanted", "message"),
    [
        pytest.param(
            "loops",
            ("", "z"),
            {},
            "{model}/saved_model.pb: OUTPUTS: there is no node 'z'; summarize_graph.py lists its ends.",
            id="an output that is not there",
        ),
        pytest.param(
            "loops",
            ("", ""),
            {"transforms": "fold_constants(speed=1)"},
            "transforms: fold_constants: unknown argument 'speed'. Known: clear_output_shapes, exclude_node, "
            "exclude_op, ignore_errors, max_constant_size_in_bytes.",
            id="an unknown argument of a transform",
        ),
        pytest.param(
            "loops",
            ("", ""),
            {"tags": ("train",)},
            "{model}/saved_model.pb: the SavedModel has no graph with the tag 'train'. Known: serve.",
            id="tags that no graph has",
        ),
        pytest.param(
            "loops.npz",
            ("", ""),
            {"graph": "graph.pb"},
            "{model}: GRAPH=graph.pb is for a checkpoint, and this is none; leave it out.",
            id="the graph of no checkpoint",
        ),
    ],
)
def test_a_mistake_is_one_line(
    tmp_path: Path, model: str, ends: tuple[str, str], wanted: dict[str, Any], message: str
) -> None:
    with pytest.raises(TfcrossError) as caught:
        prepared(tmp_path, FIXTURES / model, ends, **wanted)
    assert str(caught.value) == message.format(model=FIXTURES / model)


def test_a_graph_is_for_one_checkpoint() -> None:
    with pytest.raises(
        TfcrossError, match=r"^GRAPH=g\.pb is the graph of one checkpoint, and there are 2 mo"
    ):
        prepare_models(["a", "b"], Wanted(graph="g.pb"), Path("made"), no_definitions)


def test_graphs_are_called_as_their_models(checkpoint: Path) -> None:
    assert title_of(FIXTURES / "loops") == "loops"
    assert title_of(FIXTURES / "loops" / "saved_model.pb") == "loops"
    assert title_of(checkpoint.with_name("m.ckpt-7.index")) == "m"
    assert title_of(checkpoint.parent) == "run"
    assert title_of(Path("some/graph.frozen.pb")) == "graph.frozen"


def test_a_folder_of_the_name_of_its_file_is_built_for(tmp_path: Path) -> None:
    """A GraphDef in a file saved_model.pb would be read as a SavedModel."""
    made = prepared(tmp_path, Path(shutil.copytree(FIXTURES / "loops", tmp_path / "saved_model")))
    assert (made.graph.name, made.model.outputs) == ("model.pb", ("k", "y"))


def test_the_description_beside_a_graph_that_was_frozen_before_tells_its_initializer(tmp_path: Path) -> None:
    frozen = prepared(tmp_path, FIXTURES / "tables").graph
    path = Path(shutil.copy(frozen, tmp_path / "graph.pb"))
    assert prepared(tmp_path, path).model.initializer == ""
    shutil.copy(frozen.with_suffix(".json"), tmp_path / "graph.json")
    made = prepared(tmp_path, path)
    assert (made.model.initializer, made.graph) == ("initialize", path)
    assert made.files == (path, tmp_path / "graph.json")
    assert runner_arguments(made.model) == ("--initializer", "initialize")
    assert unknown_text(made.model) == ""
    assert "c" in nodes(prepared(tmp_path, path, ("", "c")))


@pytest.mark.parametrize("text", ["", "[1]", '{"initializer": "y"}'])
def test_another_json_beside_a_graph_is_let_be(tmp_path: Path, text: str) -> None:
    path = transformable(tmp_path)
    path.with_suffix(".json").write_text(text)
    assert prepared(tmp_path, path).model.initializer == ""


def test_a_description_of_another_graph_is_told(tmp_path: Path) -> None:
    path = transformable(tmp_path)
    path.with_suffix(".json").write_text(
        '{"signature": "", "inputs": {}, "outputs": {}, "initializer": "initialize"}'
    )
    with pytest.raises(TfcrossError) as caught:
        prepared(tmp_path, path)
    assert str(caught.value) == (
        f"{path}: its description names the initializer 'initialize', which is not in it; no runtime would "
        "load it, so freeze the model again."
    )
