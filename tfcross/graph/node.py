"""A graph's nodes, without the weights: what the selection has to know of each."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tfcross.errors import quoted
from tfcross.graph import messages

Shape = tuple[int, ...] | None
"""-1 is an unknown dimension; None an unknown rank."""

SMALL_TENSOR = 64  # elements; the values of larger ones are not kept
_LONGEST_TEXT = 4096
_DECIDING = frozenset({"type", "list(type)", "string", "list(string)", "int", "bool", "placeholder"})
_MAX_RANK = 254  # TensorFlow's own limit

# dtype -> struct format, and the field that holds single elements
_ELEMENTS = {
    "DT_FLOAT": ("f", "float_val"),
    "DT_DOUBLE": ("d", "double_val"),
    "DT_INT32": ("i", "int_val"),
    "DT_UINT8": ("B", "int_val"),
    "DT_INT16": ("h", "int_val"),
    "DT_INT8": ("b", "int_val"),
    "DT_UINT16": ("H", "int_val"),
    "DT_INT64": ("q", "int64_val"),
    "DT_BOOL": ("?", "bool_val"),
    "DT_UINT32": ("I", "uint32_val"),
    "DT_UINT64": ("Q", "uint64_val"),
}


class BadNode(ValueError):
    """What is wrong with a node's content; the reader of the file says which node."""


@dataclass(frozen=True, slots=True)
class TensorSummary:
    """``values`` are in row-major order, None for a large tensor or a type that we do not read."""

    dtype: str
    shape: Shape
    values: tuple[Any, ...] | None


@dataclass(frozen=True, slots=True)
class FunctionRef:
    """A function as an attribute; ``attrs`` bind its type parameters."""

    name: str
    attrs: Mapping[str, AttrSummary]


@dataclass(frozen=True, slots=True)
class AttrSummary:
    """``kind`` is TensorFlow's: int, float, bool, string, type, shape, tensor, func, placeholder, list(…).

    ``value`` by kind: int, float, bool; str for string (bytes that are no UTF-8 become escapes), type
    (``DT_FLOAT``) and placeholder (the name of the enclosing function's attribute); Shape; TensorSummary;
    FunctionRef; a tuple of those for a list. An empty list has the kind ``list``.
    """

    kind: str
    value: Any


