"""What a frozen model's inputs and outputs are called: as in its signature, or as the user names them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from tfcross.errors import TfcrossError, quoted_list
from tfcross.graph.construction import make_node
from tfcross.graph.cutting.likely import likely_outputs
from tfcross.graph.freezing.flat import (
    FlatGraph,
    Ref,
    control_names,
    data_refs,
    parse_ref,
    producers,
    set_inputs,
)
from tfcross.graph.freezing.frozen import End
from tfcross.graph.freezing.inlining import Inlined
from tfcross.graph.freezing.library import Library
from tfcross.graph.freezing.source import Source
from tfcross.graph.messages import AttrValue

PLACEHOLDERS = ("Placeholder", "PlaceholderV2", "PlaceholderWithDefault")
_FORBIDDEN = re.compile(r"[^A-Za-z0-9_.\\/>-]")


@dataclass(frozen=True)
class Named:
    """An output or input ``ref`` of the graph and its name; ``dtype`` 0 and ``shape`` None where not known.

    ``call_types`` are those of all outputs where the node is a call, which its body will replace.
    """

    key: str
    ref: Ref
    dtype: int = 0
    shape: tuple[int, ...] | None = None
    call_types: tuple[int, ...] = ()

    def end(self) -> End:
        return End(str(self.ref), self.dtype, self.shape)


def named_outputs(source: Source, outputs: Sequence[str], graph: FlatGraph, library: Library) -> list[Named]:
    """``outputs``, else those of the signature. Raises TfcrossError where one is not there."""
    if not outputs and source.signature is None:
        raise _no_outputs(source, graph)
    if not outputs and source.signature is not None:
        named = [_named(key, info) for key, info in source.signature.outputs.items()]
        if not named:
            raise TfcrossError(
                f"{source.where}: the signature {source.signature.name} has no outputs; take another."
            )
    else:
        named = [Named(str(parse_ref(text)), parse_ref(text)) for text in dict.fromkeys(outputs)]
    for output in named:
        graph.node(output.ref, source.where)
    return [_with_types(output, _call_types(graph.nodes[output.ref.node], library)) for output in named]


def _with_types(output: Named, call_types: tuple[int, ...]) -> Named:
    """``output`` with the types of the call that it is of; they tell its own where no signature does."""
    told = call_types[output.ref.output : output.ref.output + 1]
    return replace(output, call_types=call_types, dtype=output.dtype or (told[0] if told else 0))


def _no_outputs(source: Source, graph: FlatGraph) -> TfcrossError:
    ops = {name: str(node.op) for name, node in graph.nodes.items()}
    ends = likely_outputs(ops, {name: list(node.input) for name, node in graph.nodes.items()})
    hint = f"; likely ones: {quoted_list(ends, 5)}" if ends else ""
    return TfcrossError(
        f"{source.where}: it has no signature that tells its outputs{hint}; name the OUTPUTS=."
    )


def _named(key: str, info: Any) -> Named:
    return Named(key, parse_ref(info.name), info.dtype, _shape(info.tensor_shape))


def _shape(message: Any) -> tuple[int, ...] | None:
    return None if message.unknown_rank else tuple(max(dim.size, -1) for dim in message.dim)


def _call_types(node: Any, library: Library) -> tuple[int, ...]:
    call = library.called(node)
    if call is None or call[0] not in library.functions:
        return ()
    if node.attr["Tout"].list.type:
        return tuple(node.attr["Tout"].list.type)
    return tuple(argument.type for argument in library.functions[call[0]].signature.output_arg)


def feed_placeholders(source: Source, graph: FlatGraph) -> list[Named]:
    """The inputs of the signature; the graph is cut at one that is no placeholder, which gets one."""
    named = []
    for key, info in source.signature.inputs.items() if source.signature else ():
        given = _named(key, info)
        node = graph.node(given.ref, source.where)
        if node.op in PLACEHOLDERS and given.ref.output == 0:
            named.append(replace(given, dtype=given.dtype or node.attr["dtype"].type))
            continue
        attr = AttrValue()
        attr.shape.CopyFrom(info.tensor_shape)
        placeholder = make_node(_legal(key), "Placeholder", dtype=AttrValue(type=given.dtype), shape=attr)
        ref = Ref(graph.add(placeholder), 0)
        for user in graph.nodes.values():
            if given.ref in data_refs(user):
                set_inputs(
                    user,
                    [ref if other == given.ref else other for other in data_refs(user)],
                    control_names(user),
                )
        named.append(replace(given, ref=ref))
    return named


def placeholders(graph: FlatGraph) -> list[Named]:
    """What has to be fed, or may be."""
    return [
        Named(name, Ref(name, 0), node.attr["dtype"].type, _shape(node.attr["shape"].shape))
        for name, node in graph.nodes.items()
        if node.op in PLACEHOLDERS
    ]


def settle_outputs(
    graph: FlatGraph, inlined: Inlined, outputs: Sequence[Named], by_signature: bool
) -> list[Named]:
    """``outputs`` where calls are replaced by bodies; a name that the user gave stays a node's."""
    settled = []
    for output in outputs:
        if output.ref.node not in inlined.calls:
            settled.append(output)
        elif by_signature:
            settled.append(replace(output, ref=inlined.resolve(output.ref)))
        else:
            if output.ref.node not in graph.nodes:
                _stand_in(graph, inlined, output)
            settled.append(output)
    return settled


