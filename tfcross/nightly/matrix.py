"""The builds of every night, as nightly.yaml tells them: targets × archs × releases × models, in cells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfcross.cli.options import parse_options
from tfcross.documents import load_document
from tfcross.errors import TfcrossError, known
from tfcross.releases.release import load_release
from tfcross.targets.plan import ALL
from tfcross.targets.profile import load_profile
from tfcross.targets.target import known_archs

NAME = "nightly.yaml"
#: What scripts/nightly.py takes: bootstrap has to know which builds it is going to make.
FLAGS = ("-h", "--help", "--list")
OPTIONS = ("--matrix", "--folder", "--date", "--verify", "--workflow")
KEEP_DAYS, TIMEOUT, RETRIES = 14, 60, 1
#: Variables that a cell has by its place in the matrix, and what says them there.
_TAKEN = {"TARGET": "target", "ARCH": "archs", "ANDROID_ARCH": "archs", "IOS_ARCH": "archs",
          "RELEASE": "releases", "MODEL": "models", "OUT": "--folder"}  # fmt: skip


@dataclass(frozen=True)
class Cell:
    """One build. ``models`` are paths for scons, none for the whole op set; ``variables`` are pairs."""

    name: str
    target: str
    arch: str
    release: str
    model: str
    models: tuple[str, ...]
    variables: tuple[tuple[str, str], ...]

    def words(self, out: str) -> list[str]:
        """The words behind ``scons``: what is built, and what is made of it."""
        model = [f"MODEL={','.join(self.models)}"] if self.models else []
        return [
            f"TARGET={self.target}",
            f"ARCH={self.arch}",
            f"RELEASE={self.release}",
            *model,
            *(f"{name}={value}" for name, value in self.variables),
            f"OUT={out}",
            "package",
            "sizes",
        ]


@dataclass(frozen=True)
class Matrix:
    """``timeout`` is in seconds, of one attempt; ``retries`` are the attempts after the first."""

    keep_days: int
    timeout: float
    retries: int
    cells: tuple[Cell, ...]


def load_matrix(root: Path, path: Path) -> Matrix:
    """The matrix in ``path``, each cell checked; models are relative to the file's folder.

    Raises TfcrossError for what no build could be made of: an unknown key, target, arch, release or
    variable, a model that is not there, two cells of one name.
    """
    document = load_document(path, "nightly", path.name)
    cells: list[Cell] = []
    for index, build in enumerate(document["builds"]):
        try:
            cells += _cells(root, path.parent, build)
        except TfcrossError as error:
            raise TfcrossError(f"{path.name}: builds.{index}: {error}") from error
    names = [cell.name for cell in cells]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise TfcrossError(f"{path.name}: two builds are named {twice}; give one of them a suffix.")
    return Matrix(
        keep_days=document.get("keep_days", KEEP_DAYS),
        timeout=60 * document.get("timeout", TIMEOUT),
        retries=document.get("retries", RETRIES),
        cells=tuple(cells),
    )


def choose(matrix: Matrix, names: Sequence[str]) -> tuple[Cell, ...]:
    """The cells of these names, in the matrix's order; all where none is named."""
    cells = {cell.name: cell for cell in matrix.cells}
    unknown = next((name for name in names if name not in cells), None)
    if unknown is not None:
        raise TfcrossError(f"{unknown}: no such build in the matrix. {known(cells)}")
    return tuple(cell for name, cell in cells.items() if name in names or not names)


def _cells(root: Path, folder: Path, build: Mapping[str, Any]) -> Iterator[Cell]:
    target = build["target"]
    variables = dict(build.get("variables", {}))
    taken = next((name for name in variables if name in _TAKEN), None)
    if taken:
        raise TfcrossError(f"variables.{taken}: {_TAKEN[taken]} says that; leave it out.")
    models = {name: _paths(root, folder, paths, name) for name, paths in build["models"].items()}
    for release in build.get("releases", [parse_options({}).release]):
        sources = load_release(root, release).sources
        parse_options({"TARGET": target, **variables}, sources)
        for arch in _archs(root, target, build.get("archs"), release):
            for model, paths in models.items():
                suffix = [build["suffix"]] if "suffix" in build else []
                name = "-".join([target, arch, release, model, *suffix])
                yield Cell(name, target, arch, release, model, paths, tuple(sorted(variables.items())))


def _archs(root: Path, target: str, given: Sequence[str] | None, release: str) -> list[str]:
    """``given``, or the target's own; ``all`` are those that the release has."""
    names: list[str | None] = [*given] if given else [None]
    if ALL in names:
        names = [*known_archs(root, target, release)]
    return [load_profile(root, target, name, release).arch for name in names]


def _paths(root: Path, folder: Path, paths: Sequence[str], name: str) -> tuple[str, ...]:
    """As scons takes them in ``root``: relative to it where they are below, so that logs name no machine."""
    resolved = []
    for path in (folder / path for path in paths):
        if not path.exists():
            raise TfcrossError(
                f"models.{name}: {path}: no such file; give a frozen graph or a SavedModel folder."
            )
        inside = path.resolve().is_relative_to(root.resolve())
        resolved.append(str(path.resolve().relative_to(root.resolve()) if inside else path.resolve()))
    return tuple(resolved)
