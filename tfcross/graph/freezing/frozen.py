"""A frozen graph, whose large constants are streamed into its file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from tfcross.errors import TfcrossError, quoted
from tfcross.files import written_whole
from tfcross.graph.checkpoints.stored import element_size, elements, whole
from tfcross.graph.datatypes import type_name
from tfcross.graph.messages import GraphDef, NodeDef
from tfcross.graph.tensors import make_tensor

LARGEST = (1 << 31) - 1  # bytes of a protobuf message, in all runtimes
_ATTR, _KEY, _VALUE, _TENSOR, _CONTENT = 5, 1, 2, 8, 4  # fields on the way to the elements of a Const
_LEN = 2


@dataclass(frozen=True)
class Value:
    """What a constant holds: ``tensor``, a TensorProto; or else what ``read`` gives, in chunks of bytes."""

    dtype: int
    shape: tuple[int, ...]
    tensor: Any = None
    read: Callable[[], Iterator[bytes | memoryview]] | None = None

    def content_size(self) -> int:
        """Bytes of what ``read`` gives."""
        return elements(whole(self.shape)) * element_size(self.dtype)


@dataclass(frozen=True)
class End:
    """An input or output of the model; ``dtype`` 0 and ``shape`` None where not known, -1 for a size."""

    tensor: str
    dtype: int
    shape: tuple[int, ...] | None

    def as_json(self) -> dict[str, object]:
        return {
            "tensor": self.tensor,
            "type": type_name(self.dtype) if self.dtype else None,
            "shape": self.shape,
        }


@dataclass(frozen=True)
class Frozen:
    """``values`` are what Consts hold that have none in ``nodes``, by name.

    ``initializer`` is the node to run once before the model, "" for none.
    """

    nodes: Sequence[Any]
    functions: Sequence[Any]
    versions: Any
    values: Mapping[str, Value]
    signature: str
    inputs: Mapping[str, End]
    outputs: Mapping[str, End]
    initializer: str

    def graph(self) -> Any:
        """The GraphDef, with all weights in memory."""
        graph = GraphDef()
        for node in self.nodes:
            value = self.values.get(node.name)
            graph.node.add().CopyFrom(node)
            if value:
                graph.node[-1].attr["value"].tensor.CopyFrom(_tensor(value))
        self._add_rest(graph)
        return graph

    def _add_rest(self, graph: Any) -> None:
        graph.library.function.extend(self.functions)
        graph.versions.CopyFrom(self.versions)

    def write(self, path: Path) -> None:
        """Writes the GraphDef; the file has its name only when it is whole. Raises TfcrossError."""
        size = self._size()
        if size > LARGEST:
            raise TfcrossError(
                f"{path}: the frozen graph would have {size / 1e9:.1f} GB, and TensorFlow reads none above "
                "2.1 GB; "
                "train a smaller model, or quantize it."
            )
        with written_whole(path) as stream:
            self._write(stream)

    def _size(self) -> int:
        contents = sum(value.content_size() for value in self.values.values() if value.read)
        return contents + sum(int(node.ByteSize()) for node in (*self.nodes, *self.functions))

    def _write(self, stream: BinaryIO) -> None:
        for node in self.nodes:
            value = self.values.get(node.name)
            if value is None:
                stream.write(_field(1, node.SerializeToString(deterministic=True)))
            elif value.read is None:
                whole_node = NodeDef()
                whole_node.CopyFrom(node)
                whole_node.attr["value"].tensor.CopyFrom(value.tensor)
                stream.write(_field(1, whole_node.SerializeToString(deterministic=True)))
            else:
                _stream_const(stream, node, value)
        rest = GraphDef()
        self._add_rest(rest)
        stream.write(rest.SerializeToString(deterministic=True))

    def write_description(self, path: Path) -> None:
        """Writes :meth:`describe`. Raises TfcrossError."""
        with written_whole(path) as stream:
            stream.write(self.describe().encode())

    def describe(self) -> str:
        """The model's ends as JSON."""
        document = {
            "signature": self.signature,
            "inputs": {key: end.as_json() for key, end in self.inputs.items()},
            "outputs": {key: end.as_json() for key, end in self.outputs.items()},
            "initializer": self.initializer or None,
        }
        return json.dumps(document, indent=2) + "\n"


def _tensor(value: Value) -> Any:
    if value.read is None:
        return value.tensor
    return make_tensor(value.dtype, value.shape, b"".join(value.read()))


def _stream_const(stream: BinaryIO, node: Any, value: Value) -> None:
    """A Const field by field: each message that encloses the elements begins with its size."""
    assert value.read
    size = value.content_size()
    tensor = make_tensor(value.dtype, value.shape).SerializeToString() + (
        _head(_CONTENT, size) if size else b""
    )
    attr = _head(_TENSOR, len(tensor) + size) + tensor
    entry = _field(_KEY, b"value") + _head(_VALUE, len(attr) + size) + attr
    small = NodeDef()
    small.CopyFrom(node)
    small.attr.pop("value", None)
    start = small.SerializeToString(deterministic=True) + _head(_ATTR, len(entry) + size) + entry
    stream.write(_head(1, len(start) + size) + start)
    written = 0
    for chunk in value.read():
        stream.write(chunk)
        written += len(chunk)
    if written != size:
        raise TfcrossError(
            f"the value of {quoted(node.name)} has {written} bytes in place of {size}; export it again."
        )


def _head(number: int, size: int) -> bytes:
    """The tag and size of a field whose content follows."""
    return _varint(number << 3 | _LEN) + _varint(size)


def _field(number: int, content: bytes) -> bytes:
    return _head(number, len(content)) + content


def _varint(number: int) -> bytes:
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])