@dataclass(frozen=True, slots=True)
class Node:
    """``inputs`` as in the graph: ``x``, ``x:1``, ``^x`` for control; ``x:out:0`` within functions.

    ``function`` is the name of the function whose body holds the node, "" for the main graph.
    """

    name: str
    op: str
    inputs: tuple[str, ...]
    device: str
    attrs: Mapping[str, AttrSummary]
    function: str = ""

    def attr(self, name: str, kind: str) -> Any:
        """The value of an attribute of that kind; None when there is none."""
        attr = self.attrs.get(name)
        return attr.value if attr and attr.kind == kind else None

    def types(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Each attribute that holds types, as a tuple of names: ``("T", ("DT_FLOAT",))``."""
        for name, attr in self.attrs.items():
            if attr.kind == "type":
                yield name, (attr.value,)
            elif attr.kind == "list(type)":
                yield name, attr.value

    @property
    def case(self) -> Hashable:
        """All that decides about the node's kernels: two nodes of one case have the same."""
        told = [(n, a.kind, a.value if a.kind in _DECIDING else None) for n, a in self.attrs.items()]
        lengths = [len(a.value) for a in self.attrs.values() if a.kind.startswith("list(")]
        return (self.op, self.device, *told, *lengths, tuple(self.function_names()))

    def function_names(self) -> Iterator[str]:
        """The functions that attributes name, at any depth."""
        return _function_names(self.attrs)


def _function_names(attrs: Mapping[str, AttrSummary]) -> Iterator[str]:
    for attr in attrs.values():
        if attr.kind in ("func", "list(func)"):
            for ref in attr.value if attr.kind != "func" else (attr.value,):
                yield ref.name
                yield from _function_names(ref.attrs)


def _text(content: bytes) -> str:
    return content[:_LONGEST_TEXT].decode(errors="backslashreplace")


def make_shape(shape: Any) -> Shape:
    """The Shape of a TensorShapeProto. Raises BadNode."""
    if shape.unknown_rank:
        return None
    if len(shape.dim) > _MAX_RANK:
        raise BadNode(f"a shape of {len(shape.dim)} dimensions; at most {_MAX_RANK} are allowed")
    return tuple(dim.size if dim.size >= 0 else -1 for dim in shape.dim)


def _values(tensor: Any, dtype: str, count: int) -> tuple[Any, ...] | None:
    """``count`` elements; the last of the listed ones fills the rest, none listed means zeros."""
    if dtype == "DT_STRING":
        listed = tuple(_text(item) for item in tensor.string_val[:count])
        return listed + (listed[-1:] or ("",)) * (count - len(listed))
    form, field = _ELEMENTS.get(dtype, ("", ""))
    if not form:
        return None
    content = tensor.tensor_content
    if content:
        packed = struct.Struct(f"<{count}{form}")
        return packed.unpack(content) if len(content) == packed.size else None
    listed = tuple(getattr(tensor, field)[:count])
    return listed + (listed[-1:] or (False if form == "?" else 0,)) * (count - len(listed))


def _tensor(tensor: Any) -> TensorSummary:
    dtype = messages.dtype_name(tensor.dtype)
    shape = make_shape(tensor.tensor_shape)
    if shape is None or -1 in shape:
        return TensorSummary(dtype, shape, None)
    count = math.prod(shape)
    return TensorSummary(dtype, shape, _values(tensor, dtype, count) if count <= SMALL_TENSOR else None)


def _function(ref: Any) -> FunctionRef:
    return FunctionRef(ref.name, summaries(ref.attr))


def _same(value: Any) -> Any:
    return value


_CONVERT: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "s": ("string", _text),
    "i": ("int", _same),
    "f": ("float", _same),
    "b": ("bool", _same),
    "type": ("type", messages.dtype_name),
    "shape": ("shape", make_shape),
    "tensor": ("tensor", _tensor),
    "func": ("func", _function),
    "placeholder": ("placeholder", _same),
}


def _list_summary(items: Any) -> AttrSummary:
    for descriptor, values in items.ListFields():
        kind, convert = _CONVERT[descriptor.name]
        return AttrSummary(f"list({kind})", tuple(convert(value) for value in values))
    return AttrSummary("list", ())


def _summary(attr: Any) -> AttrSummary:
    field = attr.WhichOneof("value")
    if field is None:
        return AttrSummary("none", None)
    if field == "list":
        return _list_summary(attr.list)
    kind, convert = _CONVERT[field]
    return AttrSummary(kind, convert(getattr(attr, field)))


def summaries(attrs: Mapping[str, Any]) -> dict[str, AttrSummary]:
    """The attributes of a NodeDef, sorted by name. Raises BadNode."""
    return {name: _summary(attrs[name]) for name in sorted(attrs)}


def make_node(message: Any, function: str = "") -> Node:
    """The Node of a NodeDef. Raises BadNode."""
    if not message.name:
        raise BadNode(f"a node without a name (op {quoted(message.op)})")
    try:
        if not message.op:
            raise BadNode("it has no op")
        attrs = summaries(message.attr)
    except BadNode as error:
        raise BadNode(f"node {quoted(message.name)}: {error}") from None
    return Node(message.name, message.op, tuple(message.input), message.device, attrs, function)


def plain_attrs(node: Node) -> dict[str, object]:
    """The attributes as ``matching`` takes them: DataType numbers for types."""
    return {name: _plain(attr) for name, attr in node.attrs.items()}


def _plain(attr: AttrSummary) -> object:
    if attr.kind == "type":
        return messages.DTYPES.get(attr.value, 0)
    if attr.kind == "list(type)":
        return tuple(messages.DTYPES.get(name, 0) for name in attr.value)
    return attr.value
