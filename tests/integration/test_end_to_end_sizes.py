"""``scons … sizes``, ``SIZE_BUDGET=`` and the comparison of two manifests, on the app of the build."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from project_build import OUT, ROOT, Run, readme_words, run_scons

from tfcross.output.manifest import load_manifest, manifest_text


@pytest.fixture(scope="module")
def reported(built: Run) -> Any:
    run = run_scons(*readme_words(), "sizes")
    assert (run.status, run.compiled) == (0, []), run.err
    return json.loads((ROOT / "out/sizes-PI-armv7.json").read_text())


def compared(*words: object) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, ROOT / "scripts/compare_sizes.py", *words]
    return subprocess.run(argv, capture_output=True, text=True, check=False)


def test_the_sizes_are_those_of_the_manifest_and_of_the_app_itself(reported):
    assert load_manifest(OUT / "manifest.json")["sizes"] == reported
    said = (OUT / "proof.txt").read_text().splitlines()[-1]
    assert said == f"classify: {reported['app'] / 1e6:.1f} MB, stripped {reported['stripped'] / 1e6:.1f} MB"


def test_nearly_all_of_the_stripped_app_is_accounted_for(reported):
    known = sum(reported["archives"].values()) + reported["other"]
    assert 0.9 < known / reported["stripped"] <= 1
    assert sum(reported["files"].values()) == reported["archives"]["libtensorflow-core.a"]


def test_the_largest_kernel_is_the_convolution(reported):
    largest = max(reported["kernels"], key=reported["kernels"].get)
    assert largest == "Conv2DOp<CPUDevice, float>"
    assert max(reported["ops"], key=reported["ops"].get) == "Conv2D"
    assert max(reported["types"], key=reported["types"].get) == "float"
    assert "tensorflow/core/kernels/relu_op.cc" in reported["files"]


def test_the_page_is_whole_in_one_file(reported):
    page = (ROOT / "out/sizes-PI-armv7.html").read_text()
    assert "conv_ops_float.cc" in page
    assert "http" not in page


@pytest.fixture
def larger(reported: Any, tmp_path: Path) -> Path:
    """A manifest of before, when one file was smaller and one was not there."""
    manifest = load_manifest(OUT / "manifest.json")
    manifest["sizes"]["files"]["tensorflow/core/kernels/relu_op.cc"] -= 1000
    manifest["sizes"]["stripped"] -= 1234
    path = tmp_path / "manifest.json"
    path.write_text(manifest_text(manifest))
    return path


def test_two_manifests_are_compared(larger):
    done = compared(larger, OUT / "manifest.json")
    assert (done.returncode, done.stderr) == (0, "")
    lines = [line.split() for line in done.stdout.splitlines()]
    assert [line[0] for line in lines] == ["+0", "+1234", "+1000"]
    assert lines[2][1:] == ["files:", "tensorflow/core/kernels/relu_op.cc"]


def test_a_manifest_that_was_edited_is_not_compared(larger):
    larger.write_text(larger.read_text().replace("2.14.1", "2.14.2", 1))
    done = compared(larger, OUT / "manifest.json")
    assert done.returncode == 2
    assert (
        done.stderr == f"error: {larger}: was edited: it is not what its sha256 was made of; build again.\n"
    )


@pytest.fixture
def another_out(larger: Path, tmp_path: Path) -> Path:
    """A copy of the output folder whose manifest is the one of before."""
    shutil.copytree(OUT, tmp_path / "out/PI-armv7")
    shutil.copy(larger, tmp_path / "out/PI-armv7/manifest.json")
    return tmp_path / "out"


def test_a_budget_that_is_exceeded_fails_the_build_and_names_what_grew(reported, another_out):
    run = run_scons(*readme_words(), f"OUT={another_out}", "SIZE_BUDGET=4.0MB")
    assert run.status == 2
    assert run.errors == [
        f"error: SIZE_BUDGET=4000000: the stripped app has {reported['stripped']} bytes, +1234 since the "
        "last build; grown: tensorflow/core/kernels/relu_op.cc (1000). Raise the budget, or undo that."
    ]
    assert load_manifest(another_out / "PI-armv7/manifest.json")["sizes"] != reported


def test_a_budget_that_is_kept_changes_nothing(reported):
    run = run_scons(*readme_words(), "SIZE_BUDGET=6MB")
    assert run.status == 0
    assert load_manifest(OUT / "manifest.json")["sizes"] == reported
    assert run_scons(*readme_words()).made("OUT") == []


def test_a_budget_that_is_no_size_is_one_line(built):
    run = run_scons(*readme_words(), "SIZE_BUDGET=small")
    assert (run.status, len(run.errors)) == (2, 1)
    assert run.errors[0].startswith("error: SIZE_BUDGET=small: not a size; give bytes, or as in 4.5MB. ")
