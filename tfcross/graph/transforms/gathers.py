"""sparsify_gather: a weight vector that is mostly zeros, as a table of those that are not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tfcross.errors import quoted
from tfcross.graph.construction import make_node
from tfcross.graph.rewriting.inputs import consumers, copied, data_inputs, is_first_output, node_of
from tfcross.graph.rewriting.tensors import Array, UnreadableTensor, const_node, const_value, scalar
from tfcross.graph.transforms.attributes import without_attribute
from tfcross.graph.transforms.context import Context

_SMALLEST = 1e-5
_GATHERS = ("Gather", "GatherV2")
_VARIABLES = ("Variable", "VariableV2")


@dataclass
class _Sparsifier:
    """``tables`` are the weights that have one already."""

    context: Context
    by_name: dict[str, Any]
    tables: set[str] = field(default_factory=set)
    changed: int = 0

    def replace(self, node: Any) -> list[Any]:
        weights = self._weights(node)
        if weights is None:
            return [node]
        try:
            values = const_value(weights)
        except UnreadableTensor as error:
            self.context.note(f"{quoted(node.name)} stays: {error}")
            return [node]
        if values.dtype != np.float32 or values.ndim != 2 or values.shape[1] != 1:
            self.context.note(f"{quoted(node.name)} stays: its weights are no float column, [N, 1]")
            return [node]
        self.changed += 1
        table = [] if weights.name in self.tables else _table(weights.name, values)
        self.tables.add(weights.name)
        return [*table, *_lookup(node, weights.name)]

    def _weights(self, node: Any) -> Any:
        """The constant behind the Identity that a gather of rows takes."""
        if node.op not in _GATHERS:
            return None
        inputs = data_inputs(node)
        passed = self.by_name[node_of(inputs[0])] if inputs else None
        if passed is None or passed.op != "Identity" or len(inputs) < 2 or not is_first_output(inputs[0]):
            return None
        if node.op == "GatherV2" and not self._gathers_rows(inputs):
            return None
        weights = self.by_name[node_of(data_inputs(passed)[0])] if data_inputs(passed) else None
        if weights is not None and weights.op in _VARIABLES:
            hint = "freeze the graph first, so that it is a constant"
            self.context.note(f"{quoted(node.name)} stays: {quoted(weights.name)} is a variable; {hint}")
        return weights if weights is not None and weights.op == "Const" else None

    def _gathers_rows(self, inputs: Sequence[str]) -> bool:
        axis = self.by_name[node_of(inputs[2])] if len(inputs) > 2 else None
        try:
            return axis is not None and not const_value(axis).any()
        except UnreadableTensor:
            return False


def sparsify_gather(nodes: Sequence[Any], context: Context) -> list[Any]:
    """The app has to run ``group_init_node`` once, which fills the tables; it is there even without any."""
    if context.arguments.many("input_checkpoint"):
        raise context.arguments.error(
            "input_checkpoint= is not read; freeze the graph with its checkpoint first, then sparsify it"
        )
    nodes = [without_attribute(node, "_output_shapes") for node in nodes]
    sparsifier = _Sparsifier(context, {node.name: node for node in nodes})
    init = context.arguments.text("group_init_node", "group_deps")
    result = [new for node in nodes for new in sparsifier.replace(node)]
    context.note(f"{sparsifier.changed} gathers changed")
    if sparsifier.changed:
        context.note(f"run the node {quoted(init)} once as a target before the first answer")
    return _with_init(_without_unused(result, nodes, context), init, sorted(sparsifier.tables), context)


def _table(name: str, values: Array) -> list[Any]:
    """A table may not be empty: then it has zero for the first row."""
    flat = values.ravel()
    keys = np.flatnonzero(np.abs(flat) >= _SMALLEST).astype(np.int64)
    keys = keys if len(keys) else np.zeros(1, np.int64)
    kept = np.where(np.abs(flat[keys]) >= _SMALLEST, flat[keys], np.float32(0))
    indices, contents = f"{name}/indices", f"{name}/values"
    return [
        const_node(indices, keys),
        const_node(contents, kept.astype(np.float32)),
        make_node(f"{name}/HashTable", "HashTable", key_dtype="DT_INT64", value_dtype="DT_FLOAT"),
        make_node(
            f"{name}/InitializeTable",
            "InitializeTable",
            [f"{name}/HashTable", indices, contents],
            Tkey="DT_INT64",
            Tval="DT_FLOAT",
        ),
    ]


def _lookup(gather: Any, weights: str) -> list[Any]:
    """Keys are int64: indices of another type are cast."""
    name, ids = gather.name, data_inputs(gather)[1]
    new = []
    if "Tindices" not in gather.attr or gather.attr["Tindices"].type != 9:
        source = gather.attr["Tindices"].type if "Tindices" in gather.attr else 3
        cast = make_node(f"{name}/ids", "Cast", [ids], DstT="DT_INT64")
        cast.attr["SrcT"].type = source
        new.append(cast)
        ids = cast.name
    names = [f"{weights}/HashTable", ids, f"{name}/Const"]
    return [
        *new,
        make_node(f"{name}/LookupTableFind", "LookupTableFind", names, Tin="DT_INT64", Tout="DT_FLOAT"),
        const_node(f"{name}/Const", scalar(0)),
        const_node(f"{name}/ExpandDims/Const", np.array(-1, np.int32)),
        make_node(name, "ExpandDims", [f"{name}/LookupTableFind", f"{name}/ExpandDims/Const"], T="DT_FLOAT"),
    ]


def _without_unused(nodes: list[Any], before: Sequence[Any], context: Context) -> list[Any]:
    """Less the weights, what passed them on, and axes: constants that nothing takes any more."""
    once = consumers(before)
    while True:
        taken = consumers(nodes)
        gone = {
            node.name
            for node in nodes
            if node.op in ("Const", "Identity") and node.name in once and node.name not in taken
        } - context.kept
        if not gone:
            return nodes
        nodes = [node for node in nodes if node.name not in gone]


def _with_init(nodes: list[Any], name: str, weights: Sequence[str], context: Context) -> list[Any]:
    controls = [f"^{weight}/InitializeTable" for weight in weights]
    for number, node in enumerate(nodes):
        if node.name == name:
            if node.op != "NoOp":
                raise context.arguments.error(f"group_init_node={name} is a {quoted(node.op)}, not a NoOp")
            grown = copied(node, input=[*node.input, *controls])
            return [*nodes[:number], grown, *nodes[number + 1 :]]
    return [*nodes, make_node(name, "NoOp", controls)]
