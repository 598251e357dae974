"""The op × type table: which ops a release has on a target, for which types, and where the kernels are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tfcross.check.purposes import Purposes
from tfcross.errors import TfcrossError
from tfcross.graph.datatypes import NUMBERS, type_name
from tfcross.graph.model import Model
from tfcross.registry.opdef import ArgDef, AttrDef, OpDef
from tfcross.registry.registry import Kernel, Registry

_CPU = ("CPU", "DEFAULT")
_ORDER = {number: index for index, number in enumerate(NUMBERS.values())}


@dataclass(frozen=True)
class KernelRow:
    """``types`` are the names that each attribute may have; ``missing``: why it is not built, "" if it is."""

    class_text: str
    file: str
    device: str
    label: str
    priority: int
    types: Mapping[str, tuple[str, ...]]
    values: Mapping[str, tuple[str, ...]]
    missing: str = ""


@dataclass(frozen=True)
class OpRow:
    """``signature`` as an op definition reads; ``types``: by attribute, those that some CPU kernel has, where
    kernels differ in it; ``devices`` are those of all kernels. ``asked_by``: what brings the op into a graph.
    """

    name: str
    file: str
    signature: str
    types: Mapping[str, tuple[str, ...]]
    kernels: tuple[KernelRow, ...]
    devices: tuple[str, ...]
    purpose: str
    asked_by: tuple[str, ...]
    nodes: tuple[str, ...] = ()

    @property
    def files(self) -> tuple[str, ...]:
        """Where the kernels are; sorted."""
        return tuple(sorted({kernel.file for kernel in self.kernels}))

    @property
    def runs(self) -> bool:
        """Whether some kernel for the CPU is built."""
        return any(not kernel.missing for kernel in self.kernels)


@dataclass(frozen=True)
class Reasons:
    """What the release's core says: files that are not built, ops that the runtime needs or inserts."""

    unavailable: Mapping[str, str] = field(default_factory=dict)
    always: Mapping[str, str] = field(default_factory=dict)
    inserted: Mapping[str, Sequence[str]] = field(default_factory=dict)


def op_rows(
    registry: Registry,
    purposes: Purposes,
    reasons: Reasons,
    names: Iterable[str] = (),
    models: Sequence[Model] = (),
) -> list[OpRow]:
    """The rows of the ops ``names`` (default: all), sorted; ``models`` are asked for nodes of these ops.

    Raises TfcrossError for an op that the release does not define.
    """
    chosen = [_defined(registry, name) for name in names] or list(registry.ops)
    nodes: dict[str, list[str]] = {}
    for model in models:
        for node in model.all_nodes():
            types = ", ".join(f"{n}={'+'.join(map(_short, types))}" for n, types in node.types())
            nodes.setdefault(node.op, []).append(f"{model.path}: {node.name} ({types})")
    return [_row(registry, purposes, reasons, name, nodes) for name in sorted(chosen)]


def _defined(registry: Registry, name: str) -> str:
    if name in registry.ops:
        return name
    near = sorted((op for op in registry.ops if name.lower() in op.lower()), key=lambda op: (len(op), op))
    hint = f" Ops with that in their name: {', '.join(near[:8])}." if near else ""
    raise TfcrossError(f"{name}: the release defines no such op.{hint} List all with no name.")


def _row(
    registry: Registry, purposes: Purposes, reasons: Reasons, name: str, nodes: Mapping[str, list[str]]
) -> OpRow:
    opdef, kernels = registry.ops[name], registry.kernels_of(name)
    own = [kernel for kernel in kernels if kernel.device in _CPU]
    purpose = purposes.of(name)
    return OpRow(
        name=name,
        file=opdef.file,
        signature=signature(opdef),
        types={attr: _names(numbers) for attr, numbers in _types(own).items()},
        kernels=tuple(_kernel(kernel, reasons.unavailable) for kernel in own),
        devices=tuple(sorted({kernel.device for kernel in kernels})),
        purpose=purpose.what if purpose else "",
        asked_by=tuple(_asked_by(name, reasons)),
        nodes=tuple(nodes.get(name, ())),
    )


def _types(kernels: Iterable[Kernel]) -> dict[str, set[int]]:
    by_attr: dict[str, set[int]] = {}
    for kernel in kernels:
        for attr, numbers in kernel.constraints:
            by_attr.setdefault(attr, set()).update(numbers)
    return by_attr


def _names(numbers: Iterable[int]) -> tuple[str, ...]:
    return tuple(type_name(number) for number in sorted(set(numbers), key=lambda n: _ORDER.get(n, n)))


def _short(name: str) -> str:
    return name.removeprefix("DT_").lower()


def _kernel(kernel: Kernel, unavailable: Mapping[str, str]) -> KernelRow:
    return KernelRow(
        class_text=kernel.class_text,
        file=kernel.file,
        device=kernel.device,
        label=kernel.label,
        priority=kernel.priority,
        types={attr: _names(numbers) for attr, numbers in kernel.constraints},
        values={attr: tuple(map(str, values)) for attr, values in kernel.values},
        missing=unavailable.get(kernel.file, ""),
    )


def _asked_by(name: str, reasons: Reasons) -> Iterable[str]:
    yield f'nodes with op: "{name}"'
    if name in reasons.always:
        yield f"the runtime, always: {reasons.always[name]}"
    for op, inserted in reasons.inserted.items():
        if name in inserted:
            yield f"the runtime, in the place of {op}"
        elif f"({name})" in inserted:
            yield f"the graph optimiser, in the place of {op}, where the library has it"


def signature(opdef: OpDef) -> str:
    """``Mul(x: T, y: T) -> (z: T); T: float, double``: inputs, outputs, attributes with what they may be."""
    inputs, outputs = (", ".join(map(_argument, side)) for side in (opdef.inputs, opdef.outputs))
    attrs = "".join(f"; {_attr(attr)}" for attr in opdef.attrs)
    return f"{opdef.name}({inputs}) -> ({outputs}){attrs}"


def _argument(argument: ArgDef) -> str:
    what = argument.type_list_attr or argument.type_attr or type_name(argument.type)
    what = f"{argument.number_attr}*{what}" if argument.number_attr else what
    return f"{argument.name}: {f'Ref({what})' if argument.is_ref else what}"


def _attr(attr: AttrDef) -> str:
    allowed = [type_name(number) for number in attr.allowed] or [repr(text) for text in attr.allowed_strings]
    kind = attr.type if not allowed else f"list({', '.join(allowed)})" if attr.type.startswith("list") else ""
    text = f"{attr.name}: {kind or ', '.join(allowed)}"
    text += f" >= {attr.minimum}" if attr.minimum is not None else ""
    return text if attr.default is None else f"{text} = {_default(attr)}"


def _default(attr: AttrDef) -> str:
    if attr.type == "type" and isinstance(attr.default, int):
        return type_name(attr.default)
    return repr(attr.default) if isinstance(attr.default, str) else str(attr.default).lower()


def type_columns(rows: Iterable[OpRow]) -> list[str]:
    """The names of all types that a row has, in TensorFlow's order."""
    named = {name for row in rows for names in row.types.values() for name in names}
    return [name for name in NUMBERS if name in named]


def main_attr(row: OpRow) -> str:
    """The attribute that the table's columns are about: ``T``, else the first that kernels differ in."""
    return "T" if "T" in row.types else next(iter(row.types), "")
