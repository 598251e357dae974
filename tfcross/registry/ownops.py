"""The user's own ops (OPS_DIR=): their sources beside TensorFlow's, in one registry with them.

A folder with two links, ``tensorflow`` to the release's and ``ops`` to the user's, makes ``ops/mine.cc`` a
name like ``tensorflow/core/kernels/relu_op.cc``, and what it includes is found as from there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from tfcross.environment import expanded
from tfcross.errors import TfcrossError
from tfcross.files import replacing
from tfcross.registry.registry import Registry
from tfcross.treehash import FileSet, hash_folder

OWN = "ops"
_SOURCES = FileSet(("**/*.cc", "*.cc", "**/*.h", "*.h"))


@dataclass(frozen=True)
class OwnOps:
    """``files`` are the user's sources, as "ops/mine.cc", sorted; ``sha256`` is of them and their headers."""

    folder: Path
    files: tuple[str, ...]
    sha256: str


def find_own(folder: str) -> OwnOps | None:
    """The sources below ``folder``; None for "". Raises TfcrossError if there are none."""
    if not folder:
        return None
    path = expanded(folder).absolute()
    if not path.is_dir():
        raise TfcrossError(
            f"OPS_DIR={folder}: there is no such folder; give the folder of your ops' sources."
        )
    files = tuple(sorted(f"{OWN}/{file.relative_to(path).as_posix()}" for file in path.rglob("*.cc")))
    if not files:
        raise TfcrossError(f"OPS_DIR={folder}: no .cc file is in it; give the folder of your ops' sources.")
    return OwnOps(path, files, hash_folder(path, _SOURCES))


def is_own(file: str) -> bool:
    """Whether ``file`` is one of the user's."""
    return file.startswith(f"{OWN}/")


def lay_beside(own: OwnOps, tree: Path, folder: Path) -> None:
    """Make ``folder`` hold the two links."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, target in (("tensorflow", tree / "tensorflow"), (OWN, own.folder)):
        link = folder / name
        if not (link.is_symlink() and link.readlink() == target.absolute()):
            with replacing(link) as part:
                part.symlink_to(target.absolute())


def with_own(registry: Registry, own: Registry) -> Registry:
    """Both in one. Raises TfcrossError for an op that the release defines already, or is there twice."""
    twice = sorted(registry.ops.keys() & own.ops.keys())
    if twice:
        name = twice[0]
        raise TfcrossError(
            f"OPS_DIR: {own.ops[name].file} defines op '{name}', and so does {registry.ops[name].file}; "
            "give it another name."
        )
    if own.problems:
        raise TfcrossError(f"OPS_DIR: a registration cannot be read: {own.problems[0]}.")
    if not own.ops and not own.kernels:
        raise TfcrossError(
            "OPS_DIR: its files register nothing; use REGISTER_OP and REGISTER_KERNEL_BUILDER."
        )
    return replace(
        registry,
        ops={**registry.ops, **own.ops},
        kernels=(*registry.kernels, *own.kernels),
        gradients=(*registry.gradients, *own.gradients),
    )
