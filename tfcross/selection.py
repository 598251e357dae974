"""Which registrations a model keeps: ops and kernels with their reasons, and the files that hold them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from .datatypes import type_name
from .errors import TfcrossError
from .extras import Extras, find_extras
from .insertions import Insertion, Insertions, fitting_kernels, single_types
from .matching import Mismatch, explain, match_node
from .model import Model, Node
from .node import plain_attrs, quoted
from .problems import REMEDY, problems_of, second_definitions
from .registry import Kernel, Registry

#: What a kernel may be registered for to run on the CPU.
_CPU = ("CPU", "DEFAULT")
NO_EXTRAS = Extras()


@dataclass(frozen=True)
class Reason:
    """Why an op is in: ``kind`` is ``graph``, ``function``, ``runtime``, ``extra`` or ``release`` (no model);
    ``detail`` names what asked for it."""

    kind: str
    detail: str


@dataclass(frozen=True)
class FileSelection:
    """What one file (or, as ``Selection.whole``, the library) registers: ops, (op, class text); sorted."""

    ops: tuple[str, ...]
    kernels: tuple[tuple[str, str], ...]
    gradients: bool

    @property
    def key(self) -> str:
        """Names this selection: 16 hex digits that two equal ones share."""
        return _digest([self.ops, self.kernels, self.gradients])


@dataclass(frozen=True)
class Selection:
    """``ops`` and ``kernels`` (op, class text) are what to register; ``files`` hold them; all sorted.

    ``reasons`` has every selected op, with the first thing that asked for it. ``gradients``: whether the
    runtime may ask for the gradient function of an op.
    """

    ops: tuple[str, ...]
    kernels: tuple[tuple[str, str], ...]
    files: tuple[str, ...]
    reasons: Mapping[str, Reason]
    gradients: bool
    registry: Registry

    @property
    def key(self) -> str:
        """Names this selection: 16 hex digits that two equal ones share."""
        return self.whole.key

    @property
    def whole(self) -> FileSelection:
        """Everything that the library registers."""
        return FileSelection(self.ops, self.kernels, self.gradients)

    def of_file(self, file: str) -> FileSelection:
        """The part of the selection that ``file`` can register."""
        ops = {op.name for op in self.registry.ops_in.get(file, ())}
        kernels = {(kernel.op, kernel.class_text) for kernel in self.registry.kernels_in.get(file, ())}
        return FileSelection(
            tuple(sorted(ops & self._op_set)), tuple(sorted(kernels & self._kernel_set)), self.gradients
        )

    @cached_property
    def _op_set(self) -> frozenset[str]:
        return frozenset(self.ops)

    @cached_property
    def _kernel_set(self) -> frozenset[tuple[str, str]]:
        return frozenset(self.kernels)


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:16]


def select(
    models: Sequence[Model],
    registry: Registry,
    always: Mapping[str, str],
    inserted: Mapping[str, Sequence[str]] | None = None,
    unavailable: Mapping[str, str] | None = None,
    extras: Extras = NO_EXTRAS,
) -> Selection:
    """What ``models`` need of ``registry``, with the ops that the runtime needs ``always`` and why.

    ``inserted``: op → ops that the runtime puts in its place before it runs a graph (loops, branches, calls,
    what the graph optimiser makes of it; ``insertions`` tells which of their kernels count). A call of a
    function counts as the op PartitionedCall.
    ``unavailable``: file → why its kernels cannot be built. ``extras`` come on top.
    Every node counts, also one that no output needs: a session places the whole graph before it prunes it.
    Raises TfcrossError for a node whose op is unknown, or that has no CPU kernel for its types.
    """
    chosen = _Chosen(registry, inserted, unavailable)
    chosen.add_always(always)
    for model in models:
        for node in model.all_nodes():
            chosen.add_node(model, node)
    chosen.add_extras(extras)
    return chosen.result()


def select_all(
    registry: Registry,
    files: Iterable[str],
    always: Mapping[str, str],
    unavailable: Mapping[str, str] | None = None,
    extras: Extras = NO_EXTRAS,
) -> Selection:
    """Everything that ``files`` register for the CPU, and what the runtime needs ``always``.

    Files that are ``unavailable`` (file → why) are left out.

    Raises TfcrossError if a registration in one of the files could not be read: the set would not be whole.
    """
    chosen = _Chosen(registry, None, unavailable)
    chosen.add_always(always)
    files = sorted(set(files) - chosen.unavailable.keys())
    unread = [problem for problem in registry.problems if problem.partition(": ")[0] in files]
    if unread:
        raise TfcrossError(f"registry: a registration cannot be read: {unread[0]}. {REMEDY}")
    for file in files:
        for op in registry.ops_in.get(file, ()):
            chosen.add_op(op.name, Reason("release", file))
        for kernel in registry.kernels_in.get(file, ()):
            if kernel.op in registry.ops and _own_kernel(registry, kernel):
                chosen.add_op(kernel.op, Reason("release", file))
                chosen.add_kernels([kernel])
    chosen.add_extras(extras)
    return chosen.result(gradients=True)


def _own_kernel(registry: Registry, kernel: Kernel) -> bool:
    """Whether the kernel is the CPU's, or for any device and its op has none of the CPU's.

    Where a set of types is small, those for any device may be of types whose functions are not compiled.
    """
    if kernel.device == "DEFAULT":
        return all(other.device != "CPU" for other in registry.kernels_of(kernel.op))
    return kernel.device == "CPU"


class _Chosen:
    """A selection in the making."""

    def __init__(
        self,
        registry: Registry,
        inserted: Mapping[str, Sequence[str]] | None,
        unavailable: Mapping[str, str] | None,
    ) -> None:
        self.registry, self.unavailable = registry, unavailable or {}
        self.insertions = Insertions(inserted or {}, registry.ops)
        self.reasons: dict[str, Reason] = {}
        self.kernels: dict[tuple[str, str], set[str]] = {}

    def add_always(self, always: Mapping[str, str]) -> None:
        for op, reason in always.items():
            if op not in self.registry.ops:
                raise TfcrossError(f"core.yaml: always: this release defines no op '{op}'; take it out.")
            self.add_op(op, Reason("runtime", reason))
            self.add_all_kernels(op, "core.yaml: always")

    def add_op(self, op: str, reason: Reason) -> None:
        self.reasons.setdefault(op, reason)

    def add_kernels(self, kernels: Iterable[Kernel]) -> None:
        for kernel in kernels:
            self.kernels.setdefault((kernel.op, kernel.class_text), set()).add(kernel.file)

    def add_all_kernels(self, op: str, where: str) -> None:
        """Every CPU kernel of ``op``; none may have been unreadable."""
        self.add_kernels(self._cpu_kernels(op, where))

    def _cpu_kernels(self, op: str, where: str) -> list[Kernel]:
        unread = problems_of(self.registry, op)
        if unread:
            raise TfcrossError(f"{where}: op '{op}': a registration cannot be read: {unread[0]}. {REMEDY}")
        kernels = (k for k in self.registry.kernels_of(op) if k.file not in self.unavailable)
        return [kernel for kernel in kernels if kernel.device in _CPU]

    def add_extras(self, extras: Extras) -> None:
        for extra in find_extras(extras, self.registry, self.unavailable):
            self.add_op(extra.op, Reason("extra", extra.words))
            self.add_kernels(extra.kernels)
            self._insert(self.insertions.of(extra.op, {}))

    def add_node(self, model: Model, node: Node) -> None:
        where = f"{model.path}: node {quoted(node.name)}"
        if node.function:
            where += f" of function {quoted(node.function)}"
        named = {name for name in node.function_names() if name not in model.functions}
        for name in sorted(named & self.registry.ops.keys()):  # a function attribute may name an op
            self.add_op(name, Reason("function", f"attribute of {node.name}"))
            self.add_all_kernels(name, where)
        if node.op in model.functions:
            self._insert(self.insertions.of("PartitionedCall", {}))
            return
        self._check_definition(node, where)
        self.add_op(
            node.op, Reason("function", node.function) if node.function else Reason("graph", node.name)
        )
        insertions = self.insertions.of(node.op, single_types(node, self.registry.ops[node.op]))
        if self._never_runs(node.op):
            self._insert(insertions, f"{where}: op {quoted(node.op)} runs as others")
        else:
            self._add_node_kernels(node, where)
            self._insert(insertions)

    def _never_runs(self, op: str) -> bool:
        """Whether others always stand in the place of ``op``: it has no kernel of its own, on any device."""
        kernels = self.registry.kernels_of(op) or problems_of(self.registry, op)
        return op in self.insertions.entries and not kernels

    def _insert(self, insertions: Iterable[Insertion], needed: str = "") -> None:
        """Each op with the kernels that fit; nothing if none does: its definition alone would be a trap.

        ``needed``: what cannot be without them.
        """
        for each in insertions:
            kernels = self._cpu_kernels(each.op, "core.yaml: inserted")
            kernels = fitting_kernels(self.registry.ops[each.op], kernels, each.types)
            if kernels:
                self.add_op(each.op, Reason("runtime", f"may stand in the place of {each.instead}"))
                self.add_kernels(kernels)
            elif needed:
                types = ", ".join(f"{name}={type_name(number)}" for name, number in each.types.items())
                raise TfcrossError(
                    f"{needed}: '{each.op}', which has no CPU kernel for {types}. "
                    "If this is TYPES=slim: TYPES=full has more types."
                )

    def _check_definition(self, node: Node, where: str) -> None:
        if node.op not in self.registry.ops:
            raise TfcrossError(f"{where}: {_unknown_op(self.registry, node)}")
        twice = second_definitions(self.registry, node.op)
        if twice:
            raise TfcrossError(f"{where}: {twice[0]}. {REMEDY}")

    def _add_node_kernels(self, node: Node, where: str) -> None:
        if any(attr.kind == "placeholder" for attr in node.attrs.values()):
            self.add_all_kernels(node.op, where)  # only the callers of its function know the types
            return
        found = match_node(self.registry.ops[node.op], plain_attrs(node), self.registry.kernels_of(node.op))
        if isinstance(found, Mismatch):
            unread = problems_of(self.registry, node.op)
            more = f" A registration cannot be read: {unread[0]}. {REMEDY}" if unread else ""
            raise TfcrossError(f"{where}: {explain(node.op, found)}{more}")
        if found.file in self.unavailable:
            raise TfcrossError(
                f"{where}: op {quoted(node.op)} is in {found.file}, which is not built: "
                f"{self.unavailable[found.file]}. Do its work in the app, and feed the graph behind it."
            )
        self.add_kernels([found])

    def result(self, gradients: bool = False) -> Selection:
        self._add_system_registrations()
        while there := self.insertions.take(self.reasons.keys()):
            self._insert(there)
            self._add_system_registrations()
        return Selection(
            tuple(sorted(self.reasons)),
            tuple(sorted(self.kernels)),
            tuple(sorted(self._files())),
            dict(sorted(self.reasons.items())),
            gradients or "SymbolicGradient" in self.reasons,
            self.registry,
        )

    def _files(self) -> set[str]:
        return {self.registry.ops[op].file for op in self.reasons}.union(*self.kernels.values())

    def _add_system_registrations(self) -> None:
        """What the selected files register unasked. A kernel whose op is not there is told at every start."""
        seen: set[str] = set()
        while new := self._files() - seen:
            seen |= new
            for file in sorted(new):
                kernels = [kernel for kernel in self.registry.kernels_in.get(file, ()) if kernel.system]
                ops = [op.name for op in self.registry.ops_in.get(file, ()) if op.system]
                for name in [*ops, *(kernel.op for kernel in kernels if kernel.op in self.registry.ops)]:
                    self.add_op(name, Reason("runtime", f"{file} always registers it"))
                self.add_kernels(kernels)


def _unknown_op(registry: Registry, node: Node) -> str:
    unread = problems_of(registry, node.op)
    if unread:
        return f"op {quoted(node.op)}: its definition cannot be read: {unread[0]}. {REMEDY}"
    return (
        f"op {quoted(node.op)} is not defined by this release. A custom op needs its own sources "
        "(OPS_DIR=); an op of a newer TensorFlow needs that RELEASE."
    )
