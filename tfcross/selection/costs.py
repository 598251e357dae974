"""What each of several models in one library costs: the objects that it alone needs, and those it shares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tfcross.selection.selection import Selection


@dataclass(frozen=True)
class Share:
    """``own`` are the files with kernels or ops that no other model has nodes for, ``shared`` the others that
    the model has nodes for; sorted."""

    model: str
    own: tuple[str, ...]
    shared: tuple[str, ...]


def find_shares(models: Sequence[str], selections: Sequence[Selection]) -> list[Share]:
    """The share of each of ``models``, whose selections alone are ``selections``."""
    files = [frozenset(selection.files) for selection in selections]
    shares = []
    for index, model in enumerate(models):
        others = frozenset().union(*files[:index], *files[index + 1 :])
        shares.append(
            Share(model, tuple(sorted(files[index] - others)), tuple(sorted(files[index] & others)))
        )
    return shares


def measured(shares: Sequence[Share], sizes: Mapping[str, int]) -> dict[str, Any]:
    """The shares as JSON values, with the ``sizes`` of all objects of the library by file, in bytes."""
    counted = {file for share in shares for file in (*share.own, *share.shared)}
    shared = {file for share in shares for file in share.shared}
    return {
        "models": {
            share.model: {
                "own_bytes": sum(sizes.get(file, 0) for file in share.own),
                "shared_bytes": sum(sizes.get(file, 0) for file in share.shared),
                "own": list(share.own),
                "shared": list(share.shared),
            }
            for share in shares
        },
        "shared_bytes": sum(sizes.get(file, 0) for file in shared),
        "runtime_bytes": sum(size for file, size in sizes.items() if file not in counted),
    }


def share_lines(document: Mapping[str, Any]) -> list[str]:
    """For people: a line for each model, one for the rest."""
    lines = [
        f"{model}: {share['own_bytes'] / 1e6:.1f} MB of its own, "
        f"{share['shared_bytes'] / 1e6:.1f} MB with others"
        for model, share in document["models"].items()
    ]
    return [
        *lines,
        f"runtime and helpers of all: {document['runtime_bytes'] / 1e6:.1f} MB (objects, not linked)",
    ]
