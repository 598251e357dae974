"""A graph as freezing works on it: nodes by name, and functions in the same form as main graphs.

An output of a node is ``x`` or ``x:1`` also in what was a function body, whose arguments are nodes of the op
``_Arg``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tfcross.errors import TfcrossError, quoted
from tfcross.graph.messages import NodeDef
from tfcross.graph.structure import reached
from tfcross.nearest import nearest

ARGUMENT = "_Arg"
RESOURCE = 20


class Ref(NamedTuple):
    """The output number ``output`` of a node."""

    node: str
    output: int

    def __str__(self) -> str:
        return f"{self.node}:{self.output}" if self.output else self.node


def parse_ref(text: str) -> Ref:
    """``x`` and ``x:0`` are the first output of x; what has no number behind the colon counts as a name."""
    name, colon, index = text.rpartition(":")
    return Ref(name, int(index)) if colon and index.isdecimal() and len(index) < 10 else Ref(text, 0)


@dataclass
class FlatGraph:
    """``returns`` and ``effects`` are those of a function: what it gives back, what it runs in any case.

    A main graph has none; what is fetched is up to who runs it.
    """

    nodes: dict[str, Any]
    arguments: list[str] = field(default_factory=list)
    returns: list[Ref] = field(default_factory=list)
    effects: list[str] = field(default_factory=list)

    def add(self, node: Any) -> str:
        """Adds ``node``, under a name that is free; gives the name."""
        node.name = self.free_name(node.name)
        self.nodes[node.name] = node
        return str(node.name)

    def free_name(self, name: str) -> str:
        taken, number = name, 0
        while taken in self.nodes:
            number += 1
            taken = f"{name}_{number}"
        return taken

    def node(self, ref: Ref, where: str) -> Any:
        """The node of ``ref``. Raises TfcrossError for one that is not there; ``where`` is who names it."""
        node = self.nodes.get(ref.node)
        if node is None:
            raise TfcrossError(
                f"{where}: there is no node {quoted(ref.node)}{nearest(ref.node, self.nodes)}; give "
                "another name."
            )
        return node

    def prune(self, roots: Iterable[str]) -> None:
        kept = reachable(self.nodes, roots) | set(self.arguments)
        self.nodes = {name: node for name, node in self.nodes.items() if name in kept}


def make_flat(nodes: Iterable[Any]) -> FlatGraph:
    """The main graph of copies of ``nodes``. Raises TfcrossError."""
    graph = FlatGraph({})
    for node in nodes:
        if node.name in graph.nodes:
            raise TfcrossError(f"the graph has two nodes of the name {quoted(node.name)}; export it again.")
        graph.nodes[node.name] = node
    return graph


def data_refs(node: Any) -> list[Ref]:
    return [parse_ref(text) for text in node.input if not text.startswith("^")]


def control_names(node: Any) -> list[str]:
    return [text[1:] for text in node.input if text.startswith("^")]


def set_inputs(node: Any, data: Iterable[Ref], controls: Iterable[str]) -> None:
    """Replaces all inputs; a control input that is there twice, or also as data, is left out."""
    refs = list(data)
    fed = {ref.node for ref in refs}
    names = [name for name in dict.fromkeys(controls) if name not in fed]
    node.ClearField("input")
    node.input.extend([*map(str, refs), *(f"^{name}" for name in names)])


def producers(node: Any) -> Iterator[str]:
    """The names of the nodes that ``node`` takes from, control inputs too."""
    for text in node.input:
        yield text[1:] if text.startswith("^") else parse_ref(text).node


def reachable(nodes: Mapping[str, Any], roots: Iterable[str], stops: Collection[str] = ()) -> set[str]:
    """The nodes that ``roots`` need, up to ``stops``, which are among them. Raises TfcrossError."""

    def inputs(name: str) -> Iterator[str]:
        for other in producers(nodes[name]) if name not in stops else ():
            if other not in nodes:
                raise TfcrossError(
                    f"the graph is damaged: {quoted(name)} takes from {quoted(other)}, which is not there; "
                    "export it again."
                )
            yield other

    return reached(roots, inputs)


def copied(node: Any, name: str) -> Any:
    copy = NodeDef()
    copy.CopyFrom(node)
    copy.name = name
    return copy
