"""What must hold of a graph's nodes before anything is built for it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from tfcross.errors import quoted
from tfcross.graph.node import Node


class BadGraph(ValueError):
    """What is wrong with the nodes' connections; the reader of the file names the file."""


def producer(tensor: str) -> str:
    """The node that an input names: ``x`` of ``x:1``, ``^x`` and ``x:out:0``."""
    return tensor.removeprefix("^").partition(":")[0]


def reached(starts: Iterable[str], following: Callable[[str], Iterable[str]]) -> set[str]:
    """``starts`` and all that ``following`` leads to from them, step by step."""
    waiting = list(starts)
    met: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in met:
            met.add(name)
            waiting += following(name)
    return met


def check_nodes(nodes: Sequence[Node], arguments: Collection[str] = ()) -> None:
    """Unique names, inputs that exist, no cycle but through NextIteration. Raises BadGraph.

    ``arguments`` are the further names that a function's body may use.
    """
    by_name: dict[str, Node] = {}
    for node in nodes:
        if node.name in by_name or node.name in arguments:
            raise BadGraph(f"two nodes are named {quoted(node.name)}; names must be unique")
        by_name[node.name] = node
    for node in nodes:
        for tensor in node.inputs:
            source = producer(tensor)
            if source not in by_name and source not in arguments:
                raise BadGraph(
                    f"node {quoted(node.name)} (op {quoted(node.op)}) takes {quoted(tensor)}, "
                    f"and there is no node {quoted(source)}"
                )
    _check_acyclic(by_name)


def _check_acyclic(by_name: Mapping[str, Node]) -> None:
    """Repeatedly takes out the nodes whose inputs are all out; what stays holds a cycle."""
    waiting: dict[str, int] = {}
    consumers: dict[str, list[str]] = {}
    for node in by_name.values():
        sources = _ordered_inputs(node, by_name)
        waiting[node.name] = len(sources)
        for source in sources:
            consumers.setdefault(source, []).append(node.name)
    ready = [name for name, count in waiting.items() if not count]
    while ready:
        name = ready.pop()
        del waiting[name]
        for consumer in consumers.get(name, ()):
            waiting[consumer] -= 1
            if not waiting[consumer]:
                ready.append(consumer)
    if waiting:
        raise BadGraph(f"its nodes form a cycle: {_cycle(waiting, by_name)}")


def _ordered_inputs(node: Node, by_name: Mapping[str, Node]) -> list[str]:
    """The nodes that must run before ``node``: a while loop's back edge comes from NextIteration."""
    sources = (by_name.get(producer(tensor)) for tensor in node.inputs)
    return [
        source.name for source in sources if source and source.op not in ("NextIteration", "RefNextIteration")
    ]


def _cycle(waiting: Collection[str], by_name: Mapping[str, Node]) -> str:
    """Every waiting node waits for another one: follow them until one comes again."""
    name = next(iter(waiting))
    path: dict[str, None] = {}
    while name not in path:
        path[name] = None
        name = next(source for source in _ordered_inputs(by_name[name], by_name) if source in waiting)
    names = list(path)
    circle = names[names.index(name) :]
    shown = circle if len(circle) <= 4 else [*circle[:3], "..."]
    return " <- ".join(quoted(item) if item != "..." else item for item in [*shown, name])
