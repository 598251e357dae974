"""Transforms to older ops."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tfcross.graph.rewriting.inputs import control_inputs, copied, data_inputs, rename_inputs
from tfcross.graph.rewriting.tensors import const_node, scalar
from tfcross.graph.transforms.attributes import without_attribute
from tfcross.graph.transforms.context import Context

_ARRAYS = {"TensorArrayV3": "TensorArrayV2", "TensorArrayGradV3": "TensorArrayGradV2"}
_ACCESSES = {
    f"TensorArray{access}V3": f"TensorArray{access}V2"
    for access in ("Close", "Concat", "Gather", "Read", "Scatter", "Size", "Split", "Write")
}


def backport_concatv2(nodes: Sequence[Any], context: Context) -> list[Any]:
    """Concat takes the axis first."""
    return [_concat(node) if node.op == "ConcatV2" else node for node in nodes]


def _concat(node: Any) -> Any:
    *parts, axis = data_inputs(node)
    new = copied(node, op="Concat", input=[axis, *parts, *control_inputs(node)])
    return without_attribute(new, "Tidx")


def backport_tensor_array_v3(nodes: Sequence[Any], context: Context) -> list[Any]:
    """V2 has no flow output: who takes it gets a constant."""
    renames: dict[str, str] = {}
    arrays = []
    for node in nodes:
        if node.op in _ARRAYS:
            flow = const_node(f"{node.name}/replacement_flow_node", scalar(1.0))
            renames[f"{node.name}:1"] = flow.name
            arrays += [copied(node, op=_ARRAYS[node.op]), flow]
        else:
            arrays.append(node)
    return [
        copied(node, op=_ACCESSES[node.op]) if node.op in _ACCESSES else node
        for node in rename_inputs(arrays, renames)
    ]
