"""Whether each node of a graph will run on the target, and if not, which of a few causes it is."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from .attrchecks import AGAIN, check_age, check_attrs, check_types, unknown_attrs
from .datatypes import type_names
from .devices import why_not_here
from .insertions import fitting_kernels, single_types
from .matching import LABEL, Mismatch, explain, match_node
from .node import Node, plain_attrs, quoted
from .opdef import OpDef
from .problems import REMEDY, problems_of
from .purposes import Purpose, Purposes
from .registry import Kernel, Registry

_CPU = ("CPU", "DEFAULT")
_REBUILD = "Build it again with this graph among those of MODEL=."
OK, NO_KERNEL, TYPE, DEVICE, GRAPH, LIBRARY = "ok", "no kernel", "type", "device", "graph", "library"

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

    ``data_types`` are those that its graphs may have, as ``DT_FLOAT``; none: any.
    ``library`` is what a library that is there already registers: (op, class text) for each kernel,
    (op, "") for each op. None is for one that is still to be built, which will have what the graph needs.
    """

    registry: Registry
    purposes: Purposes
    inserted: Mapping[str, Sequence[str]] = field(default_factory=dict)
    unavailable: Mapping[str, str] = field(default_factory=dict)
    refuses_unknown_attrs: bool = False
    library: frozenset[tuple[str, str]] | None = None
    others: Others = field(default_factory=dict)
    data_types: frozenset[str] = frozenset()


