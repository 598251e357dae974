"""Transforms that take nodes and edges out, or sort what is there."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from tfcross.errors import TfcrossError, quoted, quoted_list
from tfcross.graph.construction import make_node
from tfcross.graph.datatypes import spec_number
from tfcross.graph.messages import AttrValue, dtype_name
from tfcross.graph.rewriting.inputs import data_inputs, node_of, rename_inputs, with_inputs
from tfcross.graph.rewriting.patterns import ANY, Match, execution_order, pattern, replace_matches
from tfcross.graph.transforms.arguments import Arguments
from tfcross.graph.transforms.context import Context

_MOST_INPUTS = 1000


def strip_unused_nodes(nodes: Sequence[Any], context: Context) -> list[Any]:
    """What the outputs need, up to the inputs; an input of another op becomes a Placeholder."""
    needed = set(context.inputs) | needed_nodes(nodes, context.outputs, context.inputs)
    return [
        _placeholder(node, context.arguments)
        if node.name in context.inputs and node.op != "Placeholder"
        else node
        for node in nodes
        if node.name in needed
    ]


def needed_nodes(nodes: Sequence[Any], outputs: Collection[str], stops: Collection[str]) -> set[str]:
    """The names of ``outputs`` and of all that they take, not looking beyond ``stops``."""
    by_name = {node.name: node for node in nodes}
    needed: set[str] = set()
    waiting = list(outputs)
    while waiting:
        name = waiting.pop()
        if name in needed:
            continue
        needed.add(name)
        if name not in stops and name in by_name:
            waiting += [node_of(text) for text in by_name[name].input]
    return needed


def _placeholder(node: Any, arguments: Arguments) -> Any:
    """With the type and shape that the arguments tell for it; float and scalar where they do not."""
    dtype, shape = arguments.text("type", "float"), arguments.text("shape", "")
    names = arguments.many("name")
    for key in ("type_for_name", "shape_for_name"):
        told = arguments.many(key)
        if told and len(told) != len(names):
            raise arguments.error(f"every name= needs its {key}=: there are {len(names)} and {len(told)}")
        for name, value in zip(names, told, strict=False):
            if node_of(name) == node.name and key == "type_for_name":
                dtype = value
            elif node_of(name) == node.name:
                shape = value
    return make_node(node.name, "Placeholder", dtype=_dtype(dtype, arguments), shape=_shape(shape, arguments))


def _dtype(text: str, arguments: Arguments) -> str:
    number = spec_number(text)
    if not number:
        raise arguments.error(
            f"{quoted(text)} is no type of TensorFlow; write float, int32, quint8, string, …"
        )
    return dtype_name(number)


def _shape(text: str, arguments: Arguments) -> Any:
    """-1 is a dimension that is not known."""
    attr = AttrValue()
    attr.shape.SetInParent()
    for word in filter(None, text.replace(" ", "").split(",")):
        try:
            size = int(word)
        except ValueError:
            size = -2
        if not -1 <= size < 1 << 62:
            raise arguments.error(f"{quoted(text)} is no shape; write sizes, -1 for any, as 1,224,224,3")
        attr.shape.dim.add(size=size)
    return attr


def remove_nodes(nodes: Sequence[Any], context: Context) -> list[Any]:
    """Takers of a node of ``op`` with 1 to ``max_inputs`` inputs take its first input instead."""
    arguments = context.arguments
    ops = arguments.many("op")
    if not ops:
        raise arguments.error("give at least one op=, as remove_nodes(op=Identity)")
    most = min(arguments.integer("max_inputs", 1), _MOST_INPUTS)
    current = list(nodes)
    for op in ops:
        for count in range(1, most + 1):
            current = _bypass_all(current, op, count, context.kept)
    return current


def _bypass_all(nodes: list[Any], op: str, inputs: int, kept: Collection[str]) -> list[Any]:
    """Nodes that take each other are in one match only, so it takes several rounds."""
    if not any(node.op == op and len(data_inputs(node)) == inputs for node in nodes):
        return nodes
    wanted = pattern(op, *[ANY] * inputs)
    while True:
        renames: dict[str, str] = {}

        def bypass(match: Match, needed: Collection[str], renames: dict[str, str] = renames) -> Any:
            node = match.node
            if node.name in kept or len(match.nodes()) < 2:
                return None
            first, *others = match.nodes()[1:]
            renames[node.name] = data_inputs(node)[0]
            renames["^" + node.name] = "^" + first.name
            return [first, *(other for other in others if other.name in needed or other.name in kept)]

        nodes = rename_inputs(replace_matches(nodes, wanted, bypass, may_drop=True), renames)
        if not renames:
            return nodes


def remove_control_dependencies(nodes: Sequence[Any], context: Context) -> list[Any]:
    return [with_inputs(node, data_inputs(node)) for node in nodes]


def sort_by_execution_order(nodes: Sequence[Any], context: Context) -> list[Any]:
    """Every node behind what it takes."""
    order = execution_order(nodes)
    if order.cyclic:
        names = [node.name for node in order.cyclic]
        raise TfcrossError(f"transforms: sort_by_execution_order: nodes form a cycle: {quoted_list(names)}.")
    return order.nodes
