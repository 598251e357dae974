"""The shapes that flow through a graph, and what its nodes compute, for the ops that models are made of.

Only what decides about the work of a model is followed. Where a shape cannot be told it is None, and so is
what depends on it. An unknown dimension is 1: a batch of one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tfcross.graph.node import Node, Shape, TensorSummary
from tfcross.graph.structure import producer

Values = tuple[int, ...] | None
_SAME = """
    Abs BatchNormWithGlobalNormalization BiasAdd BiasAddV1 Cast Ceil CheckNumerics Clip ClipByValue Cos
    Elu Erf Exp FakeQuantWithMinMaxArgs FakeQuantWithMinMaxVars Floor FusedBatchNorm FusedBatchNormV2
    FusedBatchNormV3 Identity IdentityN LRN LeakyRelu Log Log1p LogSoftmax LogicalNot Neg OnesLike
    PlaceholderWithDefault PreventGradient QuantizeV2 Reciprocal Relu Relu6 ReverseV2 Rint Round Rsqrt
    Selu Sigmoid Sign Sin Snapshot Softmax Softplus Softsign Sqrt Square StopGradient Switch Tan Tanh
    ZerosLike
"""
_BINARY = """
    Add AddV2 Atan2 Div DivNoNan Equal FloorDiv FloorMod Greater GreaterEqual Less LessEqual LogicalAnd
    LogicalOr Maximum Minimum Mod Mul NotEqual Pow RealDiv SelectV2 SquaredDifference Sub
"""
_MOVES = """
    Cast ConcatV2 Const ExpandDims Identity IdentityN NoOp Pack Pad PadV2 Placeholder
    PlaceholderWithDefault PreventGradient Reshape Shape Snapshot Squeeze StopGradient StridedSlice
    Switch Transpose
"""


@dataclass
class Shapes:
    """Of a main graph's nodes: that of the first output of each. ``fed`` are the shapes of inputs."""

    nodes: Mapping[str, Node]
    fed: Mapping[str, Shape] = field(default_factory=dict)
    _shapes: dict[str, Shape] = field(default_factory=dict)

    def of(self, name: str) -> Shape:
        """The shape of what the node gives; walks to the graph's inputs without recursion."""
        waiting = [name]
        while waiting:
            node = self.nodes.get(waiting[-1])
            if node is None or node.name in self._shapes:
                waiting.pop()
                continue
            missing = [source for source in _sources(node) if source not in self._shapes]
            missing = [source for source in missing if source in self.nodes and source not in waiting]
            if missing:
                waiting += missing
            else:
                self._shapes[node.name] = self._infer(node)
        return self._shapes.get(name)

    def inputs(self, node: Node) -> list[Shape]:
        return [self.of(source) for source in _sources(node)]

    def values(self, name: str) -> Values:
        """The elements of a small constant of integers, through Identity nodes."""
        node, steps = self.nodes.get(name), 0
        while node and node.op in ("Identity", "Snapshot") and node.inputs and steps < len(self.nodes):
            node, steps = self.nodes.get(producer(node.inputs[0])), steps + 1
        tensor = node.attr("value", "tensor") if node and node.op == "Const" else None
        if not isinstance(tensor, TensorSummary) or tensor.values is None:
            return None
        return tuple(value for value in tensor.values if isinstance(value, int))

    def _infer(self, node: Node) -> Shape:
        if node.name in self.fed:
            return _known(self.fed[node.name])
        told = node.attr("_output_shapes", "list(shape)")
        inputs = [self._shapes.get(source) for source in _sources(node)]
        rule = _RULES.get(node.op)
        shape = _known(rule(self, node, inputs)) if rule else None
        return shape if shape is not None or not told else _known(told[0])

    def operations(self, node: Node) -> int | None:
        """Multiplications and additions of one run of ``node``, each counted; None if it cannot be told."""
        if node.op in _MOVES.split():
            return 0
        inputs, shape = self.inputs(node), self.of(node.name)
        count = _WORK.get(node.op, _elements)(node, inputs, shape)
        return None if node.op not in _RULES else count


def _sources(node: Node) -> list[str]:
    return [producer(tensor) for tensor in node.inputs if not tensor.startswith("^")]


