"""The one rule for kernels: what serves a node of a graph in a release's runtime, or why nothing does."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field

from tfcross.errors import quoted
from tfcross.graph.datatypes import type_name
from tfcross.graph.node import Node, plain_attrs
from tfcross.registry.opdef import OpDef
from tfcross.registry.parser import REMEDY
from tfcross.registry.registry import Kernel, Registry
from tfcross.releases.coreset import CoreSet
from tfcross.selection.insertions import Types, fitting_kernels, single_types
from tfcross.selection.matching import match_node
from tfcross.selection.mismatch import Mismatch, explain
from tfcross.selection.refusal import NO_SUBSTITUTE, NOT_BUILT, TWICE, UNDEFINED, UNREADABLE, Refusal

INSTEAD = "Do its work in the app, and feed the graph behind it (INPUTS=)."
_OTHER_SOURCES = "A custom op needs its own sources (OPS_DIR=), a newer op a newer RELEASE."
_MORE_TYPES = "If this is TYPES=slim: TYPES=full has more types."


@dataclass(frozen=True)
class Served:
    """``kernels`` may run the node: one, or where only the callers of its function know its types every one.

    ``replaced``: it has none, since others always stand in its place. ``known``: its own types tell which.
    """

    kernels: tuple[Kernel, ...]
    replaced: bool = False
    known: bool = True


@dataclass(frozen=True)
class KernelRule:
    """What a release's runtime does with nodes.

    ``always``: ops that it needs in any case, and why. ``inserted``: op → ops that it puts in its place
    (``insertions`` tells which of their kernels count). ``unavailable``: file → why it cannot be built.
    """

    registry: Registry
    always: Mapping[str, str] = field(default_factory=dict)
    inserted: Mapping[str, Sequence[str]] = field(default_factory=dict)
    unavailable: Mapping[str, str] = field(default_factory=dict)
    _served: dict[Hashable, Served | Refusal] = field(default_factory=dict, repr=False, compare=False)

    def serve(self, node: Node) -> Served | Refusal:
        """What serves ``node``, whose op is no function of the graph; nodes of one case share it."""
        case = node.case
        if case not in self._served:
            self._served[case] = self._serve(node)
        return self._served[case]

    def unread(self, op: str) -> Refusal | None:
        """The first registration of ``op`` that could not be read: it may be the one that is needed."""
        problems = self.registry.problems_of(op)
        if not problems:
            return None
        kind = TWICE if any(problem.twice for problem in problems) else UNREADABLE
        first = problems[0]
        return Refusal(kind, op, f"op {quoted(op)}: a registration cannot be read: {first}", REMEDY)

    def cpu_kernels(self, op: str) -> tuple[Kernel, ...]:
        """The kernels of ``op`` that can be built for the CPU."""
        kernels = self.registry.kernels_of(op)
        return tuple(kernel for kernel in kernels if kernel.on_cpu and kernel.file not in self.unavailable)

    def replaces(self, op: str) -> bool:
        """Whether others always stand in the place of ``op``: it has no kernel of its own, on any device."""
        return op in self.inserted and not (self.registry.kernels_of(op) or self.registry.problems_of(op))

    def _serve(self, node: Node) -> Served | Refusal:
        opdef = self.registry.ops.get(node.op)
        if opdef is None:
            return self._undefined(node.op)
        twice = next((problem for problem in self.registry.problems_of(node.op) if problem.twice), None)
        if twice:
            return Refusal(TWICE, node.op, str(twice), REMEDY)
        if self.replaces(node.op):
            return self._substitutes(node.op, single_types(node, opdef)) or Served((), replaced=True)
        if any(attr.kind == "placeholder" for attr in node.attrs.values()):
            return self._of_any_type(node.op)
        return self._matched(node, opdef)

    def _undefined(self, op: str) -> Refusal:
        unread = self.registry.problems_of(op)
        if unread:
            what = f"op {quoted(op)}: its definition cannot be read: {unread[0]}"
            return Refusal(UNREADABLE, op, what, REMEDY)
        what = f"op {quoted(op)} is not defined by this release"
        return Refusal(UNDEFINED, op, what, _OTHER_SOURCES)

    def _substitutes(self, op: str, types: Types) -> Refusal | None:
        """Why what has to stand in the place of ``op`` cannot; what need not (``(Op)``) is left out."""
        for other in self.inserted[op]:
            definition = self.registry.ops.get(other)
            if definition and not fitting_kernels(definition, self.cpu_kernels(other), types):
                given = ", ".join(f"{name}={type_name(number)}" for name, number in types.items())
                what = f"op {quoted(op)} runs as others: {quoted(other)}, which has no CPU kernel for {given}"
                return self.unread(other) or Refusal(NO_SUBSTITUTE, op, what, _MORE_TYPES)
        return None

    def _of_any_type(self, op: str) -> Served | Refusal:
        """In a function whose callers tell the types: any kernel may be the one."""
        unread = self.unread(op)
        if unread:
            return unread
        kernels = self.cpu_kernels(op)
        if kernels:
            return Served(kernels, known=False)
        lost = [kernel for kernel in self.registry.kernels_of(op) if kernel.on_cpu]
        if lost:
            return self._not_built(lost[0])
        return Refusal("no kernel", op, f"op {quoted(op)} has no CPU kernel", "Strip or replace the node.")

    def _matched(self, node: Node, opdef: OpDef) -> Served | Refusal:
        match = match_node(opdef, plain_attrs(node), self.registry.kernels_of(node.op))
        if isinstance(match, Mismatch):
            return self._no_match(explain(node.op, match), match)
        if match.file in self.unavailable:
            return self._not_built(match)
        return Served((match,))

    def _no_match(self, refusal: Refusal, mismatch: Mismatch) -> Refusal:
        """What is missing may be what could not be read, unless the node is wrong by its op's definition."""
        problems = () if mismatch.illegal else self.registry.problems_of(refusal.op)
        if not problems:
            return refusal
        what = f"{refusal.what}. A registration cannot be read: {problems[0]}"
        return Refusal(UNREADABLE, refusal.op, what, REMEDY)

    def _not_built(self, kernel: Kernel) -> Refusal:
        why = self.unavailable[kernel.file]
        what = f"op {quoted(kernel.op)} is in {kernel.file}, which is not built: {why}"
        return Refusal(NOT_BUILT, kernel.op, what, INSTEAD)


def core_rule(core: CoreSet, registry: Registry) -> KernelRule:
    """The rule of a release with the data ``core``, whose sources register ``registry``."""
    return KernelRule(registry, core.always, core.inserted, core.unavailable)
