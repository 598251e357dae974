"""Writes checkpoints for tests, byte by byte, also such as TensorFlow never writes."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cramjam
import google_crc32c

from tfcross.graph.messages import BundleEntryProto, BundleHeaderProto, SavedTensorSlices

FLOAT, INT32, STRING, HALF = 1, 3, 7, 19
MAGIC = bytes.fromhex("57fb808b247547db")
Extents = Sequence[tuple[int, int]]


def masked(content: bytes) -> int:
    crc = google_crc32c.value(content)
    return ((crc >> 15 | crc << 17 & 0xFFFFFFFF) + 0xA282EAD8) & 0xFFFFFFFF


def varint(number: int) -> bytes:
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def block(entries: Sequence[tuple[bytes, bytes]]) -> bytes:
    """With the keys' common beginnings left out, as tables have them."""
    content, last = b"", b""
    for key, value in entries:
        shared = next(
            (i for i, (a, b) in enumerate(zip(key, last, strict=False)) if a != b), min(len(key), len(last))
        )
        content += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
        last = key
    return content + struct.pack("<II", 0, 1)


def table(entries: Mapping[bytes, bytes], per_block: int = 2, snappy: bool = False) -> bytes:
    """The bytes of a sorted table."""
    content, index = b"", []

    def add(raw: bytes) -> bytes:
        nonlocal content
        stored = bytes(cramjam.snappy.compress_raw(raw)) if snappy else raw
        kind = bytes([snappy])
        handle = varint(len(content)) + varint(len(stored))
        content += stored + kind + struct.pack("<I", masked(stored + kind))
        return handle

    items = sorted(entries.items())
    for start in range(0, len(items), per_block):
        part = items[start : start + per_block]
        index.append((part[-1][0], add(block(part))))
    handles = add(block([])) + add(block(index))
    return content + handles.ljust(40, b"\0") + MAGIC


def slice_key(name: str, extents: Extents) -> bytes:
    """For starts and sizes of -1 … 63, which take one byte each."""
    numbers = bytes(0x80 + n if n >= 0 else 0x7F for extent in extents for n in extent)
    return b"\0" + name.encode() + b"\0\1" + (bytes([1, len(extents)]) if extents else b"\0") + numbers


@dataclass
class Tensor:
    """``slices`` (extents and content) in place of ``content``; of strings ``content`` is a list."""

    dtype: int
    shape: Sequence[int]
    content: bytes | list[bytes] = b""
    slices: Sequence[tuple[Extents, bytes]] = ()
    shard: int = 0


def string_content(items: list[bytes]) -> tuple[bytes, int]:
    """The bytes and the checksum, which is over lengths of four bytes in place of the varints."""
    lengths = b"".join(struct.pack("<I", len(item)) for item in items)
    checksum = struct.pack("<I", masked(lengths))
    body = b"".join(items)
    return b"".join(varint(len(item)) for item in items) + checksum + body, masked(lengths + checksum + body)


def write_bundle(
    prefix: Path,
    tensors: Mapping[str, Tensor],
    shards: int = 1,
    endianness: int = 0,
    min_consumer: int = 0,
    snappy: bool = False,
) -> None:
    """A checkpoint of format V2."""
    header = BundleHeaderProto(num_shards=shards, endianness=endianness)
    header.version.producer, header.version.min_consumer = 1, min_consumer
    data = [bytearray() for _ in range(shards)]
    entries = {b"": header.SerializeToString()}

    def entry(tensor: Tensor, shape: Sequence[int], content: bytes, checksum: int | None = None) -> bytes:
        message = BundleEntryProto(dtype=tensor.dtype, shard_id=tensor.shard, size=len(content))
        message.offset = len(data[tensor.shard])
        message.crc32c = masked(content) if checksum is None else checksum
        message.shape.SetInParent()
        for size in shape:
            message.shape.dim.add(size=size)
        data[tensor.shard].extend(content)
        return bytes(message.SerializeToString())

    for name, tensor in tensors.items():
        if isinstance(tensor.content, list):
            entries[name.encode()] = entry(tensor, tensor.shape, *string_content(tensor.content))
            continue
        whole = BundleEntryProto.FromString(entry(tensor, tensor.shape, tensor.content))
        for extents, content in tensor.slices:
            added = whole.slices.add()
            for start, size in extents:
                added.extent.add(**({"start": start, "length": size} if size >= 0 else {}))
            sizes = [
                full if size < 0 else size for (_, size), full in zip(extents, tensor.shape, strict=True)
            ]
            entries[slice_key(name, extents)] = entry(tensor, sizes, content)
        entries[name.encode()] = whole.SerializeToString()
    prefix.with_name(prefix.name + ".index").write_bytes(table(entries, snappy=snappy))
    for number, content in enumerate(data):
        prefix.with_name(f"{prefix.name}.data-{number:05d}-of-{shards:05d}").write_bytes(content)


def write_slice_table(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """A file of a checkpoint of format V1."""
    entries, meta = {}, SavedTensorSlices()
    meta.meta.versions.producer = 1
    for name, tensor in tensors.items():
        saved = meta.meta.tensor.add(name=name, type=tensor.dtype)
        saved.shape.SetInParent()
        for size in tensor.shape:
            saved.shape.dim.add(size=size)
        for extents, content in tensor.slices or [([(0, -1)] * len(tensor.shape), tensor.content)]:
            message = saved.slice.add()
            for start, size in extents:
                message.extent.add(**({"start": start, "length": size} if size >= 0 else {}))
            value = SavedTensorSlices()
            value.data.name = name
            value.data.slice.CopyFrom(message)
            if tensor.dtype == FLOAT:
                value.data.data.float_val.extend(struct.unpack(f"<{len(content) // 4}f", content))
            elif tensor.dtype == INT32:
                value.data.data.int_val.extend(struct.unpack(f"<{len(content) // 4}i", content))
            elif tensor.dtype == HALF:
                value.data.data.half_val.extend(struct.unpack(f"<{len(content) // 2}H", content))
            else:
                value.data.data.string_val.extend(content)
            entries[slice_key(name, extents)] = value.SerializeToString()
    entries[b""] = meta.SerializeToString()
    path.write_bytes(table(entries))


def floats(*numbers: float) -> bytes:
    return struct.pack(f"<{len(numbers)}f", *numbers)
