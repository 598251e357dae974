"""What a build leaves of its registry is what the scripts read: one file for one target and its types."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from project_build import DIGITS, Run, copied_checkout, readme_words, run_scons
from scripts_run import run_script

from tfcross import environment

HEADER = "print_selective_registration_header.py"
KERNEL, MARKED = "Conv2DOp<CPUDevice, float>", "MarkedOp<CPUDevice, float>"


@pytest.fixture(scope="module")
def cache(built: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache in which a build has found nothing but its sources; a kernel's class is changed since."""
    folder = tmp_path_factory.mktemp("cache")
    for path in environment.cache_folder().iterdir():
        if path.name != "registry":
            (folder / path.name).symlink_to(path)
    checkout = copied_checkout(tmp_path_factory.mktemp("project") / "checkout")
    run = run_scons(*readme_words(), cwd=checkout, env={**os.environ, "TFCROSS_CACHE": str(folder)})
    assert (run.status, run.compiled) == (0, []), run.out[-4000:] + run.err[-4000:]
    (kept,) = (folder / "registry").iterdir()
    text = kept.read_text()
    assert KERNEL in text
    kept.write_text(text.replace(KERNEL, MARKED))
    return folder


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["--target=PI"], id="options"),
        pytest.param(["TARGET=PI", "TYPES=full", "HOST_OS=LINUX", "RELEASE=2.14.1"], id="words of a build"),
    ],
)
def test_a_header_for_a_target_takes_the_very_registry_of_a_build(
    cache: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    monkeypatch.setenv("TFCROSS_CACHE", str(cache))
    run = run_script(HEADER, f"--graphs={DIGITS / 'digits.pb'}", *words)
    assert (run.returncode, run.stderr) == (0, "")
    assert f'"{MARKED}",' in run.stdout
    assert KERNEL not in run.stdout
    assert len(list((cache / "registry").iterdir())) == 1
