"""Transforms that change a node's op, device or attributes, also to those of an older release."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tfcross.graph.rewriting.inputs import control_inputs, copied, data_inputs, rename_inputs
from tfcross.graph.rewriting.tensors import const_node, scalar
from tfcross.graph.transforms.context import Context

_ANY_OP = "*"


def remove_attribute(nodes: Sequence[Any], context: Context) -> list[Any]:
    """Deletes ``attribute_name`` of the nodes of ``op_name``."""
    name = context.arguments.text("attribute_name")
    op = context.arguments.text("op_name", _ANY_OP)
    return [without_attribute(node, name) if _has(node, op, name) else node for node in nodes]


def rename_attribute(nodes: Sequence[Any], context: Context) -> list[Any]:
    """An attribute that has the new name already keeps its value."""
    old = context.arguments.text("old_attribute_name")
    new = context.arguments.text("new_attribute_name")
    op = context.arguments.text("op_name", _ANY_OP)
    return [_renamed(node, old, new) if _has(node, op, old) else node for node in nodes]


def rename_op(nodes: Sequence[Any], context: Context) -> list[Any]:
    old, new = context.arguments.text("old_op_name"), context.arguments.text("new_op_name")
    return [copied(node, op=new) if node.op == old else node for node in nodes]


def set_device(nodes: Sequence[Any], context: Context) -> list[Any]:
    """``if_default``: only of the nodes that have none."""
    device = context.arguments.text("device", "")
    only_default = context.arguments.flag("if_default", False)
    return [node if only_default and node.device else _on(node, device) for node in nodes]


def remove_device(nodes: Sequence[Any], context: Context) -> list[Any]:
    return [_on(node, "") for node in nodes]


def _on(node: Any, device: str) -> Any:
    return node if node.device == device else copied(node, device=device)


def _has(node: Any, op: str, attribute: str) -> bool:
    return op in (_ANY_OP, node.op) and attribute in node.attr


def without_attribute(node: Any, attribute: str) -> Any:
    """``node`` itself where it has none of that name."""
    if attribute not in node.attr:
        return node
    new = copied(node)
    del new.attr[attribute]
    return new


def _renamed(node: Any, old: str, new: str) -> Any:
    renamed = without_attribute(node, old)
    if new not in renamed.attr:
        renamed.attr[new].CopyFrom(node.attr[old])
    return renamed


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
