"""Which files a FileSet selects, and the hash of a tree."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tfcross.treehash import FileSet, hash_folder, link_hash, tree_hash

SELECTED = [
    pytest.param("a/**", "a/b/c.h", True, id="two stars span folders"),
    pytest.param("a/**", "b/a/c.h", False, id="a pattern starts at the top"),
    pytest.param("a/*.h", "a/c.h", True, id="a star is one component"),
    pytest.param("a/*.h", "a/b/c.h", False, id="a star does not span folders"),
    pytest.param("**/*.h", "c.h", True, id="two stars and a slash may be nothing"),
    pytest.param("**/*.h", "a/b/c.h", True, id="two stars and a slash may be folders"),
    pytest.param("**/test/**", "contest/c.h", False, id="a folder's name is whole"),
    pytest.param("{a,b/c}/*.{h,cc}", "b/c/d.cc", True, id="braces are alternatives"),
    pytest.param("{a,b/c}/*.{h,cc}", "b/d.cc", False, id="nothing but the alternatives"),
    pytest.param("?.h", "c.h", True, id="a question mark is one character"),
    pytest.param("a.h", "axh", False, id="a dot is a dot"),
    pytest.param("LICENSE", "LICENSE.txt", False, id="the whole name counts"),
]


@pytest.mark.parametrize(("pattern", "path", "selected"), SELECTED)
def test_a_pattern_selects_paths(pattern: str, path: str, selected: bool) -> None:
    assert (path in FileSet((pattern,))) is selected


def test_drop_wins_over_keep() -> None:
    files = FileSet(("src/**",), ("**/*_test.cc",))
    assert "src/a.cc" in files
    assert "src/a_test.cc" not in files


def test_everything_is_selected_by_default() -> None:
    assert "a/.hidden" in FileSet()


def _write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_a_trees_hash_is_the_documented_shell_commands(tmp_path: Path) -> None:
    _write(tmp_path, {"b.h": "two\n", "a/c.h": "one\n", "a-b": "three\n", "Z": "four\n"})
    command = r"find . -type f -printf '%P\0' | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum"
    shell = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert hash_folder(tmp_path, FileSet()) == shell.stdout.split()[0]


def test_modes_and_times_do_not_count(tmp_path: Path) -> None:
    _write(tmp_path, {"run": "#!/bin/sh\n"})
    before = hash_folder(tmp_path, FileSet())
    (tmp_path / "run").chmod(0o755)
    os.utime(tmp_path / "run", (1, 1))
    assert hash_folder(tmp_path, FileSet()) == before


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"a.h": "other\n"}, id="content"),
        pytest.param({"b.h": "one\n"}, id="another file"),
    ],
)
def test_contents_and_names_count(tmp_path: Path, change: dict[str, str]) -> None:
    _write(tmp_path, {"a.h": "one\n"})
    before = hash_folder(tmp_path, FileSet())
    _write(tmp_path, change)
    assert hash_folder(tmp_path, FileSet()) != before


def test_files_that_are_not_selected_do_not_count(tmp_path: Path) -> None:
    _write(tmp_path, {"a.h": "one\n"})
    before = hash_folder(tmp_path, FileSet(("*.h",)))
    _write(tmp_path, {".git/index": "x", "b.o": "y"})
    assert hash_folder(tmp_path, FileSet(("*.h",))) == before


def test_a_link_counts_by_its_target(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder")
    assert hash_folder(tmp_path, FileSet()) == tree_hash({"link": link_hash("folder")})
