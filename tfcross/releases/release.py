"""A release: one TensorFlow version and everything it pins (``releases/<version>/release.yaml``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from tfcross.documents import load_document
from tfcross.errors import TfcrossError, known
from tfcross.treehash import FileSet

Kind = Literal["url", "debian", "pypi", "local"]
KINDS: tuple[Kind, ...] = ("url", "debian", "pypi", "local")


@dataclass(frozen=True)
class Origin:
    """One place that a source's archive can come from.

    ``name`` is the Debian source package or the PyPI project; ``version`` is theirs (Debian's without
    the revision). ``file`` is also the name that a folder of files may hold it under. ``size`` is in
    bytes, 0 when the release does not say. ``root`` is the folder inside the archive that becomes the
    tree's top; "" stands for the archive's single top folder, "." for the archive itself. ``moves`` are
    (from, to) path prefixes, applied below ``root``. A ``local`` origin is an archive that users make
    themselves: only SOURCE_DIR brings it, and as its ``sha256`` is "", the tree's hash alone is the check.
    """

    kind: Kind
    file: str
    sha256: str
    size: int
    url: str = ""
    name: str = ""
    version: str = ""
    suite: str = ""
    root: str = ""
    moves: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        if self.kind == "url":
            return self.url
        if self.kind == "local":
            return f"your own {self.file}"
        place = f"Debian {self.suite}" if self.kind == "debian" else "PyPI"
        return f"{place} {self.name} {self.version}"


@dataclass(frozen=True)
class Source:
    """One pinned source tree: what it is, which of its files are used, and where it can come from.

    ``tree_sha256`` is "" where only the archives' hashes are known.
    """

    name: str
    version: str
    license: str
    tree_sha256: str
    files: FileSet
    origins: tuple[Origin, ...]
    patches: tuple[Path, ...] = ()

    def __str__(self) -> str:
        return f"{self.name} {self.version}"

    @property
    def keep(self) -> tuple[str, ...]:
        return self.files.keep


@dataclass(frozen=True)
class Release:
    """``folder`` holds release.yaml and patches/; ``document`` is the whole of release.yaml."""

    version: str
    folder: Path
    sources: Mapping[str, Source]
    document: Mapping[str, Any] = field(repr=False, hash=False, compare=False)

    def source(self, name: str) -> Source:
        """The source of that name; an unknown one is the user's error."""
        if name not in self.sources:
            raise TfcrossError(f"release {self.version}: unknown source '{name}'. {known(self.sources)}")
        return self.sources[name]


def known_releases(root: Path) -> list[str]:
    """The versions that ``root``/releases describes, sorted."""
    return sorted(path.parent.name for path in (root / "releases").glob("*/release.yaml"))


def load_release(root: Path, version: str) -> Release:
    """The release of that version under ``root``, checked against its schema."""
    if version not in known_releases(root):
        raise TfcrossError(f"RELEASE: unknown release '{version}'. {known(known_releases(root))}")
    folder = root / "releases" / version
    shown = f"releases/{version}/release.yaml"
    document = load_document(folder / "release.yaml", "release", shown)
    if document["release"] != version:
        raise TfcrossError(f"{shown}: release is '{document['release']}', its folder says '{version}'.")
    sources = {
        name: _source(name, data, folder / "patches", shown) for name, data in document["sources"].items()
    }
    return Release(version, folder, MappingProxyType(sources), MappingProxyType(document))


def _source(name: str, data: Mapping[str, Any], patches: Path, shown: str) -> Source:
    for patch in data.get("patches", ()):
        if not (patches / patch).is_file():
            raise TfcrossError(f"{shown}: sources.{name}.patches: there is no patches/{patch}.")
    return Source(
        name=name,
        version=data["version"],
        license=data["license"],
        tree_sha256=data["tree"],
        files=FileSet(tuple(data.get("keep", ("**",))), tuple(data.get("drop", ()))),
        origins=tuple(_origin(kind, entry) for kind in KINDS for entry in data["origins"].get(kind, ())),
        patches=tuple(patches / patch for patch in data.get("patches", ())),
    )


def _origin(kind: Kind, data: Mapping[str, Any]) -> Origin:
    return Origin(
        kind=kind,
        file=data["file"],
        sha256=data.get("sha256", ""),
        size=data.get("size", 0),
        url=data.get("url", ""),
        name=data.get("package") or data.get("project", ""),
        version=data.get("version", ""),
        suite=data.get("suite", ""),
        root=data.get("root", ""),
        moves=tuple(data.get("moves", {}).items()),
    )
