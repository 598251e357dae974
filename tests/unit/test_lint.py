"""Lint, types and the house rules that a program can check."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("tfcross", "scripts", "tests", "examples", "bench")
SOURCES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
SHELL = ("bootstrap", ".ci/run")
UNFINISHED = "|".join(["TO" + "DO", "FIX" + "ME", "NotImplemented" + "Error"])


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(["ruff", "check", *FOLDERS], id="ruff check"),
        pytest.param(["ruff", "format", "--check", *FOLDERS], id="ruff format"),
        pytest.param(["mypy", "tfcross"], id="mypy"),
    ],
)
def test_python_is_clean_under(command: Sequence[str]) -> None:
    result = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(["sh", "-n", "bootstrap"], id="bootstrap, sh"),
        pytest.param(["dash", "-n", "bootstrap"], id="bootstrap, dash"),
        pytest.param(["bash", "-n", ".ci/run"], id="ci, bash"),
    ],
)
def test_shell_scripts_parse(command: Sequence[str]) -> None:
    assert subprocess.run(command, cwd=ROOT, capture_output=True, check=False).stderr == b""


@pytest.mark.parametrize("name", SHELL)
def test_a_shell_script_can_be_started(name: str) -> None:
    assert (ROOT / name).stat().st_mode & 0o111


def test_no_python_file_is_longer_than_400_lines() -> None:
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in SOURCES}
    assert {name: length for name, length in lengths.items() if length > 400} == {}


def test_nothing_is_left_unfinished() -> None:
    assert [str(path) for path in SOURCES if re.search(rf"\b({UNFINISHED})\b", path.read_text())] == []


def test_no_test_is_skipped_or_expected_to_fail() -> None:
    marks = re.compile(r"pytest\.(mark\.)?(skip|xfail)|importor" + "skip")
    assert [str(path) for path in (ROOT / "tests").rglob("*.py") if marks.search(path.read_text())] == []
