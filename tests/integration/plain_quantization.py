"""What TensorFlow's plain kernels make of quantized values, step by step as its quantization_utils.h.

"Plain" is what a CPU without kernels of its own computes. A code is the integer that stands for a number.
Every float operation rounds to 32 bits where the C++ does; ``rounded`` halves away from zero, as std::round.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

F32, F64 = np.float32, np.float64
INT32 = np.iinfo(np.int32)
Array = NDArray[np.generic]


def rounded(values: object) -> Array:
    values = np.asarray(values)
    return (np.copysign(np.floor(np.abs(values.astype(F64)) + 0.5), values)).astype(values.dtype)


@dataclass(frozen=True)
class Range:
    """The numbers that the lowest and the highest code stand for, and how many bits a code has."""

    low: float
    high: float
    bits: int = 8

    @property
    def width(self) -> np.float32:
        return F32(F32(self.high) - F32(self.low))

    @property
    def lowest(self) -> int:
        """Codes of 8 bits begin at 0, those of 32 bits are signed."""
        return 0 if self.bits == 8 else INT32.min

    @property
    def zero(self) -> int:
        """The code of 0, which is none of the type's where the range does not hold 0."""
        steps = 2**self.bits
        scale = steps / (F64(self.width) * (steps / (steps - 1.0)))
        return int(-rounded(F64(F32(self.low)) * scale)) + self.lowest

    def numbers(self, codes: Array) -> Array:
        """Dequantize, mode MIN_FIRST."""
        step = F32(F64(self.width) / (2**self.bits - 1.0))
        low = F32(self.low) if step == 0 else F32(rounded(F32(F32(self.low) / step)) * step)
        return F32(low - F32(F32(self.lowest) * step)) + codes.astype(F32) * step

    def codes(self, numbers: Array) -> Array:
        """QuantizeV2, mode MIN_FIRST."""
        scale = F32(0) if self.width == 0 else F32((2**self.bits - 1.0) / F64(self.width))
        low = F32(rounded(F32(F32(self.low) * scale)) - F32(self.lowest))
        places = rounded(numbers.astype(F32) * scale) - low
        highest = 255.0 if self.bits == 8 else 2147483520.0  # the last float below 2^31
        return np.clip(places, F32(self.lowest), F32(highest)).astype(np.int32)


def requantize(codes: Array, given: Range, wanted: Range) -> Array:
    """Requantize from 32 bits to 8, in 64-bit fixed point."""
    ratio = F32(255.0 / F64(wanted.width))
    middle = F32(F64(F32(F32(given.low) + F32(given.high))) / 2.0)
    scale = int(255.0 * 65536 * F64(given.width) / F64(wanted.width))
    offset = int(F32(F32(middle * ratio) * F32(65536)))
    low = int(rounded(65536 * (F64(F32(wanted.low)) * 255.0) / F64(wanted.width)))
    values = ((np.array(_read(codes), object) * scale) >> 32) + offset - low + 32768
    return np.clip(values >> 16, 0, 255).astype(np.uint8)


def bias_add(codes: Array, given: Range, biases: Array, of_biases: Range) -> Array:
    """QuantizedBiasAdd: both in one range of 32 bits, whose zero is taken off once."""
    largest = max(map(F32, (given.high, -given.low, of_biases.high, -of_biases.low)))
    high = float(largest * F32(2**17))
    total = Range(-high, high, bits=32)
    first, second = (total.codes(part.numbers(x)) for part, x in ((given, codes), (of_biases, biases)))
    return first + (second + np.int32(total.zero))


def matrix_product(a: Array, of_a: Range, b: Array, of_b: Range) -> Array:
    """QuantizedMatMul; QuantizedMul is the same with ``*``."""
    return centred(a, of_a) @ centred(b, of_b)


def centred(codes: Array, given: Range) -> Array:
    return codes.astype(np.int32) - np.int32(given.zero)


def resize(image: Array, width: int) -> Array:
    """QuantizedResizeBilinear of a row of 32-bit codes, in fixed point of 30 bits."""
    one = 2**30
    codes = _read(image)
    scale = F32(len(codes) / F32(width))
    row = []
    for x in range(width):
        place = F32(F32(x) * scale)
        left = int(place)
        right = min(int(np.ceil(place)), len(codes) - 1)
        share = int(F32(place - np.floor(place)) * F32(one))
        top = codes[min(left, right)] * one + (codes[right] - codes[min(left, right)]) * share
        row.append(_truncated(top + one // 2, one))
    return np.array(row, np.int32)


def _read(codes: Array) -> list[int]:
    """Eigen's qint32 becomes an integer of 64 bits by way of a float."""
    return [int(F32(code)) for code in codes]


def _truncated(value: int, divisor: int) -> int:
    return value // divisor if value >= 0 else -(-value // divisor)


def instance_norm(image: Array, given: Range, wanted: Range) -> Array:
    """QuantizedInstanceNorm of an image [height, width, channels]; each answer rounds to a code."""
    step = float(given.width) / 255
    values = image.astype(F64)
    spread = values - values.mean(axis=(0, 1))
    variance = ((step * spread) ** 2).mean(axis=(0, 1))
    normed = step * spread / np.sqrt(variance + 1e-5)
    scale = 255 / float(wanted.width)
    return normed * scale - float(rounded(wanted.low * scale))
