"""The elements of tensors as graphs and checkpoints hold them.

A TensorProto has its elements either as bytes (``tensor_content``) or in a list of their own kind, whose last
element then fills the rest; an empty list means zeros. bfloat16 and the float8 types stay bits, as numpy
has no types for them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from tfcross.graph.datatypes import NUMBERS, type_name
from tfcross.graph.messages import TensorProto

STRING = NUMBERS["string"]


class Storage(NamedTuple):
    """``field`` is the list of a TensorProto that holds single elements, ``wire`` the type of its items."""

    dtype: npt.DTypeLike
    field: str
    wire: npt.DTypeLike


def _storage() -> Mapping[int, Storage]:
    ints = {
        name: Storage(np.dtype(name), "int_val", np.int32) for name in ("int8", "int16", "int32", "uint8")
    }
    quantized = {
        f"q{name}": Storage(np.dtype(name), "int_val", np.int32)
        for name in ("int8", "int16", "int32", "uint8", "uint16")
    }
    others = {
        "float": Storage(np.float32, "float_val", np.float32),
        "double": Storage(np.float64, "double_val", np.float64),
        "uint16": Storage(np.uint16, "int_val", np.int32),
        "uint32": Storage(np.uint32, "uint32_val", np.uint32),
        "uint64": Storage(np.uint64, "uint64_val", np.uint64),
        "int64": Storage(np.int64, "int64_val", np.int64),
        "bool": Storage(np.bool_, "bool_val", np.bool_),
        "half": Storage(np.float16, "half_val", np.uint16),
        "bfloat16": Storage(np.uint16, "half_val", np.uint16),
        "complex64": Storage(np.complex64, "scomplex_val", np.float32),
        "complex128": Storage(np.complex128, "dcomplex_val", np.float64),
        "float8_e5m2": Storage(np.uint8, "float8_val", np.uint8),
        "float8_e4m3fn": Storage(np.uint8, "float8_val", np.uint8),
    }
    return {NUMBERS[name]: storage for name, storage in (ints | quantized | others).items()}


STORAGE: Mapping[int, Storage] = _storage()
"""By DataType number: all types of a fixed size."""


LARGEST = 1 << 31  # bytes of a protobuf message, and so of a graph


class BadTensor(ValueError):
    """What is wrong with a tensor; who holds it is for the reader to say."""


def shape_of(message: Any) -> tuple[int, ...]:
    """The sizes of a TensorShapeProto. Raises BadTensor for one that is not wholly known."""
    sizes = tuple(dim.size for dim in message.dim)
    if message.unknown_rank or min(sizes, default=0) < 0:
        raise BadTensor("its shape is not known")
    return sizes


def array_of(tensor: Any) -> npt.NDArray[Any]:
    """The elements of a TensorProto in its shape; read-only. Raises BadTensor."""
    shape = shape_of(tensor.tensor_shape)
    count = math.prod(shape)
    storage = STORAGE.get(tensor.dtype)
    if storage is None:
        raise BadTensor(f"its type {type_name(tensor.dtype)} has no elements of a fixed size")
    if count * np.dtype(storage.dtype).itemsize > LARGEST:
        raise BadTensor(f"{count} elements are more than a graph can hold")
    if tensor.tensor_content:
        dtype = np.dtype(storage.dtype)
        if len(tensor.tensor_content) != count * dtype.itemsize:
            raise BadTensor(f"{count} elements of {dtype} cannot be in {len(tensor.tensor_content)} bytes")
        return np.frombuffer(tensor.tensor_content, dtype).reshape(shape)
    return _filled(_listed(tensor, storage), count, np.dtype(storage.dtype)).reshape(shape)


def _listed(tensor: Any, storage: Storage) -> npt.NDArray[Any]:
    """The single elements; of complex numbers two items make one, of 16-bit floats an item is the bits."""
    items = getattr(tensor, storage.field)
    dtype = np.dtype(storage.dtype)
    if isinstance(items, bytes):
        return np.frombuffer(items, dtype)
    if storage.field == "half_val":
        return np.fromiter(items, np.int64, len(items)).astype(np.uint16).view(dtype)
    listed = np.fromiter(items, storage.wire, len(items))
    if dtype.kind == "c":
        return listed[: len(listed) // 2 * 2].view(dtype)
    return listed.astype(dtype)


def _filled(listed: npt.NDArray[Any], count: int, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """``listed`` or, where it is short, that with its last element repeated, without taking memory for it."""
    if len(listed) > count:
        raise BadTensor(f"it lists {len(listed)} elements for {count}")
    if len(listed) == count:
        return listed
    if len(listed) <= 1:
        return np.broadcast_to(listed[0] if len(listed) else np.zeros((), dtype), (count,))
    return np.concatenate([listed, np.broadcast_to(listed[-1], (count - len(listed),))])


def strings_of(tensor: Any) -> list[bytes]:
    """The elements of a TensorProto of strings, row-major. Raises BadTensor."""
    count = math.prod(shape_of(tensor.tensor_shape))
    listed = list(tensor.string_val)
    if len(listed) > count:
        raise BadTensor(f"it lists {len(listed)} strings for {count}")
    if count > max(len(listed), 1 << 20):
        raise BadTensor(f"{count} strings, of which it lists {len(listed)}")
    return listed + (listed[-1:] or [b""]) * (count - len(listed))


def make_tensor(dtype: int, shape: Sequence[int], content: bytes = b"") -> Any:
    """A TensorProto; ``content`` holds its elements, row-major and little-endian."""
    tensor = TensorProto(dtype=dtype, tensor_content=content)
    tensor.tensor_shape.SetInParent()
    for size in shape:
        tensor.tensor_shape.dim.add(size=size)
    return tensor


def string_tensor(shape: Sequence[int], items: Sequence[bytes]) -> Any:
    """A TensorProto of strings, row-major."""
    tensor = make_tensor(STRING, shape)
    tensor.string_val.extend(items)
    return tensor
