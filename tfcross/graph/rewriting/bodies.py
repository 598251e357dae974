"""Function bodies as plain lists of nodes, so that what rewrites a graph rewrites them, too.

In a body an output is named by the op's argument, ``x:y:0`` for the first one of a FusedBatchNorm. While it
is rewritten it is ``x``, as in a graph; afterwards it has the name that the op has for it then.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tfcross.errors import TfcrossError, quoted
from tfcross.graph.construction import make_node
from tfcross.graph.messages import FunctionDef
from tfcross.graph.rewriting.definitions import Definition, OpDefs
from tfcross.graph.rewriting.inputs import Input, node_of, with_inputs

ARGUMENT = "_Arg"

#: The outputs of ops that have several, or that rewriting makes. Of others the body itself tells the name.
_OUTPUTS = {
    "BatchNormWithGlobalNormalization": "result",
    "BiasAdd": "output",
    "Const": "output",
    "Conv2D": "output",
    "DepthwiseConv2dNative": "output",
    "Dequantize": "output",
    "FusedBatchNorm": "y batch_mean batch_variance reserve_space_1 reserve_space_2",
    "FusedBatchNormV2": "y batch_mean batch_variance reserve_space_1 reserve_space_2",
    "FusedBatchNormV3": "y batch_mean batch_variance reserve_space_1 reserve_space_2 reserve_space_3",
    "FusedPadConv2D": "output",
    "FusedResizeAndPadConv2D": "output",
    "Identity": "output",
    "If": "output",
    "MatMul": "product",
    "Merge": "output value_index",
    "Mul": "z",
    "PartitionedCall": "output",
    "Split": "output",
    "SplitV": "output",
    "StatefulPartitionedCall": "output",
    "StatelessIf": "output",
    "StatelessWhile": "output",
    "Switch": "output_false output_true",
    "TopK": "values indices",
    "TopKV2": "values indices",
    "Unique": "y idx",
    "UniqueWithCounts": "y idx count",
    "Unpack": "output",
    "While": "output",
}
#: Ops that have one output; its name is told by who takes it.
_ONE_OUTPUT = """
    Abs Add AddN AddV2 All Any ArgMax AvgPool BatchMatMul BatchMatMulV2 BatchToSpaceND Cast Ceil Concat
    ConcatV2 Cos Cumsum Div Einsum Elu Equal Erf Exp ExpandDims Fill Floor FloorDiv FloorMod Gather GatherNd
    GatherV2 Greater GreaterEqual LeakyRelu Less LessEqual Log LogSoftmax LogicalAnd LogicalNot LogicalOr Max
    MaxPool Maximum Mean Min Minimum MirrorPad Neg NotEqual OneHot OnesLike Pack Pad PadV2 Placeholder Pow
    Prod RandomUniform Range Rank ReadVariableOp RealDiv Reciprocal Relu Relu6 Reshape ResizeBilinear
    ResizeNearestNeighbor ReverseV2 Round Rsqrt Select SelectV2 Selu Shape Sigmoid Sign Sin Size Slice Softmax
    Softplus SpaceToBatchND Sqrt Square SquaredDifference Squeeze StopGradient StridedSlice Sub Sum Tanh
    TensorListFromTensor TensorListGetItem TensorListReserve TensorListSetItem TensorListStack Tile Transpose
    VarHandleOp ZerosLike
