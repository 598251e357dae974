"""Which headers each object was compiled with, and which objects a changed header makes stale.

The compiler writes the truth (``-MD``); SCons' own scanner would read thousands of third-party headers on every
run and still guess. Before a build, objects whose headers changed are removed; SCons then compiles just those.
A header is known by its content: the same text at a new time makes nothing stale.
"""

from __future__ import annotations

import hashlib
import pickle
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

VERSION = 2
Stat = tuple[int, int]


class HeaderDeps:
    """The record of one build folder, kept in ``<folder>/headers.pickle``.

    ``trees`` maps a folder prefix (``build/src/2.14.1/eigen/``) to the hash of that immutable tree: as long as
    the hash stays, nothing below the prefix is looked at.
    """

    def __init__(self, folder: Path, trees: Mapping[str, str]) -> None:
        self.path = folder / "headers.pickle"
        self.trees = dict(trees)
        self.objects: dict[str, tuple[int, ...]] = {}
        self.names: list[str] = []
        self.known: dict[str, tuple[Stat, str]] = {}
        self._ids: dict[str, int] = {}
        self._was: dict[str, str] = {}
        self._load()

    def _load(self) -> None:
        try:
            version, self.objects, self.names, self.known, self._was = pickle.loads(self.path.read_bytes())
        except (OSError, ValueError, EOFError, pickle.UnpicklingError, AttributeError, ImportError):
            version = None
        if version != VERSION:
            self.objects, self.names, self.known, self._was = {}, [], {}, {}
        self._ids = {name: number for number, name in enumerate(self.names)}

    def save(self, generated: str = "") -> None:
        """Write the record; headers below the prefix ``generated`` are now as the objects' own rules made them."""
        for name in self.names:
            if generated and name.startswith(generated):
                self.known[name] = _state(Path(name))
        self.path.parent.mkdir(parents=True, exist_ok=True)
        part = self.path.with_suffix(".part")
        part.write_bytes(pickle.dumps((VERSION, self.objects, self.names, self.known, self.trees)))
        part.replace(self.path)

    def record(self, target: str, depfile: Path) -> None:
        """Remember the files that ``depfile`` (make syntax) names; absolute paths are the compiler's own headers."""
        headers = [name for name in read_depfile(depfile) if not name.startswith("/")]
        self.objects[target] = tuple(map(self._id, headers))

    def _id(self, name: str) -> int:
        number = self._ids.get(name)
        if number is None:
            number = self._ids[name] = len(self.names)
            self.names.append(name)
            self.known.setdefault(name, _state(Path(name)))
        return number

    def stale(self) -> list[str]:
        """Objects on record that were compiled with a header that is now different or gone."""
        changed = {self._ids[name] for name in self._suspects() if self._changed(name)}
        return sorted(o for o, headers in self.objects.items() if not changed.isdisjoint(headers)) if changed else []

    def _suspects(self) -> Iterable[str]:
        same = tuple(prefix for prefix, key in self.trees.items() if self._was.get(prefix) == key)
        return [name for name in self.names if not name.startswith(same)]

    def _changed(self, name: str) -> bool:
        stat, digest = self.known.get(name, ((0, 0), ""))
        path = Path(name)
        try:
            now = path.stat()
        except OSError:
            return bool(digest)
        if (now.st_mtime_ns, now.st_size) == stat and not self._in_tree(name):
            return False
        self.known[name] = _state(path)
        return self.known[name][1] != digest

    def _in_tree(self, name: str) -> bool:
        return name.startswith(tuple(self.trees))

    def forget(self, targets: Iterable[str]) -> None:
        for target in targets:
            self.objects.pop(target, None)


def read_depfile(path: Path) -> list[str]:
    """The prerequisites of the one rule in a make-syntax depfile, in order; ``\\ `` is a space in a name."""
    text = path.read_text(encoding="utf-8", errors="surrogateescape").replace("\\\n", " ")
    _, _, names = text.partition(": ")
    return [name.replace("\\ ", " ").replace("$$", "$") for name in re.findall(r"(?:\\ |\S)+", names)]


def _state(path: Path) -> tuple[Stat, str]:
    try:
        stat = path.stat()
        return (stat.st_mtime_ns, stat.st_size), hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return (0, 0), ""
