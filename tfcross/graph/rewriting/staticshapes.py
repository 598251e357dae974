"""The shapes in a graph that hold whatever the app feeds. Only what is certain is told."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tfcross.graph.rewriting.evaluation import Attributes
from tfcross.graph.rewriting.inputs import Input, data_inputs, node_of
from tfcross.graph.rewriting.tensors import Array

#: -1 is a size that is not known; None a rank that is not.
Shape = tuple[int, ...] | None

_SAME = """
    Abs BiasAdd Cast Ceil CheckNumerics Elu Exp Floor FusedBatchNorm FusedBatchNormV2 FusedBatchNormV3
    Identity LeakyRelu Log LogicalNot LogSoftmax LRN Neg OnesLike PreventGradient Reciprocal Relu Relu6
    Round Rsqrt Selu Sigmoid Sign Snapshot Softmax Softplus Softsign Sqrt Square StopGradient Tanh ZerosLike
"""
_BROADCAST = """
    Add AddV2 Div Equal FloorDiv FloorMod Greater GreaterEqual Less LessEqual LogicalAnd LogicalOr Maximum
    Minimum Mul NotEqual Pow RealDiv SquaredDifference Sub
"""


@dataclass
class StaticShapes:
    """Of first outputs; nodes are told in the order of execution, constants with their values."""

    _shapes: dict[str, Shape] = field(default_factory=dict)
    _values: dict[str, Array] = field(default_factory=dict)

    def of(self, text: str) -> Shape:
        part = Input.parse(text)
        return self._shapes.get(part.node) if part.suffix in ("", ":0") else None

    def value(self, text: str) -> list[int] | None:
        """The elements of a constant of whole numbers."""
        value = self._values.get(node_of(text))
        if value is None or value.dtype.kind not in "iu" or Input.parse(text).suffix not in ("", ":0"):
            return None
        return [int(number) for number in value.ravel().tolist()]

    def learn(self, node: Any, value: Array | None) -> None:
        if value is not None:
            self._values[node.name] = value
            self._shapes[node.name] = tuple(value.shape)
            return
        rule = _RULES.get(node.op)
        try:
            self._shapes[node.name] = rule(self, node, data_inputs(node)) if rule else None
        except (IndexError, ValueError, ZeroDivisionError):
            self._shapes[node.name] = None


Rule = Callable[[StaticShapes, Any, Sequence[str]], Shape]


def _first(shapes: StaticShapes, node: Any, inputs: Sequence[str]) -> Shape:
    return shapes.of(inputs[0])


def _placeholder(shapes: StaticShapes, node: Any, inputs: Sequence[str]) -> Shape:
    """No dimensions may also mean that nothing is known: so it was in old graphs."""
    if "shape" not in node.attr or node.attr["shape"].shape.unknown_rank or not node.attr["shape"].shape.dim:
        return None
    return tuple(max(dim.size, -1) for dim in node.attr["shape"].shape.dim)


def _variable(shapes: StaticShapes, node: Any, inputs: Sequence[str]) -> Shape:
    if "shape" not in node.attr or node.attr["shape"].shape.unknown_rank:
        return None
    return tuple(max(dim.size, -1) for dim in node.attr["shape"].shape.dim)


def _broadcast(shapes: StaticShapes, node: Any, inputs: Sequence[str]) -> Shape:
    left, right = (shapes.of(text) for text in inputs)
    if left is None or right is None:
        return None
    rank = max(len(left), len(right))
    pairs = zip((1,) * (rank - len(left)) + left, (1,) * (rank - len(right)) + right, strict=True)
    return tuple(_joined(one, other) for one, other in pairs)


def _joined(one: int, other: int) -> int:
    """A size that is not known may be 1, or the other one."""
    if one == 1:
        return other
    if other == 1 or one == other:
        return one
    return max(one, other) if -1 in (one, other) and max(one, other) > 1 else -1


def _window(shapes: StaticShapes, node: Any, inputs: Sequence[str]) -> Shape:
    """Convolutions and pools of images."""
    attributes = Attributes(node)
    image, strides = shapes.of(inputs[0]), attributes.integers("strides")
    kernel: Sequence[int] = attributes.integers("ksize")
    layout, padding = attributes.text("data_format", "NHWC"), attributes.text("padding")
    if image is None or len(image) != 4 or len(strides) != 4 or layout not in ("NHWC", "NCHW"):
        return None
    high, wide, channel = (1, 2, 3) if layout == "NHWC" else (2, 3, 1)
    weights = None
    if not kernel:
        weights = shapes.of(inputs[1])
        if weights is None or len(weights) != 4:
            return None
        kernel = [1] * 4
        kernel[high], kernel[wide] = weights[:2]
    result = list(image)
    dilations = attributes.integers("dilations") or [1] * 4
    for axis in (high, wide):
        reach = (kernel[axis] - 1) * dilations[axis] + 1
        result[axis] = _steps(image[axis], reach, strides[axis], padding)
    if weights:
        result[channel] = weights[3] if node.op == "Conv2D" else weights[2] * weights[3]
    return tuple(result)


def _steps(size: int, reach: int, stride: int, padding: str) -> int:
    if size < 0 or reach < 1 or padding not in ("SAME", "VALID"):
        return -1
    span = size if padding == "SAME" else size - reach + 1
    return max(0, -(-span // stride))


def _matmul(shapes: StaticShapes, node: Any, inputs: Sequence[str]) -> Shape:
    left, right = (shapes.of(text) for text in inputs)
    attributes = Attributes(node)
    rows = -1 if left is None else left[1 if attributes.flag("transpose_a") else 0]
    columns = -1 if right is None else right[0 if attributes.flag("transpose_b") else 1]
    return rows, columns


def _reshape(shapes: StaticShapes, node: Any, inputs: Sequence[str]) -> Shape:
    wanted, given = shapes.value(inputs[1]), shapes.of(inputs[0])
    if wanted is None:
        return None
    if wanted.count(-1) == 1 and given is not None and min(given, default=0) >= 0:
        rest = math.prod(size for size in wanted if size >= 0)
        count, left = divmod(math.prod(given), rest)
        return None if left else tuple(count if size < 0 else size for size in wanted)
    return tuple(max(size, -1) for size in wanted)


def _expand_dims(shapes: StaticShapes, node: Any, inputs: Sequence[str]) -> Shape:
    given, axes = shapes.of(inputs[0]), shapes.value(inputs[1])
    if given is None or axes is None or not -len(given) - 1 <= axes[0] <= len(given):
        return None
    axis = axes[0] % (len(given) + 1)
    return (*given[:axis], 1, *given[axis:])


def _squeeze(shapes: StaticShapes, node: Any, inputs: Sequence[str]) -> Shape:
    given, axes = shapes.of(inputs[0]), Attributes(node).integers("squeeze_dims")
    if given is None or (not axes and -1 in given):
        return None
    gone = {axis % len(given) for axis in axes} or {axis for axis, size in enumerate(given) if size == 1}
    return tuple(size for axis, size in enumerate(given) if axis not in gone)


def _transpose(shapes: StaticShapes, node: Any, inputs: Sequence[str]) -> Shape:
    given, order = shapes.of(inputs[0]), shapes.value(inputs[1])
    if given is None or order is None or sorted(order) != list(range(len(given))):
        return None
    return tuple(given[axis] for axis in order)


def _concat(shapes: StaticShapes, node: Any, inputs: Sequence[str]) -> Shape:
    parts, axes = [shapes.of(text) for text in inputs[:-1]], shapes.value(inputs[-1])
    known = [part for part in parts if part is not None]
    if axes is None or not known or len(known) < len(parts) or len({len(part) for part in known}) > 1:
        return None
    result = [max(sizes) for sizes in zip(*known, strict=True)]
    joined = [part[axes[0]] for part in known]
    result[axes[0]] = -1 if -1 in joined else sum(joined)
    return tuple(result)


def _pack(shapes: StaticShapes, node: Any, inputs: Sequence[str]) -> Shape:
    given = shapes.of(inputs[0])
    if given is None:
        return None
    axis = Attributes(node).integer("axis") % (len(given) + 1)
    return (*given[:axis], len(inputs), *given[axis:])


def _pad(shapes: StaticShapes, node: Any, inputs: Sequence[str]) -> Shape:
    given, margins = shapes.of(inputs[0]), shapes.value(inputs[1])
    if given is None or margins is None or len(margins) != 2 * len(given):
        return None
    sums = [before + after for before, after in zip(margins[::2], margins[1::2], strict=True)]
    return tuple(-1 if size < 0 else size + more for size, more in zip(given, sums, strict=True))


def _reduced(shapes: StaticShapes, node: Any, inputs: Sequence[str]) -> Shape:
    given, axes = shapes.of(inputs[0]), shapes.value(inputs[1])
    if given is None or axes is None:
        return None
    gone = {axis % len(given) for axis in axes}
    if Attributes(node).flag("keep_dims"):
        return tuple(1 if axis in gone else size for axis, size in enumerate(given))
    return tuple(size for axis, size in enumerate(given) if axis not in gone)


def _shape(shapes: StaticShapes, node: Any, inputs: Sequence[str]) -> Shape:
    given = shapes.of(inputs[0])
    return None if given is None else (len(given),)


def _scalar(shapes: StaticShapes, node: Any, inputs: Sequence[str]) -> Shape:
    return ()


_RULES: Mapping[str, Rule] = {
    **dict.fromkeys(_SAME.split(), _first),
    **dict.fromkeys(_BROADCAST.split(), _broadcast),
    **dict.fromkeys(("Conv2D", "DepthwiseConv2dNative", "AvgPool", "MaxPool"), _window),
    **dict.fromkeys(("Max", "Mean", "Min", "Prod", "Sum", "All", "Any"), _reduced),
    **dict.fromkeys(("Pad", "PadV2", "MirrorPad"), _pad),
    **dict.fromkeys(("Rank", "Size"), _scalar),
    **dict.fromkeys(("VarHandleOp", "Variable", "VariableV2"), _variable),
    "ConcatV2": _concat,
    "ExpandDims": _expand_dims,
    "MatMul": _matmul,
    "Pack": _pack,
    "ReadVariableOp": _first,
    "Placeholder": _placeholder,
    "Reshape": _reshape,
    "Shape": _shape,
    "Squeeze": _squeeze,
    "Transpose": _transpose,
}
