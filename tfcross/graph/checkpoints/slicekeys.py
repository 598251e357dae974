"""The keys of slices in checkpoints: a name and a slice in TensorFlow's OrderedCode."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def proto_extents(message: Any) -> list[tuple[int, int]]:
    """Start and size of each dimension of a TensorSliceProto; the size -1 is all of it."""
    return [
        (extent.start, extent.length) if extent.WhichOneof("value") else (0, -1) for extent in message.extent
    ]


def slice_key(name: str, extents: Iterable[tuple[int, int]]) -> bytes:
    """The key of the slice; ``extents`` as :func:`proto_extents` gives them."""
    text = name.encode().replace(b"\x00", b"\x00\xff")  # UTF-8 has no 0xff, the other byte to escape
    pairs = list(extents)
    numbers = b"".join(_signed(start) + _signed(size) for start, size in pairs)
    return b"\x00" + text + b"\x00\x01" + _unsigned(len(pairs)) + numbers


def _unsigned(number: int) -> bytes:
    size = (number.bit_length() + 7) // 8
    return bytes([size]) + number.to_bytes(size, "big")


def _signed(number: int) -> bytes:
    """As many bits set as there are bytes, then the number; negative ones have all bits inverted."""
    magnitude = ~number if number < 0 else number
    size = magnitude.bit_length() // 7 + 1
    header = (1 << size) - 1 << 7 * size
    code = (header | magnitude).to_bytes(size, "big")
    return bytes(byte ^ 0xFF for byte in code) if number < 0 else code
