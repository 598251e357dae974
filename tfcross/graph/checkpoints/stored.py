"""A tensor as a checkpoint stores it: in one piece, or in slices of a partitioned variable.

A slice is a tuple of (start, size), one for each dimension.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tfcross.graph.datatypes import type_name
from tfcross.graph.tensors import STORAGE

Extents = tuple[tuple[int, int], ...]


class BadSlice(ValueError):
    """What is wrong with a slice; who asked for it is for the reader to say."""


@dataclass(frozen=True)
class Piece:
    """``read`` gives the elements, row-major and little-endian, in chunks; it raises TfcrossError."""

    extents: Extents
    read: Callable[[], Iterator[bytes | memoryview]]


@dataclass(frozen=True)
class StoredTensor:
    """``dtype`` is a DataType number. Pieces have the sizes that their extents tell.

    ``strings`` reads the elements of a tensor of strings, which has no pieces.
    """

    name: str
    dtype: int
    shape: tuple[int, ...]
    pieces: tuple[Piece, ...]
    strings: Callable[[], list[bytes]] | None = None

    def extents(self) -> Extents:
        return whole(self.shape)

    def require(self, extents: Extents) -> None:
        """Raises BadSlice if the pieces do not hold all of a slice."""
        overlaps = [_overlap(piece.extents, extents) for piece in self.pieces]
        covered = sum(elements(overlap) for overlap in overlaps if overlap is not None)
        if covered != elements(extents):
            raise BadSlice(f"its slices hold {covered} of {elements(extents)} elements")

    def read(self, extents: Extents) -> Iterator[bytes | memoryview]:
        """The elements of a slice that the pieces hold all of, in chunks."""
        exact = next((piece for piece in self.pieces if piece.extents == extents), None)
        if exact:
            return exact.read()
        return iter((self._assembled(extents).tobytes(),))

    def _assembled(self, extents: Extents) -> npt.NDArray[Any]:
        dtype = np.dtype(STORAGE[self.dtype].dtype)
        target = np.empty([size for _, size in extents], dtype)
        for piece in self.pieces:
            overlap = _overlap(piece.extents, extents)
            if overlap is not None:
                content = np.frombuffer(b"".join(piece.read()), dtype)
                source = content.reshape([size for _, size in piece.extents])
                target[_window(overlap, extents)] = source[_window(overlap, piece.extents)]
        return target


def whole(shape: tuple[int, ...]) -> Extents:
    return tuple((0, size) for size in shape)


def elements(extents: Extents) -> int:
    return math.prod(size for _, size in extents)


def _overlap(one: Extents, other: Extents) -> Extents | None:
    """What two slices share; None for nothing."""
    shared = []
    for (start, size), (other_start, other_size) in zip(one, other, strict=True):
        begin, end = max(start, other_start), min(start + size, other_start + other_size)
        if begin >= end:
            return None
        shared.append((begin, end - begin))
    return tuple(shared)


def _window(inner: Extents, outer: Extents) -> tuple[slice, ...]:
    """Where in an array of ``outer`` the slice ``inner`` is."""
    return tuple(
        slice(start - origin, start - origin + size)
        for (start, size), (origin, _) in zip(inner, outer, strict=True)
    )


def element_size(dtype: int) -> int:
    """Bytes of one element. Raises BadSlice for a type that has none of a fixed size."""
    if dtype not in STORAGE:
        raise BadSlice(f"a variable of the type {type_name(dtype)}, which no constant can hold")
    return np.dtype(STORAGE[dtype].dtype).itemsize


def parse_slice(spec: str, shape: tuple[int, ...]) -> Extents:
    """The extents of a saver's ``shape_and_slices``: ``256 10 0,86:-`` is the first 86 of 256 rows.

    "" is the whole tensor of ``shape``. Raises BadSlice.
    """
    if not spec:
        return whole(shape)
    *sizes, slices = spec.split(" ")
    try:
        full = tuple(int(size) for size in sizes)
        extents = [
            (0, -1) if part == "-" else tuple(map(int, part.split(",")))
            for part in slices.split(":")
            if slices
        ]
    except ValueError:
        raise BadSlice(f"no slice: '{spec}'") from None
    if full != shape:
        raise BadSlice(f"it has the shape {list(shape)}, and the graph wants a slice of {list(full)}")
    if any(len(extent) != 2 for extent in extents):
        raise BadSlice(f"no slice: '{spec}'")
    return resolve([(extent[0], extent[1]) for extent in extents], shape)


def resolve(extents: list[tuple[int, int]], shape: tuple[int, ...]) -> Extents:
    """``extents`` with the size -1, which is all of a dimension, put right. Raises BadSlice."""
    if len(extents) != len(shape):
        raise BadSlice(f"a slice of {len(extents)} dimensions in a tensor of {len(shape)}")
    resolved = tuple(
        (0, full) if size < 0 else (start, size) for (start, size), full in zip(extents, shape, strict=True)
    )
    if any(start < 0 or start + size > full for (start, size), full in zip(resolved, shape, strict=True)):
        raise BadSlice(f"a slice {list(resolved)} beyond the shape {list(shape)}")
    return resolved
