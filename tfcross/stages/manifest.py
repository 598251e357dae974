"""What the manifest of an output folder says: what it holds and what it was made from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from tfcross.cli.options import Options
from tfcross.graph.cutting.ends import input_word
from tfcross.graph.model import Model
from tfcross.output.linkflags import LinkFlags
from tfcross.registry.ownops import OwnOps
from tfcross.releases.release import Release
from tfcross.selection.selection import FileSelection, Selection
from tfcross.sources.store import Tree
from tfcross.targets.profile import Profile
from tfcross.toolchains.toolchain import Toolchain
from tfcross.treehash import file_hash


def make_manifest(
    options: Options,
    profile: Profile,
    release: Release,
    toolchain: Toolchain,
    trees: Mapping[str, Tree],
    models: Sequence[Mapping[str, Any]],
    selection: Selection,
    units: Iterable[str],
    link: LinkFlags,
    session_factory: str,
    own: OwnOps | None = None,
) -> dict[str, Any]:
    """The manifest as JSON values: no times, no paths of this machine, equal for equal builds.

    ``models`` are what ``model_facts`` tells of each. ``session_factory`` is the C++ class without which an
    app has no session.
    """
    return {
        "release": release.version,
        "target": profile.target,
        "arch": profile.arch,
        "triple": profile.triple,
        "cpu": profile.cpu,
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
        "models": list(models),
        "ops": {op: asdict(selection.reasons[op]) for op in selection.ops},
        "kernels": [list(pair) for pair in selection.kernels],
        "units": sorted(units),
        "registering": {file: _registered(selection.of_file(file)) for file in selection.files},
        "session_factory": session_factory,
        "link": {
            key: list(value) if isinstance(value, tuple) else value for key, value in asdict(link).items()
        },
    }


def model_facts(model: Model, graph: str = "", sha256: str = "", unproven: str = "") -> dict[str, Any]:
    """What the manifest tells of a model.

    ``graph`` is the file of the output folder that holds the cut graph, with its hash. ``unproven`` is why
    the proof did not run it.
    """
    facts: dict[str, Any] = {"name": model.path.name, "sha256": model.sha256}
    if model.replaced is not None:
        inputs = [input_word(each.name, each.dtype, each.shape) for each in model.placeholders]
        facts |= {"inputs": inputs, "outputs": list(model.outputs)}
        facts |= {"graph": {"name": graph, "sha256": sha256}}
    return {**facts, **({"unproven": unproven} if unproven else {})}


def _registered(part: FileSelection) -> dict[str, Any]:
    """What one source file registers."""
    return {"ops": list(part.ops), "kernels": [list(pair) for pair in part.kernels]}


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
