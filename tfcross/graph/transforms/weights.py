"""Transforms of large float constants: in eight bits, or in values that compress well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tfcross.errors import quoted
from tfcross.graph.construction import make_node
from tfcross.graph.rewriting.inputs import consumers, node_of
from tfcross.graph.rewriting.quantization import (
    dequantize,
    dequantize_channels,
    quantize,
    quantize_channels,
    value_range,
    widened,
    with_exact_zero,
    with_zero,
)
from tfcross.graph.rewriting.tensors import Array, UnreadableTensor, const_node, const_value, scalar
from tfcross.graph.transforms.context import Context

_FLOAT = 1
_LEAST_TO_ROUND = 16  # elements: small constants are where precision counts
_DEPTHWISE = "DepthwiseConv2dNative"
_LARGE_ERROR = 0.05  # of a channel's largest value, from which depthwise weights are warned of
#: op -> which input its weights are, and the axis of their channels
_CHANNELS = {"Conv2D": (1, 3), _DEPTHWISE: (1, 2), "MatMul": (1, 1), "Conv2DBackpropInput": (1, 2)}


def round_weights(nodes: Sequence[Any], context: Context) -> list[Any]:
    """Each value to the middle of its step; ``num_steps`` steps lie between the lowest and the highest."""
    steps = context.arguments.integer("num_steps", 256, least=1)
    return [_rounded(node, steps, context) for node in nodes]


def _rounded(node: Any, steps: int, context: Context) -> Any:
    values = _values(node, _LEAST_TO_ROUND, context)
    if values is None:
        return node
    low, high = widened(*value_range(values))
    lowest = np.float32(low)
    width = np.float32((np.float32(high) - lowest) / np.float32(steps))
    step = np.floor((values - lowest) / width)
    return const_node(node.name, (lowest + width * (step + np.float32(0.5))).astype(np.float32))


def quantize_weights(nodes: Sequence[Any], context: Context) -> list[Any]:
    """Constants of ``minimum_size`` elements in eight bits, with a Dequantize that has the old name.

    ``per_channel``: those of convolutions and products have a range for each channel.
    """
    least = context.arguments.integer("minimum_size", 1024, least=0)
    per_channel = context.arguments.flag("per_channel", False)
    uses = _uses(nodes)
    result: list[Any] = []
    for node in nodes:
        values = _values(node, least, context)
        if values is None:
            result.append(node)
            continue
        use = uses.get(node.name, _Use("", None))
        quantized = _by_channel if per_channel and use.axis is not None and use.axis < values.ndim else _whole
        new, restored = quantized(node, values, use)
        result += new
        _tell_error(node.name, values, restored, use, context)
    if per_channel:
        context.note("Dequantize has an axis in TensorFlow 2 only; the graph does not load in 1.8.0")
    return result


@dataclass(frozen=True)
class _Use:
    """``axis`` of a constant's channels for the op that takes it; None where there is none."""

    op: str
    axis: int | None


def _uses(nodes: Sequence[Any]) -> dict[str, _Use]:
    """By constant, also through Identity nodes; takers with different axes have none."""
    takers = consumers(nodes)
    by_name = {node.name: node for node in nodes}
    uses: dict[str, set[_Use]] = {}
    for node in nodes:
        if node.op == "Const":
            uses[node.name] = set(_uses_of(node.name, takers, by_name))
    return {name: found.pop() if len(found) == 1 else _Use("", None) for name, found in uses.items()}


def _uses_of(name: str, takers: Mapping[str, list[Any]], by_name: Mapping[str, Any]) -> Sequence[_Use]:
    uses = []
    waiting, seen = [name], {name}
    while waiting:
        source = waiting.pop()
        for taker in takers.get(source, ()):
            if taker.op == "Identity" and taker.name not in seen:
                seen.add(taker.name)
                waiting.append(taker.name)
            elif taker.op != "Identity":
                uses.append(_use(taker, source))
    return uses


def _use(taker: Any, source: str) -> _Use:
    position, axis = _CHANNELS.get(taker.op, (-1, 0))
    if not 0 <= position < len(taker.input) or node_of(taker.input[position]) != source:
        return _Use("", None)
    if taker.op == "MatMul" and "transpose_b" in taker.attr and taker.attr["transpose_b"].b:
        axis = 0
    return _Use(taker.op, axis)


def _values(node: Any, least: int, context: Context) -> Array | None:
    """The value of a float constant with at least that many elements; None for any other node."""
    if node.op != "Const" or "value" not in node.attr or node.attr["value"].tensor.dtype != _FLOAT:
        return None
    try:
        values = const_value(node)
    except UnreadableTensor as error:
        context.note(f"{quoted(node.name)} stays: {error}")
        return None
    if values.size < max(least, 1):
        return None
    if not np.isfinite(values).all():
        context.note(f"{quoted(node.name)} stays: it holds values that are not finite")
        return None
    return values


def _whole(node: Any, values: Array, use: _Use) -> tuple[list[Any], Array]:
    """One range for all: runs in every release."""
    low, high = with_exact_zero(*widened(*with_zero(*value_range(values))))
    codes = quantize(values, low, high)
    names = [f"{node.name}_quantized_{part}" for part in ("const", "min", "max")]
    constants = [
        const_node(names[0], codes, dtype="DT_QUINT8"),
        const_node(names[1], scalar(low)),
        const_node(names[2], scalar(high)),
    ]
    restored = make_node(node.name, "Dequantize", names, T="DT_QUINT8", mode="MIN_FIRST")
    return [*constants, restored], dequantize(codes, low, high)


def _by_channel(node: Any, values: Array, use: _Use) -> tuple[list[Any], Array]:
    axis = use.axis or 0
    codes, largest = quantize_channels(values, axis)
    names = [f"{node.name}_quantized_{part}" for part in ("const", "min", "max")]
    constants = [
        const_node(names[0], codes, dtype="DT_QINT8"),
        const_node(names[1], -largest),
        const_node(names[2], largest),
    ]
    restored = make_node(
        node.name, "Dequantize", names, T="DT_QINT8", mode="SCALED", narrow_range=True, axis=axis
    )
    return [*constants, restored], dequantize_channels(codes, largest, axis)


def _tell_error(name: str, values: Array, restored: Array, use: _Use, context: Context) -> None:
    error = worst_error(values, restored, use.axis)
    context.note(f"{quoted(name)}: {values.size} elements, worst relative error {error:.4f}")
    if use.op == _DEPTHWISE and error > _LARGE_ERROR and not context.arguments.flag("per_channel", False):
        context.note(
            f"warning: {quoted(name)} are depthwise weights with channels of very different size; "
            "measure the accuracy, or take per_channel=true"
        )


def worst_error(values: Array, restored: Array, axis: int | None) -> float:
    """The largest difference in a channel, as part of the channel's largest value; of the worst channel.

    Without an axis all values are one channel.
    """
    others = None
    if axis is not None and axis < values.ndim:
        others = tuple(number for number in range(values.ndim) if number != axis)
    difference = np.max(np.abs(values - restored), axis=others)
    largest = np.max(np.abs(values), axis=others)
    return float(np.max(difference / np.where(largest > 0, largest, 1)))
