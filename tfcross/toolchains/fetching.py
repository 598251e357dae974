"""Bring a toolchain that no package has, as the sources of a release are brought."""

from __future__ import annotations

from pathlib import Path

from tfcross.releases.release import Release, Source
from tfcross.sources.fetch import fetch_sources
from tfcross.toolchains.download import Bring


def bring_to(store: Path, source_dir: Path | None, offline: bool, progress: bool) -> Bring:
    """What brings a toolchain's source into ``store``; the arguments are those of ``fetch_sources``."""

    def bring(source: Source) -> Path:
        alone = Release(source.version, Path("toolchains"), {source.name: source}, {})
        trees = fetch_sources(alone, store=store, source_dir=source_dir, offline=offline, progress=progress)
        return trees[source.name].path

    return bring
