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


def types_of(sconstruct: Path) -> str:
    """What mypy says of a file that has SCons' own names in it and functions without annotations."""
    options = ["--check-untyped-defs", "--allow-untyped-defs", "--allow-untyped-calls"]
    command = [
        sys.executable,
        "-m",
        "mypy",
        *options,
        "--disable-error-code",
        "name-defined",
        str(sconstruct),
    ]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout


def test_the_stages_of_sconstruct_take_what_others_give() -> None:
    assert types_of(ROOT / "SConstruct") == "Success: no issues found in 1 source file\n"


def test_another_order_of_the_stages_is_a_type_error(tmp_path: Path) -> None:
    text = (ROOT / "SConstruct").read_text()
    right = "prove(plan, selected, core, linked)"
    assert text.count(right) == 1
    wrong = tmp_path / "SConstruct"
    wrong.write_text(text.replace(right, "prove(plan, sources, core, generated)"))
    said = types_of(wrong)
    assert 'Argument 2 to "prove" has incompatible type "Sources"; expected "Selected"' in said
    assert 'Argument 4 to "prove" has incompatible type "GeneratedCode"; expected "Linked"' in said
    assert "Found 2 errors in 1 file" in said


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
