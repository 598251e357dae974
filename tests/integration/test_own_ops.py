"""A build with an op of the user's own, a further op and a further file, from scanning to the proof."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from project_build import ROOT, Run, run_scons
from scripts_run import run_script

from tfcross.graph.construction import graph_bytes, make_node, make_placeholder

OWN_OPS = ROOT / "tests" / "fixtures" / "own_ops"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("own")
    x, y = make_placeholder("x", "DT_FLOAT", [2, 2]), make_node("y", "ScaleByThree", ["x"], T="DT_FLOAT")
    (folder / "own.pb").write_bytes(graph_bytes([x, y], 1500))
    return folder


@pytest.fixture(scope="module")
def extended(built: Run, folder: Path) -> Run:
    run = run_scons(
        "TARGET=PI",
        f"MODEL={folder / 'own.pb'}",
        f"OPS_DIR={OWN_OPS}",
        "EXTRA_OPS=Tanh",
        "EXTRA_KERNELS=cwise_op_abs.cc",
        f"OUT={folder / 'out'}",
    )
    assert run.status == 0, run.out[-4000:] + run.err[-4000:]
    return run


def test_the_emulated_app_computes_with_the_own_op(extended: Run, folder: Path) -> None:
    said = dict(
        line.split(maxsplit=1) for line in (folder / "out/PI-armv7/proof.txt").read_text().splitlines()
    )
    sums = {name: float(said[name].split()[-3]) for name in ("input", "output")}
    assert sums["output"] == pytest.approx(3 * sums["input"], rel=1e-5)


def test_the_manifest_tells_what_was_added_and_why(extended: Run, folder: Path) -> None:
    manifest = json.loads((folder / "out/PI-armv7/manifest.json").read_text())
    assert manifest["ops"]["ScaleByThree"] == {"kind": "graph", "detail": "y"}
    assert manifest["ops"]["Tanh"] == {"kind": "extra", "detail": "EXTRA_OPS=Tanh"}
    assert manifest["ops"]["Abs"] == {"kind": "extra", "detail": "EXTRA_KERNELS=cwise_op_abs.cc"}
    assert ["ScaleByThree", "ScaleByThreeOp<float>"] in manifest["kernels"]
    assert ["ScaleByThree", "ScaleByThreeOp<int32>"] not in manifest["kernels"]
    own = [unit for unit in manifest["units"] if unit.startswith("ops/")]
    assert own == ["ops/detail/factor.cc", "ops/scale_by_three_op.cc"]
    assert manifest["extras"]["ops"] == ["Tanh"]
    assert len(manifest["extras"]["own"]) == 64


def test_the_check_knows_own_ops(extended: Run, folder: Path) -> None:
    words = [folder / "own.pb", "TARGET=PI"]
    assert run_script("check_graph.py", *words).returncode == 1
    with_own = run_script("check_graph.py", *words, f"OPS_DIR={OWN_OPS}")
    assert with_own.returncode == 0, with_own.stdout
    assert "ops/scale_by_three_op.cc" in with_own.stdout
    table = run_script("list_ops.py", "ScaleByThree", "TARGET=PI", f"OPS_DIR={OWN_OPS}").stdout
    assert table.startswith("ScaleByThree(x: T) -> (y: T); T: float, int32\n  ops/scale_by_three_op.cc\n")


def test_an_edit_of_an_own_header_compiles_what_includes_it_and_no_more(
    extended: Run, folder: Path, tmp_path: Path
) -> None:
    mine = tmp_path / "mine"
    for source in OWN_OPS.rglob("*.*"):
        target = mine / source.relative_to(OWN_OPS)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(source.read_text().replace("return 3;", "return 4;"))
    words = ["TARGET=PI", f"MODEL={folder / 'own.pb'}", f"OPS_DIR={mine}", f"OUT={tmp_path / 'out'}"]
    first = run_scons(*words)
    assert first.status == 0, first.out[-4000:] + first.err[-4000:]
    assert any("detail/factor.cc" in made for made in first.compiled)
    header = mine / "detail" / "factor.h"
    header.write_text(header.read_text() + "// edited\n")
    again = run_scons(*words)
    assert sorted(made.rpartition("/ops/")[2] for made in again.compiled if "/ops/" in made) == [
        "detail/factor.cc.o",
        next(made.rpartition("/ops/")[2] for made in again.compiled if "scale_by_three" in made),
    ]
