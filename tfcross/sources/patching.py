"""Apply a release's patches to an unpacked tree: exactly, or not at all."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any

import patch_ng

from tfcross.errors import TfcrossError
from tfcross.treehash import combined_hash, file_hash, modified_time

# What the parser passes over.
_UNREAD = re.compile(
    rb"^(?:\\ No newline at end of file|rename from|copy from|GIT binary patch)", re.MULTILINE
)
MENDING = "Make the patch anew against this version's file, or take it out of release.yaml"


def patches_hash(patches: Iterable[Path]) -> str:
    """One hash of the patches' contents, in order; "" for none."""
    hashes = [file_hash(patch) for patch in patches]
    return combined_hash(hashes) if hashes else ""


def apply_patches(tree: Path, patches: Iterable[Path]) -> None:
    """Apply unified diffs (paths with one leading component, as ``git diff`` writes) to ``tree``.

    Every hunk must be found at its own line, with its context: no offset, no fuzz, no patch that is
    in already. Raises TfcrossError that names the patch, the file and the line.
    """
    for patch in patches:
        for item in _parse(patch):
            _apply_item(tree, item, patch.name)


def _parse(patch: Path) -> list[Any]:
    content = patch.read_bytes()
    if unread := _UNREAD.search(content):
        raise TfcrossError(f"{patch.name}: '{unread[0].decode()}' is not supported. {MENDING}.")
    parsed = patch_ng.PatchSet(io.BytesIO(content))
    if parsed.errors or not parsed.items:
        raise TfcrossError(f"{patch.name}: not a unified diff. {MENDING}.")
    return list(parsed.items)


def _apply_item(tree: Path, item: Any, patch: str) -> None:
    old, new = _path(item.source, patch), _path(item.target, patch)
    for path in filter(None, (old, new)):
        _check_no_link(tree, path, patch)
    lines = [] if old is None else _read(tree / old, f"{patch}: {old}")
    if old is None and new is not None and (tree / new).exists():
        raise TfcrossError(f"{patch}: {new}: the file to add is in the tree already. {MENDING}.")
    result = _with_hunks(lines, item.hunks, f"{patch}: {old or new}")
    if old is not None and old != new:
        (tree / old).unlink()
    if new is not None:
        _write(tree / new, result)


def _path(raw: bytes, patch: str) -> str | None:
    """The path that a diff's header names, without its first component; None for /dev/null."""
    text = os.fsdecode(raw)
    if text in ("/dev/null", "dev/null"):
        return None
    parts = PurePosixPath(text).parts
    if text.startswith("/") or ".." in parts or len(parts) < 2:
        raise TfcrossError(f"{patch}: path '{text}' leaves the tree. Write it as a/<path> and b/<path>.")
    return "/".join(parts[1:])


def _check_no_link(tree: Path, path: str, patch: str) -> None:
    """What is behind a link would be changed in the link's place, or outside of the tree."""
    for part in (PurePosixPath(path), *PurePosixPath(path).parents):
        if (tree / part).is_symlink():
            raise TfcrossError(f"{patch}: {path}: '{part}' is a link; name the file that it leads to.")


def _read(path: Path, where: str) -> list[bytes]:
    if not path.is_file():
        raise TfcrossError(f"{where}: the file to patch is not in the tree. {MENDING}.")
    return path.read_bytes().splitlines(keepends=True)


def _write(path: Path, lines: list[bytes]) -> None:
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o444
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.write_bytes(b"".join(lines))
    path.chmod(mode)
    os.utime(path, (modified_time(file_hash(path)),) * 2)


def _with_hunks(lines: list[bytes], hunks: Iterable[Any], where: str) -> list[bytes]:
    result: list[bytes] = []
    done = 0
    for number, hunk in enumerate(hunks, 1):
        before, after = _sides(hunk.text)
        start = max(hunk.startsrc - 1, 0) if before else hunk.startsrc
        if start < done or lines[start : start + len(before)] != before:
            raise TfcrossError(f"{where}: hunk {number}, line {hunk.startsrc}, does not apply. {MENDING}.")
        result += lines[done:start] + after
        done = start + len(before)
    return result + lines[done:]


def _sides(text: Iterable[bytes]) -> tuple[list[bytes], list[bytes]]:
    """The lines that a hunk expects and those that it leaves."""
    lines = list(text)
    return [line[1:] for line in lines if line[:1] != b"+"], [line[1:] for line in lines if line[:1] != b"-"]