"""


@dataclass(frozen=True)
class Body:
    """``nodes`` are the body's, behind one ``_Arg`` for each argument; ``outputs`` are what it returns.

    ``names`` are the outputs of each op, in order.
    """

    function: Any
    nodes: list[Any]
    outputs: tuple[str, ...]
    names: dict[str, tuple[str, ...]]

    @property
    def arguments(self) -> tuple[str, ...]:
        return tuple(argument.name for argument in self.function.signature.input_arg)

    def old_op(self, name: str) -> str:
        """What the node was: an op that was only renamed has outputs of the same names."""
        return next((node.op for node in self.function.node_def if node.name == name), "")

    def plain(self, text: str) -> str:
        """An output of the function as it was, in the form that ``nodes`` have: ``x`` or ``x:1``."""
        return _plain(text, {node.name: node.op for node in self.function.node_def}, self.names)


def open_body(function: Any, op_defs: OpDefs | None = None) -> Body:
    """The body of a FunctionDef, ready to be rewritten.

    Where it is to be part of a graph, ``op_defs`` tells the outputs of ops that are not known here.
    """
    ops = {node.name: node.op for node in function.node_def}
    names = {op: tuple(text.split()) for op, text in _OUTPUTS.items()}
    for text in _all_inputs(function):
        parts = text.split(":")
        op = ops.get(node_of(text))
        if op is None or len(parts) != 3 or op in names:
            continue
        if op_defs and op not in _ONE_OUTPUT.split() and op in op_defs():
            names[op] = _defined(op_defs()[op]) or (parts[1],)
        else:
            names[op] = (parts[1],)
    nodes = [make_node(argument.name, ARGUMENT) for argument in function.signature.input_arg]
    for node in function.node_def:
        nodes.append(with_inputs(node, [_plain(text, ops, names) for text in node.input]))
    returned = [node_of(text) for text in function.ret.values()]
    kept = dict.fromkeys([*returned, *function.control_ret.values()])
    return Body(function, nodes, tuple(kept), names)


def _defined(definition: Definition) -> tuple[str, ...]:
    """In order; none where an output of several is a list, whose length only a node tells."""
    outputs = definition.outputs
    lists = [output for output in outputs if output.number_attr or output.type_list_attr]
    return () if lists and len(outputs) > 1 else tuple(output.name for output in outputs)


def close_body(body: Body, nodes: Sequence[Any]) -> Any:
    """The function with ``nodes`` as its body. Raises TfcrossError where an output has no name."""
    ops = {node.name: node.op for node in nodes}
    new = FunctionDef()
    new.CopyFrom(body.function)
    del new.node_def[:]
    for node in nodes:
        if node.op != ARGUMENT:
            inputs = [_named(text, ops, body) for text in node.input]
            new.node_def.append(with_inputs(node, inputs))
    for key, text in body.function.ret.items():
        new.ret[key] = _named(body.plain(text), ops, body)
    return new


def _all_inputs(function: Any) -> Iterator[str]:
    yield from function.ret.values()
    for node in function.node_def:
        yield from node.input


def _plain(text: str, ops: dict[str, str], names: dict[str, tuple[str, ...]]) -> str:
    """``x:y:0`` as ``x``; what cannot be told stays."""
    parts = text.split(":")
    if len(parts) != 3 or parts[0] not in ops:
        return text
    outputs = names[ops[parts[0]]]
    if len(outputs) == 1 and parts[1] == outputs[0]:
        return parts[0] if parts[2] == "0" else f"{parts[0]}:{parts[2]}"
    if parts[1] not in outputs or parts[2] != "0":
        return text
    number = outputs.index(parts[1])
    return f"{parts[0]}:{number}" if number else parts[0]


def _named(text: str, ops: dict[str, str], body: Body) -> str:
    """The reverse, by the op that the node has now."""
    prefix, name, suffix = Input.parse(text)
    op = ops.get(name, ARGUMENT)
    if prefix or op == ARGUMENT or suffix.count(":") > 1:
        return text
    outputs = body.names.get(op) or body.names.get(body.old_op(name))
    number = suffix.removeprefix(":") or "0"
    if outputs is None or not number.isdecimal():
        raise TfcrossError(
            f"transforms: function {quoted(body.function.signature.name)}: "
            f"the outputs of the op {quoted(op)} are not known; add ignore_errors=true to go on without."
        )
    if len(outputs) == 1:
        return f"{name}:{outputs[0]}:{number}"
    return f"{name}:{outputs[min(int(number), len(outputs) - 1)]}:0"


def functions_by_name(graph: Any) -> dict[str, Any]:
    return {function.signature.name: function for function in graph.library.function}
