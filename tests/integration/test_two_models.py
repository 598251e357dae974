"""One library for two models: the union of both, each proven, with what each of them costs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from project_build import DIGITS, Run, members, run_scons

from tfcross.graph.construction import graph_bytes, make_node, make_placeholder


@pytest.fixture(scope="module")
def tanh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("two") / "tanh.pb"
    nodes = [make_placeholder("x", "DT_FLOAT", [2]), make_node("y", "Tanh", ["x"], T="DT_FLOAT")]
    path.write_bytes(graph_bytes(nodes, 1500))
    return path


@pytest.fixture(scope="module")
def both(built: Run, tanh: Path) -> Run:
    run = run_scons("TARGET=PI", f"MODEL={DIGITS / 'digits.pb'},{tanh}", f"OUT={tanh.parent / 'out'}")
    assert run.status == 0, run.out[-4000:] + run.err[-4000:]
    return run


def test_both_models_are_in_and_proven(both: Run, tanh: Path) -> None:
    out = tanh.parent / "out" / "PI-armv7"
    manifest = json.loads((out / "manifest.json").read_text())
    assert [model["name"] for model in manifest["models"]] == ["digits.pb", "tanh.pb"]
    assert {"Conv2D", "Tanh"} <= manifest["ops"].keys()
    said = (out / "proof.txt").read_text()
    assert "accuracy 0.981 (353 of 360)" in said
    assert "output y float[2]" in said


def test_what_each_model_costs_is_told(both: Run, tanh: Path) -> None:
    out = tanh.parent / "out" / "PI-armv7"
    document = json.loads((out / "models.json").read_text())
    one, other = (document["models"][str(path)] for path in (DIGITS / "digits.pb", tanh))
    assert "tensorflow/core/kernels/conv_ops_float.cc" in one["own"]
    assert other["own"] == ["tensorflow/core/kernels/cwise_op_tanh.cc"]
    assert "tensorflow/core/kernels/constant_op.cc" in other["shared"]
    assert 0 < other["own_bytes"] < one["own_bytes"]
    total = sum(document["models"][name]["own_bytes"] for name in document["models"])
    total += document["shared_bytes"] + document["runtime_bytes"]
    assert total == sum(len(member.content) for member in members(out / "lib/libtensorflow-core.a"))
    assert f"{tanh}: " in both.out
