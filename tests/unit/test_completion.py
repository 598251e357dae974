"""Completion of command lines, as bash makes it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from fake_compilers import ROOT

from tfcross.cli.completion import completion
from tfcross.cli.variables import VARIABLES

ASK = """
eval "$1"
COMP_LINE=$2 COMP_POINT=${#2}
_tfcross 2>/dev/null
printf '%s\\n' "${COMPREPLY[@]}"
"""


def completed(line: str, folder: Path = ROOT) -> list[str]:
    words = ["bash", "--norc", "-c", ASK, "bash", completion(ROOT), line]
    said = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=True).stdout
    return [word for word in said.splitlines() if word]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param("scons TAR", ["TARGET="], id="a name"),
        pytest.param("scons TARGET=P", ["PI"], id="a value"),
        pytest.param("scons TARGET=PI ARCH=armv", ["armv6", "armv7"], id="an arch of the target"),
        pytest.param("scons ARCH=", [], id="an arch of no target"),
        pytest.param("scons TYPES=", ["slim", "full"], id="all values"),
        pytest.param("scons TARGET=PI pack", ["package"], id="a command"),
        pytest.param("doctor.py pack", [], id="no command of a script"),
        pytest.param("link_flags.py FORMAT=x", ["xcconfig"], id="a format"),
        pytest.param("scons OPTFLAGS=-O", [], id="free text"),
    ],
)
def test_bash_completes(line: str, expected: list[str]) -> None:
    assert completed(line) == expected


def test_names_of_files_are_completed_where_one_is_wanted(tmp_path: Path) -> None:
    for name in ("graph one.pb", "graph2.pb", "other"):
        (tmp_path / name).touch()
    assert sorted(completed("scons MODEL=gra", tmp_path)) == ["graph one.pb", "graph2.pb"]
    assert sorted(completed("scons SOURCE_protobuf=oth", tmp_path)) == ["other"]


def test_every_variable_is_offered() -> None:
    offered = set(completed("scons "))
    plain = {variable.name for variable in VARIABLES if variable.name.isidentifier()}
    assert {f"{name}=" for name in plain} <= offered
    assert {"package", "fetch", "compile_commands"} <= offered
