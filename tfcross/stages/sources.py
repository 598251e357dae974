"""The release's trees, under names that are the same on every machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tfcross import environment
from tfcross.cli.options import Options
from tfcross.files import replacing
from tfcross.releases.coreset import CoreSet, check_files
from tfcross.releases.release import Release
from tfcross.sources.fetch import fetch_sources
from tfcross.sources.store import Tree


@dataclass(frozen=True)
class Sources:
    """Every tree of a release; ``links`` are the folders in which commands find them, both by name."""

    trees: Mapping[str, Tree]
    links: Mapping[str, str]

    def key(self, name: str) -> str:
        """What changes when and only when the tree does."""
        return self.trees[name].stamp.read_text()


def fetch_trees(options: Options, release: Release, core: CoreSet) -> Sources:
    """Every source of the release, verified and unpacked."""
    trees = fetch_sources(
        release,
        store=environment.cache_folder(),
        source_dir=Path(options.source_dir) if options.source_dir else None,
        overrides={name: Path(folder) for name, folder in options.sources},
        offline=options.offline,
        progress=True,
    )
    sources = Sources(trees, link_trees(trees, Path("build/src") / release.version))
    check_files(core, Path(sources.links[core.tree]))
    return sources


def link_trees(trees: Mapping[str, Tree], folder: Path) -> dict[str, str]:
    """Make ``folder/<name>`` a link to each tree; the links by name, as the commands will say them.

    Objects hold the paths of their sources (``__FILE__``): relative ones make them the same everywhere.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, tree in trees.items():
        link = folder / name
        if not (link.is_symlink() and link.readlink() == tree.path):
            with replacing(link) as part:
                part.symlink_to(tree.path)
    return {name: (folder / name).as_posix() for name in trees}


def tree_keys(sources: Sources) -> dict[str, str]:
    """What ``HeaderDeps`` needs: for each immutable tree its prefix and what its stamp says."""
    pinned = [name for name, tree in sources.trees.items() if tree.pinned]
    return {f"{sources.links[name]}/": sources.key(name) for name in pinned}
