"""What an app calls a graph with, as JSON: where freezing has not told it, or the ends are others."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tfcross.graph.cutting.ends import type_word
from tfcross.graph.model import Model, Placeholder

NOTHING: Mapping[str, Any] = {"signature": "", "inputs": {}, "outputs": {}, "initializer": None}


def description_file(graph: Path) -> Path:
    """Where what scripts/freeze_graph.py tells of a ``graph`` stands."""
    return graph.with_suffix(".json")


def told_initializer(graph: Path) -> str:
    """The initializer that a description beside ``graph`` tells; "" for none, or for another file."""
    try:
        told = json.loads(description_file(graph).read_text())
    except (OSError, ValueError):
        return ""
    name = told["initializer"] if isinstance(told, dict) and told.keys() == NOTHING.keys() else None
    return name if isinstance(name, str) else ""


def describe(model: Model, told: Mapping[str, Any] = NOTHING) -> str:
    """The ends of ``model`` as ``Frozen.describe`` has them; ``told`` are those of what it was cut from."""
    keys = {end["tensor"]: (key, end) for key, end in told["outputs"].items()}
    names = {end["tensor"]: key for key, end in told["inputs"].items()}
    unknown = {"type": None, "shape": None}
    outputs = [keys.get(name, (name, {"tensor": name, **unknown})) for name in model.outputs]
    document = {
        "signature": told["signature"],
        "inputs": {names.get(each.name, each.name): _input(each) for each in model.placeholders},
        "outputs": dict(outputs),
        "initializer": model.initializer or None,
    }
    return json.dumps(document, indent=2) + "\n"


def _input(placeholder: Placeholder) -> dict[str, object]:
    return {
        "tensor": placeholder.name,
        "type": type_word(placeholder.dtype),
        "shape": placeholder.shape,
    }
