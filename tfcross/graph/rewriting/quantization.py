"""Floats in eight bits, as TensorFlow stores them: a code from 0 to 255 and the range that the codes span.

The lowest number of the range has the code 0, the highest 255: in the range -10 to 20, the numbers -10, 20
and 0 are 0, 255 and 85. The grid is laid so that 0.0 has a code of its own and comes back as exactly 0.0; see
:func:`with_exact_zero` for the ranges in which it would not.
"""

from __future__ import annotations

import numpy as np

from tfcross.graph.rewriting.tensors import Array

_HIGHEST = 255
_NUDGES = 8
_PIECE = 1 << 20  # elements at a time: in doubles, all of them would take eight times the memory
_SMALLEST = np.finfo(np.float32).tiny  # where TensorFlow starts to look for the largest value


def rounded(values: Array) -> Array:
    """To the nearest whole number; a half goes away from zero, as C rounds."""
    whole = np.trunc(values)
    return np.asarray(np.where(np.abs(values - whole) >= 0.5, whole + np.sign(values), whole))


def value_range(values: Array) -> tuple[float, float]:
    """The lowest and the highest of ``values``; the highest is at least the smallest positive float.

    NaNs do not count.
    """
    low = np.fmin.reduce(values, axis=None, initial=np.finfo(np.float32).max)
    high = np.fmax.reduce(values, axis=None, initial=_SMALLEST)
    return float(low), float(high)


def with_zero(low: float, high: float) -> tuple[float, float]:
    """The range made to include 0.0, which all quantized kernels need."""
    return min(low, 0.0), max(high, 0.0)


def widened(low: float, high: float) -> tuple[float, float]:
    """A range of a single number has no grid: the number stays at one end, and the other moves away.

    By 1 where it is zero, else by itself. Other ranges stay as they are.
    """
    if low != high:
        return low, high
    if abs(low) < 1e-6:
        return low, float(np.float32(low + 1))
    return (low, 2 * low) if low > 0 else (2 * high, high)


def with_exact_zero(low: float, high: float) -> tuple[float, float]:
    """The range in which the kernels agree on the code of 0.0, which has to be in it.

    Where ``low`` is half-way between two steps, as in -1 to 1, one kernel rounds it up and another down, and
    every number comes back a step off. A slightly larger ``high`` ends that.
    """
    zero = np.zeros(1, np.float32)
    for _ in range(_NUDGES):
        if dequantize(quantize(zero, low, high), low, high)[0] == 0:
            break
        high = float(np.float32(high * (1 + 2**-20)))
    return low, high


def quantize(values: Array, low: float, high: float) -> Array:
    """The codes; what is beyond the range gets the nearest one.

    In a range of a single number (``low`` = ``high``) every code is 0. Raises ValueError if ``low`` is
    above ``high``.
    """
    check_range(low, high)
    if low == high:
        return np.zeros(np.shape(values), np.uint8)
    steps = _HIGHEST + 1
    span = float(np.float32(high) - np.float32(low)) * (steps / _HIGHEST)
    scale = steps / span
    first = rounded(np.asarray(low * scale))
    flat = np.asarray(values).reshape(-1)
    codes = np.empty(flat.size, np.uint8)
    for start in range(0, flat.size, _PIECE):
        piece = rounded(flat[start : start + _PIECE].astype(np.float64) * scale) - first
        codes[start : start + _PIECE] = np.clip(piece, 0, _HIGHEST)
    return codes.reshape(np.shape(values))


def dequantize(codes: Array, low: float, high: float) -> Array:
    """The floats that a runtime makes of ``codes``; with ``low`` = ``high`` all are that number.

    Raises ValueError if ``low`` is above ``high``.
    """
    check_range(low, high)
    lowest = np.float32(low)
    if low == high:
        return np.full(np.shape(codes), lowest, np.float32)
    scale = np.float32((np.float32(high) - lowest) / np.float64(_HIGHEST))
    lowest = np.float32(rounded(np.asarray(lowest / scale)) * scale)
    return np.asarray(lowest + np.asarray(codes, np.float32) * scale, np.float32)


def check_range(low: float, high: float) -> None:
    if not low <= high:
        raise ValueError(f"the range {low:g} to {high:g} ends below its start")


def quantize_channels(values: Array, axis: int) -> tuple[Array, Array]:
    """Signed codes, and for each channel along ``axis`` the largest value: its range is minus that to that.

    127 is the largest value's code; -128 is not used, so that zero is in the middle and exact.
    """
    others = tuple(number for number in range(values.ndim) if number != axis)
    largest = np.max(np.abs(values), axis=others, keepdims=True)
    scale = np.where(largest > 0, largest, 1).astype(np.float64) / 127
    codes = np.clip(rounded(values.astype(np.float64) / scale), -127, 127).astype(np.int8)
    return codes, np.where(largest > 0, largest, 1).astype(np.float32).ravel()


def dequantize_channels(codes: Array, largest: Array, axis: int) -> Array:
    """The floats that a runtime makes of what :func:`quantize_channels` gave."""
    shape = [1] * codes.ndim
    shape[axis] = -1
    scale = (largest / np.float32(127)).reshape(shape)
    return np.asarray(codes.astype(np.float32) * scale, np.float32)
