"""merge_duplicate_nodes: of nodes that compute the same from the same inputs, one is enough."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Sequence
from typing import Any

from tfcross.errors import quoted
from tfcross.graph.rewriting.bodies import ARGUMENT
from tfcross.graph.rewriting.inputs import ALL_OUTPUTS, canonical, rename_inputs
from tfcross.graph.transforms.context import Context

#: Ops without state, so that most graphs need no op definitions.
_STATELESS = """
    Add AddV2 All Any ArgMax AvgPool BatchToSpaceND BiasAdd Cast Concat ConcatV2 Const Conv2D
    DepthwiseConv2dNative Dequantize Equal Exp ExpandDims Fill Floor FloorDiv FusedBatchNorm FusedBatchNormV2
    FusedBatchNormV3 Gather GatherV2 Greater GreaterEqual Identity Less LessEqual LogicalAnd MatMul Max
    MaxPool Maximum Mean Min Minimum Mul Neg Pack Pad Prod QuantizeV2 Range Rank RealDiv Relu Relu6 Requantize
    RequantizationRange Reshape Rsqrt Select Shape Sigmoid Slice Softmax SpaceToBatchND Split Sqrt Square
    SquaredDifference Squeeze StridedSlice Sub Sum Tanh Tile Transpose Unpack ZerosLike
"""
#: Stateless by their definition; but what the app feeds to each is its own.
_FED = frozenset(("Placeholder", "PlaceholderV2", "PlaceholderWithDefault", ARGUMENT))


def merge_duplicate_nodes(nodes: Sequence[Any], context: Context) -> list[Any]:
    """The first one of equals stays, and takes over for the others. Stateful nodes are never equal."""
    merged, count = merge_equal(nodes, context)
    context.note(f"{count} nodes merged into equal ones")
    return merged


def merge_equal(nodes: Sequence[Any], context: Context) -> tuple[list[Any], int]:
    """The graph without duplicates, and how many went: merged inputs make further nodes equal."""
    contents = {node.name: _content(node, context.kept) for node in nodes}
    numbers = {content: number for number, content in enumerate(set(contents.values()))}
    known = {name: numbers[content] for name, content in contents.items()}
    current, count = list(nodes), 0
    while True:
        keys = [(known[node.name], tuple(map(canonical, node.input))) for node in current]
        twins = {key for key, number in Counter(keys).items() if number > 1}
        first: dict[Hashable, str] = {}
        renames: dict[str, str] = {}
        stays = []
        for node, key in zip(current, keys, strict=True):
            if key in twins and not _is_stateful(node.op, context):
                original = first.setdefault(key, node.name)
                if original != node.name:
                    renames[node.name + ALL_OUTPUTS] = original
                    continue
            stays.append(node)
        if not renames:
            return current, count
        count += len(renames)
        current = rename_inputs(stays, renames)


def _content(node: Any, kept: Collection[str]) -> Hashable:
    """What makes two nodes with equal inputs equal; the graph's inputs and outputs are equal to no others."""
    name = node.name if node.name in kept or node.op in _FED else ""
    attributes = [(key, node.attr[key].SerializeToString(deterministic=True)) for key in sorted(node.attr)]
    return (node.op, name, node.device, *attributes)


def _is_stateful(op: str, context: Context) -> bool:
    """An op that nobody knows may have a state."""
    if op in _STATELESS.split():
        return False
    definition = context.op_defs().get(op)
    if definition is None:
        context.note(f"nodes of the op {quoted(op)} stay: its definition is not known")
    return definition is None or definition.stateful
