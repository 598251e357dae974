"""Which kernel the runtime picks for a node, or why it finds none; and the types that flow through a node.

The rules are those of TensorFlow's kernel look-up: defaults of the op definition fill in for attrs that
the node leaves out; device and label must be equal; every constraint must hold, for a list of types in
each of its elements; the highest priority wins; a kernel for the device "DEFAULT" stands in where the
device has none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tfcross.errors import TfcrossError
from tfcross.graph.datatypes import REF_OFFSET, enum_number
from tfcross.registry.opdef import ArgDef, AttrDef, OpDef
from tfcross.registry.parser import Kernel
from tfcross.selection.mismatch import LABEL, Gap, Mismatch

ANY_DEVICE = "DEFAULT"

Attrs = Mapping[str, object]
"""A node's attrs: DataType numbers or names ("DT_FLOAT") for types, tuples for lists, str or bytes."""


@dataclass(frozen=True)
class _Node:
    """A node's attrs with the defaults filled in, types as tuples of numbers."""

    attrs: Mapping[str, object]
    label: str = field(default="")

    def types(self, name: str) -> tuple[int, ...]:
        return _numbers(self.attrs[name])


def match_node(
    opdef: OpDef, attrs: Attrs, kernels: Iterable[Kernel], device: str = "CPU"
) -> Kernel | Mismatch:
    """The kernel among ``kernels`` that runs a node of the op ``opdef`` with ``attrs`` on ``device``."""
    node = _Node(with_defaults(opdef, attrs), _text(attrs.get(LABEL) or ""))
    illegal = _illegal(opdef, node, device)
    if illegal:
        return illegal
    own = [kernel for kernel in kernels if kernel.op == opdef.name]
    for wanted in (device, ANY_DEVICE):
        labelled = [kernel for kernel in own if kernel.device == wanted and kernel.label == node.label]
        fitting = [kernel for kernel in labelled if _fits(kernel, node)]
        if fitting:
            return _best(fitting, device)
    return _why_not(own, node, device)


def with_defaults(opdef: OpDef, attrs: Attrs) -> dict[str, object]:
    """``attrs`` without empty ones, and the op's defaults for those that are not given."""
    defaults = {attr.name: attr.default for attr in opdef.attrs if attr.default is not None}
    return {**defaults, **{name: value for name, value in attrs.items() if value is not None}}


def _illegal(opdef: OpDef, node: _Node, device: str) -> Mismatch | None:
    """What the op's definition itself has against the node."""
    for attr in opdef.attrs:
        if attr.name not in node.attrs:
            return Mismatch("missing attr", device, gaps=(Gap(attr.name, (), (), False),))
        gap = _illegal_value(attr, node)
        if gap:
            return Mismatch("not allowed", device, gaps=(gap,))
    return None


def _illegal_value(attr: AttrDef, node: _Node) -> Gap | None:
    if attr.allowed:
        types = node.types(attr.name)
        return None if set(types) <= set(attr.allowed) else Gap(attr.name, types, attr.allowed)
    if attr.allowed_strings:
        texts = _texts(node.attrs[attr.name])
        legal = set(texts) <= set(attr.allowed_strings)
        return None if legal else Gap(attr.name, texts, attr.allowed_strings, False)
    return None


def _fits(kernel: Kernel, node: _Node) -> bool:
    return not any(_failing(kernel, node))


def _failing(kernel: Kernel, node: _Node) -> Iterable[str]:
    """The attrs in which ``kernel`` does not fit."""
    for name, types in kernel.constraints:
        if name not in node.attrs or not set(node.types(name)) <= set(types):
            yield name
    for name, values in kernel.values:
        if name not in node.attrs or _plain(node.attrs[name]) not in values:
            yield name


def _best(fitting: Sequence[Kernel], device: str) -> Kernel | Mismatch:
    highest = max(kernel.priority for kernel in fitting)
    best = [kernel for kernel in fitting if kernel.priority == highest]
    if len(best) > 1:
        return Mismatch("ambiguous", device, files=tuple(sorted({kernel.file for kernel in best})))
    return best[0]


def _why_not(own: Sequence[Kernel], node: _Node, device: str) -> Mismatch:
    devices = tuple(sorted({kernel.device for kernel in own}))
    if not own:
        return Mismatch("no kernel", device)
    here = [kernel for kernel in own if kernel.device in (device, ANY_DEVICE)]
    if not here:
        return Mismatch("device", device, devices)
    labelled = [kernel for kernel in here if kernel.label == node.label]
    if not labelled:
        labels = tuple(sorted({kernel.label or "none" for kernel in here}))
        return Mismatch("label", device, devices, label=node.label, labels=labels)
    return Mismatch("type", device, devices, _gaps(labelled, node))


def _gaps(kernels: Sequence[Kernel], node: _Node) -> tuple[Gap, ...]:
    """The fewest attrs in which some kernel does not fit, each with what the nearest kernels have there."""
    failing = [(kernel, frozenset(_failing(kernel, node))) for kernel in kernels]
    fewest = min(len(names) for _, names in failing)
    nearest = [(kernel, names) for kernel, names in failing if len(names) == fewest]
    names = list(dict.fromkeys(name for _, failed in nearest for name in sorted(failed)))
    return tuple(_gap(name, [kernel for kernel, failed in nearest if name in failed], node) for name in names)


def _gap(name: str, kernels: Sequence[Kernel], node: _Node) -> Gap:
    types = [number for kernel in kernels for number in dict(kernel.constraints).get(name, ())]
    if types:
        wanted = node.types(name) if name in node.attrs else ()
        return Gap(name, wanted, tuple(sorted(set(types))))
    values = [value for kernel in kernels for value in dict(kernel.values).get(name, ())]
    return Gap(name, (_plain(node.attrs.get(name)),), tuple(dict.fromkeys(values)), False)


def op_types(opdef: OpDef, attrs: Attrs) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The DataTypes of a node's inputs and outputs; a reference type is its base type plus 100.

    Raises TfcrossError if the node lacks an attr that tells one of them.
    """
    node = _Node(with_defaults(opdef, attrs))
    sides = (opdef.inputs, opdef.outputs)
    inputs, outputs = (tuple(t for arg in side for t in _argument_types(opdef, arg, node)) for side in sides)
    return inputs, outputs


def _argument_types(opdef: OpDef, argument: ArgDef, node: _Node) -> Sequence[int]:
    needed = [n for n in (argument.type_attr, argument.type_list_attr, argument.number_attr) if n]
    missing = [name for name in needed if name not in node.attrs]
    if missing:
        raise TfcrossError(f"op '{opdef.name}' needs the attribute {missing[0]}. Export the model again.")
    name = argument.type_list_attr or argument.type_attr
    types = node.types(name) if name else (argument.type,)
    count = node.attrs[argument.number_attr] if argument.number_attr else 1
    times = count if isinstance(count, int) else 0
    return [number + REF_OFFSET if argument.is_ref else number for number in types] * times


def _numbers(value: object) -> tuple[int, ...]:
    """The DataType numbers of a type or a list of types; 0 for what is no type."""
    items = value if isinstance(value, tuple | list) else (value,)
    return tuple(item if isinstance(item, int) else enum_number(_text(item)) or 0 for item in items)


def _texts(value: object) -> tuple[str, ...]:
    return tuple(_text(item) for item in (value if isinstance(value, tuple | list) else (value,)))


def _text(value: object) -> str:
    return value.decode(errors="backslashreplace") if isinstance(value, bytes) else str(value)


def _plain(value: object) -> object:
    return _text(value) if isinstance(value, bytes) else value
