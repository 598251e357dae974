"""Which headers each object was compiled with, and which objects a changed header makes stale.

The compiler writes the truth (``-MD``); SCons' own scanner would read thousands of third-party headers on
every run and still guess. Before a build, objects whose headers changed are removed; SCons then compiles just
those. A header is known by its content: the same text at a new time makes nothing stale.
"""

from __future__ import annotations

import hashlib
import pickle
import re
from array import array
from collections.abc import Mapping
from pathlib import Path

from tfcross.environment import HERE

VERSION = 3
Stat = tuple[int, int]
State = tuple[str, str]
"""A file's name and its content's sha256, "" where there was no such file."""


class HeaderDeps:
    """The record of one build folder, kept in ``<folder>/headers.pickle``.

    ``trees`` maps a folder prefix (``build/src/2.14.1/eigen/``) to the hash of that immutable tree: as long
    as the hash stays, nothing below the prefix is looked at. Names are relative to the current folder.
    """

    def __init__(self, folder: Path, trees: Mapping[str, str]) -> None:
        self.path = folder / "headers.pickle"
        self.trees = dict(trees)
        self._prefixes = tuple(self.trees)
        self._here = (f"{HERE}/", f"{Path.cwd().as_posix()}/")
        self._objects: dict[str, array[int]] = {}  # what each was compiled with: numbers of _states
        self._states: list[State] = []
        self._hashes: dict[str, tuple[Stat, str]] = {}
        self._was: dict[str, str] = {}
        self._load()
        self._numbers = {state: number for number, state in enumerate(self._states)}
        self._fixed: dict[str, int] = {}  # files of immutable trees, looked at in this run
        self._dirty = self._was != self.trees

    def _load(self) -> None:
        """A record that cannot be read is none: then no object is known (``knows``)."""
        try:
            version, *content = pickle.loads(self.path.read_bytes())
            if version == VERSION:
                self._objects, self._states, self._hashes, self._was = content
        except Exception:  # whatever a damaged pickle leads to
            self._objects, self._states, self._hashes, self._was = {}, [], {}, {}

    def save(self) -> None:
        """Write the record, if there is news."""
        if not self._dirty:
            return
        self._forget_unused_states()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        part = self.path.with_suffix(".part")
        part.write_bytes(pickle.dumps((VERSION, self._objects, self._states, self._hashes, self.trees)))
        part.replace(self.path)
        self._dirty = False

    def _forget_unused_states(self) -> None:
        used = sorted(set().union(*self._objects.values()))
        if len(used) == len(self._states):
            return
        new = {old: number for number, old in enumerate(used)}
        self._objects = {o: array("I", (new[number] for number in ids)) for o, ids in self._objects.items()}
        self._states = [self._states[number] for number in used]
        self._numbers = {state: number for number, state in enumerate(self._states)}
        self._hashes = {name: self._hashes[name] for name, _ in self._states if name in self._hashes}
        self._fixed = {}

    def record(self, target: str, depfile: Path, precompiled: str = "") -> None:
        """Remember what the files that ``depfile`` (make syntax) names hold now.

        Files outside of the current folder are left out: they are the compiler's own headers. ``precompiled``
        is a target on record: what it was made from counts, too (a compiler may not name it, as GCC).
        """
        names = map(self._relative, read_depfile(depfile))
        numbers = dict.fromkeys(self._number(name) for name in names if not name.startswith("/"))
        numbers |= dict.fromkeys(self._objects.get(precompiled, ()))
        self._set(target, array("I", numbers))

    def _relative(self, name: str) -> str:
        """Compilers name the headers in a precompiled one from the root."""
        return next((name.removeprefix(here) for here in self._here if name.startswith(here)), name)

    def _set(self, target: str, numbers: array[int]) -> None:
        if self._objects.get(target) != numbers:
            self._objects[target] = numbers
            self._dirty = True

    def knows(self, target: str) -> bool:
        """Whether it is on record what ``target`` was compiled with."""
        return target in self._objects

    def changeable(self) -> list[str]:
        """The files on record that are in no immutable tree."""
        return sorted({name for name, _ in self._states if not name.startswith(self._prefixes)})

    def contents(self, target: str) -> list[str]:
        """``<file> <sha256>`` of each file that ``target`` was recorded with, as they were then."""
        return [" ".join(self._states[number]) for number in self._objects[target]]

    def _number(self, name: str) -> int:
        if name in self._fixed:
            return self._fixed[name]
        state = (name, self._digest(name))
        number = self._numbers.setdefault(state, len(self._states))
        if number == len(self._states):
            self._states.append(state)
        if name.startswith(self._prefixes):
            self._fixed[name] = number
        return number

    def stale(self) -> list[str]:
        """Objects on record that were compiled with a file that is now different or gone, sorted.

        Call it when all files that are written before the build stands are written.
        """
        same = tuple(prefix for prefix, key in self.trees.items() if self._was.get(prefix) == key)
        suspects = {name for name, _ in self._states if not name.startswith(same)}
        now = {name: self._digest(name, name.startswith(self._prefixes)) for name in suspects}
        changed = {n for n, (name, digest) in enumerate(self._states) if now.get(name, digest) != digest}
        if not changed:
            return []
        return sorted(target for target, ids in self._objects.items() if not changed.isdisjoint(ids))

    def _digest(self, name: str, afresh: bool = False) -> str:
        """The file's hash; computed again only at another time or size, unless ``afresh``."""
        path = Path(name)
        known = self._hashes.get(name)
        try:
            status = path.stat()
            stat = (status.st_mtime_ns, status.st_size)
            if known and known[0] == stat and not afresh:
                return known[1]
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError:
            stat, digest = (0, 0), ""
        if known != (stat, digest):
            self._hashes[name] = (stat, digest)
            self._dirty = True
        return digest


def read_depfile(path: Path) -> list[str]:
    """The prerequisites of the one rule in a make-syntax depfile, in order, with the escapes undone."""
    text = path.read_text(encoding="utf-8", errors="surrogateescape").replace("\\\n", " ")
    _, _, names = text.partition(": ")
    words = re.findall(r"(?:\\[ #]|\S)+", names)
    return [re.sub(r"\\([ #])", r"\1", word).replace("$$", "$") for word in words]
