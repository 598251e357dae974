"""Sorted tables of LevelDB's form: the index of a V2 checkpoint, and all of a V1 checkpoint.

::

    block*           entries, restart offsets (uint32 each), their count; then 1 byte: how it is compressed,
                     and the masked CRC32C of block and byte
    footer, 48 bytes two handles (offset and size as varints; of metadata, and of the index), zeros, magic

An entry is: bytes shared with the key before, bytes of the rest of the key, bytes of the value (varints),
the rest of the key, the value. The index has a key not below those of a block, and the block's handle as
value.
"""

from __future__ import annotations

import struct
from bisect import bisect_left
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tfcross.errors import TfcrossError
from tfcross.graph.checkpoints.checksum import extend, mask

MAGIC = struct.pack("<Q", 0xDB4775248B80FB57)
_FOOTER, _TRAILER = 48, 5
_RAW, _SNAPPY = 0, 1
_SNAPPY_RATIO = 64  # a copy of 64 bytes takes two at least


class Handle(NamedTuple):
    offset: int
    size: int


class _BadBlock(ValueError):
    """What is wrong with a block's content."""


class Table:
    """A table file; only its index is kept. Raises TfcrossError for a file that is damaged, also later."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._size = path.stat().st_size
        footer = self._read(max(self._size - _FOOTER, 0), min(self._size, _FOOTER))
        if len(footer) < _FOOTER or not footer.endswith(MAGIC):
            raise TfcrossError(
                f"{path}: no checkpoint table, or a truncated one (the last 8 of its {self._size} bytes "
                "are not "
                "a table's); copy the checkpoint again."
            )
        try:
            at = _varint(footer, _varint(footer, 0)[1])[1]
            index = self._block(_handle(footer[at:]))
            self._index = [(key, _handle(value)) for key, value in _entries(index)]
        except _BadBlock as error:
            raise self._damaged(f"its index: {error}") from None

    def items(self) -> Iterator[tuple[bytes, memoryview]]:
        """All keys and values, in the order of keys."""
        for _, handle in self._index:
            yield from self._block_items(handle)

    def get(self, key: bytes) -> memoryview | None:
        """The value of ``key``, None if the table has none."""
        at = bisect_left(self._index, key, key=lambda entry: entry[0])
        if at == len(self._index):
            return None
        return next((value for name, value in self._block_items(self._index[at][1]) if name == key), None)

    def _block_items(self, handle: Handle) -> Iterator[tuple[bytes, memoryview]]:
        try:
            yield from _entries(self._block(handle))
        except _BadBlock as error:
            raise self._damaged(f"the block at byte {handle.offset}: {error}") from None

    def _damaged(self, what: str) -> TfcrossError:
        return TfcrossError(f"{self.path}: the file is damaged ({what}); copy the checkpoint again.")

    def _read(self, offset: int, size: int) -> bytes:
        with self.path.open("rb") as stream:
            stream.seek(offset)
            return stream.read(size)

    def _block(self, handle: Handle) -> memoryview:
        """The content of a block, which in V1 checkpoints can be large: it is not copied."""
        if handle.offset + handle.size + _TRAILER > self._size:
            raise _BadBlock(f"{handle.size} bytes at {handle.offset} are beyond its end")
        content = self._read(handle.offset, handle.size)
        trailer = self._read(handle.offset + handle.size, _TRAILER)
        crc = mask(extend(extend(0, content), trailer[:1]))
        if len(trailer) != _TRAILER or struct.pack("<I", crc) != trailer[1:]:
            raise _BadBlock("its checksum is wrong")
        if trailer[0] == _SNAPPY:
            return _unpacked(content)
        if trailer[0] != _RAW:
            raise _BadBlock(f"compressed in the unknown way {trailer[0]}")
        return memoryview(content)


def _unpacked(content: bytes) -> memoryview:
    import cramjam  # TensorFlow itself writes no compressed table

    if _varint(content, 0)[0] > len(content) * _SNAPPY_RATIO:
        raise _BadBlock("no Snappy data")
    try:
        return memoryview(bytes(cramjam.snappy.decompress_raw(content)))
    except cramjam.DecompressionError:
        raise _BadBlock("no Snappy data") from None


def _varint(data: bytes | memoryview, at: int) -> tuple[int, int]:
    """The number at ``at`` and the offset after it."""
    value = 0
    for position in range(at, min(at + 10, len(data))):
        value |= (data[position] & 0x7F) << 7 * (position - at)
        if data[position] < 0x80:
            return value, position + 1
    raise _BadBlock("a number without an end")


def _handle(data: bytes | memoryview) -> Handle:
    offset, at = _varint(data, 0)
    return Handle(offset, _varint(data, at)[0])


def _entries(block: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    if len(block) < 4:
        raise _BadBlock("it is too short")
    end = len(block) - 4 - 4 * int.from_bytes(block[-4:], "little")
    if end < 0:
        raise _BadBlock("more restart points than bytes")
    at, key = 0, b""
    while at < end:
        shared, at = _varint(block, at)
        rest, at = _varint(block, at)
        size, at = _varint(block, at)
        if shared > len(key) or at + rest + size > end:
            raise _BadBlock("an entry beyond its end")
        key = key[:shared] + bytes(block[at : at + rest])
        yield key, block[at + rest : at + rest + size]
        at += rest + size
