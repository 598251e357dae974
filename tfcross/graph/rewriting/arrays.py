"""Evaluators of ops that move, join and cut tensors, or tell their shape."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tfcross.graph.rewriting.evaluation import (
    Attributes,
    CannotEvaluate,
    Evaluator,
    axis_of,
    check_size,
    whole_number,
    whole_numbers,
)
from tfcross.graph.rewriting.tensors import Array


def _same(attributes: Attributes, values: Sequence[Array]) -> Sequence[Array]:
    return values


def _shape(attributes: Attributes, values: Sequence[Array]) -> Sequence[Array]:
    kind = attributes.dtype("out_type", "DT_INT32")
    return [np.array(value.shape, dtype=kind) for value in values]


def _size(attributes: Attributes, values: Sequence[Array]) -> Sequence[Array]:
    return [np.array(values[0].size, dtype=attributes.dtype("out_type", "DT_INT32"))]


def _rank(attributes: Attributes, values: Sequence[Array]) -> Sequence[Array]:
    return [np.array(values[0].ndim, dtype=np.int32)]


def _reshape(attributes: Attributes, values: Sequence[Array]) -> Sequence[Array]:
    shape = whole_numbers(values[1])
    if min(shape, default=0) < -1:
        raise CannotEvaluate(f"{shape} is no shape")
    return [values[0].reshape(shape)]


def _expand_dims(attributes: Attributes, values: Sequence[Array]) -> Sequence[Array]:
    return [np.expand_dims(values[0], axis_of(values[1], values[0].ndim + 1))]


def _squeeze(attributes: Attributes, values: Sequence[Array]) -> Sequence[Array]:
    axes = attributes.integers("squeeze_dims")
    return [np.squeeze(values[0], tuple(axes) if axes else None)]


def _transpose(attributes: Attributes, values: Sequence[Array]) -> Sequence[Array]:
    return [np.transpose(values[0], whole_numbers(values[1]))]


def _fill(attributes: Attributes, values: Sequence[Array]) -> Sequence[Array]:
    shape = whole_numbers(values[0])
    check_size(shape)
    return [np.full(shape, values[1].reshape(()), dtype=values[1].dtype)]


def _broadcast_to(attributes: Attributes, values: Sequence[Array]) -> Sequence[Array]:
    shape = whole_numbers(values[1])
    check_size(shape)
    return [np.broadcast_to(values[0], shape)]


def _range(attributes: Attributes, values: Sequence[Array]) -> Sequence[Array]:
    start, limit, delta = (value.reshape(()) for value in values)
    if not delta or not all(np.isfinite(value) for value in (start, limit, delta)):
        raise CannotEvaluate("a range without an end")
    count = max(0, math.ceil((limit.item() - start.item()) / delta.item()))
    check_size([count])
    steps = np.arange(count, dtype=start.dtype) * delta + start
    return [np.asarray(steps).astype(start.dtype)]


def _pack(attributes: Attributes, values: Sequence[Array]) -> Sequence[Array]:
    check_size([len(values), *values[0].shape])
    return [np.stack(values, attributes.integer("axis"))]


def _unpack(attributes: Attributes, values: Sequence[Array]) -> Sequence[Array]:
    moved = np.moveaxis(values[0], attributes.integer("axis"), 0)
    return [np.ascontiguousarray(part) for part in moved]


def _concat_v2(attributes: Attributes, values: Sequence[Array]) -> Sequence[Array]:
    return _concat(attributes, [values[-1], *values[:-1]])


def _concat(attributes: Attributes, values: Sequence[Array]) -> Sequence[Array]:
    """The axis comes first."""
    axis, *parts = values
    check_size([sum(part.size for part in parts)])
    return [np.concatenate(parts, axis_of(axis, parts[0].ndim))]


def _split(attributes: Attributes, values: Sequence[Array]) -> Sequence[Array]:
    axis, value = values
    count = attributes.integer("num_split")
    if not 0 < count <= 1 << 16:
        raise CannotEvaluate(f"a split into {count}")
    return np.split(value, count, axis_of(axis, value.ndim))


def _split_v(attributes: Attributes, values: Sequence[Array]) -> Sequence[Array]:
    value, sizes, axis = values
    numbers = whole_numbers(sizes)
    if min(numbers, default=-1) < 0:
        raise CannotEvaluate("a size that is not told")
    return np.split(value, np.cumsum(numbers)[:-1].tolist(), axis_of(axis, value.ndim))


def _tile(attributes: Attributes, values: Sequence[Array]) -> Sequence[Array]:
    value, counts = values[0], whole_numbers(values[1])
    check_size([size * count for size, count in zip(value.shape, counts, strict=True)])
    return [np.tile(value, counts)]


def _pad(attributes: Attributes, values: Sequence[Array]) -> Sequence[Array]:
    value, margins = values[0], values[1].reshape(-1, 2).tolist()
    check_size([size + sum(margin) for size, margin in zip(value.shape, margins, strict=True)])
    filler = values[2].reshape(()) if len(values) > 2 else np.zeros((), value.dtype)
    return [np.pad(value, margins, constant_values=filler.item())]


def _gather(attributes: Attributes, values: Sequence[Array]) -> Sequence[Array]:
    """Along ``axis`` of GatherV2, else along the first one."""
    value, indices = values[:2]
    axis = axis_of(values[2], value.ndim) if len(values) > 2 else 0
    if attributes.integer("batch_dims"):
        raise CannotEvaluate("a gather in batches")
    if indices.size and not 0 <= indices.min() <= indices.max() < value.shape[axis]:
        raise CannotEvaluate("an index that is not there")
    check_size([indices.size, *value.shape[:axis], *value.shape[axis + 1 :]])
    return [np.take(value, indices, axis)]


def _slice(attributes: Attributes, values: Sequence[Array]) -> Sequence[Array]:
    """A size of -1 goes to the end."""
    value, begins, sizes = values[0], whole_numbers(values[1]), whole_numbers(values[2])
    cuts = []
    for length, begin, size in zip(value.shape, begins, sizes, strict=True):
        end = length if size == -1 else begin + size
        if not 0 <= begin <= end <= length:
            raise CannotEvaluate("a slice beyond the tensor")
        cuts.append(slice(begin, end))
    return [value[tuple(cuts)]]


def _strided_slice(attributes: Attributes, values: Sequence[Array]) -> Sequence[Array]:
    value = values[0]
    begins, ends, strides = (whole_numbers(array) for array in values[1:])
    masks = {
        name: attributes.integer(f"{name}_mask")
        for name in ("begin", "end", "ellipsis", "new_axis", "shrink_axis")
    }
    cuts: list[Any] = []
    for number, (begin, end, stride) in enumerate(zip(begins, ends, strides, strict=True)):
        set_masks = {name for name, mask in masks.items() if mask >> number & 1}
        if "ellipsis" in set_masks:
            cuts.append(Ellipsis)
        elif "new_axis" in set_masks:
            cuts.append(None)
        elif "shrink_axis" in set_masks:
            cuts.append(begin)
        else:
            first = None if "begin" in set_masks else begin
            last = None if "end" in set_masks else end
            cuts.append(slice(first, last, stride))
    return [np.ascontiguousarray(value[tuple(cuts)]).reshape(value[tuple(cuts)].shape)]


def _reverse(attributes: Attributes, values: Sequence[Array]) -> Sequence[Array]:
    return [np.flip(values[0], tuple(axis % values[0].ndim for axis in whole_numbers(values[1])))]


def _zeros(attributes: Attributes, values: Sequence[Array]) -> Sequence[Array]:
    return [np.zeros_like(values[0])]


def _ones(attributes: Attributes, values: Sequence[Array]) -> Sequence[Array]:
    return [np.ones_like(values[0])]


def _invert_permutation(attributes: Attributes, values: Sequence[Array]) -> Sequence[Array]:
    order = whole_numbers(values[0])
    if sorted(order) != list(range(len(order))):
        raise CannotEvaluate("no permutation")
    return [np.argsort(values[0]).astype(values[0].dtype)]


def _matmul(attributes: Attributes, values: Sequence[Array]) -> Sequence[Array]:
    left, right = (
        value.T if attributes.flag(f"transpose_{side}") else value
        for value, side in zip(values, "ab", strict=True)
    )
    check_size([left.shape[0], right.shape[1]])
    return [np.matmul(left, right)]


def _argmax(attributes: Attributes, values: Sequence[Array]) -> Sequence[Array]:
    kind = attributes.dtype("output_type", "DT_INT64")
    return [np.argmax(values[0], axis_of(values[1], values[0].ndim)).astype(kind)]


def _one_hot(attributes: Attributes, values: Sequence[Array]) -> Sequence[Array]:
    indices, depth, on, off = values
    if attributes.integer("axis", -1) != -1:
        raise CannotEvaluate("another axis than the last")
    check_size([indices.size, whole_number(depth)])
    chosen = indices[..., np.newaxis] == np.arange(whole_number(depth))
    return [np.where(chosen, on, off).astype(on.dtype)]


ARRAYS: Mapping[str, Evaluator] = {
    "ArgMax": _argmax,
    "BroadcastTo": _broadcast_to,
    "Concat": _concat,
    "ConcatV2": _concat_v2,
    "ExpandDims": _expand_dims,
    "Fill": _fill,
    "Gather": _gather,
    "GatherV2": _gather,
    "Identity": _same,
    "IdentityN": _same,
    "InvertPermutation": _invert_permutation,
    "MatMul": _matmul,
    "OneHot": _one_hot,
    "OnesLike": _ones,
    "Pack": _pack,
    "Pad": _pad,
    "PadV2": _pad,
    "PreventGradient": _same,
    "Range": _range,
    "Rank": _rank,
    "Reshape": _reshape,
    "ReverseV2": _reverse,
    "Shape": _shape,
    "ShapeN": _shape,
    "Size": _size,
    "Slice": _slice,
    "Snapshot": _same,
    "Split": _split,
    "SplitV": _split_v,
    "Squeeze": _squeeze,
    "StopGradient": _same,
    "StridedSlice": _strided_slice,
    "Tile": _tile,
    "Transpose": _transpose,
    "Unpack": _unpack,
    "ZerosLike": _zeros,
}
