"""Patterns of nodes in a graph, and what is put in their place, in the order of TensorFlow's own tool.

Nodes are looked at in the order of execution, each belongs to one match at most, and control inputs do not
count. A replacement stands where the match's first node stood.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from tfcross.errors import TfcrossError, quoted
from tfcross.graph.rewriting.inputs import consumers, control_inputs, data_inputs, node_of

_MERGES = ("Merge", "RefMerge", "_XlaMerge")


@dataclass(frozen=True)
class Pattern:
    """A node of one of ``ops`` (none: any op) whose inputs are ``inputs``; no inputs: whatever it takes."""

    ops: frozenset[str]
    inputs: tuple[Pattern, ...] = ()


def pattern(ops: str, *inputs: Pattern) -> Pattern:
    """``ops`` as "Conv2D|MatMul", or "*" for any."""
    return Pattern(frozenset() if ops == "*" else frozenset(ops.split("|")), inputs)


ANY = pattern("*")
CONST = pattern("Const")


@dataclass
class Match:
    """``inputs`` are as in the pattern: empty where it says nothing of them."""

    node: Any
    inputs: list[Match] = field(default_factory=list)

    def nodes(self) -> list[Any]:
        """All nodes of the match, each once, level by level."""
        seen: dict[str, Any] = {}
        level = [self]
        while level:
            below: list[Match] = []
            for match in level:
                if match.node.name not in seen:
                    seen[match.node.name] = match.node
                    below += match.inputs
            level = below
        return list(seen.values())


@dataclass(frozen=True)
class Order:
    """``cyclic`` are the nodes that wait for each other, and those behind them."""

    nodes: list[Any]
    cyclic: list[Any]


def execution_order(nodes: Sequence[Any]) -> Order:
    """The nodes behind what they take; the one that became ready last comes first.

    A Merge waits for one of its inputs only, as loops close there. Raises TfcrossError for an input that does
    not exist.
    """
    index = {node.name: number for number, node in enumerate(nodes)}
    waiting = [_inputs_to_wait_for(node) for node in nodes]
    takers: list[list[int]] = [[] for _ in nodes]
    for number, node in enumerate(nodes):
        for text in node.input:
            if node_of(text) not in index:
                raise TfcrossError(
                    f"node {quoted(node.name)} takes {quoted(text)}, which is not there, or no longer."
                )
            takers[index[node_of(text)]].append(number)
    ready = [number for number, node in enumerate(nodes) if not node.input]
    ordered = []
    while ready:
        number = ready.pop()
        ordered.append(number)
        for taker in takers[number]:
            waiting[taker] -= 1
            if waiting[taker] == 0:
                ready.append(taker)
    left = set(range(len(nodes))) - set(ordered)
    return Order([nodes[number] for number in ordered], [nodes[number] for number in sorted(left)])


def _inputs_to_wait_for(node: Any) -> int:
    if node.op in _MERGES:
        return 1 + len(control_inputs(node))
    return len(list(node.input))


def find_matches(nodes: Sequence[Any], wanted: Pattern) -> list[Match]:
    ordered = execution_order(nodes).nodes
    by_name = {node.name: node for node in ordered}
    taken: set[str] = set()
    matches = []
    for node in ordered:
        match = _match(node, wanted, by_name, taken)
        if match:
            taken.update(part.name for part in match.nodes())
            matches.append(match)
    return matches


def _match(node: Any, wanted: Pattern, by_name: dict[str, Any], taken: Collection[str]) -> Match | None:
    if node.name in taken or (wanted.ops and node.op not in wanted.ops):
        return None
    match = Match(node)
    if not wanted.inputs:
        return match
    sources = data_inputs(node)
    if len(sources) != len(wanted.inputs):
        return None
    for text, below in zip(sources, wanted.inputs, strict=True):
        source = by_name.get(node_of(text))
        part = _match(source, below, by_name, taken) if source is not None else None
        if part is None:
            return None
        match.inputs.append(part)
    return match


#: Makes the nodes in place of a match; the names are those of its nodes that others take, too.
#: None: the match is left as it is.
Replace = Callable[[Match, Collection[str]], Sequence[Any] | None]


def replace_matches(
    nodes: Sequence[Any], wanted: Pattern, replace: Replace, may_drop: bool = False
) -> list[Any]:
    """The graph with what ``replace`` makes of each match.

    Where a replacement lacks a node that others need, the match stays, unless it ``may_drop`` them.
    """
    heads = {match.node.name: match for match in find_matches(nodes, wanted)}
    inner = {part.name for match in heads.values() for part in match.nodes()}
    takers = consumers(nodes)
    result: list[Any] = []
    for node in nodes:
        match = heads.get(node.name)
        if match:
            result += _replacement(match, takers, replace, may_drop)
        elif node.name not in inner:
            result.append(node)
    return result


def _replacement(match: Match, takers: dict[str, list[Any]], replace: Replace, may_drop: bool) -> list[Any]:
    parts = match.nodes()
    needed = set(_needed_outside(parts, takers))
    new = replace(match, needed)
    if new is None or (not may_drop and needed - {node.name for node in new}):
        return parts
    return list(new)


def _needed_outside(parts: Sequence[Any], takers: dict[str, list[Any]]) -> Iterator[str]:
    inside = {part.name for part in parts}
    for part in parts:
        if any(taker.name not in inside for taker in takers.get(part.name, ())):
            yield part.name
