"""The release's trees under names that are the same on every machine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tfcross.sources.store import Tree


def link_trees(trees: Mapping[str, Tree], folder: Path) -> dict[str, str]:
    """Make ``folder/<name>`` a link to each tree; the links by name, as the commands will say them.

    Objects hold the paths of their sources (``__FILE__``): relative ones make them the same everywhere.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, tree in trees.items():
        link, part = folder / name, folder / f".{name}.part"
        if link.is_symlink() and link.readlink() == tree.path:
            continue
        part.unlink(missing_ok=True)
        part.symlink_to(tree.path)
        part.replace(link)
    return {name: (folder / name).as_posix() for name in trees}


def tree_keys(trees: Mapping[str, Tree], links: Mapping[str, str]) -> dict[str, str]:
    """What ``HeaderDeps`` needs: for each immutable tree its prefix and what its stamp says."""
    return {f"{links[name]}/": tree.stamp.read_text() for name, tree in trees.items() if tree.pinned}
