"""What the runtime has against a node before it looks for a kernel: its attributes, the age of its op."""

from __future__ import annotations

from collections.abc import Collection

from tfcross.errors import quoted
from tfcross.graph.node import AttrSummary, Node
from tfcross.registry.opdef import AttrDef, OpDef
from tfcross.selection.refusal import AGAIN, GRAPH, Refusal


def check_attrs(node: Node, opdef: OpDef, refuses_unknown: bool) -> Refusal | None:
    """Why the runtime refuses the attributes of ``node``, in its order; None: it takes them all.

    Values that ``matching`` looks at (types, strings of a set, attributes that are missing) are left to it.
    """
    for name, attr in node.attrs.items():
        if name.startswith("_"):
            continue
        definition = opdef.attr(name)
        if definition is None:
            if refuses_unknown:
                what = f"op {quoted(node.op)} has no attribute {quoted(name)} here; it is of a later release"
                remedy = "Take the attribute out (if it holds its default), or build a later RELEASE."
                return Refusal(GRAPH, node.op, what, remedy)
            continue
        if attr.kind != "placeholder" and (problem := _bad_value(attr, definition)):
            return Refusal(GRAPH, node.op, f"attribute {name} of op {quoted(node.op)} {problem}", AGAIN)
    return None


def check_types(node: Node, known: Collection[str]) -> Refusal | None:
    """Why a release whose types are ``known`` (as ``DT_FLOAT``) refuses those of ``node``; None if not."""
    for name, types in node.types():
        for dtype in types:
            if dtype not in known:
                what = f"attribute {name} of op {quoted(node.op)} is {dtype}, a type of a later release"
                return Refusal(GRAPH, node.op, what, "Take a newer RELEASE, or another type in the graph.")
    return None


def _bad_value(attr: AttrSummary, definition: AttrDef) -> str:
    kind = definition.type
    empty_list = attr.kind == "list" and kind.startswith("list(")
    if attr.kind != kind and not empty_list:
        return f"should be {kind} and is {attr.kind if attr.kind != 'none' else 'empty'}"
    if definition.minimum is None:
        return ""
    size, unit = (attr.value, "") if kind == "int" else (len(attr.value), " elements")
    short = size < definition.minimum
    return f"has {size}{unit}, and at least {definition.minimum} is allowed" if short else ""


def unknown_attrs(node: Node, opdef: OpDef) -> list[str]:
    """The attributes that a release ignores with a line in its log."""
    return [name for name in node.attrs if not name.startswith("_") and opdef.attr(name) is None]


def check_age(opdef: OpDef, producer: int) -> Refusal | None:
    """Why a graph of that ``producer`` version must not have the op; None if it may."""
    if not opdef.removed or producer < opdef.removed:
        return None
    what = (
        f"op {quoted(opdef.name)} was removed in GraphDef version {opdef.removed}, and this graph is of "
        f"version {producer}"
    )
    return Refusal(GRAPH, opdef.name, what, f"{opdef.removed_why.rstrip('.') or 'Replace the node'}.")
