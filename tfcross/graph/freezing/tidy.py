"""The last steps of freezing: what no runtime needs goes, and nodes stand behind what they take from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tfcross.graph.freezing.flat import FlatGraph, producers

#: Hints for the exporter and for training, some of them wrong once a graph is frozen.
_DROPPED = (
    "_class",
    "_output_shapes",
    "_read_only_resource_inputs",
    "_has_manual_control_dependencies",
    "_collective_manager_ids",
    "_construction_context",
    "_gradient_op_type",
)


def tidy_nodes(nodes: Iterable[Any], clear_devices: bool) -> None:
    for node in nodes:
        for attr in _DROPPED:
            if attr in node.attr:
                del node.attr[attr]
        node.ClearField("experimental_debug_info")
        if clear_devices:
            node.device = ""


def used_functions(nodes: Iterable[Any], functions: Mapping[str, Any]) -> list[Any]:
    """The functions that ``nodes`` name, and those that these name, in the order of ``functions``."""
    waiting = [name for node in nodes for name in _function_names(node)]
    met: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in functions and name not in met:
            met.add(name)
            waiting += [inner for node in functions[name].node_def for inner in _function_names(node)]
    return [function for name, function in functions.items() if name in met]


def _function_names(node: Any) -> Iterator[str]:
    yield node.op
    yield from _names_in(node.attr)


def _names_in(attrs: Mapping[str, Any]) -> Iterator[str]:
    for attr in attrs.values():
        kind = attr.WhichOneof("value")
        for func in [attr.func] if kind == "func" else attr.list.func if kind == "list" else ():
            yield func.name
            yield from _names_in(func.attr)


def in_order(graph: FlatGraph) -> list[Any]:
    """The nodes, each behind those that it takes from, as far as loops let it."""
    ordered: dict[str, Any] = {}
    met: set[str] = set()
    for root in graph.nodes:
        stack = [(root, producers(graph.nodes[root]))] if root not in met else []
        met.add(root)
        while stack:
            name, rest = stack[-1]
            following = next((other for other in rest if other not in met), None)
            if following is None:
                ordered[name] = graph.nodes[name]
                stack.pop()
            else:
                met.add(following)
                stack.append((following, producers(graph.nodes[following])))
    return list(ordered.values())
