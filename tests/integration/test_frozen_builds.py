"""Builds of what training leaves: a SavedModel with tables, a checkpoint, and a graph that is transformed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from project_build import DIGITS, ROOT, Run, run_scons

from tfcross.graph.messages import GraphDef

FIXTURES = ROOT / "tests" / "fixtures" / "freezing"


@pytest.fixture(scope="module")
def folder(built: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Room for models; what the README's build has compiled is there."""
    return tmp_path_factory.mktemp("frozen")


def build(folder: Path, model: Path, *words: str) -> tuple[Run, Path, dict[str, Any]]:
    """The run, the output folder and what its manifest tells of the model."""
    out = folder / "out" / model.stem
    run = run_scons("TARGET=PI", f"MODEL={model}", f"OUT={out}", *words)
    assert run.status == 0, run.out[-4000:] + run.err[-4000:]
    (facts,) = json.loads((out / "PI-armv7" / "manifest.json").read_text())["models"]
    return run, out / "PI-armv7", facts


def test_a_saved_model_with_tables_is_frozen_built_and_run(folder: Path) -> None:
    model = Path(shutil.copytree(FIXTURES / "tables", folder / "tables"))
    run, out, facts = build(folder, model)
    graph = GraphDef.FromString((out / "model/tables.pb").read_bytes())
    assert not {"VarHandleOp", "StatefulPartitionedCall"} & {node.op for node in graph.node}
    assert (facts["name"], facts["graph"]["name"]) == ("saved_model.pb", "model/tables.pb")
    assert (facts["initializer"], facts["outputs"]) == ("initialize", ["a", "b", "c", "d"])
    told = json.loads((out / "model/tables.json").read_text())
    assert (told["signature"], told["initializer"]) == ("serving_default", "initialize")
    proof = (out / "proof.txt").read_text()
    assert proof.startswith("initializer initialize\ninput w string[1] ")
    # "" is in no table: each gives its default
    assert "output a int64[1] min -1 max -1 sum -1 " in proof
    assert "output d float[1] min -1 max -1 sum -1 " in proof
    first = "'model/tables.pb': an app runs the node 'initialize' once before others"
    assert f"        {first}" in run.out.splitlines()
    assert first in (out / "link/flags.mk").read_text().splitlines()[0]


def test_what_was_built_stands_until_a_file_of_the_model_changes(folder: Path) -> None:
    model, out = folder / "tables", folder / "out" / "tables"
    words = ("TARGET=PI", f"MODEL={model}", f"OUT={out}")
    again = run_scons(*words)
    assert "is up to date" in again.out
    assert again.made("OUT", "PROVE") == []
    vocabulary = model / "assets" / "vocabulary.txt"
    vocabulary.write_bytes(vocabulary.read_bytes().replace(b"7", b"8"))
    changed = run_scons(*words)
    assert changed.status == 0, changed.err
    assert len(changed.made("OUT", "PROVE")) == 2
    assert changed.compiled == []


def test_a_graph_is_transformed_before_anything_is_selected(folder: Path) -> None:
    text = "fold_constants quantize_weights(minimum_size=1000)"
    model = Path(shutil.copy(DIGITS / "digits.pb", folder / "digits.pb"))
    _, out, facts = build(folder, model, f"TRANSFORMS={text}")
    assert facts["transforms"] == text
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["ops"]["Dequantize"]["kind"] == "graph"
    assert (out / "model/digits.pb").stat().st_size < 10_000 < model.stat().st_size
    assert "output probabilities float[1,10] " in (out / "proof.txt").read_text()


def test_a_model_that_changes_its_state_costs_no_build(folder: Path) -> None:
    run = run_scons("TARGET=PI", f"MODEL={FIXTURES / 'counter'}")
    assert run.errors == [
        f"error: {FIXTURES / 'counter'}: the outputs change the variable 'Variable_1' (node "
        "'StatefulPartitionedCall/StatefulPartitionedCall/AssignAddVariableOp', op 'AssignAddVariableOp'), "
        "and constants do not change; export the model for inference, or keep its state."
    ]
    assert run.compiled == []
