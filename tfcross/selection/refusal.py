"""Why a node is not taken, as a value: nobody has to read a sentence again to tell kind, cause and remedy."""

from __future__ import annotations

from dataclasses import dataclass

#: Kinds, beside the reasons of a ``Mismatch``: the op is not defined; a registration could not be read; the
#: op is defined twice; its file is not built; what the runtime puts in its place has no kernel.
UNDEFINED, UNREADABLE, TWICE = "undefined", "unreadable", "defined twice"
NOT_BUILT, NO_SUBSTITUTE = "not built", "no substitute"
#: The graph itself is at fault; the node is pinned to a device that is not there.
GRAPH, PINNED = "graph", "pinned"

AGAIN = "Export the model again."


@dataclass(frozen=True)
class Refusal:
    """``what`` is a sentence without its full stop, ``remedy`` one with it, or "".

    ``node`` and its ``function`` ("" for the main graph) are "" where all nodes of a kind are refused alike.
    """

    kind: str
    op: str
    what: str
    remedy: str = ""
    node: str = ""
    function: str = ""

    @property
    def text(self) -> str:
        """Cause and remedy."""
        return f"{self.what}. {self.remedy}".rstrip()
