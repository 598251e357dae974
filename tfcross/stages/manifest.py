"""What the manifest of an output folder says: what it holds and what it was made from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from tfcross.output.linkflags import LinkFlags
from tfcross.releases.release import Release
from tfcross.selection.selection import FileSelection
from tfcross.sources.store import Tree
from tfcross.stages.build import Plan
from tfcross.stages.selection import Selected
from tfcross.treehash import file_hash


def make_manifest(
    plan: Plan, trees: Mapping[str, Tree], selected: Selected, units: Iterable[str], link: LinkFlags
) -> dict[str, Any]:
    """The manifest as JSON values: no times, no paths of this machine, equal for equal builds."""
    options, profile, toolchain, selection = plan.options, plan.profile, plan.toolchain, selected.selection
    return {
        "release": plan.release.version,
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
        "sources": {name: _source(tree, plan.release) for name, tree in sorted(trees.items())},
        "extras": {
            "ops": list(options.extra_ops),
            "kernels": list(options.extra_kernels),
            "own": selected.own.sha256 if selected.own else "",
        },
        "models": [built.facts() for built in selected.models],
        "ops": {op: asdict(selection.reasons[op]) for op in selection.ops},
        "kernels": [list(pair) for pair in selection.kernels],
        "units": sorted(units),
        "registering": {file: _registered(selection.of_file(file)) for file in selection.files},
        "session_factory": plan.core.session_factory,
        "link": {
            key: list(value) if isinstance(value, tuple) else value for key, value in asdict(link).items()
        },
    }


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
