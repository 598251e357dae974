"""Colocations: attributes that name a node beside which another one runs. No runtime loads lost ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tfcross.graph.rewriting.inputs import copied

_ATTRIBUTE, _PREFIX = "_class", b"loc:@"


def rename_colocations(node: Any, names: Mapping[str, str]) -> Any:
    """``node`` with what it is beside by its new name; a node that is not in ``names`` is gone."""
    if _ATTRIBUTE not in node.attr:
        return node
    old = list(node.attr[_ATTRIBUTE].list.s)
    new = [text for text in (_renamed(text, names) for text in old) if text]
    if new == old:
        return node
    changed = copied(node)
    del changed.attr[_ATTRIBUTE]
    if new:
        changed.attr[_ATTRIBUTE].list.s.extend(new)
    return changed


def _renamed(text: bytes, names: Mapping[str, str]) -> bytes:
    if not text.startswith(_PREFIX):
        return text
    name = names.get(text.removeprefix(_PREFIX).decode(errors="replace"))
    return _PREFIX + name.encode() if name else b""


def without_lost_colocations(nodes: Sequence[Any]) -> list[Any]:
    names = {node.name: node.name for node in nodes}
    return [rename_colocations(node, names) for node in nodes]
