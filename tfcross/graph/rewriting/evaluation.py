"""What an op gives for constant inputs, computed by numpy: the ops that graphs have between constants."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tfcross.graph.messages import dtype_name
from tfcross.graph.rewriting.tensors import Array, UnreadableTensor, numpy_type, read_tensor

#: Gives the outputs, or raises CannotEvaluate. ``values`` are the data inputs.
Evaluator = Callable[["Attributes", Sequence[Array]], Sequence[Array]]

MOST_ELEMENTS = 1 << 24  # of one result; more would only fill memory


class CannotEvaluate(ValueError):
    """Why a node stays as it is."""


class Attributes:
    """The attributes of a node, with the defaults that ops have where one is missing."""

    def __init__(self, node: Any) -> None:
        self._node = node

    def _get(self, name: str, field: str) -> Any:
        if name not in self._node.attr or not self._node.attr[name].HasField(field):
            return None
        return getattr(self._node.attr[name], field)

    def integer(self, name: str, default: int = 0) -> int:
        value = self._get(name, "i")
        return default if value is None else int(value)

    def flag(self, name: str, default: bool = False) -> bool:
        value = self._get(name, "b")
        return default if value is None else bool(value)

    def text(self, name: str, default: str = "") -> str:
        value = self._get(name, "s")
        return default if value is None else value.decode(errors="replace")

    def integers(self, name: str) -> list[int]:
        value = self._get(name, "list")
        return [] if value is None else list(value.i)

    def dtype(self, name: str, default: str = "") -> np.dtype[Any]:
        """The numpy type of a type attribute. Raises CannotEvaluate for one that numpy has not."""
        number = self._get(name, "type")
        kind = numpy_type(default if number is None else dtype_name(number))
        if kind is None:
            raise CannotEvaluate(f"values of {dtype_name(number or 0)} are not evaluated")
        return kind


def check_size(shape: Sequence[int]) -> None:
    """Raises CannotEvaluate for a result that would be too large."""
    if min(shape, default=0) < 0 or math.prod(shape) > MOST_ELEMENTS:
        raise CannotEvaluate(f"a result of the shape {list(shape)[:8]} is too large")


def whole_numbers(array: Array) -> list[int]:
    """The elements of a tensor of integers. Raises CannotEvaluate for other types."""
    if array.dtype.kind not in "iu":
        raise CannotEvaluate(f"whole numbers are expected, not {array.dtype}")
    return [int(value) for value in array.ravel().tolist()]


def whole_number(array: Array) -> int:
    numbers = whole_numbers(array)
    if len(numbers) != 1:
        raise CannotEvaluate("one number is expected")
    return numbers[0]


def axis_of(array: Array, rank: int) -> int:
    """A negative axis counts from the end."""
    axis = whole_number(array)
    if not -rank <= axis < rank:
        raise CannotEvaluate(f"there is no axis {axis}")
    return axis % rank


def evaluate(node: Any, values: Sequence[Array], evaluators: Mapping[str, Evaluator]) -> list[Array]:
    """The outputs of ``node``. Raises CannotEvaluate."""
    evaluator = evaluators.get(node.op)
    if evaluator is None:
        raise CannotEvaluate(f"{node.op} is not evaluated")
    try:
        with np.errstate(all="ignore"):
            return list(evaluator(Attributes(node), values))
    except CannotEvaluate:
        raise
    except (
        ValueError,
        TypeError,
        IndexError,
        KeyError,
        OverflowError,
        ZeroDivisionError,
        MemoryError,
    ) as error:
        raise CannotEvaluate(str(error)) from None


def constant(node: Any) -> Array:
    """The value of a Const. Raises CannotEvaluate."""
    try:
        if "value" not in node.attr:
            raise UnreadableTensor("it has no value")
        return read_tensor(node.attr["value"].tensor)
    except UnreadableTensor as error:
        raise CannotEvaluate(str(error)) from None
