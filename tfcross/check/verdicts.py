"""Whether each node of a graph will run on the target, and if not, which of a few causes it is."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping
from dataclasses import dataclass, field, replace

from tfcross.check.attributes import check_age, check_attrs, check_types, unknown_attrs
from tfcross.check.devices import why_not_here
from tfcross.check.purposes import Purpose, Purposes
from tfcross.errors import quoted
from tfcross.graph.datatypes import type_names
from tfcross.graph.node import Node, plain_attrs
from tfcross.registry.opdef import OpDef
from tfcross.registry.registry import Kernel, Registry
from tfcross.selection.insertions import fitting_kernels, single_types
from tfcross.selection.matching import match_node
from tfcross.selection.refusal import AGAIN, GRAPH, PINNED, Refusal
from tfcross.selection.rule import KernelRule, Served

_REBUILD = "Build it again with this graph among those of MODEL=."
OK, NO_KERNEL, TYPE, DEVICE, LIBRARY = "ok", "no kernel", "type", "device", "library"
#: What users read as the cause, by the kind of refusal; all others are NO_KERNEL.
_CAUSES = {GRAPH: GRAPH, "missing attr": GRAPH, "not allowed": GRAPH, "type": TYPE, PINNED: DEVICE}

#: Other registries of the release, by the words that choose them ("TYPES=full"); made when they are needed.
Others = Mapping[str, Callable[[], Registry]]


@dataclass(frozen=True)
class Verdict:
    """``cause`` is OK, one of the others above, or a purpose's name; ``what`` and ``remedy`` are sentences.

    ``kernel`` is what runs the node; None also for what runs without one, such as the call of a function.
    """

    cause: str
    what: str = ""
    remedy: str = ""
    kernel: Kernel | None = None
    notes: tuple[str, ...] = ()

    @property
    def runs(self) -> bool:
        return self.cause == OK


@dataclass(frozen=True)
class Rules:
    """What a release, and this project, know about ops.

    ``kernels`` is the one rule for which kernel a node gets.
    ``data_types`` are those that its graphs may have, as ``DT_FLOAT``; none: any.
    ``library`` is what a library that is there already registers: (op, class text) for each kernel,
    (op, "") for each op. None is for one that is still to be built, which will have what the graph needs.
    """

    kernels: KernelRule
    purposes: Purposes
    refuses_unknown_attrs: bool = False
    library: frozenset[tuple[str, str]] | None = None
    others: Others = field(default_factory=dict)
    data_types: frozenset[str] = frozenset()

    @property
    def registry(self) -> Registry:
        return self.kernels.registry


class Judge:
    """Gives the verdict on nodes of one graph, which was written by the version ``producer``."""

    def __init__(self, rules: Rules, functions: Collection[str], producer: int = 0) -> None:
        self.rules, self.functions, self.producer = rules, functions, producer
        self._verdicts: dict[Hashable, Verdict] = {}

    def verdict(self, node: Node) -> Verdict:
        """The verdict on ``node``; nodes of one case share it."""
        case = node.case
        verdict = self._verdicts.get(case)
        if verdict is None:
            verdict = self._verdicts[case] = self._with_purpose(node.op, self._judge(node))
        return verdict

    def _with_purpose(self, op: str, verdict: Verdict) -> Verdict:
        """A purpose is the cause where the kernel is what is missing, and a note where the node runs."""
        purpose = None if op in self.functions else self.rules.purposes.of(op)
        if purpose is None or verdict.cause in (GRAPH, DEVICE):
            return verdict
        if verdict.runs:
            return replace(verdict, notes=(*verdict.notes, _note(purpose)))
        what = f"{purpose.what}, and {verdict.what}"
        return replace(verdict, cause=purpose.name, what=what, remedy=purpose.remedy)

    def _judge(self, node: Node) -> Verdict:
        pinned = why_not_here(node.op, node.device)
        if node.op in self.functions:
            return _refused(pinned) if pinned else Verdict(OK)
        opdef = self.rules.registry.ops.get(node.op)
        bad = self._bad_node(node, opdef) if opdef else None
        if bad:
            return _refused(bad)
        served = self.rules.kernels.serve(node)
        if isinstance(served, Refusal) or opdef is None:
            assert isinstance(served, Refusal)
            verdict = self._not_served(node, served)
        else:
            verdict = self._served(node, opdef, served)
        unknown = unknown_attrs(node, opdef) if opdef else []
        if unknown:
            note = f"attributes that this release does not know, and ignores: {', '.join(unknown)}"
            verdict = replace(verdict, notes=(*verdict.notes, note))
        return _refused(pinned) if pinned and verdict.runs else verdict

    def _bad_node(self, node: Node, opdef: OpDef) -> Refusal | None:
        """What the runtime has against the node before it looks for a kernel."""
        bad = check_age(opdef, self.producer)
        bad = bad or check_attrs(node, opdef, self.rules.refuses_unknown_attrs) or self._undefined(node)
        return bad or (check_types(node, self.rules.data_types) if self.rules.data_types else None)

    def _undefined(self, node: Node) -> Refusal | None:
        """A function that an attribute names, and that is neither in the graph nor an op."""
        for name in node.function_names():
            if name and name not in self.functions and name not in self.rules.registry.ops:
                what = f"it calls the function {quoted(name)}, which the graph does not have"
                return Refusal(GRAPH, node.op, what, AGAIN)
        return None

    def _served(self, node: Node, opdef: OpDef, served: Served) -> Verdict:
        if served.replaced:
            return self._replaced(node, opdef)
        if not served.known:
            return Verdict(OK, notes=("only the callers of its function tell its types",))
        return self._in_library(node, opdef, served.kernels[0])

    def _not_served(self, node: Node, refusal: Refusal) -> Verdict:
        verdict = _refused(refusal)
        if verdict.cause == TYPE:
            return replace(verdict, remedy=self._way_to_type(node, self.rules.registry.ops[node.op]))
        return verdict

    def _replaced(self, node: Node, opdef: OpDef) -> Verdict:
        """Of an op without kernels, in whose place the runtime puts others before it looks for any."""
        notes = ("runs as others in its place",)
        if self.rules.library is None:
            return Verdict(OK, notes=notes)
        if (node.op, "") not in self.rules.library:
            return Verdict(LIBRARY, f"the library does not define op {quoted(node.op)}", _REBUILD)
        types = single_types(node, opdef)
        for op in (op for op in self.rules.kernels.inserted[node.op] if not op.startswith("(")):
            definition, there = self.rules.registry.ops[op], self._there(op)
            if not fitting_kernels(definition, there, types):
                missing, instead = quoted(op), quoted(node.op)
                what = f"the library has no kernel for op {missing}, which takes the place of {instead}"
                return Verdict(LIBRARY, what, _REBUILD)
        return Verdict(OK, notes=notes)

    def _there(self, op: str) -> list[Kernel]:
        """The kernels of ``op`` that the library has."""
        library = self.rules.library or frozenset()
        return [kernel for kernel in self.rules.registry.kernels_of(op) if (op, kernel.class_text) in library]

    def _way_to_type(self, node: Node, opdef: OpDef) -> str:
        for words, load in self.rules.others.items():
            other = load()
            if node.op in other.ops:
                match = match_node(other.ops[node.op], plain_attrs(node), other.kernels_of(node.op))
                if isinstance(match, Kernel):
                    return f"{words} compiles it ({match.file})."
        return "TensorFlow has no such CPU kernel: cast in the graph to a type that there is."

    def _in_library(self, node: Node, opdef: OpDef, kernel: Kernel) -> Verdict:
        """Whether the library that is there has the kernel, or one of its own that fits."""
        if self.rules.library is None:
            return Verdict(OK, kernel=kernel)
        there = self._there(node.op)
        match = match_node(opdef, plain_attrs(node), there)
        if isinstance(match, Kernel):
            return Verdict(OK, kernel=match)
        types = single_types(node, opdef) if there else {}
        given = ", ".join(f"{name}={type_names([number])}" for name, number in types.items())
        what = f"the library has no kernel for op {quoted(node.op)}{' with ' if given else ''}{given}"
        return Verdict(LIBRARY, what, _REBUILD, kernel)


def _refused(refusal: Refusal) -> Verdict:
    return Verdict(_CAUSES.get(refusal.kind, NO_KERNEL), refusal.what, refusal.remedy)


def _note(purpose: Purpose) -> str:
    return f"{purpose.what}: it runs, but {purpose.remedy}"
