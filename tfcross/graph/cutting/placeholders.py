"""A graph's inputs as values, and the cut to those that a user or a signature has told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tfcross.graph.cutting.cut import FED, BadEnds, Cut, check_inputs, cut_graph
from tfcross.graph.cutting.ends import Input, tensor_name
from tfcross.graph.messages import DTYPES, dtype_name
from tfcross.graph.node import Node, Shape, make_shape

PLACEHOLDERS = frozenset({"Placeholder", "PlaceholderV2", "PlaceholderWithDefault"})
_SCALAR_MEANS_UNKNOWN = 21  # up to this producer version, a Placeholder could not tell the two apart


@dataclass(frozen=True)
class Placeholder:
    """An input that a caller must feed; ``name`` as Session::Run takes it."""

    name: str
    dtype: str
    shape: Shape


def _placeholder(node: Node, producer_version: int) -> Placeholder:
    shape = node.attr("shape", "shape")
    if shape == () and producer_version <= _SCALAR_MEANS_UNKNOWN and node.op == "Placeholder":
        shape = None
    return Placeholder(node.name, node.attr("dtype", "type") or "DT_INVALID", shape)


def told_placeholder(info: Any, node: Node) -> Placeholder:
    """What a signature tells of the input ``node``, and of its shape the node itself if that does not."""
    shape = make_shape(info.tensor_shape) if info.HasField("tensor_shape") else node.attr("shape", "shape")
    return Placeholder(tensor_name(info.name), dtype_name(info.dtype), shape)


def cut_to(
    nodes: Sequence[Node],
    given: Sequence[Input],
    told: Sequence[Placeholder],
    outputs: Sequence[str],
    initializer: str = "",
) -> Cut:
    """Cut to the ``given`` inputs, else to those that a signature has ``told``. Raises BadEnds.

    ``initializer`` is kept beside the ``outputs``; "" for none.
    """
    beside = (initializer,) if initializer else ()
    if given:
        if not outputs:
            raise BadEnds("no node looks like an output; name the OUTPUTS=")
        cut = cut_graph(nodes, given, outputs, beside)
        check_inputs(cut, given, outputs)
        return cut
    ops = {node.name: node.op for node in nodes}
    whole = [
        placeholder
        for placeholder in told
        if ":" not in placeholder.name and ops[placeholder.name] != "PlaceholderWithDefault"
    ]
    inputs = [
        Input(placeholder.name)
        if ops[placeholder.name] in FED
        else Input(placeholder.name, _known(placeholder.dtype), placeholder.shape)
        for placeholder in whole
    ]
    return cut_graph(nodes, inputs, outputs or list(ops), beside)  # what cannot be told is all needed


def _known(dtype: str) -> str:
    return dtype if dtype in DTYPES else ""


def given_placeholders(
    nodes: Iterable[Node], given: Sequence[Input], producer_version: int
) -> dict[str, Placeholder]:
    """By name in the order of ``given``; a shape that was given means what it says in any version."""
    by_name = {node.name: node for node in nodes}
    made = {feed.name: _placeholder(by_name[feed.name], producer_version) for feed in given}
    shapes = {feed.name: feed.shape for feed in given if feed.shape is not None}
    return {
        name: replace(placeholder, shape=shapes.get(name, placeholder.shape))
        for name, placeholder in made.items()
    }


def all_placeholders(
    nodes: Iterable[Node], told: Mapping[str, Placeholder], producer_version: int
) -> tuple[Placeholder, ...]:
    """Those that a signature or a user has ``told``, then the others among ``nodes``."""
    others = (node for node in nodes if node.op in PLACEHOLDERS and node.name not in told)
    return (*told.values(), *(_placeholder(node, producer_version) for node in others))
