"""What the runtime has against a node before it looks for a kernel: its attributes, the age of its op."""

from __future__ import annotations

from collections.abc import Collection

from .node import AttrSummary, Node, quoted
from .opdef import AttrDef, OpDef

AGAIN = "Export the model again."


def check_attrs(node: Node, opdef: OpDef, refuses_unknown: bool) -> str:
    """Why the runtime refuses the attributes of ``node``, in the order in which it looks; "" if it does not.

    Values that ``matching`` looks at (types, strings of a set, attributes that are missing) are left to it.
    """
    for name, attr in node.attrs.items():
        if name.startswith("_"):
            continue
        definition = opdef.attr(name)
        if definition is None:
            if refuses_unknown:
                return (
                    f"op {quoted(node.op)} has no attribute {quoted(name)} here; it is of a later release. "
                    "Take the attribute out (if it holds its default), or build a later RELEASE."
                )
            continue
        if attr.kind != "placeholder" and (problem := _bad_value(attr, definition)):
            return f"attribute {name} of op {quoted(node.op)} {problem}. {AGAIN}"
    return ""


def check_types(node: Node, known: Collection[str]) -> str:
    """Why a release whose types are ``known`` (as ``DT_FLOAT``) refuses those of ``node``; "" if none."""
    for name, types in node.types():
        for each in types:
            if each not in known:
                return (
                    f"attribute {name} of op {quoted(node.op)} is {each}, a type of a later release. "
                    "Take a newer RELEASE, or another type in the graph."
                )
    return ""


def _bad_value(attr: AttrSummary, definition: AttrDef) -> str:
    kind = definition.type
    empty_list = attr.kind == "list" and kind.startswith("list(")
    if attr.kind != kind and not empty_list:
        return f"should be {kind} and is {attr.kind if attr.kind != 'none' else 'empty'}"
    if definition.minimum is None:
        return ""
    found, unit = (attr.value, "") if kind == "int" else (len(attr.value), " elements")
    short = found < definition.minimum
    return f"has {found}{unit}, and at least {definition.minimum} is allowed" if short else ""


def unknown_attrs(node: Node, opdef: OpDef) -> list[str]:
    """The attributes that a release ignores with a line in its log."""
    return [name for name in node.attrs if not name.startswith("_") and opdef.attr(name) is None]


def check_age(opdef: OpDef, producer: int) -> str:
    """Why a graph of that ``producer`` version must not have the op; "" if it may."""
    if not opdef.removed or producer < opdef.removed:
        return ""
    why = opdef.removed_why.rstrip(".")
    return (
        f"op {quoted(opdef.name)} was removed in GraphDef version {opdef.removed}, and this graph is of "
        f"version {producer}. {why or 'Replace the node'}."
    )
