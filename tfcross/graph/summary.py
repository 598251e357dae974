"""What a model is, as TensorFlow's summarize_graph tells: inputs, outputs, ops, parameters, work, size."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tfcross.graph.datatypes import SIZES
from tfcross.graph.model import Model, Node
from tfcross.graph.node import Shape, TensorSummary
from tfcross.graph.shapes import Shapes

_VARIABLES = ("Variable", "VariableV2", "VarHandleOp", "AutoReloadVariable")
#: Bytes that a node has beside its texts, and an attribute beside its value.
_NODE, _ATTR = 8, 12


@dataclass(frozen=True)
class End:
    """An input or output; ``shape`` with "?" for unknown dimensions, None for an unknown rank."""

    name: str
    op: str
    dtype: str
    shape: Shape


@dataclass(frozen=True)
class Parameters:
    """What the weights of one type add up to; ``size`` in bytes."""

    count: int
    size: int


@dataclass(frozen=True)
class Summary:
    """``flops``: additions and multiplications of one run with a batch of 1, of the nodes whose shapes can be
    told; ``untold`` counts the others by op. ``size`` estimates a frozen binary graph's bytes.
    """

    inputs: tuple[End, ...]
    outputs: tuple[End, ...]
    ops: Mapping[str, int]
    functions: int
    control_edges: int
    constants: Mapping[str, Parameters]
    variables: Mapping[str, Parameters]
    flops: int
    flops_by_op: Mapping[str, int]
    untold: Mapping[str, int]
    size: int


def summarize(model: Model) -> Summary:
    """The summary of ``model``; functions count for ops and parameters, not for the work."""
    nodes = list(model.all_nodes())
    by_name = {node.name: node for node in model.nodes}
    shapes = Shapes(by_name, {placeholder.name: placeholder.shape for placeholder in model.placeholders})
    work = {node.name: shapes.operations(node) for node in model.nodes}
    by_op: Counter[str] = Counter()
    for node in model.nodes:
        by_op[node.op] += work[node.name] or 0
    constants = _parameters(node for node in nodes if node.op == "Const")
    variables = _parameters(node for node in nodes if node.op in _VARIABLES)
    weights = sum(parameters.size for parameters in (*constants.values(), *variables.values()))
    return Summary(
        inputs=tuple(End(p.name, _op(by_name, p.name), p.dtype, p.shape) for p in model.placeholders),
        outputs=tuple(_output(by_name, shapes, name) for name in model.outputs),
        ops=dict(sorted(Counter(node.op for node in nodes).items(), key=lambda item: (-item[1], item[0]))),
        functions=len(model.reachable()),
        control_edges=sum(tensor.startswith("^") for node in nodes for tensor in node.inputs),
        constants=constants,
        variables=variables,
        flops=sum(by_op.values()),
        flops_by_op={op: count for op, count in by_op.most_common() if count},
        untold=dict(sorted(Counter(by_name[n].op for n, count in work.items() if count is None).items())),
        size=weights + sum(map(_node_size, nodes)),
    )


def _op(by_name: Mapping[str, Node], name: str) -> str:
    node = by_name.get(name.partition(":")[0])
    return node.op if node else ""


def _output(by_name: Mapping[str, Node], shapes: Shapes, name: str) -> End:
    node = by_name.get(name.partition(":")[0])
    first = not name.partition(":")[2]
    attrs = ("T", "dtype", "output_type", "DstT") if node else ()
    dtype = next((node.attr(a, "type") for a in attrs if node and node.attr(a, "type")), "")
    if node and node.op in ("ArgMax", "ArgMin"):
        dtype = node.attr("output_type", "type") or "DT_INT64"
    return End(name, _op(by_name, name), dtype or "", shapes.of(node.name) if node and first else None)


def _parameters(nodes: Iterable[Node]) -> dict[str, Parameters]:
    """By type; of a string only the count of elements is known."""
    by_type: dict[str, Parameters] = {}
    for node in nodes:
        tensor = node.attr("value", "tensor")
        if isinstance(tensor, TensorSummary):
            dtype, shape = tensor.dtype, tensor.shape
        else:
            dtype, shape = node.attr("dtype", "type") or "DT_INVALID", node.attr("shape", "shape")
        count = math.prod(size for size in shape if size >= 0) if shape is not None else 0
        before = by_type.get(dtype, Parameters(0, 0))
        size = count * SIZES.get(dtype.removeprefix("DT_").lower(), 0)
        by_type[dtype] = Parameters(before.count + count, before.size + size)
    return dict(sorted(by_type.items()))


def _node_size(node: Node) -> int:
    """A node's bytes without its weights, about."""
    texts = (node.name, node.op, node.device, *node.inputs)
    return _NODE + sum(len(text) + 2 for text in texts if text) + sum(len(n) + _ATTR for n in node.attrs)
