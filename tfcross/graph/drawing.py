"""A graph drawn with few boxes: nodes of one name scope in one box, scopes opened while there is room."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tfcross.graph.node import Node
from tfcross.graph.structure import producer

#: Ops whose nodes are left out, and those that may only pass such a node on: they would fill every picture.
_HIDDEN = frozenset({"Const", "NoOp"})
_PASSING = frozenset({"Identity"})
_SHOWN_OPS = 3
#: Levels of scopes that are told apart; what is deeper is in the last of them.
_DEEPEST = 16


@dataclass(frozen=True)
class Box:
    """A node, or all nodes below a scope; ``lines`` are what stands in it, ``count`` its nodes."""

    name: str
    lines: tuple[str, ...]
    count: int
    kind: str  # "input", "node", "scope"


@dataclass(frozen=True)
class Group:
    """A scope that is open: its boxes and the groups in it."""

    name: str
    boxes: tuple[Box, ...]
    groups: tuple[Group, ...]


@dataclass(frozen=True)
class Picture:
    """``edges`` are (from, to, number of tensors) between names of boxes."""

    top: Group
    edges: tuple[tuple[str, str, int], ...]
    hidden: int


@dataclass
class _Scope:
    name: str
    nodes: list[Node] = field(default_factory=list)
    scopes: dict[str, _Scope] = field(default_factory=dict)

    def all_nodes(self) -> Iterable[Node]:
        waiting = [self]
        while waiting:
            scope = waiting.pop()
            yield from scope.nodes
            waiting.extend(scope.scopes.values())

    @property
    def children(self) -> int:
        return len(self.nodes) + len(self.scopes)


def draw(nodes: Sequence[Node], most: int = 60) -> Picture:
    """The picture of ``nodes`` with about ``most`` boxes, or as many as the top level has."""
    shown = _shown(nodes)
    top = _tree(shown)
    opened = _opened(top, most)
    names: dict[str, str] = {}
    group = _group(top, opened, names)
    edges: Counter[tuple[str, str]] = Counter()
    for node in shown:
        for tensor in node.inputs:
            source = names.get(producer(tensor))
            if source is not None and source != names[node.name]:
                edges[source, names[node.name]] += 1
    ordered = tuple((source, target, count) for (source, target), count in sorted(edges.items()))
    return Picture(group, ordered, len(nodes) - len(shown))


def _shown(nodes: Sequence[Node]) -> list[Node]:
    hidden = {node.name for node in nodes if node.op in _HIDDEN}
    for node in nodes:
        if node.op in _PASSING and all(producer(tensor) in hidden for tensor in node.inputs):
            hidden.add(node.name)
    return [node for node in nodes if node.name not in hidden]


def _tree(nodes: Sequence[Node]) -> _Scope:
    """A node "a/b" that other nodes are below of, as "a/b/c", is in the scope of that name."""
    top = _Scope("")
    prefixes = {name for node in nodes for name in _scopes_of(node.name)}
    for node in nodes:
        scope = top
        for name in [*_scopes_of(node.name), *([node.name] if node.name in prefixes else [])]:
            scope = scope.scopes.setdefault(name, _Scope(name))
        scope.nodes.append(node)
    return top


def _scopes_of(name: str) -> list[str]:
    """The scopes that a node of that name is in, from the outermost on: "a" and "a/b" of "a/b/c"."""
    scopes: list[str] = []
    at = name.find("/")
    while at >= 0 and len(scopes) < _DEEPEST:
        scopes.append(name[:at])
        at = name.find("/", at + 1)
    return scopes


def _opened(top: _Scope, most: int) -> set[str]:
    """Scopes that are open: the largest first, as long as the boxes are not too many."""
    opened, closed, boxes = {""}, list(top.scopes.values()), top.children
    while True:
        fitting = [scope for scope in closed if boxes + scope.children - 1 <= most]
        if not fitting:
            return opened
        scope = max(fitting, key=lambda candidate: (sum(1 for _ in candidate.all_nodes()), candidate.name))
        closed.remove(scope)
        closed.extend(scope.scopes.values())
        opened.add(scope.name)
        boxes += scope.children - 1


def _group(scope: _Scope, opened: set[str], names: dict[str, str]) -> Group:
    """Also notes in ``names`` the box of each node."""
    boxes = [_node_box(node) for node in scope.nodes]
    names.update((node.name, node.name) for node in scope.nodes)
    groups = []
    for name, inner in sorted(scope.scopes.items()):
        if name in opened:
            groups.append(_group(inner, opened, names))
        else:
            boxes.append(_scope_box(inner))
            names.update((node.name, f"{name}/") for node in inner.all_nodes())
    return Group(scope.name, tuple(boxes), tuple(groups))


def _node_box(node: Node) -> Box:
    kind = "input" if node.op.startswith("Placeholder") else "node"
    return Box(node.name, (node.name.rpartition("/")[2], node.op), 1, kind)


def _scope_box(scope: _Scope) -> Box:
    counts = Counter(node.op for node in scope.all_nodes())
    ops = [f"{count} {op}" if count > 1 else op for op, count in counts.most_common(_SHOWN_OPS)]
    more = sum(counts.values()) - sum(count for _, count in counts.most_common(_SHOWN_OPS))
    last = scope.name.rpartition("/")[2]
    lines = (f"{last}/", *ops, *([f"{more} more"] if more else []))
    return Box(f"{scope.name}/", lines, sum(counts.values()), "scope")


def box_count(group: Group) -> int:
    """All boxes of a group, at any depth."""
    return len(group.boxes) + sum(map(box_count, group.groups))


def flat(group: Group) -> Mapping[str, Box]:
    """Every box by its name."""
    by_name = {box.name: box for box in group.boxes}
    for inner in group.groups:
        by_name.update(flat(inner))
    return by_name
