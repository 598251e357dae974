"""The models that a library is built for: frozen graphs and SavedModels, read without TensorFlow."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tfcross.errors import TfcrossError, quoted, quoted_list
from tfcross.graph import modelfile
from tfcross.graph.cutting.cut import BadEnds
from tfcross.graph.cutting.ends import NO_ENDS, Ends, tensor_name
from tfcross.graph.cutting.placeholders import (
    PLACEHOLDERS,
    Placeholder,
    all_placeholders,
    cut_to,
    given_placeholders,
    told_placeholder,
)
from tfcross.graph.modelfile import ModelFile
from tfcross.graph.node import AttrSummary, BadNode, FunctionRef, Node, TensorSummary, make_node
from tfcross.graph.structure import BadGraph, check_nodes, producer

__all__ = [
    "AttrSummary",
    "FunctionBody",
    "FunctionRef",
    "Model",
    "Node",
    "Placeholder",
    "TensorSummary",
    "load_model",
]

_VARIABLES = frozenset({"Variable", "VariableV2", "VarHandleOp"})
_TABLES = frozenset({"HashTable", "HashTableV2"})
_SETTING = frozenset({"Assign", "AssignVariableOp"})
# Ops whose nodes end a graph and give an app nothing.
_ENDING_OPS = """
    NoOp Assert Const PrintV2 Assign AssignVariableOp SaveV2 Save RestoreV2 ScalarSummary HistogramSummary
    ImageSummary MergeSummary InitializeTableV2 InitializeTable InitializeTableFromTextFileV2
"""
_NO_OUTPUTS = PLACEHOLDERS | frozenset(_ENDING_OPS.split())


@dataclass(frozen=True)
class FunctionBody:
    """A function of the graph's library; ``gradient`` is the function that computes its gradient, or ""."""

    name: str
    nodes: tuple[Node, ...]
    arguments: tuple[str, ...]
    gradient: str


