"""Whether what flows between the nodes of a graph is what their ops take: numbers of tensors, and types."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Mapping
from dataclasses import dataclass, field

from tfcross.errors import TfcrossError, quoted
from tfcross.graph.datatypes import REF_OFFSET, type_name
from tfcross.graph.node import Node, plain_attrs
from tfcross.registry.opdef import OpDef
from tfcross.selection.matching import op_types
from tfcross.selection.refusal import AGAIN, GRAPH, Refusal

Types = tuple[int, ...]


@dataclass
class Wiring:
    """The nodes of the main graph; ``functions`` are ops whose ends are not known here."""

    nodes: Mapping[str, Node]
    ops: Mapping[str, OpDef]
    functions: Collection[str]
    _known: dict[Hashable, tuple[Types, Types] | None] = field(default_factory=dict)

    def refusals(self) -> Iterator[Refusal]:
        """The nodes that the runtime would not connect, each with the first reason."""
        for node in self.nodes.values():
            problem = self._problem(node)
            if problem:
                yield Refusal(GRAPH, node.op, f"node {quoted(node.name)} {problem}", AGAIN, node.name)

    def _problem(self, node: Node) -> str:
        data = [tensor for tensor in node.inputs if not tensor.startswith("^")]
        if any(tensor.startswith("^") for tensor in node.inputs[: len(data)]):
            return f"takes a tensor behind a control input ({quoted(data[-1])})"
        ends = self._ends(node)
        if ends is None:
            return ""
        if len(ends[0]) != len(data):
            return f"takes {len(data)} tensors, and its op {len(ends[0])}"
        for tensor, wanted in zip(data, ends[0], strict=True):
            problem = self._mismatch(tensor, wanted)
            if problem:
                return problem
        return ""

    def _mismatch(self, tensor: str, wanted: int) -> str:
        name, _, port = tensor.partition(":")
        ends = self._ends(self.nodes[name])
        if ends is None or (port and not port.isdigit()):
            return ""
        index = int(port or 0)
        if index >= len(ends[1]):
            return f"takes {quoted(tensor)}, and {quoted(name)} has {len(ends[1])} outputs"
        given = ends[1][index]
        if given == wanted or (given - REF_OFFSET == wanted) or not (given and wanted):
            return ""
        return f"takes {quoted(tensor)}, which is {type_name(given)}, not {type_name(wanted)}"

    def _ends(self, node: Node) -> tuple[Types, Types] | None:
        """The types of the inputs and outputs; None where they cannot be told."""
        if node.op in self.functions or node.op not in self.ops:
            return None
        case = node.case
        if case not in self._known:
            try:
                self._known[case] = op_types(self.ops[node.op], plain_attrs(node))
            except TfcrossError:
                self._known[case] = None
        return self._known[case]
