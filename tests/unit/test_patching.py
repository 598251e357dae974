"""Patches apply exactly or not at all, and an error names patch, file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tfcross.errors import TfcrossError
from tfcross.sources.patching import apply_patches, patches_hash

TEXT = "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\n"
CHANGE = """\
--- a/src/numbers.h
+++ b/src/numbers.h
@@ -1,4 +1,4 @@
 one
-two
+2
 three
 four
@@ -7,3 +7,4 @@
 seven
 eight
 nine
+ten
"""
MENDING = "Make the patch anew against this version's file, or take it out of release.yaml."


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "tree/src").mkdir(parents=True)
    (tmp_path / "tree/src/numbers.h").write_text(TEXT)
    (tmp_path / "tree/src/numbers.h").chmod(0o444)
    return tmp_path / "tree"


def _patch(tree: Path, text: str, name: str = "x.patch") -> Path:
    path = tree.parent / name
    path.write_text(text)
    return path


def test_a_patch_changes_every_hunks_lines(tree: Path) -> None:
    apply_patches(tree, [_patch(tree, CHANGE)])
    assert (tree / "src/numbers.h").read_text() == "one\n2\nthree\nfour\nfive\nsix\nseven\neight\nnine\nten\n"


def test_a_patch_adds_and_removes_files(tree: Path) -> None:
    added = "--- /dev/null\n+++ b/new/file.h\n@@ -0,0 +1,2 @@\n+a\n+b\n"
    lines = "".join(f"-{line}\n" for line in TEXT.split())
    removed = f"--- a/src/numbers.h\n+++ /dev/null\n@@ -1,9 +0,0 @@\n{lines}"
    apply_patches(tree, [_patch(tree, added + removed)])
    assert (tree / "new/file.h").read_text() == "a\nb\n"
    assert not (tree / "src/numbers.h").exists()


def test_patches_apply_in_their_order(tree: Path) -> None:
    second = "--- a/src/numbers.h\n+++ b/src/numbers.h\n@@ -2 +2 @@\n-2\n+zwei\n"
    apply_patches(tree, [_patch(tree, CHANGE), _patch(tree, second, "y.patch")])
    assert (tree / "src/numbers.h").read_text().startswith("one\nzwei\n")


REFUSED = [
    pytest.param(
        CHANGE.replace("-two", "-zwei"),
        "x.patch: src/numbers.h: hunk 1, line 1, does not apply",
        id="context",
    ),
    pytest.param(
        CHANGE.replace("@@ -7,3 +7,4", "@@ -6,3 +6,4"),
        "x.patch: src/numbers.h: hunk 2, line 6, does not apply",
        id="another line",
    ),
    pytest.param(
        CHANGE.replace("numbers.h", "letters.h"),
        "x.patch: src/letters.h: the file to patch is not in the tree",
        id="no such file",
    ),
    pytest.param(
        "--- /dev/null\n+++ b/src/numbers.h\n@@ -0,0 +1 @@\n+a\n",
        "x.patch: src/numbers.h: the file to add is in the tree already",
        id="a new file that is there",
    ),
    pytest.param(
        CHANGE + "\\ No newline at end of file\n",
        "x.patch: '\\ No newline at end of file' is not supported",
        id="no newline at the end",
    ),
    pytest.param(
        "diff --git a/a.h b/b.h\nrename from a.h\nrename to b.h\n",
        "x.patch: 'rename from' is not supported",
        id="rename",
    ),
    pytest.param("not a patch\n", "x.patch: not a unified diff", id="no diff"),
]


@pytest.mark.parametrize(("text", "message"), REFUSED)
def test_a_patch_that_no_longer_applies_says_what_to_do(tree: Path, text: str, message: str) -> None:
    with pytest.raises(TfcrossError) as caught:
        apply_patches(tree, [_patch(tree, text)])
    assert str(caught.value) == f"{message}. {MENDING}"
    assert (tree / "src/numbers.h").read_text() == TEXT


def test_a_patch_that_is_in_already_is_refused(tree: Path) -> None:
    patch = _patch(tree, CHANGE)
    apply_patches(tree, [patch])
    with pytest.raises(TfcrossError, match="hunk 1, line 1, does not apply"):
        apply_patches(tree, [patch])


def test_a_patch_cannot_leave_the_tree(tree: Path) -> None:
    text = "--- a/../out.h\n+++ b/../out.h\n@@ -0,0 +1 @@\n+a\n"
    with pytest.raises(TfcrossError, match="path 'out.h' leaves the tree"):
        apply_patches(tree, [_patch(tree, text)])
    assert not (tree.parent / "out.h").exists()


def test_the_hash_follows_contents_and_order_but_not_names(tree: Path) -> None:
    one, two = _patch(tree, CHANGE, "1.patch"), _patch(tree, "x", "2.patch")
    renamed = _patch(tree, CHANGE, "3.patch")
    assert patches_hash([]) == ""
    assert patches_hash([one, two]) == patches_hash([renamed, two])
    assert patches_hash([one, two]) != patches_hash([two, one])