class Judge:
    """Gives the verdict on nodes of one graph, which was written by the version ``producer``."""

    def __init__(self, rules: Rules, functions: Collection[str], producer: int = 0) -> None:
        self.rules, self.functions, self.producer = rules, functions, producer
        self._verdicts: dict[Hashable, Verdict] = {}

    def verdict(self, node: Node) -> Verdict:
        """The verdict on ``node``; nodes of one case share it."""
        case = node.case
        found = self._verdicts.get(case)
        if found is None:
            found = self._verdicts[case] = self._with_purpose(node.op, self._judge(node))
        return found

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
        elsewhere = why_not_here(node.device)
        if node.op in self.functions:
            return _device(elsewhere) or Verdict(OK)
        opdef = self.rules.registry.ops.get(node.op)
        if opdef is None:
            return self._unknown(node.op)
        bad = check_age(opdef, self.producer)
        bad = bad or check_attrs(node, opdef, self.rules.refuses_unknown_attrs) or self._undefined(node)
        bad = bad or (check_types(node, self.rules.data_types) if self.rules.data_types else "")
        if bad:
            return _parted(GRAPH, bad)
        verdict = self._kernel(node, opdef)
        unknown = unknown_attrs(node, opdef)
        if unknown:
            note = f"attributes that this release does not know, and ignores: {', '.join(unknown)}"
            verdict = replace(verdict, notes=(*verdict.notes, note))
        return (_device(elsewhere) if verdict.runs else None) or verdict

    def _undefined(self, node: Node) -> str:
        """A function that an attribute names, and that is neither in the graph nor an op."""
        for name in node.function_names():
            if name and name not in self.functions and name not in self.rules.registry.ops:
                return f"it calls the function {quoted(name)}, which the graph does not have. {AGAIN}"
        return ""

    def _unknown(self, op: str) -> Verdict:
        unread = problems_of(self.rules.registry, op)
        if unread:
            return Verdict(NO_KERNEL, f"its definition cannot be read: {unread[0]}", REMEDY)
        what = f"op {quoted(op)} is not defined by this release"
        return Verdict(
            NO_KERNEL, what, "A custom op needs its own sources (OPS_DIR=), a newer op a newer RELEASE."
        )

    def _kernel(self, node: Node, opdef: OpDef) -> Verdict:
        kernels = self.rules.registry.kernels_of(node.op)
        if any(attr.kind == "placeholder" for attr in node.attrs.values()):
            return self._of_any_type(node, [kernel for kernel in kernels if kernel.device in _CPU])
        if node.op in self.rules.inserted and not kernels:
            return self._replaced(node, opdef)
        found = match_node(opdef, plain_attrs(node), kernels)
        if isinstance(found, Mismatch):
            return self._missing(node, opdef, found)
        if found.file in self.rules.unavailable:
            what = f"{found.file}, which has its kernel, is not built: {self.rules.unavailable[found.file]}"
            return Verdict(NO_KERNEL, what, "Do its work in the app, and feed the graph behind it.")
        return self._in_library(node, opdef, found)

    def _replaced(self, node: Node, opdef: OpDef) -> Verdict:
        """Of an op without kernels, in whose place the runtime puts others before it looks for any."""
        notes = ("runs as others in its place",)
        if self.rules.library is None:
            return Verdict(OK, notes=notes)
        if (node.op, "") not in self.rules.library:
            return Verdict(LIBRARY, f"the library does not define op {quoted(node.op)}", _REBUILD)
        types = single_types(node, opdef)
        for op in (op for op in self.rules.inserted[node.op] if not op.startswith("(")):
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

    def _of_any_type(self, node: Node, kernels: Sequence[Kernel]) -> Verdict:
        """In a function whose callers tell the types: any kernel may be the one."""
        if not kernels:
            return Verdict(NO_KERNEL, f"op {quoted(node.op)} has no CPU kernel", "Strip or replace the node.")
        return Verdict(OK, notes=("only the callers of its function tell its types",))

    def _missing(self, node: Node, opdef: OpDef, mismatch: Mismatch) -> Verdict:
        unread = problems_of(self.rules.registry, node.op)
        if unread:
            return Verdict(NO_KERNEL, f"a registration cannot be read: {unread[0]}", REMEDY)
        if mismatch.reason in ("missing attr", "not allowed"):
            return _parted(GRAPH, explain(node.op, mismatch))
        text = explain(node.op, mismatch)
        if mismatch.reason == "type":
            return Verdict(TYPE, text.partition(" If this is")[0].rstrip("."), self._way_to_type(node, opdef))
        verdict = _parted(NO_KERNEL, text)
        if mismatch.reason == "label":
            kernels = self.rules.registry.kernels_of(node.op)
            labels = sorted({kernel.label or "none" for kernel in kernels if kernel.device in _CPU})
            return replace(verdict, remedy=f"Remove {LABEL}; the labels that there are: {', '.join(labels)}.")
        return verdict

    def _way_to_type(self, node: Node, opdef: OpDef) -> str:
        for words, load in self.rules.others.items():
            other = load()
            if node.op in other.ops:
                found = match_node(other.ops[node.op], plain_attrs(node), other.kernels_of(node.op))
                if isinstance(found, Kernel):
                    return f"{words} compiles it ({found.file})."
        return "TensorFlow has no such CPU kernel: cast in the graph to a type that there is."

    def _in_library(self, node: Node, opdef: OpDef, found: Kernel) -> Verdict:
        """Whether the library that is there has the kernel, or one of its own that fits."""
        if self.rules.library is None:
            return Verdict(OK, kernel=found)
        there = self._there(node.op)
        match = match_node(opdef, plain_attrs(node), there)
        if isinstance(match, Kernel):
            return Verdict(OK, kernel=match)
        types = single_types(node, opdef) if there else {}
        given = ", ".join(f"{name}={type_names([number])}" for name, number in types.items())
        what = f"the library has no kernel for op {quoted(node.op)}{' with ' if given else ''}{given}"
        return Verdict(LIBRARY, what, _REBUILD, found)


def _device(elsewhere: str) -> Verdict | None:
    return _parted(DEVICE, elsewhere) if elsewhere else None


def _note(purpose: Purpose) -> str:
    return f"{purpose.what}: it runs, but {purpose.remedy}"


def _parted(cause: str, text: str) -> Verdict:
    """A text of two sentences, the last of which says what to do."""
    what, dot, remedy = text.rstrip(".").rpartition(". ")
    return (
        Verdict(cause, what, f"{remedy}.") if dot else Verdict(cause, remedy, AGAIN if cause == GRAPH else "")
    )
