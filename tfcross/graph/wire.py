"""Graph files on the wire: what a file is, and its parts one at a time.

A frozen graph can be a gigabyte of weights. So the outer fields are walked over the mapped file, one node is
parsed at a time, and of a large node the tensor's payload is left out before the parser sees it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from google.protobuf.message import DecodeError

from tfcross.graph import messages

VARINT, FIXED64, LEN, FIXED32 = 0, 1, 2, 5
_FIXED = {FIXED64: 8, FIXED32: 4}
_LARGE_NODE = 1 << 16  # bytes; a smaller one is parsed as it is
_LARGE_PAYLOAD = 1 << 12  # bytes of one tensor field


class WireError(Exception):
    """``offset`` is where in the file the bytes stop making sense; the reader of the file names it."""

    def __init__(self, offset: int, message: str, truncated: bool = False) -> None:
        super().__init__(message)
        self.offset = offset
        self.truncated = truncated


class Field(NamedTuple):
    """One field of a message; ``start`` and ``end`` enclose its content, not its tag."""

    number: int
    wire: int
    tag: int
    start: int
    end: int


def _varint(data: Any, offset: int, limit: int) -> tuple[int, int]:
    """The number at ``offset`` and the offset after it."""
    value = shift = 0
    for position in range(offset, min(offset + 10, limit)):
        byte = data[position]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position + 1
        shift += 7
    short = offset + 10 > limit
    raise WireError(offset, "a number without an end", truncated=short)


def _field(data: Any, tag_at: int, limit: int) -> Field:
    tag, start = _varint(data, tag_at, limit)
    number, wire = tag >> 3, tag & 7
    if wire == VARINT:
        return Field(number, wire, tag_at, start, _varint(data, start, limit)[1])
    if wire == LEN:
        size, start = _varint(data, start, limit)
    elif wire in _FIXED:
        size = _FIXED[wire]
    else:
        raise WireError(tag_at, f"a field of the unknown kind {wire}")
    if number == 0:
        raise WireError(tag_at, "a field with the number 0")
    if start + size > limit:
        message = f"the field at byte {tag_at} should have {size} bytes and has {limit - start}"
        raise WireError(limit, message, truncated=True)
    return Field(number, wire, tag_at, start, start + size)


def fields(data: Any, start: int, end: int) -> Iterator[Field]:
    """The fields of the message in ``data[start:end]``, in order. Raises WireError."""
    while start < end:
        field = _field(data, start, end)
        yield field
        start = field.end


# Where tensors sit: message, field number -> message. Tensor fields beyond the first two are payload.
_NESTED = {
    ("NodeDef", 5): "AttrEntry",
    ("AttrEntry", 2): "AttrValue",
    ("AttrValue", 1): "ListValue",
    ("AttrValue", 8): "TensorProto",
    ("ListValue", 8): "TensorProto",
    ("FunctionDef", 3): "NodeDef",
}


def length_field(number: int, content: bytes) -> bytes:
    """The field ``number`` of a message with the bytes ``content``, as it stands on the wire."""
    return field_head(number, len(content)) + content


def field_head(number: int, size: int) -> bytes:
    """What stands before the ``size`` bytes of the field ``number``."""
    return _encoded(number << 3 | LEN) + _encoded(size)


def _encoded(number: int) -> bytes:
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def _without_payload(data: Any, start: int, end: int, message: str) -> bytes:
    """The message's bytes, less the tensor fields that are large: dtype and shape stay."""
    kept = bytearray()
    for field in fields(data, start, end):
        size = field.end - field.start
        nested = _NESTED.get((message, field.number))
        if field.wire == LEN and nested and size > _LARGE_PAYLOAD:
            content = _without_payload(data, field.start, field.end, nested)
            kept += length_field(field.number, content)
        elif message != "TensorProto" or field.number <= 2 or size <= _LARGE_PAYLOAD:
            kept += data[field.tag : field.end]
    return bytes(kept)


def parse(data: Any, start: int, end: int, message: Any) -> Any:
    """The ``message`` (a class of graphdef) in ``data[start:end]``. Raises WireError."""
    try:
        if end - start > _LARGE_NODE:
            return message.FromString(_without_payload(data, start, end, message.DESCRIPTOR.name))
        return message.FromString(data[start:end])
    except (DecodeError, WireError):
        raise WireError(start, f"no valid {message.DESCRIPTOR.name}") from None


class Part(NamedTuple):
    """A message of a GraphDef: its class (of graphdef), and where its bytes are."""

    message: Any
    start: int
    end: int


_PARTS = {1: messages.NodeDef, 4: messages.VersionDef}
_LIBRARY_PARTS = {1: messages.FunctionDef, 2: messages.GradientDef}


def part_places(data: Any, start: int, end: int) -> Iterator[Part]:
    """Where the NodeDef, FunctionDef, GradientDef and VersionDef messages of a GraphDef are."""
    for field in fields(data, start, end):
        if field.number in (1, 2, 4) and field.wire != LEN:
            raise WireError(field.tag, "no field of a GraphDef")
        if field.number in _PARTS:
            yield Part(_PARTS[field.number], field.start, field.end)
        elif field.number == 2:
            for inner in fields(data, field.start, field.end):
                if inner.number in _LIBRARY_PARTS and inner.wire == LEN:
                    yield Part(_LIBRARY_PARTS[inner.number], inner.start, inner.end)


def graph_parts(data: Any, start: int, end: int) -> Iterator[Any]:
    """The NodeDef, FunctionDef, GradientDef and VersionDef messages of a GraphDef, one at a time."""
    for part in part_places(data, start, end):
        yield parse(data, part.start, part.end, part.message)


class MetaGraph(NamedTuple):
    """A graph of a SavedModel: ``start`` and ``end`` enclose its GraphDef."""

    tags: tuple[str, ...]
    start: int
    end: int
    signatures: dict[str, Any]


def _meta_graph(data: Any, start: int, end: int) -> MetaGraph:
    tags: tuple[str, ...] = ()
    graph = (start, start)
    signatures: dict[str, Any] = {}
    for field in fields(data, start, end):
        if field.wire != LEN:
            continue
        if field.number == 1:
            tags = tuple(parse(data, field.start, field.end, messages.MetaInfoDef).tags)
        elif field.number == 2:
            graph = (field.start, field.end)
        elif field.number == 5:
            # The entry of a map is a message; a MetaGraphDef with just this field gives its key and value.
            entry = messages.MetaGraphDef.FromString(data[field.tag : field.end])
            signatures.update(entry.signature_def.items())
    return MetaGraph(tags, *graph, signatures)


def meta_graphs(data: Any, start: int, end: int) -> list[MetaGraph]:
    """The graphs of a SavedModel, none of them parsed yet. Raises WireError."""
    try:
        return [
            _meta_graph(data, field.start, field.end)
            for field in fields(data, start, end)
            if field.number == 2 and field.wire == LEN
        ]
    except DecodeError:
        raise WireError(start, "no valid signature") from None
