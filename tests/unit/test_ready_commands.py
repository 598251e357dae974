"""The commands that are printed for a model, and the outputs that are likely."""

from __future__ import annotations

from pathlib import Path

import pytest
from checkpoint_files import FLOAT, Tensor, floats, write_bundle

from tfcross.graph.construction import graph_bytes, make_node, make_placeholder
from tfcross.graph.cutting.likely import likely_outputs
from tfcross.graph.model import load_model
from tfcross.graph.preparing.commands import ready_commands

NODES = (make_placeholder("x", "DT_FLOAT", [-1, 2]), make_node("y", "Relu", ["x"], T="DT_FLOAT"))


@pytest.mark.parametrize(
    ("name", "variables", "commands"),
    [
        pytest.param(
            "m.pb",
            {},
            {
                "build": "./bootstrap scons TARGET=PI MODEL=m.pb",
                "cut, and build": "./bootstrap scons TARGET=PI MODEL=m.pb 'INPUTS=x=float[?,2]' OUTPUTS=y",
            },
            id="a graph",
        ),
        pytest.param(
            "m.pb",
            {"INPUTS": "x", "OUTPUTS": "y"},
            {"build": "./bootstrap scons TARGET=PI MODEL=m.pb INPUTS=x OUTPUTS=y"},
            id="a graph that is cut",
        ),
        pytest.param(
            "run/m.ckpt-7",
            {"OUTPUTS": "y", "GRAPH": "m.pb"},
            {
                "build": "./bootstrap scons TARGET=PI MODEL=run/m.ckpt-7 OUTPUTS=y GRAPH=m.pb",
                "cut, and build": "./bootstrap scons TARGET=PI MODEL=run/m.ckpt-7 GRAPH=m.pb "
                "'INPUTS=x=float[?,2]' OUTPUTS=y",
                "freeze only": "scripts/freeze_graph.py --input_checkpoint=run/m.ckpt-7 --input_graph=m.pb "
                "--output_node_names=y --output_graph=m.pb",
            },
            id="a checkpoint",
        ),
        pytest.param(
            "saved/saved_model.pb",
            {"SIGNATURE": "s"},
            {
                "build": "./bootstrap scons TARGET=PI MODEL=saved/saved_model.pb SIGNATURE=s",
                "cut, and build": "./bootstrap scons TARGET=PI MODEL=saved/saved_model.pb SIGNATURE=s "
                "'INPUTS=x=float[?,2]' OUTPUTS=y",
                "freeze only": "scripts/freeze_graph.py --input_saved_model_dir=saved --signature=s "
                "--output_graph=saved.pb",
            },
            id="a SavedModel",
        ),
    ],
)
def test_commands_have_all_names(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    variables: dict[str, str],
    commands: dict[str, str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("m.pb").write_bytes(graph_bytes(NODES, 1500))
    Path("run").mkdir()
    write_bundle(Path("run/m.ckpt-7"), {"w": Tensor(FLOAT, (1,), floats(1))})
    Path("saved").mkdir()
    Path("saved/saved_model.pb").touch()
    assert ready_commands(Path(name), load_model(Path("m.pb")), variables) == commands


def test_likely_outputs_are_those_before_training() -> None:
    inputs: dict[str, list[str]] = {
        "x": [],
        "w": [],
        "logits": ["x", "w"],
        "prob": ["logits"],
        "loss": ["logits:1"],
        "gradients/loss": ["loss", "^prob"],
        "train": ["gradients/loss"],
        "save/all": ["w"],
    }
    ops = dict.fromkeys(inputs, "Other") | {"x": "Placeholder", "prob": "Softmax", "train": "NoOp"}
    assert likely_outputs(ops, inputs) == ["prob", "loss"]
    assert likely_outputs(ops, inputs, ["loss"]) == ["prob"]
    assert likely_outputs(ops, inputs, ["logits"]) == []
