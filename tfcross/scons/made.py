"""What the build has put on the disk, so that it is seen when anything else has changed it since.

SCons looks whether the sources of a node are as they were; that the node's own file is still what was made,
it takes for granted, and hands a damaged one on.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tfcross.errors import TfcrossError
from tfcross.files import write_whole
from tfcross.treehash import file_hash

#: Mode, size, time and inode; what is no regular file has only the first.
Stat = list[int]
#: What Python leaves beside a tool that it runs.
CACHE = "__pycache__"


class Made:
    """The files that each target's action made, kept in ``path``; without one, nothing is kept or known.

    ``path`` has one line of JSON for each action: its target, the folder that is all its own ("": none), and
    ``{file: [mode, size, time, inode, sha256]}``. A line is added at once, so that a killed build leaves what
    it knew; the last one for a target counts. Where only stats differ, the content decides, except that in
    an action's own folder permissions count as well.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self._known: dict[str, tuple[str, dict[str, list[Any]]]] = {}
        self._dirty = False
        self._lock = threading.Lock()
        if path is not None and path.is_file():
            self._load(path.read_text(encoding="utf-8", errors="replace"))

    def _load(self, text: str) -> None:
        """A line that cannot be read is none: then what it told is not known."""
        lines = text.splitlines()
        for line in lines:
            try:
                target, folder, files = json.loads(line)
                self._known[target] = (str(folder), dict(files))
            except (ValueError, TypeError):
                self._dirty = True
        self._dirty |= len(lines) > len(self._known) or not text.endswith("\n")
        if self._dirty:
            self.save()

    def save(self) -> None:
        """Write the record anew, if there is news beside added lines; forget what is there no more."""
        if not self._dirty or self.path is None:
            return
        kept = {t: was for t, was in self._known.items() if was[0] or os.path.lexists(t)}
        write_whole(self.path, "".join(map(_line, kept.items())))
        self._dirty = False

    def keep(self, targets: Iterable[str], folder: str = "") -> None:
        """Remember the files ``targets``, made by one action, as they are; and all that ``folder`` holds."""
        if self.path is None:
            return
        targets = list(targets)
        paths = dict.fromkeys([*targets, *((folder, *_tree(folder)) if folder else ())])
        files = {path: _state(path) for path in paths if os.path.lexists(path)}
        entry = (targets[0], (folder, files))
        with self._lock:
            self._known[targets[0]] = entry[1]
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8") as stream:
                stream.write(_line(entry))

    def knows(self, target: str) -> bool:
        return target in self._known

    def files(self, target: str) -> list[str]:
        """All that the action of ``target`` made, as far as it is known."""
        return list(self._known.get(target, ("", {}))[1])

    def wrong(self, target: str, thorough: bool = False) -> str:
        """The first file of the action of ``target`` that is not as it was made; "" if all are.

        Where stats are as they were, so is the content, unless it is looked at all the same (``thorough``).
        """
        folder, files = self._known.get(target, ("", {}))
        for path, was in files.items():
            if not self._is_right(path, was, bool(folder) and path.startswith(f"{folder}/"), thorough):
                return path
        extra = (path for path in _tree(folder) if path not in files) if folder else iter(())
        return next(extra, "")

    def _is_right(self, path: str, was: list[Any], strict: bool, thorough: bool) -> bool:
        now = _stat(path)
        if not now or stat.S_IFMT(now[0]) != stat.S_IFMT(was[0]) or (strict and now[0] != was[0]):
            return False
        if not stat.S_ISREG(now[0]) or (now[1:] == was[1:4] and not thorough):
            return True
        try:
            same = now[1] == was[1] and file_hash(Path(path)) == str(was[4])
        except OSError:  # one that cannot be read
            return False
        if same and now[1:] != was[1:4]:
            was[1:4] = now[1:]
            self._dirty = True
        return same

    def has_left(self, target: str) -> bool:
        """Whether any file that the action of ``target`` made is there as it was."""
        files = self._known.get(target, ("", {}))[1]
        return any(len(was) > 1 and [*_stat(path), was[-1]] == was for path, was in files.items())


def clear_way(target: str, *ours: str) -> None:
    """Take away what stands where the file ``target`` is to be made, or a folder above it, and is none.

    TfcrossError where it is neither one of the build's own places (``ours``) nor in one.
    """
    above = next((str(path) for path in Path(target).parents if os.path.lexists(path)), ".")
    found, blocked, kind = _stat(target), "", "file"
    if not os.path.isdir(above):  # noqa: PTH112
        blocked, kind = above, "folder"
    elif found and not stat.S_ISREG(found[0]):
        blocked = target
    if any(Path(blocked).is_relative_to(place) for place in ours if blocked):
        remove(Path(blocked))
    elif blocked and not (kind == "file" and os.path.isfile(blocked)):  # noqa: PTH113 (a link to one is replaced)
        raise TfcrossError(f"{blocked}: is no {kind}, and {target} has to be made; move it away.")


def remove(path: Path) -> None:
    """Delete ``path``, whatever it is, and whether or not it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def files_below(folder: Path) -> list[str]:
    """The files below ``folder`` by their paths there, sorted."""
    return sorted(p.relative_to(folder).as_posix() for p in map(Path, _tree(str(folder))) if p.is_file())


def _line(entry: tuple[str, tuple[str, dict[str, list[Any]]]]) -> str:
    target, (folder, files) = entry
    return json.dumps([target, folder, files]) + "\n"


def _tree(folder: str) -> Iterator[str]:
    """All that is below ``folder``, folders and links among it."""
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name != CACHE]
        yield from (f"{parent}/{name}" for name in (*folders, *files))


def _stat(path: str) -> Stat:
    """[] for what is not there."""
    try:
        status = os.lstat(path)
    except OSError:
        return []
    regular = stat.S_ISREG(status.st_mode)
    return [status.st_mode, *((status.st_size, status.st_mtime_ns, status.st_ino) if regular else ())]


def _state(path: str) -> list[Any]:
    status = _stat(path)
    return [*status, *([file_hash(Path(path))] if len(status) > 1 else [])]
