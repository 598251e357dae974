"""What a transform knows beside the nodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tfcross.graph.rewriting.definitions import OpDefs
from tfcross.graph.transforms.arguments import Arguments


@dataclass(frozen=True)
class Context:
    """``inputs`` and ``outputs`` are names of nodes; ``function`` is "" for the main graph.

    ``functions`` are the graph's, by name. ``op_defs`` gives the release's definitions, which may take a
    while. To ``notes`` goes what the user is told beside the new graph, a line each.
    """

    arguments: Arguments
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    functions: Mapping[str, Any]
    op_defs: OpDefs
    notes: list[str] = field(default_factory=list)
    function: str = ""

    @property
    def kept(self) -> frozenset[str]:
        """The nodes whose names others rely on."""
        return frozenset((*self.inputs, *self.outputs))

    def note(self, message: str) -> None:
        where = f" (function {self.function})" if self.function else ""
        self.notes.append(f"{self.arguments.transform}{where}: {message}")
