"""add_default_attributes: what a node leaves to its op's definition is written out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from google.protobuf import text_format

from tfcross.graph.messages import AttrValue
from tfcross.graph.rewriting.definitions import Attribute
from tfcross.graph.rewriting.inputs import copied
from tfcross.graph.transforms.context import Context

_FIELDS = {"int": "i", "float": "f", "bool": "b", "type": "type"}


def add_default_attributes(nodes: Sequence[Any], context: Context) -> list[Any]:
    """By the definitions of the release. An older runtime refuses attributes that it does not know."""
    definitions = context.op_defs()
    unknown = {node.op for node in nodes if node.op not in definitions and node.op not in context.functions}
    if unknown:
        context.note(f"no definition of {', '.join(sorted(unknown)[:5])}: their nodes stay")
    return [
        _with_defaults(node, definitions[node.op].attrs) if node.op in definitions else node for node in nodes
    ]


def _with_defaults(node: Any, attrs: Sequence[Attribute]) -> Any:
    missing = [attr for attr in attrs if attr.default is not None and attr.name not in node.attr]
    if not missing:
        return node
    new = copied(node)
    for attr in missing:
        new.attr[attr.name].CopyFrom(default_value(attr.type, attr.default))
    return new


def default_value(kind: str, default: object) -> Any:
    """The AttrValue of a default; shapes, tensors and functions are in the text form of the definition."""
    value = AttrValue()
    if kind.startswith("list("):
        value.list.SetInParent()
        for item in default if isinstance(default, tuple) else ():
            _add(value.list, kind[5:-1], item)
    elif kind in ("shape", "tensor", "func"):
        text_format.Parse(str(default), getattr(value, kind))
        getattr(value, kind).SetInParent()
    elif kind in _FIELDS:
        setattr(value, _FIELDS[kind], default)
    else:
        value.s = str(default).encode()
    return value


def _add(items: Any, kind: str, item: object) -> None:
    if kind in ("shape", "tensor", "func"):
        text_format.Parse(str(item), getattr(items, kind).add())
    elif kind in _FIELDS:
        getattr(items, _FIELDS[kind]).append(item)
    else:
        items.s.append(str(item).encode())
