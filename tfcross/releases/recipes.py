"""How a release's dependencies are compiled: source lists, flags and include folders, as data.

A recipe says what to compile; ``tfcross.stages.dependencies`` turns it into nodes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from tfcross.documents import load_document, merge
from tfcross.errors import TfcrossError


@dataclass(frozen=True)
class HostTool:
    """A program made from the same tree for the host: ``main`` is a file under templates/."""

    name: str
    main: str
    sources: tuple[str, ...]
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True)
class Recipe:
    """One dependency; globs and folders are relative to its tree, ``{cpu}`` is the profile's.

    ``precompiled``: headers that most of its C++ units include. ``wanted_by``: headers; the dependency is
    built only where a selected file includes one (empty: always).
    """

    name: str
    licence: str
    include: tuple[str, ...]
    sources: tuple[str, ...]
    exclude: tuple[str, ...] = ()
    private_include: tuple[str, ...] = ()
    language: str = ""
    ccflags: tuple[str, ...] = ()
    defines: tuple[str, ...] = ()
    precompiled: tuple[str, ...] = ()
    wanted_by: tuple[str, ...] = ()
    host_tool: HostTool | None = None

    @property
    def archive(self) -> str:
        """File name of the static archive, ``""`` for a dependency of headers only."""
        return f"lib{self.name}.a" if self.sources else ""


def load_recipes(folder: Path, platform: str = "linux") -> dict[str, Recipe]:
    """The recipes of the release in ``folder`` for ``platform``, in link order: users first."""
    document = load_document(folder / "recipes.yaml", "recipes")
    return {
        name: _recipe(name, merge(entry, entry.get("platforms", {}).get(platform, {})))
        for name, entry in document.items()
    }


def _recipe(name: str, entry: Mapping[str, Any]) -> Recipe:
    def texts(key: str) -> tuple[str, ...]:
        return tuple(entry.get(key, ()))

    return Recipe(
        name=name,
        licence=entry["licence"],
        include=texts("include"),
        sources=texts("sources"),
        exclude=texts("exclude"),
        private_include=texts("private_include"),
        language=entry.get("language", ""),
        ccflags=texts("ccflags"),
        defines=texts("defines"),
        precompiled=texts("precompiled"),
        wanted_by=texts("wanted_by"),
        host_tool=_host_tool(entry["host_tool"]) if "host_tool" in entry else None,
    )


def _host_tool(entry: Mapping[str, Any]) -> HostTool:
    return HostTool(entry["name"], entry["main"], tuple(entry["sources"]), tuple(entry.get("exclude", ())))


def expand_sources(tree: Path, patterns: Sequence[str], exclude: Sequence[str], where: str) -> list[str]:
    """Files of ``tree`` that match, relative to it, sorted; TfcrossError for a pattern without a match."""
    names: set[str] = set()
    for pattern in patterns:
        matches = [path.relative_to(tree).as_posix() for path in _glob(tree, pattern)]
        if not matches:
            raise TfcrossError(
                f"{where}: '{pattern}' matches no file in the source tree; correct the pattern."
            )
        names.update(matches)
    return sorted(name for name in names if not any(fnmatch(name, pattern) for pattern in exclude))


def _glob(tree: Path, pattern: str) -> Iterator[Path]:
    return (path for path in tree.glob(pattern) if path.is_file())


def wanted_recipes(recipes: Mapping[str, Recipe], texts: Iterable[str]) -> dict[str, Recipe]:
    """The recipes that a build of files with these ``texts`` needs, in link order."""
    texts = list(texts)

    def wanted(recipe: Recipe) -> bool:
        return not recipe.wanted_by or any(
            f'"{header}"' in text for header in recipe.wanted_by for text in texts
        )

    return {name: recipe for name, recipe in recipes.items() if wanted(recipe)}
