"""What a proof.yaml or PROOF= tells that a model should answer."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tfcross.app.answers import Answers, Stored, Tolerance, answers_in, find_answers
from tfcross.app.proof import own_answers, proof_of
from tfcross.app.tensorfiles import load_stored, write_feed
from tfcross.errors import TfcrossError
from tfcross.graph.construction import graph_bytes, make_node, make_placeholder
from tfcross.graph.messages import GraphDef, SavedModel
from tfcross.graph.model import Model, load_model

NODES = (
    make_placeholder("in/x", "DT_FLOAT", [-1, 2]),
    make_placeholder("unused", "DT_INT32", []),
    make_node("y", "Relu", ["in/x"], T="DT_FLOAT"),
    make_node("z", "Split", ["in/x"], T="DT_FLOAT", num_split=2),
)


@pytest.fixture
def model(tmp_path: Path) -> Model:
    path = tmp_path / "m.pb"
    path.write_bytes(graph_bytes(NODES, 1500))
    return load_model(path)


def npz(folder: Path, **arrays: Any) -> Path:
    np.savez(folder / "a.npz", **arrays)
    return folder / "a.npz"


def feed(path: Path | str, key: str = "") -> Stored:
    return Stored("in/x", str(path), key, "DT_FLOAT", (-1, 2))


@pytest.mark.parametrize(
    ("key", "output", "tensor"),
    [
        pytest.param("in_in/x", "out_y", "y", id="names of nodes"),
        pytest.param("in_in/x:0", "out_y:0", "y", id="names of tensors"),
        pytest.param("in_in_x", "out_z:1", "z:1", id="as the runner's files are named, and a second output"),
    ],
)
def test_keys_of_answers_are_names_in_the_graph(
    key: str, output: str, tensor: str, model: Model, tmp_path: Path
) -> None:
    path = npz(tmp_path, **{key: np.zeros((1, 2), "f4"), output: np.zeros((1, 2), "f4")})
    assert answers_in(model, path) == Answers((feed(path, key),), (Stored(tensor, str(path), output),))


def test_keys_of_answers_are_those_of_a_saved_models_signature(tmp_path: Path) -> None:
    saved = SavedModel(saved_model_schema_version=1)
    meta = saved.meta_graphs.add(graph_def=GraphDef(node=NODES))
    meta.meta_info_def.tags.append("serve")
    signature = meta.signature_def["serving_default"]
    signature.inputs["image"].name, signature.inputs["image"].dtype = "in/x:0", 1
    signature.outputs["score"].name = "y:0"
    (tmp_path / "saved_model.pb").write_bytes(saved.SerializeToString())
    model = load_model(tmp_path)
    path = npz(tmp_path, in_image=np.zeros((1, 2), "f4"), out_score=np.zeros((1, 2), "f4"))
    answers = answers_in(model, path)
    assert [stored.tensor for stored in (*answers.feeds, *answers.expected)] == ["in/x", "y"]
    wrong = npz(tmp_path, in_image=np.zeros((1, 2), "f4"), out_scores=np.zeros((1, 2), "f4"))
    with pytest.raises(TfcrossError) as caught:
        answers_in(model, wrong)
    assert str(caught.value) == f"{wrong}: the model has no output 'scores'. Known: score, y."


def test_a_proof_file_names_tensors_in_files_and_a_tolerance(model: Model, tmp_path: Path) -> None:
    for name in ("x.npy", "y.npy"):
        (tmp_path / name).touch()
    text = "model: m.pb\ninputs: {in/x: x.npy}\noutputs: {y: y.npy}\ntolerance: {absolute: 1e-4}\n"
    (tmp_path / "proof.yaml").write_text(text)
    answers = own_answers(model)
    expected = (Stored("y", str(tmp_path / "y.npy")),)
    assert answers == Answers((feed(tmp_path / "x.npy"),), expected, Tolerance(absolute=1e-4, relative=0.0))
    proof = proof_of(model.path, Path("cut/m.pb"), ("--outputs", "y"), "why", answers)
    assert proof.arguments == ("cut/m.pb", "--outputs", "y")
    assert proof.inputs == ("cut/m.pb", str(tmp_path / "x.npy"), str(tmp_path / "y.npy"))
    assert (proof.source, proof.unknown) == ("templates/run_graph.cc", "")


def test_a_proof_file_for_another_model_tells_nothing(model: Model, tmp_path: Path) -> None:
    (tmp_path / "proof.yaml").write_text("model: other.pb\nanswers: a.npz\n")
    assert own_answers(model) is None


def test_proof_on_the_command_line_goes_before_the_file(model: Model, tmp_path: Path) -> None:
    (tmp_path / "proof.yaml").write_text("model: m.pb\nanswers: none.npz\n")
    path = npz(tmp_path, **{"in_in/x": np.zeros((1, 2), "f4")})
    assert own_answers(model, str(path)) == Answers((feed(path, "in_in/x"),))


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        pytest.param(
            ["x", "out_y"],
            "'x' is no key of answers; call inputs in_<name> and outputs out_<name>.",
            id="no prefix",
        ),
        pytest.param(
            ["in_w", "out_y"], "the model has no input 'w'. Known: in/x, unused.", id="no such input"
        ),
        pytest.param(["in_in/x", "out_w"], "the model has no output 'w'. Known: y, z.", id="no such output"),
        pytest.param(
            ["out_y"],
            "no value for the input 'in/x' (float), which the answers depend on; add in_in/x.",
            id="an input without value",
        ),
        pytest.param(
            ["in_in/x", "in_in_x", "out_y"], "'in/x' is there twice; give it once.", id="an input twice"
        ),
    ],
)
def test_keys_that_are_not_the_models_are_told(
    keys: list[str], message: str, model: Model, tmp_path: Path
) -> None:
    path = npz(tmp_path, **dict.fromkeys(keys, np.zeros((1, 2), "f4")))
    with pytest.raises(TfcrossError) as caught:
        answers_in(model, path)
    assert str(caught.value) == f"{path}: {message}"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(
            {"model": "m.pb"}, "names no tensor; give `answers`, or `inputs` and `outputs`.", id="nothing"
        ),
        pytest.param(
            {"inputs": {"in/x": "no.npy"}}, "there is no file {0}/no.npy; correct its name.", id="no file"
        ),
        pytest.param(
            {"inputs": {"in/x": "m.pb"}, "tolerance": {"relative": "1e-x"}},
            "tolerance.relative: 1e-x is no tolerance; give a number as 1e-5.",
            id="no number",
        ),
        pytest.param(
            {"inputs": {"in/x": "m.pb"}, "tolerance": {"absolute": float("nan")}},
            "tolerance.absolute: nan is no tolerance; give a number as 1e-5.",
            id="not finite",
        ),
        pytest.param(
            {"inputs": {"in/x": "m.pb"}, "tolerance": {"absolute": -1}},
            "tolerance.absolute: -1 is no tolerance; give a number as 1e-5.",
            id="negative",
        ),
    ],
)
def test_a_proof_file_that_proves_nothing_is_told(
    data: dict[str, Any], message: str, model: Model, tmp_path: Path
) -> None:
    with pytest.raises(TfcrossError) as caught:
        find_answers(model, data, tmp_path, "proof.yaml")
    assert str(caught.value) == f"proof.yaml: {message.format(tmp_path)}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(
            "model: m.pb\nsource: a.cc\n",
            "'source' is of a program, 'model' of answers without one; leave one of them out.",
            id="both",
        ),
        pytest.param("answers: a.npz\n", "'model' is a required property.", id="for which model"),
    ],
)
def test_a_proof_file_is_of_one_kind(text: str, message: str, model: Model, tmp_path: Path) -> None:
    (tmp_path / "proof.yaml").write_text(text)
    with pytest.raises(TfcrossError) as caught:
        own_answers(model)
    assert str(caught.value) == f"{tmp_path}/proof.yaml: {message}"


def test_what_is_no_npz_file_is_told(model: Model, tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(b"PK no zip")
    with pytest.raises(TfcrossError) as caught:
        answers_in(model, tmp_path / "a.npz")
    assert str(caught.value) == (
        f"{tmp_path}/a.npz: is no .npz file; write it with numpy.savez(path, in_x=…, out_y=…)."
    )
    with pytest.raises(TfcrossError) as caught:
        answers_in(model, tmp_path / "b.npz")
    assert (
        str(caught.value) == f"{tmp_path}/b.npz: cannot be read: No such file or directory; correct its name."
    )


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed], ids=["plain", "compressed"])
def test_damaged_answers_are_read_or_told_in_one_line(save: Any, model: Model, tmp_path: Path) -> None:
    """Bytes of an archive's heads and directory that are others, and archives that end early."""
    save(tmp_path / "a.npz", **{"in_in/x": np.ones((3, 2), "f4"), "out_y": np.ones((3, 2))})
    whole, chance, told = (tmp_path / "a.npz").read_bytes(), random.Random(5), 0
    for _ in range(400):
        damaged = bytearray(whole[: chance.choice([len(whole), chance.randrange(len(whole))])])
        for _ in range(min(len(damaged), chance.randint(0, 3))):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        (tmp_path / "a.npz").write_bytes(damaged)
        try:
            answers = answers_in(model, tmp_path / "a.npz")
            for stored in (*answers.feeds, *answers.expected):
                load_stored(stored)
            write_feed(answers.feeds[0], tmp_path / "feed0")
        except TfcrossError as error:
            assert str(error).startswith(f"{tmp_path}/a.npz: ")
            told += 1
    assert told > 200
