"""A toolchain that no package has: where it can be downloaded, as a source like any of a release."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tfcross.releases.release import Origin, Release, Source
from tfcross.sources.fetch import fetch_sources
from tfcross.treehash import FileSet

Bring = Callable[[Source], Path]
"""Sees to it that a source is unpacked on this machine, and tells in which folder; raises TfcrossError."""


def toolchain_source(name: str, data: Mapping[str, Any], triple: str, host: str) -> Source | None:
    """What ``data`` (a toolchain file) says of downloading compilers that run on ``host`` for ``triple``.

    ``triple`` and ``host`` are GNU triples. None if it says nothing of such ones. The hash of the tree
    is not pinned: the archive's is.
    """
    download = data.get("download", {})
    if triple not in download.get("triples", ()) or host not in download.get("hosts", ()):
        return None
    origins = tuple(_origin(url, download) for url in download["urls"])
    files = FileSet(tuple(download.get("keep", ("**",))), tuple(download.get("drop", ())))
    return Source(name, download["version"], download["license"], "", files, origins)


def _origin(url: str, download: Mapping[str, Any]) -> Origin:
    return Origin(
        kind="url",
        url=url,
        file=download["file"],
        sha256=download["sha256"],
        size=download.get("size", 0),
        root=download["root"],
    )


def bring_to(store: Path, source_dir: Path | None, offline: bool, progress: bool) -> Bring:
    """What brings a toolchain's source into ``store``; the arguments are those of ``fetch_sources``."""

    def bring(source: Source) -> Path:
        alone = Release(source.version, Path("toolchains"), {source.name: source}, {})
        trees = fetch_sources(alone, store=store, source_dir=source_dir, offline=offline, progress=progress)
        return trees[source.name].path

    return bring
