"""Transforms that change a node's op, device or attributes, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tfcross.graph.rewriting.inputs import copied
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