@dataclass(frozen=True)
class Model:
    """``outputs`` as Session::Run takes them; ``producer`` 0 when the file does not tell.

    ``notes`` are sentences about what will surprise at run time, such as variables without values.
    ``saved``: whether it is a SavedModel, whose ``signature``, if it has one, tells the ends. ``replaced`` is
    None where the file is the graph that runs; else ``nodes`` are a part of it, and placeholders stand for
    those that ``replaced`` names. ``initializer`` is the node to run once before the outputs, "" for none.
    ``input_keys`` and ``output_keys`` are the signature's, with their tensors.
    """

    path: Path
    nodes: tuple[Node, ...]
    functions: Mapping[str, FunctionBody]
    placeholders: tuple[Placeholder, ...]
    outputs: tuple[str, ...]
    sha256: str
    producer: int
    min_consumer: int
    notes: tuple[str, ...]
    saved: bool = False
    signature: str = ""
    replaced: frozenset[str] | None = None
    initializer: str = ""
    input_keys: Mapping[str, str] = field(default_factory=dict)
    output_keys: Mapping[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """The name of the file, or of the SavedModel's folder, without what tells its format."""
        return self.path.resolve().parent.name if self.path.stem == "saved_model" else self.path.stem

    def unfrozen(self) -> str:
        """What a SavedModel's graph lacks to give its outputs, in a sentence; "" for nothing."""
        kinds = {"variable": _VARIABLES, "table": _TABLES} if self.saved else {}
        lacks = {kind: [node.name for node in self.nodes if node.op in ops] for kind, ops in kinds.items()}
        told = [f"{_count(names, kind)} ({quoted_list(names)})" for kind, names in lacks.items() if names]
        if not told:
            return ""
        whose = f"its signature {quoted(self.signature)}" if self.signature else "its graph"
        return (
            f"{whose} needs {' and '.join(told)}, whose values are in files beside the graph. Pass the "
            "folder that has them all (docs/models.md#freezing)."
        )

    def reachable(self) -> tuple[FunctionBody, ...]:
        """The functions that the main graph can come to call, in the order in which they are met."""
        met: dict[str, FunctionBody] = {}
        waiting = list(self.nodes)
        for node in waiting:
            for name in (node.op, *node.function_names()):
                body = self.functions.get(name)
                if body is None or name in met:
                    continue
                met[name] = body
                waiting.extend(body.nodes)
                if body.gradient in self.functions and body.gradient not in met:
                    met[body.gradient] = self.functions[body.gradient]
                    waiting.extend(met[body.gradient].nodes)
        return tuple(met.values())

    def all_nodes(self) -> Iterator[Node]:
        """The main graph's nodes, then those of the reachable functions."""
        yield from self.nodes
        for body in self.reachable():
            yield from body.nodes

    def ops(self) -> dict[str, str]:
        """Each op that can run, sorted, with the first reason: ``graph`` or ``function <name>``.

        A function that is called by its name is no op. A function attribute may also name an op.
        """
        reasons: dict[str, str] = {}
        for node in self.all_nodes():
            reason = f"function {node.function}" if node.function else "graph"
            for name in (node.op, *node.function_names()):
                if name not in self.functions:
                    reasons.setdefault(name, reason)
        return dict(sorted(reasons.items()))


class _Contents:
    """What the parts of a graph add up to."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.functions: dict[str, tuple[tuple[Node, ...], tuple[str, ...]]] = {}
        self.gradients: dict[str, str] = {}
        self.producer = self.min_consumer = 0

    def add(self, part: Any) -> None:
        """Raises BadNode, BadGraph."""
        kind = part.DESCRIPTOR.name
        if kind == "NodeDef":
            self.nodes.append(make_node(part))
        elif kind == "FunctionDef":
            self._add_function(part)
        elif kind == "GradientDef":
            self.gradients[part.function_name] = part.gradient_func
        else:
            self.producer = part.producer or self.producer
            self.min_consumer = part.min_consumer or self.min_consumer

    def _add_function(self, part: Any) -> None:
        name = part.signature.name
        if not name:
            raise BadNode("a function without a name")
        if name in self.functions:
            raise BadGraph(f"two functions are named {quoted(name)}; names must be unique")
        nodes = tuple(make_node(node, name) for node in part.node_def)
        arguments = tuple(arg.name for arg in part.signature.input_arg)
        try:
            check_nodes(nodes, frozenset(arguments))
        except BadGraph as error:
            raise BadGraph(f"function {quoted(name)}: {error}") from None
        self.functions[name] = (nodes, arguments)

    def bodies(self) -> dict[str, FunctionBody]:
        return {
            name: FunctionBody(name, nodes, arguments, self.gradients.get(name, ""))
            for name, (nodes, arguments) in self.functions.items()
        }


def _unconsumed(nodes: Iterable[Node]) -> tuple[str, ...]:
    """The nodes that nothing takes from, less those of _NO_OUTPUTS; the constants when no others are left."""
    nodes = tuple(nodes)
    consumed = {producer(tensor) for node in nodes if node.op not in _NO_OUTPUTS for tensor in node.inputs}
    ends = tuple(node for node in nodes if node.name not in consumed)
    outputs = tuple(node.name for node in ends if node.op not in _NO_OUTPUTS)
    return outputs or tuple(node.name for node in ends if node.op == "Const")


def _signature_ends(signature: Any, nodes: Iterable[Node]) -> tuple[tuple[Placeholder, ...], tuple[str, ...]]:
    """The inputs and outputs that a SavedModel's signature names, by key. Raises BadGraph."""
    by_name = {node.name: node for node in nodes}
    for ends in (signature.inputs, signature.outputs):
        for key in sorted(ends):
            if producer(ends[key].name) not in by_name:
                raise BadGraph(
                    f"its signature's {quoted(key)} is {quoted(ends[key].name)}, and there is no such node"
                )
    infos = [signature.inputs[key] for key in sorted(signature.inputs)]
    inputs = tuple(told_placeholder(info, by_name[producer(info.name)]) for info in infos)
    return inputs, tuple(tensor_name(signature.outputs[key].name) for key in sorted(signature.outputs))


def _require_node(nodes: Iterable[Node], initializer: str) -> None:
    if initializer and all(node.name != initializer for node in nodes):
        raise BadGraph(f"its description names the initializer {quoted(initializer)}, which is not in it")


def _signature_keys(ends: Mapping[str, Any], tensors: Collection[str]) -> dict[str, str]:
    """Those of ``tensors`` that a signature names, by its keys."""
    told = {key: tensor_name(ends[key].name) for key in sorted(ends)}
    return {key: tensor for key, tensor in told.items() if tensor in tensors}


def _count(names: Collection[str], what: str) -> str:
    return f"{len(names)} {what}{'s' if len(names) > 1 else ''}"


def _notes(nodes: Iterable[Node], initializer: str) -> tuple[str, ...]:
    notes = []
    set_first = {producer(node.inputs[0]) for node in nodes if initializer and node.op in _SETTING}
    variables = [node.name for node in nodes if node.op in _VARIABLES and node.name not in set_first]
    if variables:
        count = _count(variables, "variable")
        notes.append(f"{count} without values ({quoted_list(variables)}): pass the checkpoint that has them.")
    return tuple(notes)


def _model(file: ModelFile, graph: modelfile.Graph, ends: Ends, initializer: str) -> Model:
    """Raises what the parts raise, WireError, TextError, BadNode, BadGraph; and BadEnds."""
    contents = _Contents()
    for part in graph.parts:
        contents.add(part)
    if not contents.nodes:
        raise BadNode("it has no nodes")
    check_nodes(contents.nodes)
    _require_node(contents.nodes, initializer)
    told: dict[str, Placeholder] = {}
    outputs = ends.outputs
    if graph.signature is not None:
        inputs, fetched = _signature_ends(graph.signature, contents.nodes)
        outputs, told = outputs or fetched, {each.name: each for each in inputs}
    fed = {each.name for each in ends.inputs}
    outputs = outputs or tuple(name for name in _unconsumed(contents.nodes) if name not in fed)
    cut = None
    if graph.saved or ends.inputs or ends.outputs:
        cut = cut_to(contents.nodes, ends.inputs, tuple(told.values()), outputs, initializer)
    nodes = cut.nodes if cut else tuple(contents.nodes)
    if ends.inputs:
        told = given_placeholders(nodes, ends.inputs, contents.producer)
    placeholders = all_placeholders(nodes, told, contents.producer)
    signature = graph.signature
    return Model(
        path=file.path,
        nodes=nodes,
        functions=contents.bodies(),
        placeholders=placeholders,
        outputs=outputs,
        sha256=file.sha256(),
        producer=contents.producer,
        min_consumer=contents.min_consumer,
        notes=_notes(nodes, initializer),
        saved=graph.saved,
        signature=graph.name,
        replaced=cut.replaced if cut else None,
        initializer=initializer,
        input_keys=_signature_keys(signature.inputs, {each.name for each in placeholders})
        if signature
        else {},
        output_keys=_signature_keys(signature.outputs, outputs) if signature else {},
    )


def load_model(path: Path, tag: str = "serve", ends: Ends = NO_ENDS, initializer: str = "") -> Model:
    """Reads a frozen graph (binary or text), a saved_model.pb or a SavedModel folder.

    ``tag`` picks a SavedModel's graph, of which what its signature's outputs need is kept; ``ends`` cut any
    graph, but ``initializer`` and what it needs stay. The weights are left in the file: of a tensor with more
    than SMALL_TENSOR elements only type and shape are kept. Raises TfcrossError, which names file and node.
    """
    with modelfile.open_model(path) as file, file.explained_errors():
        try:
            return _model(file, file.graph(tag, ends.signature), ends, initializer)
        except BadEnds as error:
            raise TfcrossError(f"{file.path}: {error}.") from None
