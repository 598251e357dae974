"""Dense hash tables in checkpoints: all of their buckets, most of them empty; a graph needs the others."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

from tfcross.graph.freezing.frozen import Value
from tfcross.graph.tensors import STRING, BadTensor, array_of, make_tensor, string_tensor, strings_of

DENSE = ("MutableDenseHashTable", "MutableDenseHashTableV2")
Row = bytes | tuple[bytes, ...]
"""The elements of an entry: their bytes, of strings one by one."""


def rows(value: Value, number: int) -> list[Row]:
    """The elements of ``value`` in that number of equal parts. Raises BadTensor."""
    if value.dtype == STRING:
        texts = strings_of(value.tensor)
        size = len(texts) // max(number, 1)
        return [tuple(texts[at * size : (at + 1) * size]) for at in range(number)]
    content = b"".join(value.read()) if value.read else array_of(value.tensor).tobytes()
    size = len(content) // max(number, 1)
    return [content[at * size : (at + 1) * size] for at in range(number)]


def entries(
    keys: Value, values: Value, absent: Collection[Row], shapes: tuple[Sequence[int], Sequence[int]]
) -> tuple[Value, Value]:
    """``keys`` and ``values`` without the buckets whose key is in ``absent``.

    ``shapes`` are those of one key and of one value. Raises BadTensor.
    """
    number = keys.shape[0] if keys.shape else 0
    pairs = zip(rows(keys, number), rows(values, number), strict=True)
    kept = [(key, value) for key, value in pairs if key not in absent]
    return (
        _value(keys.dtype, [key for key, _ in kept], shapes[0]),
        _value(values.dtype, [value for _, value in kept], shapes[1]),
    )


def _value(dtype: int, parts: Sequence[Row], shape: Sequence[int]) -> Value:
    whole = (len(parts), *shape)
    if dtype == STRING:
        texts = [text for part in parts if isinstance(part, tuple) for text in part]
        if len(texts) != math.prod(whole):
            raise BadTensor(f"{len(texts)} strings for the shape {list(whole)}")
        return Value(dtype, whole, string_tensor(whole, texts))
    content = b"".join(part for part in parts if isinstance(part, bytes))
    return Value(dtype, whole, make_tensor(dtype, whole, content))
