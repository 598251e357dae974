"""Archives that users make themselves: only SOURCE_DIR brings them, and the tree's hash is the check."""

from __future__ import annotations

import hashlib
import io
import tarfile
from pathlib import Path

import pytest

from tfcross.errors import TfcrossError
from tfcross.releases.release import Origin, Release, Source
from tfcross.sources.fetch import fetch_sources
from tfcross.sources.store import Tree
from tfcross.treehash import FileSet, tree_hash

TEXTS = {"include/a.h": "one\n", "LICENSE": "MIT\n"}
TREE = tree_hash({name: hashlib.sha256(text.encode()).hexdigest() for name, text in TEXTS.items()})
GONE = Origin("url", "x-1.0.tar.gz", "0" * 64, 0, url="http://127.0.0.1:1/x-1.0.tar.gz")
LOCAL = Origin("local", "x-1.0.tar", "", 0)


def fetch(folder: Path, *origins: Origin, offline: bool = False) -> Tree:
    source = Source("x", "1.0", "MIT", TREE, FileSet(("include/**", "LICENSE")), origins)
    release = Release("1", Path("releases/1"), {"x": source}, {})
    return fetch_sources(release, store=folder / "store", source_dir=folder, offline=offline)["x"]


def archive(path: Path, mode: str, texts: dict[str, str]) -> None:
    with tarfile.open(path, mode) as opened:
        for name, text in texts.items():
            member = tarfile.TarInfo(f"any-name/{name}")
            member.size = len(text)
            opened.addfile(member, io.BytesIO(text.encode()))


@pytest.mark.parametrize(
    ("mode", "more"),
    [
        pytest.param("w", {}, id="plain"),
        pytest.param("w:gz", {"tests/t.cc": "test\n"}, id="compressed, with files that are not kept"),
        pytest.param("w:xz", {}, id="packed in another way"),
    ],
)
def test_an_archive_of_the_pinned_files_is_taken_whatever_its_bytes_are(
    mode: str, more: dict[str, str], tmp_path: Path
) -> None:
    archive(tmp_path / "x-1.0.tar", mode, TEXTS | more)
    tree = fetch(tmp_path, GONE, LOCAL, offline=True)
    assert (tree.path / "include/a.h").read_text() == "one\n"
    assert (tree.sha256, tree.origin, tree.pinned) == (TREE, "SOURCE_DIR x-1.0.tar", True)


def test_an_archive_of_other_files_is_refused(tmp_path: Path) -> None:
    archive(tmp_path / "x-1.0.tar", "w", TEXTS | {"LICENSE": "other\n"})
    with pytest.raises(TfcrossError) as caught:
        fetch(tmp_path, GONE, LOCAL, offline=True)
    other = "d8e2cf8bc7214ca0bd3b713ec1630d2b1529f46d6b4f0f87f41434c2f9082a80"
    assert str(caught.value) == (
        f"x 1.0: no origin brought it. SOURCE_DIR x-1.0.tar: sha256 of the tree in it is {other}, "
        f"the release pins {TREE[:8]}…. Not used. Check the network, or put one of its files into a "
        "folder and pass SOURCE_DIR=<folder>."
    )
    assert list((tmp_path / "store/trees").iterdir()) == []


def test_a_file_that_is_no_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x-1.0.tar").write_text("no archive\n")
    with pytest.raises(TfcrossError, match=r"SOURCE_DIR x-1\.0\.tar: x-1\.0\.tar: a damaged archive"):
        fetch(tmp_path, LOCAL, offline=True)


def test_the_name_of_a_pinned_archive_does_not_make_another_one_local(tmp_path: Path) -> None:
    archive(tmp_path / "x-1.0.tar.gz", "w:gz", TEXTS)
    with pytest.raises(
        TfcrossError, match=r"SOURCE_DIR x-1\.0\.tar\.gz: its sha256 is [0-9a-f]{8}…, the rele"
    ):
        fetch(tmp_path, GONE, LOCAL, offline=True)


def test_a_local_archive_is_never_looked_for_on_the_network(tmp_path: Path) -> None:
    with pytest.raises(TfcrossError) as caught:
        fetch(tmp_path, GONE, LOCAL)
    assert "x-1.0.tar:" not in str(caught.value)
    assert str(caught.value).count("http://127.0.0.1:1/") == 1
