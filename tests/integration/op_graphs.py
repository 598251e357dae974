"""A small graph for each op of a registry and each type: what a verdict and a session are compared on.

A session that is asked for the op's node loads the graph, places all of its nodes, which is when it looks for
kernels, and makes them. It computes nothing: the node waits for a placeholder that nobody feeds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tfcross.errors import TfcrossError
from tfcross.graph.construction import make_node, make_placeholder
from tfcross.graph.datatypes import NUMBERS, REF_OFFSET
from tfcross.graph.messages import AttrValue, GraphDef
from tfcross.registry.opdef import AttrDef, OpDef
from tfcross.registry.registry import Kernel, Registry
from tfcross.selection.matching import op_types

NODE, GATE, FUNCTION = "x", "gate", "f"
#: Values of attributes without a default, from the likeliest on; most shape functions take one of them.
LISTS = ([1, 1, 1, 1], [1, 1], [1], [1, 1, 1, 1, 1], [])
TYPES = tuple(NUMBERS.values())
ELEMENTS = {
    "int": "i",
    "float": "f",
    "bool": "b",
    "string": "s",
    "type": "type",
    "shape": "shape",
    "func": "func",
}

#: What a runtime says when it refuses a graph for its ops, attributes, types, kernels or devices; anything
#: else is about the made-up values.
ABOUT_NODES = re.compile(
    "No OpKernel was registered|Op type not registered|Cannot assign a device|explicit device specification|"
    "explicitly assigned|Multiple OpKernel registrations|NodeDef |Value for attr|Length for attr|AttrValue|"
    "incompatible with expected|is not available in GraphDef"
)


@dataclass(frozen=True)
class OpGraph:
    """``variants`` are the graph with several values for attributes that are no types: the first that a
    session does not refuse for its values counts."""

    name: str
    op: str
    variants: tuple[bytes, ...]


def op_graphs(registry: Registry) -> Iterator[OpGraph]:
    """For each op: a graph for each kernel's types, and one for each type that each attribute can have."""
    for op in registry.ops.values():
        for number, types in enumerate(_cases(op, registry.kernels_of(op.name))):
            variants = _variants(op, dict(types))
            if variants:
                yield OpGraph(f"{op.name}/{number}", op.name, variants)


def _cases(op: OpDef, kernels: tuple[Kernel, ...]) -> list[tuple[tuple[str, Any], ...]]:
    """What constrained attributes are, each case once; labels as the attribute _kernel."""
    attrs = [attr for attr in op.attrs if attr.type in ("type", "list(type)")]
    base = {attr.name: (attr.allowed or (1,))[0] for attr in attrs}
    cases: dict[tuple[tuple[str, Any], ...], None] = {}
    for kernel in kernels:
        types = {name: numbers[0] for name, numbers in kernel.constraints if name in base}
        values = {name: allowed[0] for name, allowed in kernel.values}
        label = {"_kernel": kernel.label} if kernel.label.isidentifier() else {}
        cases[tuple({**base, **types, **values, **label}.items())] = None
        base = {**base, **types}
    for attr in attrs:
        for number in TYPES:
            cases[tuple({**base, attr.name: number}.items())] = None
    return list(cases) or [()]


def _variants(op: OpDef, given: Mapping[str, Any]) -> tuple[bytes, ...]:
    graphs = dict.fromkeys(_graph(op, given, values) for values in LISTS)
    return tuple(graph for graph in graphs if graph)


def _graph(op: OpDef, given: Mapping[str, Any], values: list[int]) -> bytes:
    """b"" where the op's inputs cannot be told."""
    node = make_node(NODE, op.name)
    for attr in op.attrs:
        if attr.name in given:
            _set(node.attr[attr.name], attr, given[attr.name], values)
        elif attr.default is None:
            _set(node.attr[attr.name], attr, None, values)
    if "_kernel" in given:
        node.attr["_kernel"].s = given["_kernel"].encode()
    plain = {attr.name: _plain(node.attr[attr.name], attr) for attr in op.attrs if attr.name in node.attr}
    try:
        inputs = op_types(op, plain)[0]
    except TfcrossError:
        return b""
    sources = [_source(f"in{index}", number) for index, number in enumerate(inputs)]
    node.input.extend([*(source.name for source in sources), f"^{GATE}"])
    graph = GraphDef(node=[*sources, make_placeholder(GATE, "DT_BOOL", []), node])
    function = graph.library.function.add()
    function.signature.name = FUNCTION
    function.node_def.append(make_node("nothing", "NoOp"))
    graph.versions.producer = 5  # older than any op's removal
    return bytes(graph.SerializeToString(deterministic=True))


def _source(name: str, number: int) -> Any:
    """A placeholder; where a reference is taken, a variable."""
    if number <= REF_OFFSET:
        node = make_node(name, "Placeholder")
        node.attr["shape"].shape.unknown_rank = True
    else:
        node = make_node(name, "VariableV2")
        node.attr["shape"].shape.dim.add(size=1)
    node.attr["dtype"].type = number % REF_OFFSET
    return node


def _set(value: Any, attr: AttrDef, given: Any, values: list[int]) -> None:
    """``given`` where there is something to give, else what ``values`` say, or the least that is allowed."""
    kind = attr.type.removeprefix("list(").removesuffix(")")
    if kind == "type":
        given = given if given is not None else (attr.allowed or (1,))[0]
    elif given is None:
        given = attr.allowed_strings[0] if attr.allowed_strings else _any(kind, values)
    if attr.type != kind:
        value.list.SetInParent()
        count = attr.minimum if attr.minimum is not None else 1
        items = values if kind in ("int", "float") else [given] * max(count, 1 if kind == "type" else 0)
        _extend(value.list, kind, items)
    elif kind == "int" and attr.minimum is not None and given < attr.minimum:
        value.i = attr.minimum
    elif kind in ("shape", "tensor", "func"):
        getattr(value, kind).SetInParent()
        if kind == "tensor":
            value.tensor.dtype = 1
        elif kind == "func":
            value.func.name = FUNCTION
    else:
        setattr(value, ELEMENTS[kind], given.encode() if isinstance(given, str) else given)


def _extend(target: Any, kind: str, items: list[Any]) -> None:
    field = getattr(target, ELEMENTS[kind])
    for item in items:
        if kind == "shape":
            field.add().unknown_rank = True
        elif kind == "func":
            field.add().name = FUNCTION
        else:
            field.append(item.encode() if isinstance(item, str) else item)


def _any(kind: str, values: list[int]) -> Any:
    chosen = {"int": len(values) or 1, "float": 1.0, "bool": False, "string": "x"}
    return chosen.get(kind)


def _plain(value: AttrValue, attr: AttrDef) -> object:
    if attr.type == "type":
        return value.type
    if attr.type == "list(type)":
        return tuple(value.list.type)
    return value.i if attr.type == "int" else None
