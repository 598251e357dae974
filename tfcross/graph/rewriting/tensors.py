"""Tensors of a graph as numpy arrays, and back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfcross.graph.construction import make_node
from tfcross.graph.messages import DTYPES, AttrValue, base_dtype, dtype_name

Array = NDArray[Any]

#: dtype -> numpy's name, and the field that holds single elements. Quantized types are their integers.
_TYPES: Mapping[str, tuple[str, str]] = {
    "DT_FLOAT": ("<f4", "float_val"),
    "DT_DOUBLE": ("<f8", "double_val"),
    "DT_HALF": ("<f2", "half_val"),
    "DT_INT8": ("i1", "int_val"),
    "DT_UINT8": ("u1", "int_val"),
    "DT_INT16": ("<i2", "int_val"),
    "DT_UINT16": ("<u2", "int_val"),
    "DT_INT32": ("<i4", "int_val"),
    "DT_UINT32": ("<u4", "uint32_val"),
    "DT_INT64": ("<i8", "int64_val"),
    "DT_UINT64": ("<u8", "uint64_val"),
    "DT_BOOL": ("?", "bool_val"),
    "DT_QINT8": ("i1", "int_val"),
    "DT_QUINT8": ("u1", "int_val"),
    "DT_QINT16": ("<i2", "int_val"),
    "DT_QUINT16": ("<u2", "int_val"),
    "DT_QINT32": ("<i4", "int_val"),
    "DT_STRING": ("O", "string_val"),
}
_DTYPE_OF = {np.dtype(name): dtype for dtype, (name, _) in _TYPES.items() if not dtype.startswith("DT_Q")}
_MOST_FILLED = 1 << 24  # elements of a tensor that the file has not in full; more would only fill memory


class UnreadableTensor(ValueError):
    """What is wrong with a tensor, or what about it is not supported; the caller says which node has it."""


def numpy_type(dtype: str) -> np.dtype[Any] | None:
    """The element type for ``DT_…``; None for one that is not evaluated."""
    known = _TYPES.get(base_dtype(dtype))
    return np.dtype(known[0]) if known else None


def dtype_of(array: Array) -> str:
    """``DT_FLOAT`` of an array of float32."""
    dtype = _DTYPE_OF.get(array.dtype.newbyteorder("<"))
    if dtype is None:
        raise UnreadableTensor(f"no tensor has elements of {array.dtype}")
    return dtype


def _shape(proto: Any) -> tuple[int, ...]:
    shape = proto.tensor_shape
    sizes = tuple(dim.size for dim in shape.dim)
    if shape.unknown_rank or min(sizes, default=0) < 0 or len(sizes) > 32:
        raise UnreadableTensor("its value has no complete shape")
    return sizes


def read_tensor(proto: Any) -> Array:
    """The array of a TensorProto; not to be written to. Raises UnreadableTensor."""
    dtype = dtype_name(proto.dtype)
    kind, field = _TYPES.get(dtype, ("", ""))
    if not kind:
        raise UnreadableTensor(f"values of {dtype} are not evaluated")
    shape = _shape(proto)
    count = math.prod(shape)
    if proto.tensor_content and kind != "O":
        return _from_content(proto.tensor_content, kind, shape)
    listed = _listed(getattr(proto, field)[: max(count, 1)], kind)
    if len(listed) == count:
        return listed.reshape(shape)
    return _filled(listed, kind, shape, count)


def _listed(items: Any, kind: str) -> Array:
    """Small whole numbers are listed as int32, halves as the bits of theirs."""
    if kind == "<f2":
        return np.array(items, np.int64).astype("<u2").view("<f2")
    if np.dtype(kind).kind in "iu" and np.dtype(kind).itemsize < 8:
        return np.array(items, np.int64).astype(kind)
    return np.array(items, kind)


def _from_content(content: bytes, kind: str, shape: tuple[int, ...]) -> Array:
    if len(content) != math.prod(shape) * np.dtype(kind).itemsize:
        raise UnreadableTensor(
            f"its value has {len(content)} bytes, which is not what its shape {shape} takes"
        )
    return np.frombuffer(content, kind).reshape(shape)


def _filled(listed: Array, kind: str, shape: tuple[int, ...], count: int) -> Array:
    """The last listed element fills the rest, none listed means zeros."""
    if count > _MOST_FILLED:
        raise UnreadableTensor(f"its value stands for {count} elements and lists {len(listed)}")
    last = listed[-1] if len(listed) else (b"" if kind == "O" else np.zeros((), kind))
    if len(listed) < 2:
        return np.broadcast_to(np.array(last, dtype=kind), shape)
    return np.concatenate([listed, np.full(count - len(listed), last, dtype=kind)]).reshape(shape)


def write_tensor(array: Array, dtype: str = "") -> Any:
    """An AttrValue with the tensor; ``dtype`` only where it is a quantized type."""
    dtype = dtype or dtype_of(array)
    attr = AttrValue()
    attr.tensor.dtype = DTYPES[dtype]
    attr.tensor.tensor_shape.SetInParent()
    for size in array.shape:
        attr.tensor.tensor_shape.dim.add(size=size)
    if dtype == "DT_STRING":
        attr.tensor.string_val.extend(array.ravel().tolist())
    else:
        attr.tensor.tensor_content = np.ascontiguousarray(array).tobytes()
    return attr


def const_node(name: str, array: Array, inputs: tuple[str, ...] = (), dtype: str = "") -> Any:
    """A Const node; ``inputs`` can only be control."""
    value = write_tensor(array, dtype)
    return make_node(name, "Const", inputs, dtype=dtype_name(value.tensor.dtype), value=value)


def const_value(node: Any) -> Array:
    """What a Const node holds. Raises UnreadableTensor."""
    if node.op != "Const" or "value" not in node.attr or not node.attr["value"].HasField("tensor"):
        raise UnreadableTensor("it has no tensor as value")
    return read_tensor(node.attr["value"].tensor)


def scalar(value: float) -> Array:
    """A float scalar."""
    return np.array(value, dtype=np.float32)
