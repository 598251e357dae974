"""Checkpoints of format V1: each of its files is a sorted table with the slices of tensors as messages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError

from tfcross.errors import TfcrossError, quoted
from tfcross.graph.checkpoints.slicekeys import proto_extents, slice_key
from tfcross.graph.checkpoints.sstable import Table
from tfcross.graph.checkpoints.stored import (
    BadSlice,
    Extents,
    Piece,
    StoredTensor,
    element_size,
    elements,
    resolve,
)
from tfcross.graph.messages import SavedTensorSlices, TensorProto
from tfcross.graph.tensors import STORAGE, STRING, BadTensor, array_of, shape_of
from tfcross.graph.wire import LEN, WireError, fields

_PACKED = {"float_val": 5, "double_val": 6, "scomplex_val": 9, "dcomplex_val": 12}
_SLICE_DATA, _SLICE_TENSOR = 2, 3  # fields of SavedTensorSlices and SavedSlice


class SliceTables:
    """The tensors of a checkpoint by name. Raises TfcrossError, for elements when they are read."""

    def __init__(self, files: Sequence[Path]) -> None:
        self.prefix = files[0]
        slices: dict[str, list[Any]] = {}
        metas: dict[str, Any] = {}
        for table in map(Table, files):
            for meta in _metas(table):
                metas[meta.name] = meta
                slices.setdefault(meta.name, []).extend((table, message) for message in meta.slice)
        self.tensors: Mapping[str, StoredTensor] = {
            name: _tensor(self.prefix, metas[name], found) for name, found in slices.items()
        }


def _metas(table: Table) -> Any:
    try:
        return SavedTensorSlices.FromString(bytes(table.get(b"") or b"")).meta.tensor
    except DecodeError:
        raise _damaged(table.path, "its list of tensors") from None


def _damaged(path: Path, what: str) -> TfcrossError:
    return TfcrossError(f"{path}: the file is damaged ({what}); copy the checkpoint again.")


def _tensor(path: Path, meta: Any, slices: list[tuple[Table, Any]]) -> StoredTensor:
    try:
        shape = shape_of(meta.shape)
        if meta.type == STRING and len(slices) == 1:
            table, message = slices[0]
            strings = partial(_strings, table, meta.name, proto_extents(message))
            return StoredTensor(meta.name, STRING, shape, (), strings)
        return StoredTensor(meta.name, meta.type, shape, tuple(_pieces(meta, shape, slices)))
    except (BadTensor, BadSlice) as error:
        raise _damaged(path, f"the entry of {quoted(meta.name)}: {error}") from None


def _pieces(meta: Any, shape: tuple[int, ...], slices: list[tuple[Table, Any]]) -> Iterator[Piece]:
    try:
        element_size(meta.type)
    except BadSlice:
        return
    for table, message in slices:
        wanted = proto_extents(message)
        extents = resolve(wanted, shape)
        yield Piece(extents, partial(_read, table, meta.name, meta.type, wanted, extents))


def _slice_data(table: Table, name: str, wanted: list[tuple[int, int]]) -> memoryview:
    """The TensorProto of a slice, which lacks type and shape."""
    value = table.get(slice_key(name, wanted))
    if value is None:
        raise _damaged(table.path, f"the slice {wanted} of {quoted(name)} is not there")
    content = memoryview(b"")
    try:
        for field in fields(value, 0, len(value)):
            if field.number == _SLICE_DATA and field.wire == LEN:
                for inner in fields(value, field.start, field.end):
                    if inner.number == _SLICE_TENSOR and inner.wire == LEN:
                        content = value[inner.start : inner.end]
    except WireError as error:
        raise _damaged(table.path, f"the slice of {quoted(name)}: {error}") from None
    return content


def _read(
    table: Table, name: str, dtype: int, wanted: list[tuple[int, int]], extents: Extents
) -> Iterator[bytes | memoryview]:
    content = _slice_data(table, name, wanted)
    number = _PACKED.get(STORAGE[dtype].field)
    try:
        chunks: list[Any] = _packed(content, number) if number else []
        if not chunks:
            chunks = [_listed(content, dtype, extents)]
    except (WireError, DecodeError, BadTensor) as error:
        raise _damaged(table.path, f"the slice of {quoted(name)}: {error}") from None
    size = sum(map(len, chunks))
    if size != elements(extents) * element_size(dtype):
        raise _damaged(
            table.path, f"the slice of {quoted(name)}: {size} bytes for {elements(extents)} elements"
        )
    yield from chunks


def _packed(content: memoryview, number: int) -> list[memoryview]:
    """The items of a list of floats, as they are on the wire; a parser makes an object of each."""
    return [
        content[field.start : field.end]
        for field in fields(content, 0, len(content))
        if field.number == number and field.wire == LEN
    ]


def _listed(content: memoryview, dtype: int, extents: Extents) -> bytes:
    tensor = TensorProto.FromString(bytes(content))
    tensor.dtype = dtype
    tensor.ClearField("tensor_shape")
    for _, size in extents:
        tensor.tensor_shape.dim.add(size=size)
    return np.ascontiguousarray(array_of(tensor)).tobytes()


def _strings(table: Table, name: str, wanted: list[tuple[int, int]]) -> list[bytes]:
    try:
        return list(TensorProto.FromString(bytes(_slice_data(table, name, wanted))).string_val)
    except DecodeError:
        raise _damaged(table.path, f"the slice of {quoted(name)}") from None
