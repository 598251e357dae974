"""Text from templates, and files that keep their time."""

from __future__ import annotations

import os
from pathlib import Path

import jinja2
import pytest

from tfcross.files import write_if_changed
from tfcross.render import TEMPLATES, render

NAMES = sorted(path.relative_to(TEMPLATES).as_posix() for path in TEMPLATES.rglob("*.j2"))
#: The one that is printed, for a shell to take as it is.
PLAIN = "link/flags.txt.j2"


@pytest.mark.parametrize("name", [name for name in NAMES if name != PLAIN])
def test_the_first_line_of_what_is_made_names_the_template(name: str) -> None:
    first = (TEMPLATES / name).read_text().splitlines()[0]
    if name.endswith(".txt.j2"):  # printed, not kept
        assert first.startswith("{# Printed by scripts/")
        return
    assert first in (
        "// {{ origin }}",
        "# {{ origin }}",
        "// {{ origin }} {{ guard }}",
        "<!-- {{ origin }} -->",
    )


def test_a_template_is_filled_in() -> None:
    text = render("precompiled.h.j2", defines=["EIGEN_USE_THREADS"], headers=["a/b.h"])
    lines = text.splitlines()
    assert lines[0] == "// Made by tfcross from templates/precompiled.h.j2."
    assert "#define EIGEN_USE_THREADS" in lines
    assert '#include "a/b.h"' in lines
    assert text.endswith("\n")


def test_a_value_that_is_not_given_is_an_error() -> None:
    with pytest.raises(jinja2.UndefinedError, match="'headers' is undefined"):
        render("precompiled.h.j2", defines=[])


def test_a_file_is_written_with_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "x.txt"
    assert write_if_changed(path, "ä\n")
    assert path.read_bytes() == b"\xc3\xa4\n"
    assert [p.name for p in path.parent.iterdir()] == ["x.txt"]


def test_a_file_that_holds_the_text_keeps_its_time(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    write_if_changed(path, "one\n")
    os.utime(path, (1, 1))
    assert not write_if_changed(path, "one\n")
    assert path.stat().st_mtime == 1


@pytest.mark.parametrize(
    "old",
    [pytest.param(b"two\n", id="text"), pytest.param(b"\xff\x00", id="bytes"), pytest.param(b"", id="empty")],
)
def test_a_file_that_holds_something_else_is_replaced(old: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_bytes(old)
    assert write_if_changed(path, "one\n")
    assert path.read_bytes() == b"one\n"
