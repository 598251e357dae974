"""Checkpoints of format V2: ``<prefix>.index`` is a sorted table, ``<prefix>.data-…`` the elements."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import Any

from google.protobuf.message import DecodeError

from tfcross.errors import TfcrossError, quoted
from tfcross.graph.checkpoints.checksum import extend, mask
from tfcross.graph.checkpoints.slicekeys import proto_extents, slice_key
from tfcross.graph.checkpoints.sstable import Table
from tfcross.graph.checkpoints.stored import (
    BadSlice,
    Piece,
    StoredTensor,
    element_size,
    elements,
    resolve,
    whole,
)
from tfcross.graph.messages import BundleEntryProto, BundleHeaderProto
from tfcross.graph.tensors import STRING, BadTensor, shape_of

_CHUNK = 1 << 20
_VERSION = 1  # of the format; releases up to 2.18 write it
_SLICE = b"\x00"  # the first byte of the keys of slices


class Bundle:
    """The tensors of a checkpoint by name. Raises TfcrossError, for elements when they are read."""

    def __init__(self, prefix: Path) -> None:
        self.prefix = prefix
        self.index = prefix.with_name(prefix.name + ".index")
        content = {key: bytes(value) for key, value in Table(self.index).items()}
        self._shards = self._read_header(content.pop(b"", b""))
        self._slices = {key: value for key, value in content.items() if key.startswith(_SLICE)}
        entries = {key: value for key, value in content.items() if key not in self._slices}
        self.tensors: Mapping[str, StoredTensor] = {
            name: self._tensor(name, self._entry(value, name))
            for name, value in (
                (key.decode(errors="backslashreplace"), value) for key, value in entries.items()
            )
        }

    def _read_header(self, content: bytes) -> int:
        try:
            header = BundleHeaderProto.FromString(content)
        except DecodeError:
            raise self._damaged("its header") from None
        if header.endianness != 0:
            raise TfcrossError(
                f"{self.index}: written on a big-endian machine; save the checkpoint on a little-endian one."
            )
        if header.version.min_consumer > _VERSION:
            raise TfcrossError(
                f"{self.index}: format version {header.version.producer} asks for readers of version "
                f"{header.version.min_consumer}; this one is of {_VERSION}."
            )
        if header.num_shards < 1:
            raise self._damaged(f"{header.num_shards} data files")
        return int(header.num_shards)

    def _damaged(self, what: str) -> TfcrossError:
        return TfcrossError(f"{self.index}: the file is damaged ({what}); copy the checkpoint again.")

    def _entry(self, content: bytes, name: str) -> Any:
        try:
            return BundleEntryProto.FromString(content)
        except DecodeError:
            raise self._damaged(f"the entry of {quoted(name)}") from None

    def _tensor(self, name: str, entry: Any) -> StoredTensor:
        try:
            shape = shape_of(entry.shape)
            if entry.dtype == STRING and not entry.slices:
                return StoredTensor(name, STRING, shape, (), partial(self._read_strings, name, entry, shape))
            return StoredTensor(name, entry.dtype, shape, tuple(self._pieces(name, entry, shape)))
        except (BadTensor, BadSlice) as error:
            raise self._damaged(f"the entry of {quoted(name)}: {error}") from None

    def _pieces(self, name: str, entry: Any, shape: tuple[int, ...]) -> Iterator[Piece]:
        """None for a type that no constant can hold, of which the checkpoint may be full."""
        try:
            size = element_size(entry.dtype)
        except BadSlice:
            return
        if not entry.slices:
            yield self._piece(name, entry, whole(shape), size)
        for message in entry.slices:
            extents = proto_extents(message)
            content = self._slices.get(slice_key(name, extents))
            if content is None:
                raise BadSlice(f"the slice {extents} is not there")
            yield self._piece(name, self._entry(content, name), resolve(extents, shape), size)

    def _piece(self, name: str, entry: Any, extents: Any, size: int) -> Piece:
        if entry.size != elements(extents) * size:
            raise BadSlice(f"{elements(extents)} elements in {entry.size} bytes")
        return Piece(extents, partial(self._read, name, entry))

    def _shard(self, entry: Any, name: str) -> Path:
        if not 0 <= entry.shard_id < self._shards or entry.offset < 0 or entry.size < 0:
            raise self._damaged(f"the entry of {quoted(name)}: data file {entry.shard_id} of {self._shards}")
        shard = f"{self.prefix.name}.data-{entry.shard_id:05d}-of-{self._shards:05d}"
        path = self.prefix.with_name(shard)
        if not path.is_file():
            raise TfcrossError(
                f"{path}: there is no such file, and the checkpoint needs it; copy all of its files."
            )
        if entry.offset + entry.size > path.stat().st_size:
            raise TfcrossError(
                f"{path}: truncated: {quoted(name)} should end at byte {entry.offset + entry.size} of "
                f"{path.stat().st_size}; copy the checkpoint again."
            )
        return path

    def _read(self, name: str, entry: Any) -> Iterator[bytes]:
        """The bytes of an entry; the last chunk comes only if the checksum is right."""
        shard = self._shard(entry, name)
        left, crc = entry.size, 0
        with shard.open("rb") as stream:
            stream.seek(entry.offset)
            while left > 0:
                chunk = stream.read(min(left, _CHUNK))
                left -= len(chunk)
                crc = extend(crc, chunk)
                if not chunk or (not left and mask(crc) != entry.crc32c):
                    raise _wrong_checksum(shard, name)
                yield chunk

    def _read_strings(self, name: str, entry: Any, shape: tuple[int, ...]) -> list[bytes]:
        """Lengths as varints, their masked CRC32C, then the strings; the entry's checksum covers all."""
        shard = self._shard(entry, name)
        count = elements(whole(shape))
        with shard.open("rb") as stream:
            stream.seek(entry.offset)
            content = stream.read(entry.size)
        if count > len(content):
            raise _wrong_checksum(shard, name)
        lengths, at = _lengths(content, count)
        crc = 0
        for length in lengths:
            crc = extend(crc, struct.pack("<I" if length < 1 << 32 else "<Q", length))
        stored = content[at : at + 4]
        crc = extend(crc, stored)
        body = content[at + 4 :]
        if len(stored) != 4 or sum(lengths) != len(body) or mask(extend(crc, body)) != entry.crc32c:
            raise _wrong_checksum(shard, name)
        return [body[end - length : end] for end, length in zip(accumulate(lengths), lengths, strict=True)]


def _lengths(content: bytes, count: int) -> tuple[list[int], int]:
    """``count`` varints of at most 64 bits, and the offset after them; what is no varint counts as 0."""
    lengths, at = [], 0
    for _ in range(count):
        value = shift = 0
        for byte in content[at : at + 9]:
            value |= (byte & 0x7F) << shift
            at, shift = at + 1, shift + 7
            if byte < 0x80:
                break
        lengths.append(value)
    return lengths, at


def _wrong_checksum(shard: Path, name: str) -> TfcrossError:
    return TfcrossError(
        f"{shard}: the file is damaged (the checksum of {quoted(name)} is wrong); copy the checkpoint again."
    )
