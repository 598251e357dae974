"""Whether a command has nothing to do, told from stats alone, before SCons is asked.

After a build that made all that was asked for, the stats of every file that it depends on are kept with the
command's words. The same words with the same stats have the same result: so much is known in a tenth of the
time that SCons needs. What does not fit (another option, a local tree, one file touched) is left to it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from tfcross.files import write_whole

#: Output folders of a night: the only ones in the build folder.
NIGHTS = "build/nightly"
#: Options of SCons that change how, not what it builds; with any other one, SCons itself has to run.
_HARMLESS = re.compile(r"-Q|-s|-j\d*|\d+|--jobs=\d+")
#: Trees of the user's own, whose files nothing here lists.
_LOCAL = re.compile(r"(?:SOURCE_(?!DIR=)\w+|OPS_DIR)=(?!$)")

Stat = list[int]


def command_key(words: Sequence[str], environment: Mapping[str, str], store: Path) -> str:
    """What names the command ``words`` (without the program) in this folder, for a build folder may have been
    copied with its links, or belong to several checkouts; "" where only SCons can tell what it does."""
    options = [word for word in words if "=" not in word or word.startswith("-")]
    if any(word.startswith("-") and not _HARMLESS.fullmatch(word) for word in options):
        return ""
    if any(_LOCAL.match(word) for word in words):
        return ""
    if "package" in options:  # it tells a revision and a date, which are in no file that is looked at
        return ""
    asked = [word for word in words if not _HARMLESS.fullmatch(word)]
    return hashlib.sha256(
        json.dumps([asked, dict(environment), str(store), str(Path.cwd())]).encode()
    ).hexdigest()[:16]


class Record:
    """The stats of one command's files, kept in ``<folder>/<key>.json``; an empty key keeps nothing."""

    def __init__(self, folder: Path, key: str) -> None:
        self.path = folder / f"{key}.json" if key else None

    def stands(self) -> str:
        """The goal of the command, if every file is as it was when the goal was made; otherwise ""."""
        if self.path is None:
            return ""
        try:
            known = json.loads(self.path.read_text())
            goal, files, made = known["goal"], known["files"], known["made"]
            same = all(_stat(name) == was for name, was in files.items())
            return str(goal) if same and all(_own_stat(name) == was for name, was in made.items()) else ""
        except (OSError, ValueError, KeyError, TypeError, AttributeError):  # none yet, or a damaged one
            return ""

    def keep(self, goal: str, read: Iterable[str], made: Iterable[str], begun_ns: int) -> None:
        """Remember the stats of all that was ``read`` and ``made`` for ``goal``; of folders, what they hold.

        Nothing is kept where a file that was read has changed since the build began (``begun_ns``): it
        may be another one than was read.
        """
        if self.path is None:
            return
        self.path.unlink(missing_ok=True)
        stats = {name: _stat(name) for name in sorted(set(read))}
        if any(was and was[0] >= begun_ns for was in stats.values()):
            return
        own = {name: _own_stat(name) for name in sorted(set(made))}
        write_whole(self.path, json.dumps({"goal": goal, "files": stats, "made": own}))


def _stat(name: str) -> Stat:
    """What changes with a file's content: time, size and inode; of a folder, what is in it; [] for none.

    A folder's time is of no use: Python makes its caches in ours.
    """
    try:
        status = os.stat(name)  # noqa: PTH116 (of 2,000 files; half the time)
        if not stat.S_ISDIR(status.st_mode):
            return [status.st_mtime_ns, status.st_size, status.st_ino]
        return [-1, _names_in(name)]
    except OSError:
        return []


def _own_stat(name: str) -> Stat:
    """The same of what the build made, and its kind and permissions; a link is no such file."""
    try:
        status = os.lstat(name)
        if not stat.S_ISDIR(status.st_mode):
            return [status.st_mode, status.st_mtime_ns, status.st_size, status.st_ino]
        return [status.st_mode, _names_in(name)]
    except OSError:
        return []


def _names_in(folder: str) -> int:
    names = "\0".join(sorted(set(os.listdir(folder)) - {"__pycache__"}))  # noqa: PTH208
    return zlib.crc32(names.encode(errors="surrogateescape"))


def project_files(root: Path) -> list[str]:
    """The project's own files that a build reads, and their folders, in which one may be added."""
    names = [root / "SConstruct"]
    for folder in ("tfcross", "targets", "toolchains", "releases", "templates"):
        names += [path for path in (root / folder, *(root / folder).rglob("*")) if _is_source(path)]
    return [str(path) for path in names]


def _is_source(path: Path) -> bool:
    return "__pycache__" not in path.parts and path.suffix != ".pyc"