def _known(shape: Shape) -> Shape:
    return None if shape is None else tuple(1 if size < 0 else size for size in shape)


Rule = Callable[[Shapes, Node, Sequence[Shape]], Shape]


def _first(shapes: Shapes, node: Node, inputs: Sequence[Shape]) -> Shape:
    return inputs[0] if inputs else None


def _given(shapes: Shapes, node: Node, inputs: Sequence[Shape]) -> Shape:
    shape: Shape = node.attr("shape", "shape")
    return shape


def _constant(shapes: Shapes, node: Node, inputs: Sequence[Shape]) -> Shape:
    tensor = node.attr("value", "tensor")
    return tensor.shape if isinstance(tensor, TensorSummary) else None


def _broadcast(shapes: Shapes, node: Node, inputs: Sequence[Shape]) -> Shape:
    known = [shape for shape in inputs if shape is not None]
    if not known or len(known) < len(inputs):
        return None
    rank = max(map(len, known))
    padded = [(1,) * (rank - len(shape)) + shape for shape in known]
    return tuple(max(sizes) for sizes in zip(*padded, strict=True))


def _window(shapes: Shapes, node: Node, inputs: Sequence[Shape]) -> Shape:
    """Convolutions and pools over NHWC or NCHW images."""
    image, strides = inputs[0] if inputs else None, node.attr("strides", "list(int)")
    kernel = node.attr("ksize", "list(int)")
    weights = inputs[1] if len(inputs) > 1 and kernel is None else None
    if image is None or len(image) != 4 or not strides or len(strides) != 4 or not (kernel or weights):
        return None
    first = 2 if node.attr("data_format", "string") == "NCHW" else 1
    channel = 3 if first == 1 else 1
    size = [kernel[first], kernel[first + 1]] if kernel else list((weights or ())[:2])
    dilations = node.attr("dilations", "list(int)") or (1, 1, 1, 1)
    shape = list(image)
    for axis, extent in enumerate(size, first):
        reach = (extent - 1) * (dilations[axis] if len(dilations) == 4 else 1) + 1
        span = image[axis] if node.attr("padding", "string") == "SAME" else image[axis] - reach + 1
        shape[axis] = max(0, -(-span // max(strides[axis], 1)))
    if weights:
        shape[channel] = weights[3] if node.op == "Conv2D" else weights[2] * weights[3]
    return tuple(shape)


def _matmul(shapes: Shapes, node: Node, inputs: Sequence[Shape]) -> Shape:
    """Of an unknown left side it is known what the right one asks for; it is taken for one row."""
    if len(inputs) < 2 or inputs[1] is None or len(inputs[1]) < 2:
        return None
    right, turned = inputs[1], _turned(node)
    columns = right[-2] if turned[1] else right[-1]
    if inputs[0] is None:
        return (1, columns) if len(right) == 2 else None
    left = inputs[0]
    return (*left[:-2], left[-1] if turned[0] else left[-2], columns) if len(left) > 1 else None


def _turned(node: Node) -> tuple[bool, bool]:
    """Whether a product takes its sides transposed."""
    first = node.attr("transpose_a", "bool") or node.attr("adj_x", "bool")
    second = node.attr("transpose_b", "bool") or node.attr("adj_y", "bool")
    return bool(first), bool(second)


def _reshape(shapes: Shapes, node: Node, inputs: Sequence[Shape]) -> Shape:
    wanted = shapes.values(_sources(node)[1]) if len(inputs) > 1 else None
    if wanted is None:
        return None
    known = math.prod(size for size in wanted if size > 0)
    total = math.prod(inputs[0]) if inputs[0] is not None else known
    return tuple(total // max(known, 1) if size < 0 else size for size in wanted)


def _squeeze(shapes: Shapes, node: Node, inputs: Sequence[Shape]) -> Shape:
    shape, dims = inputs[0], node.attr("squeeze_dims", "list(int)") or node.attr("axis", "list(int)")
    if shape is None:
        return None
    gone = {dim % len(shape) for dim in dims} if dims and shape else None
    return tuple(s for i, s in enumerate(shape) if (i not in gone if gone is not None else s != 1))


def _reduce(shapes: Shapes, node: Node, inputs: Sequence[Shape]) -> Shape:
    axes = shapes.values(_sources(node)[1]) if len(inputs) > 1 else None
    if inputs[0] is None or axes is None or not inputs[0]:
        return None
    gone = {axis % len(inputs[0]) for axis in axes}
    kept = node.attr("keep_dims", "bool")
    return tuple(1 if i in gone else s for i, s in enumerate(inputs[0]) if kept or i not in gone)


def _concat(shapes: Shapes, node: Node, inputs: Sequence[Shape]) -> Shape:
    axis = shapes.values(_sources(node)[-1])
    parts = [shape for shape in inputs[:-1] if shape]
    if not axis or not parts or len(parts) < len(inputs) - 1:
        return None
    joined = list(parts[0])
    joined[axis[0] % len(joined)] = sum(part[axis[0] % len(joined)] for part in parts)
    return tuple(joined)


def _pad(shapes: Shapes, node: Node, inputs: Sequence[Shape]) -> Shape:
    pads = shapes.values(_sources(node)[1]) if len(inputs) > 1 else None
    if inputs[0] is None or pads is None or len(pads) != 2 * len(inputs[0]):
        return None
    return tuple(size + pads[2 * i] + pads[2 * i + 1] for i, size in enumerate(inputs[0]))


def _transpose(shapes: Shapes, node: Node, inputs: Sequence[Shape]) -> Shape:
    order = shapes.values(_sources(node)[1]) if len(inputs) > 1 else None
    if inputs[0] is None or order is None or sorted(order) != list(range(len(inputs[0]))):
        return None
    return tuple(inputs[0][axis] for axis in order)


_RULES: Mapping[str, Rule] = {
    **dict.fromkeys(_SAME.split(), _first),
    **dict.fromkeys(_BINARY.split(), _broadcast),
    **dict.fromkeys(("Conv2D", "DepthwiseConv2dNative", "MaxPool", "AvgPool"), _window),
    **dict.fromkeys(("MatMul", "BatchMatMul", "BatchMatMulV2", "BatchMatMulV3"), _matmul),
    **dict.fromkeys(("Mean", "Sum", "Max", "Min", "Prod", "ArgMax", "ArgMin"), _reduce),
    **dict.fromkeys(("Placeholder", "PlaceholderV2", "VariableV2", "VarHandleOp"), _given),
    **dict.fromkeys(("Pad", "PadV2", "MirrorPad"), _pad),
    "Const": _constant,
    "ConcatV2": _concat,
    "Reshape": _reshape,
    "Squeeze": _squeeze,
    "Transpose": _transpose,
}


def _elements(node: Node, inputs: Sequence[Shape], shape: Shape) -> int | None:
    return None if shape is None else math.prod(shape)


def _input_elements(node: Node, inputs: Sequence[Shape], shape: Shape) -> int | None:
    return math.prod(inputs[0]) if inputs and inputs[0] is not None else None


def _convolution(node: Node, inputs: Sequence[Shape], shape: Shape) -> int | None:
    """Twice the multiplications: each comes with an addition."""
    weights = inputs[1] if len(inputs) > 1 else None
    if shape is None or weights is None:
        return None
    depth = weights[2] if node.op == "Conv2D" else 1
    return 2 * math.prod(shape) * weights[0] * weights[1] * depth


def _product(node: Node, inputs: Sequence[Shape], shape: Shape) -> int | None:
    right = inputs[1] if len(inputs) > 1 else None
    if shape is None or right is None:
        return None
    return 2 * math.prod(shape) * right[-1 if _turned(node)[1] else -2]


def _pool(node: Node, inputs: Sequence[Shape], shape: Shape) -> int | None:
    window = math.prod(node.attr("ksize", "list(int)") or (1,))
    return None if shape is None else math.prod(shape) * window


_WORK: Mapping[str, Callable[[Node, Sequence[Shape], Shape], int | None]] = {
    **dict.fromkeys(("Conv2D", "DepthwiseConv2dNative"), _convolution),
    **dict.fromkeys(("MatMul", "BatchMatMul", "BatchMatMulV2", "BatchMatMulV3"), _product),
    **dict.fromkeys(("MaxPool", "AvgPool"), _pool),
    **dict.fromkeys(("Mean", "Sum", "Max", "Min", "Prod", "ArgMax", "ArgMin"), _input_elements),
}
