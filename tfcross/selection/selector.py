"""Which registrations models keep: the selection in the making."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tfcross.errors import TfcrossError, TfcrossErrors, quoted
from tfcross.graph.model import Model, Node
from tfcross.registry.parser import REMEDY
from tfcross.registry.registry import Kernel, Registry
from tfcross.selection.extras import Extras, find_extras
from tfcross.selection.insertions import Insertion, Insertions, fitting_kernels, single_types
from tfcross.selection.refusal import Refusal
from tfcross.selection.rule import KernelRule
from tfcross.selection.selection import Reason, Selection

NO_EXTRAS = Extras()


@dataclass(frozen=True)
class Choice:
    """``selection`` is what serves all that ``refusals`` are not about; these name their model's file."""

    selection: Selection
    refusals: tuple[tuple[Path, Refusal], ...]


def select(models: Sequence[Model], rule: KernelRule, extras: Extras = NO_EXTRAS) -> Selection:
    """What ``models`` need, with the ops that the runtime needs in any case; ``extras`` come on top.

    Every node counts, also one that no output needs: a session places the whole graph before it prunes it.
    Raises TfcrossErrors, which names every node that nothing serves.
    """
    choice = choose(models, rule, extras)
    if choice.refusals:
        raise TfcrossErrors(refusal_lines(choice.refusals))
    return choice.selection


def choose(models: Sequence[Model], rule: KernelRule, extras: Extras = NO_EXTRAS) -> Choice:
    """As ``select``, with the nodes that nothing serves as values.

    Raises TfcrossError for mistakes in ``extras`` and in the release's data.
    """
    chosen = _Chosen(rule)
    chosen.add_always()
    for model in models:
        for node in model.all_nodes():
            chosen.add_node(model, node)
    chosen.add_extras(extras)
    return Choice(chosen.result(), tuple(chosen.refusals))


def refusal_lines(refusals: Iterable[tuple[Path, Refusal]]) -> list[str]:
    """A line for each cause, which names the first node that it hits and counts the others."""
    groups: dict[tuple[Path, str], list[Refusal]] = {}
    for path, refusal in refusals:
        groups.setdefault((path, refusal.text), []).append(refusal)
    return [f"{path}: {_place(same)}{text}" for (path, text), same in groups.items()]


def _place(refusals: Sequence[Refusal]) -> str:
    first = refusals[0]
    if not first.node:
        return ""
    function = f" of function {quoted(first.function)}" if first.function else ""
    more = f" (and {len(refusals) - 1} more)" if len(refusals) > 1 else ""
    return f"node {quoted(first.node)}{function}{more}: "


def select_all(files: Iterable[str], rule: KernelRule, extras: Extras = NO_EXTRAS) -> Selection:
    """Everything that ``files`` register for the CPU, and what the runtime needs in any case.

    Files that are unavailable by ``rule`` are left out.
    Raises TfcrossError if a registration in one of the files could not be read: the set would not be whole.
    """
    chosen = _Chosen(rule)
    chosen.add_always()
    files = sorted(set(files) - rule.unavailable.keys())
    unread = [problem for problem in rule.registry.problems if problem.file in files]
    if unread:
        raise TfcrossError(f"registry: a registration cannot be read: {unread[0]}. {REMEDY}")
    for file in files:
        for op in rule.registry.ops_in.get(file, ()):
            chosen.add_op(op.name, Reason("release", file))
        for kernel in rule.registry.kernels_in.get(file, ()):
            if kernel.op in rule.registry.ops and _own_kernel(rule.registry, kernel):
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
    """A selection in the making. ``refusals`` are the nodes that nothing serves, with their model's file."""

    def __init__(self, rule: KernelRule) -> None:
        self.rule, self.registry = rule, rule.registry
        self.insertions = Insertions(rule.inserted, rule.registry.ops)
        self.reasons: dict[str, Reason] = {}
        self.kernels: dict[tuple[str, str], set[str]] = {}
        self.refusals: list[tuple[Path, Refusal]] = []

    def add_always(self) -> None:
        for op, reason in self.rule.always.items():
            if op not in self.registry.ops:
                raise TfcrossError(f"core.yaml: always: this release defines no op '{op}'; take it out.")
            unread = self.rule.unread(op)
            if unread:
                raise TfcrossError(f"core.yaml: always: {unread.text}")
            self.add_op(op, Reason("runtime", reason))
            self.add_kernels(self.rule.cpu_kernels(op))

    def add_op(self, op: str, reason: Reason) -> None:
        self.reasons.setdefault(op, reason)

    def add_kernels(self, kernels: Iterable[Kernel]) -> None:
        for kernel in kernels:
            self.kernels.setdefault((kernel.op, kernel.class_text), set()).add(kernel.file)

    def add_extras(self, extras: Extras) -> None:
        for extra in find_extras(extras, self.rule):
            self.add_op(extra.op, Reason("extra", extra.words))
            self.add_kernels(extra.kernels)
            self._insert(self.insertions.of(extra.op, {}))

    def add_node(self, model: Model, node: Node) -> None:
        self._add_named_ops(model, node)
        if node.op in model.functions:
            self._insert(self.insertions.of("PartitionedCall", {}))
            return
        served = self.rule.serve(node)
        if isinstance(served, Refusal):
            self._refuse(model, node, served)
            return
        reason = Reason("function", node.function) if node.function else Reason("graph", node.name)
        self.add_op(node.op, reason)
        self.add_kernels(served.kernels)
        self._insert(self.insertions.of(node.op, single_types(node, self.registry.ops[node.op])))

    def _add_named_ops(self, model: Model, node: Node) -> None:
        """A function attribute may name an op; who calls it tells the types."""
        named = {name for name in node.function_names() if name not in model.functions}
        for op in sorted(named & self.registry.ops.keys()):
            unread = self.rule.unread(op)
            if unread:
                self._refuse(model, node, unread)
            self.add_op(op, Reason("function", f"attribute of {node.name}"))
            self.add_kernels(self.rule.cpu_kernels(op))

    def _refuse(self, model: Model, node: Node, refusal: Refusal) -> None:
        self.refusals.append((model.path, replace(refusal, node=node.name, function=node.function)))

    def _insert(self, insertions: Iterable[Insertion]) -> None:
        """Each op with the kernels that fit; nothing if none does: its definition alone would be a trap."""
        for insertion in insertions:
            unread = self.rule.unread(insertion.op)
            if unread:
                raise TfcrossError(f"core.yaml: inserted: {unread.text}")
            there, opdef = self.rule.cpu_kernels(insertion.op), self.registry.ops[insertion.op]
            kernels = fitting_kernels(opdef, there, insertion.types)
            if kernels:
                self.add_op(insertion.op, Reason("runtime", f"may stand in the place of {insertion.instead}"))
                self.add_kernels(kernels)

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