def _stand_in(graph: FlatGraph, inlined: Inlined, output: Named) -> None:
    """A node with the name and the outputs of the call."""
    refs = [inlined.resolve(Ref(output.ref.node, number)) for number in range(len(output.call_types))]
    if len(refs) == 1:
        node = make_node(output.ref.node, "Identity", T=AttrValue(type=output.call_types[0]))
    else:
        node = make_node(output.ref.node, "IdentityN")
        node.attr["T"].list.type.extend(output.call_types)
    set_inputs(node, refs, ())
    graph.nodes[node.name] = node


class Renaming:
    """Gives nodes the names of the signature; ``renamed`` is the new name of each node that has one."""

    def __init__(self, graph: FlatGraph) -> None:
        self._graph = graph
        self.renamed: dict[str, str] = {}

    def inputs(self, named: Sequence[Named]) -> list[Named]:
        result: list[Named] = []
        for each in named:
            now = self.renamed.get(each.ref.node, each.ref.node)
            if now not in {other.ref.node for other in result}:  # one node can be two inputs
                now = self._call(now, _legal(each.key))
            result.append(replace(each, ref=Ref(now, 0)))
        return result

    def outputs(self, named: Sequence[Named], effects: Sequence[str], taken: frozenset[str]) -> list[Named]:
        """``effects`` run with each output; ``taken`` are names that outputs do not get."""
        result = []
        for each in named:
            name = _legal(each.key)
            ref = self._source(Ref(self.renamed.get(each.ref.node, each.ref.node), each.ref.output))
            if ref != Ref(name, 0) or effects:
                if name in taken:
                    name = self._graph.free_name(f"{name}_out")
                if ref.node == name:
                    ref = Ref(self._free(name), ref.output)
                self._free(name)
                node = make_node(name, "Identity", T=AttrValue(type=each.dtype))
                set_inputs(node, [ref], [self.renamed.get(effect, effect) for effect in effects])
                self._graph.nodes[name] = node
            result.append(replace(each, ref=Ref(name, 0)))
        return result

    def _source(self, ref: Ref) -> Ref:
        """Back through nodes that only hand on."""
        met: set[Ref] = set()
        while ref not in met:
            met.add(ref)
            node = self._graph.nodes[ref.node]
            if node.op == "Identity" and len(node.input) == 1 and data_refs(node):
                ref = data_refs(node)[0]
        return ref

    def _call(self, node: str, name: str) -> str:
        """Gives ``node`` the ``name``."""
        if node != name:
            self._free(name)
            self._rename(node, name)
        return name

    def _free(self, name: str) -> str:
        """Makes ``name`` free; gives the new name of the node that had it."""
        if name not in self._graph.nodes:
            return name
        new = self._graph.free_name(f"{name}_inner")
        self._rename(name, new)
        return new

    def _rename(self, old: str, new: str) -> None:
        nodes = self._graph.nodes
        self._graph.nodes = {new if name == old else name: node for name, node in nodes.items()}
        self._graph.nodes[new].name = new
        for node in self._graph.nodes.values():
            if old in producers(node):
                data = [Ref(new, ref.output) if ref.node == old else ref for ref in data_refs(node)]
                set_inputs(node, data, [new if name == old else name for name in control_names(node)])
        first = next((name for name, now in self.renamed.items() if now == old), old)
        self.renamed[first] = new


def _legal(key: str) -> str:
    """``key`` as a node may be called."""
    name = _FORBIDDEN.sub("_", key)
    return name if name[:1].isalnum() or name[:1] == "." else f"x{name}"
