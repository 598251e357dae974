"""Transforms that give nodes other names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tfcross.errors import quoted
from tfcross.graph.rewriting.colocations import rename_colocations
from tfcross.graph.rewriting.inputs import Input, copied
from tfcross.graph.transforms.context import Context

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def obfuscate_names(nodes: Sequence[Any], context: Context) -> list[Any]:
    """Short numbers for names, but for the graph's inputs and outputs."""
    names: dict[str, str] = {}
    number = 0
    for node in nodes:
        names[node.name] = node.name
        while names[node.name] == node.name and node.name not in context.kept:
            short, number = _number(number), number + 1
            if short not in context.kept:
                names[node.name] = short
                break
    return [_with_names(node, names) for node in nodes]


def _number(value: int) -> str:
    text = _DIGITS[value % len(_DIGITS)]
    while value := value // len(_DIGITS):
        text = _DIGITS[value % len(_DIGITS)] + text
    return text


def rename_node(nodes: Sequence[Any], context: Context) -> list[Any]:
    old, new = context.arguments.text("old_node_name"), context.arguments.text("new_node_name")
    if any(node.name == new for node in nodes):
        raise context.arguments.error(f"there is a node {quoted(new)} already")
    names = {node.name: node.name for node in nodes} | {old: new}
    return [_with_names(node, names) for node in nodes]


def _with_names(node: Any, names: Mapping[str, str]) -> Any:
    parts = [Input.parse(text) for text in node.input]
    inputs = [part._replace(node=names.get(part.node, part.node)).text() for part in parts]
    renamed = copied(node, name=names.get(node.name, node.name), input=inputs)
    return rename_colocations(renamed, names)
