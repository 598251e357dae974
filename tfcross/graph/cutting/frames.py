"""Which loops each node of a cut graph is in: an executor runs no loop that a cut has opened."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence

from tfcross.errors import quoted
from tfcross.graph.node import Node
from tfcross.graph.structure import producer

#: The loops around a node by the names of their frames, the outermost first.
Frames = tuple[str, ...]
_ENTERS, _EXITS = ("Enter", "RefEnter"), ("Exit", "RefExit")
_ONLY_IN_LOOPS = (*_EXITS, "NextIteration", "RefNextIteration")


def loop_problem(nodes: Sequence[Node], outputs: Sequence[str]) -> str:
    """What an executor would not do, a clause: nodes half in a loop, ``outputs`` in one; "" for nothing."""
    frames: dict[str, Frames] = {node.name: () for node in nodes if not node.inputs}
    by_name = {node.name: node for node in nodes}
    for source, taker in _edges(nodes, list(frames)):
        given = _inside(by_name[taker], _behind(by_name[source], frames[source]))
        if frames.setdefault(taker, given) != given:
            loop = max(given, frames[taker], key=len)[-1]
            return f"{quoted(taker)} would take tensors from inside and outside of the loop {quoted(loop)}"
    for name, around in frames.items():
        if by_name[name].op in _ONLY_IN_LOOPS and not around:
            return f"{quoted(name)} ({by_name[name].op}) would be in no loop"
    for tensor in outputs:
        name = producer(tensor)
        around = _behind(by_name[name], frames[name])
        if around:
            return f"the output {quoted(name)} is inside of the loop {quoted(around[-1])}"
    return ""


def _edges(nodes: Sequence[Node], first: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each node and one that takes from it, from the nodes ``first`` on, the nearest first."""
    takers: dict[str, list[str]] = {}
    for node in nodes:
        for name in dict.fromkeys(map(producer, node.inputs)):
            takers.setdefault(name, []).append(node.name)
    waiting, met = deque(first), set(first)
    while waiting:
        source = waiting.popleft()
        for taker in takers.get(source, ()):
            yield source, taker
            if taker not in met:
                met.add(taker)
                waiting.append(taker)


def _behind(node: Node, frames: Frames) -> Frames:
    """Where what ``node`` gives is."""
    return frames[:-1] if node.op in _EXITS else frames


def _inside(node: Node, given: Frames) -> Frames:
    """Where ``node`` is, which takes something from ``given``."""
    return (*given, node.attr("frame_name", "string") or "") if node.op in _ENTERS else given
