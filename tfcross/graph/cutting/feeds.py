"""What the generic runner feeds a model, and what it cannot know: then only the app's own values run it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tfcross.errors import quoted, quoted_list
from tfcross.graph.cutting.cut import needed
from tfcross.graph.cutting.ends import input_word, type_word
from tfcross.graph.model import Model, Placeholder
from tfcross.graph.node import Node, Shape, TensorSummary
from tfcross.graph.structure import producer

#: The types that templates/run_graph_tensors.h makes values of.
_MADE = ("FLOAT", "DOUBLE", "INT8", "UINT8", "INT16", "UINT16", "INT32", "INT64", "BOOL", "STRING")
_FEEDABLE_VARIABLES = ("Variable", "VariableV2")
_STREAMS = re.compile(r"IteratorGetNext(Sync)?|QueueDequeue(Many|UpTo)?(V2)?|ReaderRead(UpTo)?(V2)?")
_FILLS = re.compile(r"Assign(VariableOp)?|InitializeTable(FromTextFile)?(V2)?|LookupTableImport(V2)?")
#: What a session starts without, what only the app can do about it, and whether INPUTS= can stand for it.
_STATE = (
    (re.compile("Variable(V2)?"), "only the app knows the values of the variables", True),
    (re.compile("VarHandleOp"), "only the app sets the variables", False),
    (re.compile("HashTable(V2)?"), "only the app runs what fills the tables", False),
    (_STREAMS, "only the app knows what comes out of", True),
)


@dataclass(frozen=True)
class Unknown:
    """``what`` is a clause of a sentence; ``feedable``: whether INPUTS= and OUTPUTS= can tell it."""

    what: str
    feedable: bool


def unknowns(model: Model) -> tuple[Unknown, ...]:
    """Why made-up values cannot run ``model``; none where they can."""
    nodes = {node.name: node for node in model.nodes}
    if not model.outputs:
        return (Unknown("no node looks like an output", True),)
    return (*_of_inputs(model, nodes), *_of_state(_used(model, nodes)))


def unknown_text(model: Model) -> str:
    """What ``unknowns`` finds and what to do, as two sentences; "" for nothing."""
    missing = unknowns(model)
    if not missing:
        return ""
    ways = f"Pass {suggestion(model)}, or put" if all(unknown.feedable for unknown in missing) else "Put"
    clauses = "; ".join(unknown.what for unknown in missing)
    return f"{clauses}. {ways} a proof.yaml beside the model (docs/models.md#the-proof)."


def suggestion(model: Model) -> str:
    """INPUTS= and OUTPUTS= with all that is known filled in, and "…" where something is not."""
    nodes = {node.name: node for node in model.nodes}
    fed = [
        input_word(placeholder.name, placeholder.dtype, fed_shape(model, placeholder))
        for placeholder in _fed(model, nodes)
    ]
    for node in _used(model, nodes):
        if node.op in _FEEDABLE_VARIABLES:
            fed.append(input_word(node.name, node.attr("dtype", "type") or "…", node.attr("shape", "shape")))
        elif _STREAMS.fullmatch(node.op):
            fed.append(f"{node.name}=…")
    words = ([f"INPUTS='{','.join(fed)}'"] if fed else []) + ([] if model.outputs else ["OUTPUTS=…"])
    return " ".join(words)


def _used(model: Model, nodes: Mapping[str, Node]) -> list[Node]:
    """The nodes that the outputs and the initializer need, in the file's order."""
    kept = needed(nodes, (*model.outputs, *((model.initializer,) if model.initializer else ())))
    return [node for node in model.nodes if node.name in kept]


def runner_arguments(model: Model) -> tuple[str, ...]:
    """The words behind the graph's name for the generic runner: it finds the ends of a whole graph itself."""
    first = ("--initializer", model.initializer) if model.initializer else ()
    if model.replaced is None:
        return first
    nodes = {node.name: node for node in model.nodes}
    words = []
    for each in _fed(model, nodes):
        shape = fed_shape(model, each) or ()
        words.append(input_word(each.name, each.dtype, tuple(1 if size < 0 else size for size in shape)))
    fed = ("--inputs", ",".join(words)) if words else ()
    return (*first, *fed, "--outputs", ",".join(model.outputs))


def open_sizes(model: Model) -> str:
    """What to try where made-up values fail, a sentence; "" where the graph tells every size."""
    nodes = {node.name: node for node in model.nodes}
    if not any(-1 in (placeholder.shape or ()) for placeholder in _fed(model, nodes)):
        return ""
    return f"Sizes that the graph leaves open were taken as 1; pass {suggestion(model)} with the app's own."


def fed_shape(model: Model, placeholder: Placeholder) -> Shape:
    """As told, else a scalar for a string, else one row of what a MatMul's constant weights take.

    Last, a scalar where an old graph's shape can mean that; or None.
    """
    if placeholder.shape is not None or placeholder.dtype == "DT_STRING":
        return placeholder.shape or ()
    nodes = {node.name: node for node in model.nodes}
    return _row_of_weights(model, nodes, placeholder.name) or _own_shape(nodes.get(placeholder.name))


def _own_shape(node: Node | None) -> Shape:
    shape: Shape = node.attr("shape", "shape") if node else None
    return shape


def _row_of_weights(model: Model, nodes: Mapping[str, Node], name: str) -> Shape:
    product = next((node for node in model.nodes if node.op == "MatMul" and _first(node) == name), None)
    weights = nodes.get(producer(product.inputs[1])) if product and len(product.inputs) > 1 else None
    while weights and weights.op == "Identity":
        weights = nodes.get(producer(weights.inputs[0])) if weights.inputs else None
    tensor = weights.attr("value", "tensor") if weights and weights.op == "Const" else None
    if not product or not isinstance(tensor, TensorSummary) or tensor.shape is None or len(tensor.shape) != 2:
        return None
    return (1, tensor.shape[1 if product.attr("transpose_b", "bool") else 0])


def _first(node: Node) -> str:
    return producer(node.inputs[0]) if node.inputs else ""


def _fed(model: Model, nodes: Mapping[str, Node]) -> Iterator[Placeholder]:
    for placeholder in model.placeholders:
        node = nodes.get(producer(placeholder.name))
        if not node or node.op != "PlaceholderWithDefault":
            yield placeholder


def _of_inputs(model: Model, nodes: Mapping[str, Node]) -> Iterator[Unknown]:
    for placeholder in _fed(model, nodes):
        short = type_word(placeholder.dtype)
        if placeholder.dtype.removeprefix("DT_") not in _MADE:
            what = f"input {quoted(placeholder.name)} is of the type {short}, of which no values are made up"
            yield Unknown(what, feedable=False)
        elif fed_shape(model, placeholder) is None:
            yield Unknown(f"input {quoted(placeholder.name)} ({short}) has no shape", feedable=True)


def _of_state(nodes: Sequence[Node]) -> Iterator[Unknown]:
    """``nodes`` are those that the outputs need; what they fill themselves is known."""
    filled = {_first(node) for node in nodes if _FILLS.fullmatch(node.op)}
    for ops, what, feedable in _STATE:
        names = [node.name for node in nodes if ops.fullmatch(node.op) and node.name not in filled]
        if names:
            yield Unknown(f"{what} {quoted_list(names)}", feedable)
