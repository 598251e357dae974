"""Evaluators of ops that work element by element, and of reductions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tfcross.graph.rewriting.evaluation import (
    Attributes,
    CannotEvaluate,
    Evaluator,
    axis_of,
    check_size,
    whole_numbers,
)
from tfcross.graph.rewriting.quantization import dequantize
from tfcross.graph.rewriting.tensors import Array


def _unary(function: Callable[[Array], Any]) -> Evaluator:
    """The result has the input's type."""

    def evaluate(attributes: Attributes, values: Sequence[Array]) -> Sequence[Array]:
        (value,) = _numbers(values)
        return [np.asarray(function(value)).astype(value.dtype)]

    return evaluate


def _binary(function: Callable[[Array, Array], Any], result: str = "") -> Evaluator:
    """``result`` is the type of the result where it is not the inputs'."""

    def evaluate(attributes: Attributes, values: Sequence[Array]) -> Sequence[Array]:
        left, right = _numbers(values)
        check_size(np.broadcast_shapes(left.shape, right.shape))
        if left.dtype != right.dtype:
            raise CannotEvaluate(f"its inputs are {left.dtype} and {right.dtype}")
        return [np.asarray(function(left, right)).astype(result or left.dtype)]

    return evaluate


def _numbers(values: Sequence[Array]) -> Sequence[Array]:
    if any(value.dtype == object for value in values):
        raise CannotEvaluate("strings are not computed with")
    return values


def _truncated(left: Array, right: Array) -> Array:
    """Division of whole numbers as C does it: towards zero; floats are divided."""
    if left.dtype.kind == "f":
        return np.asarray(left / right)
    if not right.all():
        raise CannotEvaluate("it divides by zero")
    quotient = np.abs(left) // np.abs(right)
    return np.where((left < 0) != (right < 0), -quotient, quotient)


def _checked(function: Callable[[Array, Array], Any]) -> Callable[[Array, Array], Any]:
    def divide(left: Array, right: Array) -> Any:
        if right.dtype.kind in "iu" and not right.all():
            raise CannotEvaluate("it divides by zero")
        return function(left, right)

    return divide


def _power(left: Array, right: Array) -> Any:
    if right.dtype.kind == "i" and (right < 0).any():
        raise CannotEvaluate("a negative power of a whole number")
    return np.power(left, right)


def _bias_add(attributes: Attributes, values: Sequence[Array]) -> Sequence[Array]:
    value, bias = _numbers(values)
    if attributes.text("data_format", "NHWC") != "NHWC":
        raise CannotEvaluate("channels that come second")
    return [np.add(value, bias)]


def _reduction(function: Callable[..., Any]) -> Evaluator:
    def evaluate(attributes: Attributes, values: Sequence[Array]) -> Sequence[Array]:
        value, axes = values
        _numbers([value])
        chosen = tuple({axis_of(np.array(axis), value.ndim) for axis in whole_numbers(axes)})
        kept = attributes.flag("keep_dims")
        if not value.size:
            raise CannotEvaluate("it reduces nothing")
        return [np.asarray(function(value, axis=chosen, keepdims=kept)).astype(value.dtype)]

    return evaluate


def _cast(attributes: Attributes, values: Sequence[Array]) -> Sequence[Array]:
    (value,) = _numbers(values)
    kind = attributes.dtype("DstT")
    if value.dtype.kind == "f" and kind.kind in "iu":
        limits = np.iinfo(kind)
        if not np.all((value > limits.min - 1.0) & (value < limits.max + 1.0)):
            raise CannotEvaluate(f"a value is beyond {kind}")
    return [value.astype(kind)]


def _select(attributes: Attributes, values: Sequence[Array]) -> Sequence[Array]:
    """A vector as condition chooses rows."""
    condition, yes, no = values
    if yes.shape != no.shape:
        raise CannotEvaluate("it chooses between different shapes")
    if condition.ndim == 1 and yes.ndim > 1:
        condition = condition.reshape(-1, *[1] * (yes.ndim - 1))
    return [np.where(condition, yes, no).astype(yes.dtype)]


def _select_v2(attributes: Attributes, values: Sequence[Array]) -> Sequence[Array]:
    check_size(np.broadcast_shapes(*(value.shape for value in values)))
    return [np.where(*values).astype(values[1].dtype)]


def _dequantize(attributes: Attributes, values: Sequence[Array]) -> Sequence[Array]:
    codes, low, high = values
    mode = attributes.text("mode", "MIN_COMBINED")
    if mode != "MIN_FIRST" or codes.dtype != np.uint8 or low.size != 1 or high.size != 1:
        raise CannotEvaluate(f"Dequantize of {codes.dtype} in the mode {mode} is not evaluated")
    return [dequantize(codes, float(low.reshape(())), float(high.reshape(())))]


def _add_n(attributes: Attributes, values: Sequence[Array]) -> Sequence[Array]:
    total = _numbers(values)[0]
    for value in values[1:]:
        total = total + value
    return [total]


_UNARY: Mapping[str, Callable[[Array], Any]] = {
    "Abs": np.abs,
    "Ceil": np.ceil,
    "Exp": np.exp,
    "Floor": np.floor,
    "Log": np.log,
    "LogicalNot": np.logical_not,
    "Neg": np.negative,
    "Reciprocal": np.reciprocal,
    "Relu": lambda value: np.maximum(value, 0),
    "Relu6": lambda value: np.clip(value, 0, 6),
    "Round": np.rint,
    "Rsqrt": lambda value: 1 / np.sqrt(value),
    "Sigmoid": lambda value: 1 / (1 + np.exp(-value)),
    "Sign": np.sign,
    "Sqrt": np.sqrt,
    "Square": np.square,
    "Tanh": np.tanh,
}
_BINARY: Mapping[str, Callable[[Array, Array], Any]] = {
    "Add": np.add,
    "AddV2": np.add,
    "Div": _truncated,
    "FloorDiv": _checked(np.floor_divide),
    "FloorMod": _checked(np.mod),
    "LogicalAnd": np.logical_and,
    "LogicalOr": np.logical_or,
    "Maximum": np.maximum,
    "Minimum": np.minimum,
    "Mul": np.multiply,
    "Pow": _power,
    "RealDiv": np.true_divide,
    "SquaredDifference": lambda left, right: np.square(left - right),
    "Sub": np.subtract,
}
_COMPARISONS: Mapping[str, Callable[[Array, Array], Any]] = {
    "Equal": np.equal,
    "Greater": np.greater,
    "GreaterEqual": np.greater_equal,
    "Less": np.less,
    "LessEqual": np.less_equal,
    "NotEqual": np.not_equal,
}
_REDUCTIONS: Mapping[str, Callable[..., Any]] = {
    "All": np.all,
    "Any": np.any,
    "Max": np.max,
    "Mean": np.mean,
    "Min": np.min,
    "Prod": np.prod,
    "Sum": np.sum,
}

ELEMENTWISE: Mapping[str, Evaluator] = {
    **{op: _unary(function) for op, function in _UNARY.items()},
    **{op: _binary(function) for op, function in _BINARY.items()},
    **{op: _binary(function, "?") for op, function in _COMPARISONS.items()},
    **{op: _reduction(function) for op, function in _REDUCTIONS.items()},
    "AddN": _add_n,
    "BiasAdd": _bias_add,
    "Cast": _cast,
    "Dequantize": _dequantize,
    "Select": _select,
    "SelectV2": _select_v2,
}
