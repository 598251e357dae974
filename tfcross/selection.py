"""Which registrations a model keeps: ops and kernels with their reasons, and the files that hold them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from .graphdef import DTYPES
from .errors import TfcrossError
from .matching import Mismatch, explain, match_node
from .model import AttrSummary, Model, Node
from .registry import Kernel, Registry
from .render import render


@dataclass(frozen=True)
class Reason:
    """Why an op is in: ``kind`` is ``graph``, ``function`` or ``runtime``; ``detail`` names whose it is."""

    kind: str
    detail: str


@dataclass(frozen=True)
class Selection:
    """``ops`` and ``kernels`` (op, class text) are what to register; ``files`` hold them, sorted.

    ``reasons`` has every selected op, with the first thing that asked for it.
    """

    ops: tuple[str, ...]
    kernels: tuple[tuple[str, str], ...]
    files: tuple[str, ...]
    reasons: Mapping[str, Reason]
    gradients: bool
    registry: Registry

    @property
    def key(self) -> str:
        """Names this selection: 16 hex digits that two equal selections share."""
        return digest([self.ops, self.kernels, self.gradients])

    def of_file(self, file: str) -> FileSelection:
        """The part of the selection that ``file`` can register."""
        ops = {op.name for op in self.registry.ops_in.get(file, ())}
        kernels = {(kernel.op, kernel.class_text) for kernel in self.registry.kernels_in.get(file, ())}
        return FileSelection(
            tuple(op for op in self.ops if op in ops), tuple(pair for pair in self.kernels if pair in kernels), self.gradients
        )

    @property
    def whole(self) -> FileSelection:
        return FileSelection(self.ops, self.kernels, self.gradients)


@dataclass(frozen=True)
class FileSelection:
    """What one file (or, as ``whole``, the library) registers; sorted."""

    ops: tuple[str, ...]
    kernels: tuple[tuple[str, str], ...]
    gradients: bool

    @property
    def key(self) -> str:
        return digest([self.ops, self.kernels, self.gradients])

    def header(self, template: str, headers: Sequence[str]) -> str:
        """``ops_to_register.h`` for this selection."""
        ops = [{"hash": fnv1a(op), "op": quote(op)} for op in self.ops]
        kernels = [{"hash": fnv1a(op + text), "op": quote(op), "kernel": quote(text)} for op, text in self.kernels]
        for entries in (ops, kernels):
            entries.sort(key=lambda entry: entry["hash"])
            if len({entry["hash"] for entry in entries}) != len(entries):
                raise TfcrossError("selection: two names have one hash; report this model.")
        return render(template, headers=headers, ops=ops, kernels=kernels, gradients=self.gradients)


def fnv1a(text: str) -> int:
    """64-bit FNV-1a of the UTF-8 text, as the header computes it at compile time."""
    value = 14695981039346656037
    for byte in text.encode():
        value = (value ^ byte) * 1099511628211 % (1 << 64)
    return value


def quote(text: str) -> str:
    """A C string literal: what stringising makes of a class text (JSON escapes the same characters)."""
    return json.dumps(text)


def digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:16]


def select(models: Sequence[Model], registry: Registry, always: Mapping[str, str]) -> Selection:
    """What ``models`` need of ``registry``, with the ops that the runtime needs ``always``.

    Raises TfcrossError for a node whose op is unknown, or that has no CPU kernel for its types.
    """
    chosen = _Chosen(registry)
    for op, reason in always.items():
        chosen.add_op(op, Reason("runtime", reason))
        chosen.add_kernels(kernel for kernel in registry.kernels_of(op) if kernel.device in ("CPU", "DEFAULT"))
    for model in models:
        for node in model.all_nodes():
            chosen.add_node(model, node)
    return chosen.result()


def select_all(registry: Registry, files: Iterable[str]) -> Selection:
    """Everything that ``files`` register for the CPU: the whole portable set."""
    chosen = _Chosen(registry)
    for file in files:
        for op in registry.ops_in.get(file, ()):
            chosen.add_op(op.name, Reason("release", file))
        chosen.add_kernels(kernel for kernel in registry.kernels_in.get(file, ()) if kernel.device in ("CPU", "DEFAULT"))
    return chosen.result(gradients=True)


class _Chosen:
    """A selection in the making."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.reasons: dict[str, Reason] = {}
        self.kernels: dict[tuple[str, str], set[str]] = {}

    def add_op(self, op: str, reason: Reason) -> None:
        self.reasons.setdefault(op, reason)

    def add_kernels(self, kernels: Iterable[Kernel]) -> None:
        for kernel in kernels:
            self.kernels.setdefault((kernel.op, kernel.class_text), set()).add(kernel.file)

    def add_node(self, model: Model, node: Node) -> None:
        for name in node.function_names():
            if name not in model.functions:  # a function attribute may name an op
                self.add_op(name, Reason("function", f"attribute of {node.name}"))
        if node.op in model.functions:
            return
        op = self.registry.ops.get(node.op)
        if op is None:
            raise TfcrossError(_unknown_op(model, node))
        self.add_op(node.op, Reason("function", node.function) if node.function else Reason("graph", node.name))
        attrs = {name: plain(attr) for name, attr in node.attrs.items()}
        if any(attr.kind == "placeholder" for attr in node.attrs.values()):  # bound where the function is called
            self.add_kernels(k for k in self.registry.kernels_of(node.op) if k.device in ("CPU", "DEFAULT"))
            return
        found = match_node(op, attrs, self.registry.kernels_of(node.op))
        if isinstance(found, Mismatch):
            raise TfcrossError(f"{model.path}: node '{node.name}': {explain(node.op, found)}")
        self.add_kernels([found])

    def result(self, gradients: bool = False) -> Selection:
        gradients = gradients or "SymbolicGradient" in self.reasons
        ops = tuple(sorted(op for op in self.reasons if op in self.registry.ops))
        files = {self.registry.ops[op].file for op in ops}.union(*self.kernels.values())
        return Selection(
            ops, tuple(sorted(self.kernels)), tuple(sorted(files)), dict(sorted(self.reasons.items())), gradients, self.registry
        )


def plain(attr: AttrSummary) -> object:
    """An attribute's value as matching takes it: DataType numbers for types."""
    if attr.kind == "type":
        return DTYPES.get(attr.value, 0)
    if attr.kind == "list(type)":
        return tuple(DTYPES.get(name, 0) for name in attr.value)
    return attr.value


def _unknown_op(model: Model, node: Node) -> str:
    return (
        f"{model.path}: node '{node.name}': op '{node.op}' is not defined by this release. A custom op has to be "
        "compiled with its own sources; an op of a newer TensorFlow needs that RELEASE."
    )
