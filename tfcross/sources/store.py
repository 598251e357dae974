"""The content-addressed store of downloads and unpacked trees, shared by checkouts and processes.

::

    files/<sha256>                  a whole, verified download
    parts/<sha256>                  one that is under way, to be resumed
    trees/<source>-<version>-<key>/ stamp.json, origin.json and the tree itself, in <source>/
    locks/                          one empty file per thing that is being made

Whatever has its final name is whole: everything is written elsewhere in the store and renamed.
"""

from __future__ import annotations

import contextlib
import fcntl
import glob
import json
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tfcross.files import write_json
from tfcross.releases.release import Source
from tfcross.sources.patching import patches_hash
from tfcross.treehash import combined_hash


@dataclass(frozen=True)
class Tree:
    """A source tree to build from.

    ``stamp`` changes when and only when the tree does: builds depend on it instead of on every file.
    ``sha256`` is of the tree before patches; ``origin`` is where it came from, ``local <folder>`` for
    an override. ``pinned`` is false for a tree that is not the one the release pins;
    ``seconds`` is what it took in this run.
    """

    name: str
    path: Path
    stamp: Path
    sha256: str
    version: str
    origin: str
    pinned: bool = True
    seconds: float = 0.0


class Store:
    def __init__(self, root: Path) -> None:
        self.root = root

    def file(self, sha256: str) -> Path:
        return self.root / "files" / sha256

    def part(self, sha256: str) -> Path:
        part = self.root / "parts" / sha256
        part.parent.mkdir(parents=True, exist_ok=True)
        return part

    def keep_file(self, part: Path, sha256: str) -> Path:
        """Give a verified download its final name."""
        target = self.file(sha256)
        target.parent.mkdir(parents=True, exist_ok=True)
        part.chmod(0o444)
        part.replace(target)
        return target

    def folder(self, source: Source) -> Path:
        """Where the tree of ``source`` goes, by what is in it: kept files and patches."""
        patches = patches_hash(source.patches)
        tree = source.tree_sha256 or combined_hash(origin.sha256 for origin in source.origins)
        key = combined_hash([tree, patches]) if patches else tree
        return self.root / "trees" / f"{source.name}-{source.version}-{key[:16]}"

    def tree(self, source: Source) -> Tree | None:
        """The tree of ``source``, if it is in the store; reads two small files."""
        folder = self.folder(source)
        stamp = folder / "stamp.json"
        if not stamp.is_file():
            return None
        origin = json.loads((folder / "origin.json").read_text())["origin"]
        return Tree(source.name, folder / source.name, stamp, source.tree_sha256, source.version, origin)

    @contextlib.contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Held by one thread of one process at a time; the kernel frees it when that process dies."""
        path = self.root / "locks" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            yield

    @contextlib.contextmanager
    def temporary(self, beside: Path) -> Iterator[Path]:
        """A new folder in the folder of ``beside``, removed at the end unless it was renamed.

        The caller holds ``beside``'s lock, so what an earlier run left there is nobody's: removed too.
        """
        beside.parent.mkdir(parents=True, exist_ok=True)
        for leftover in beside.parent.glob(f".{glob.escape(beside.name)}.*"):
            shutil.rmtree(leftover, ignore_errors=True)
        folder = Path(tempfile.mkdtemp(prefix=f".{beside.name}.", dir=beside.parent))
        folder.chmod(0o755)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def override(self, source: Source, folder: Path, sha256: str) -> Tree:
        """``folder`` as the tree of ``source``, with a stamp that follows its content."""
        stamp = self.root / "overrides" / f"{source.name}-{sha256[:16]}.json"
        if not stamp.is_file():
            write_json(stamp, {"source": source.name, "tree": sha256, "folder": str(folder)})
        pinned = sha256 == source.tree_sha256 and not source.patches
        return Tree(source.name, folder, stamp, sha256, source.version, f"local {folder}", pinned)


def write_stamps(folder: Path, source: Source, origin: str) -> None:
    """The two files beside a tree. Where it came from is kept out of the stamp: equal trees from two
    origins must not cause a rebuild."""
    stamp = {
        "source": source.name,
        "version": source.version,
        "tree": source.tree_sha256,
        "patches": [patch.name for patch in source.patches],
        "patches_sha256": patches_hash(source.patches),
    }
    write_json(folder / "origin.json", {"origin": origin})
    write_json(folder / "stamp.json", stamp)
