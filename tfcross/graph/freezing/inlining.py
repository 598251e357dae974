"""Calls of functions replaced by the functions' bodies.

While, If and Case stay as they are: both runtimes run them, and their bodies run more or less than once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tfcross.errors import TfcrossError, quoted, quoted_list
from tfcross.graph.freezing.flat import FlatGraph, Ref, control_names, copied, data_refs, set_inputs
from tfcross.graph.freezing.library import Library

MOST_NODES = 1 << 17


@dataclass
class _Call:
    """A call that is gone: what its outputs are now, and what waiting for it means."""

    returns: list[Ref]
    effects: list[str]


@dataclass
class Inlined:
    """``effects`` are, by node of a body, what its call runs in any case."""

    calls: dict[str, _Call] = field(default_factory=dict)
    effects: dict[str, list[str]] = field(default_factory=dict)
    _bodies: dict[object, FlatGraph] = field(default_factory=dict)

    def body(self, library: Library, name: str, attrs: Mapping[str, Any], user: str) -> FlatGraph:
        """As :meth:`Library.flatten`, each body made once."""
        bound = sorted((key, attr.SerializeToString(deterministic=True)) for key, attr in attrs.items())
        wanted = (name, *bound)
        if wanted not in self._bodies:
            self._bodies[wanted] = library.flatten(name, attrs, user)
        return self._bodies[wanted]

    def resolve(self, ref: Ref) -> Ref:
        """What is in the place of ``ref``. Raises TfcrossError."""
        met = set()
        while ref.node in self.calls:
            returns = self.calls[ref.node].returns
            if ref in met or ref.output >= len(returns):
                raise TfcrossError(f"the graph is damaged: {quoted(str(ref))} is not there; export it again.")
            met.add(ref)
            ref = returns[ref.output]
        return ref

    def waits(self, name: str) -> list[str]:
        """The nodes that a control input from ``name`` waits for."""
        met: dict[str, None] = {}
        waiting = [name]
        while waiting:
            name = waiting.pop()
            if name not in met:
                met[name] = None
                waiting += self.calls[name].effects if name in self.calls else ()
        return [name for name in met if name not in self.calls]

    def effects_of(self, nodes: Iterable[str]) -> list[str]:
        """What is run in any case where ``nodes`` are."""
        found = {effect: None for name in nodes for effect in self.effects.get(name, ())}
        return [target for effect in found for target in self.waits(effect)]


def inline_calls(graph: FlatGraph, library: Library) -> Inlined:
    """Replaces all calls in ``graph``, and those in their bodies. Raises TfcrossError."""
    inlined = Inlined()
    waiting: list[tuple[str, tuple[str, ...]]] = [
        (name, ()) for name, node in graph.nodes.items() if library.called(node)
    ]
    while waiting:
        name, path = waiting.pop()
        node = graph.nodes[name]
        function, attrs = library.called(node) or ("", {})
        if function in path:
            raise TfcrossError(
                f"the function {quoted(function)} calls itself ({quoted_list([*path, function], 4)}); "
                "no frozen graph can do that."
            )
        added = _replace(graph, library, node, (function, attrs), inlined)
        waiting += [(each, (*path, function)) for each in added if library.called(graph.nodes[each])]
        if len(graph.nodes) > MOST_NODES:
            raise TfcrossError(
                f"without its functions the graph has over {MOST_NODES} nodes; export a smaller one."
            )
    for name in inlined.calls:  # only now, so that no other node has got the name
        del graph.nodes[name]
    for name, node in graph.nodes.items():
        controls = [
            other for control in control_names(node) for other in inlined.waits(control) if other != name
        ]
        set_inputs(node, map(inlined.resolve, data_refs(node)), controls)
    graph.returns = [inlined.resolve(ref) for ref in graph.returns]
    graph.effects = [other for effect in graph.effects for other in inlined.waits(effect)]
    return inlined


def _replace(
    graph: FlatGraph, library: Library, call: Any, target: tuple[str, Mapping[str, Any]], inlined: Inlined
) -> list[str]:
    """Puts the body in the place of ``call``; gives the names of its nodes."""
    body = inlined.body(library, *target, call.name)
    given, controls = data_refs(call), control_names(call)
    if len(given) != len(body.arguments):
        raise TfcrossError(
            f"node {quoted(call.name)} gives {len(given)} arguments to the function {quoted(target[0])}, "
            "which "
            f"takes {len(body.arguments)}; export it again."
        )
    arguments = dict(zip(body.arguments, given, strict=True))
    names = {
        name: graph.add(copied(node, f"{call.name}/{name}"))
        for name, node in body.nodes.items()
        if name not in arguments
    }

    def moved(ref: Ref) -> Ref:
        return arguments[ref.node] if ref.node in arguments else Ref(names[ref.node], ref.output)

    for name, new in names.items():
        old = body.nodes[name]
        data = [moved(ref) for ref in data_refs(old)]
        waits = [moved(Ref(control, 0)).node for control in control_names(old)]
        set_inputs(graph.nodes[new], data, [*waits, *(controls if not data and not waits else ())])
    effects = [names[name] for name in body.effects if name in names]
    inlined.calls[call.name] = _Call([moved(ref) for ref in body.returns], [*effects, *controls])
    inlined.effects.update({new: effects for new in names.values() if effects})
    return list(names.values())
