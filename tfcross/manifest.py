"""What an output folder holds and what it was made from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .errors import TfcrossError
from .model import Model
from .options import Options
from .ownops import OwnOps
from .profile import Profile
from .release import Release
from .selection import Selection
from .store import Tree
from .toolchain import Toolchain
from .treehash import file_hash


def make_manifest(
    options: Options,
    profile: Profile,
    release: Release,
    toolchain: Toolchain,
    trees: Mapping[str, Tree],
    models: Sequence[Model],
    selection: Selection,
    units: Iterable[str],
    own: OwnOps | None = None,
) -> dict[str, Any]:
    """The manifest as JSON values: no times, no paths of this machine, equal for equal builds."""
    return {
        "release": release.version,
        "target": profile.target,
        "arch": profile.arch,
        "triple": profile.triple,
        "toolchain": {"name": toolchain.name, "version": toolchain.version, "identity": toolchain.identity},
        **({"api": profile.api} if profile.api else {}),
        "flags": {
            "target": toolchain.portable_flags,
            "optimisation": list(options.optflags),
            "types": options.types,
        },
        "sources": {name: _source(tree, release) for name, tree in sorted(trees.items())},
        "extras": {
            "ops": list(options.extra_ops),
            "kernels": list(options.extra_kernels),
            "own": own.sha256 if own else "",
        },
        "models": [{"name": model.path.name, "sha256": model.sha256} for model in models],
        "ops": {op: asdict(selection.reasons[op]) for op in selection.ops},
        "kernels": [list(pair) for pair in selection.kernels],
        "units": sorted(units),
    }


def _source(tree: Tree, release: Release) -> dict[str, Any]:
    """``patches``: file name → sha256 of the patch; a local tree gets none."""
    patches = release.source(tree.name).patches if tree.pinned else ()
    return {
        "version": tree.version,
        "tree_sha256": tree.sha256,
        "origin": tree.origin,
        "pinned": tree.pinned,
        "patches": {patch.name: file_hash(patch) for patch in patches},
    }


@dataclass(frozen=True)
class Library:
    """An output folder by its manifest: ``kernels`` are (op, class text), ``variables`` TARGET= and so on."""

    types: str
    kernels: frozenset[tuple[str, str]]
    variables: Mapping[str, str]


def read_library(folder: Path) -> Library:
    """What the library in ``folder`` was built from. Raises TfcrossError if no build made it."""
    path = folder / "manifest.json"
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        variables = {"TARGET": "target", "ARCH": "arch", "RELEASE": "release"}
        return Library(
            types=manifest["flags"]["types"],
            kernels=frozenset((op, text) for op, text in manifest["kernels"]),
            variables={name: str(manifest[key]) for name, key in variables.items()}
            | {"TOOLCHAIN": str(manifest["toolchain"]["name"])},
        )
    except OSError as error:
        raise TfcrossError(
            f"{path}: cannot be read ({error.strerror}); give a folder that a build made."
        ) from None
    except (ValueError, KeyError, TypeError):
        raise TfcrossError(f"{path}: no manifest of a build; give a folder that a build made.") from None
