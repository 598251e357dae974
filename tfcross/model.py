"""The models that a library is built for: frozen graphs and SavedModels, read without TensorFlow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfcross import modelfile
from tfcross.graphchecks import BadGraph, check_nodes, producer
from tfcross.graphdef import dtype_name
from tfcross.modelfile import ModelFile
from tfcross.node import (
    AttrSummary,
    BadNode,
    FunctionRef,
    Node,
    Shape,
    TensorSummary,
    make_node,
    make_shape,
    quoted,
    quoted_list,
)

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

_PLACEHOLDERS = frozenset({"Placeholder", "PlaceholderV2", "PlaceholderWithDefault"})
_SCALAR_MEANS_UNKNOWN = 21  # up to this producer version, a Placeholder could not tell the two apart
_VARIABLES = frozenset({"Variable", "VariableV2", "VarHandleOp"})
# Ops whose nodes end a graph and give an app nothing.
_ENDING_OPS = """
    NoOp Assert Const PrintV2 Assign AssignVariableOp SaveV2 Save RestoreV2 ScalarSummary HistogramSummary
    ImageSummary MergeSummary InitializeTableV2 InitializeTable InitializeTableFromTextFileV2
"""
_NO_OUTPUTS = _PLACEHOLDERS | frozenset(_ENDING_OPS.split())


@dataclass(frozen=True)
class Placeholder:
    """An input that a caller must feed; ``name`` as Session::Run takes it."""

    name: str
    dtype: str
    shape: Shape


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


def _placeholder(node: Node, producer_version: int) -> Placeholder:
    shape = node.attr("shape", "shape")
    if shape == () and producer_version <= _SCALAR_MEANS_UNKNOWN and node.op == "Placeholder":
        shape = None
    return Placeholder(node.name, node.attr("dtype", "type") or "DT_INVALID", shape)


def _unconsumed(nodes: Iterable[Node]) -> tuple[str, ...]:
    """The nodes that nothing takes from, less those of _NO_OUTPUTS; the constants when no others are left."""
    nodes = tuple(nodes)
    consumed = {producer(tensor) for node in nodes if node.op not in _NO_OUTPUTS for tensor in node.inputs}
    ends = tuple(node for node in nodes if node.name not in consumed)
    outputs = tuple(node.name for node in ends if node.op not in _NO_OUTPUTS)
    return outputs or tuple(node.name for node in ends if node.op == "Const")


def _tensor_name(tensor: str) -> str:
    """``x`` for ``x:0``, which Session::Run takes to be the same."""
    return tensor.removesuffix(":0")


def _signature_ends(signature: Any, nodes: Iterable[Node]) -> tuple[tuple[Placeholder, ...], tuple[str, ...]]:
    """The inputs and outputs that a SavedModel's signature names, by key. Raises BadGraph."""
    names = {node.name for node in nodes}
    for ends in (signature.inputs, signature.outputs):
        for key in sorted(ends):
            if producer(ends[key].name) not in names:
                raise BadGraph(
                    f"its signature's {quoted(key)} is {quoted(ends[key].name)}, and there is no such node"
                )
    infos = [signature.inputs[key] for key in sorted(signature.inputs)]
    inputs = tuple(
        Placeholder(_tensor_name(info.name), dtype_name(info.dtype), make_shape(info.tensor_shape))
        for info in infos
    )
    return inputs, tuple(_tensor_name(signature.outputs[key].name) for key in sorted(signature.outputs))


def _notes(contents: _Contents) -> tuple[str, ...]:
    notes = []
    variables = [node.name for node in contents.nodes if node.op in _VARIABLES]
    if variables:
        count = f"{len(variables)} variable{'s' if len(variables) > 1 else ''}"
        notes.append(f"{count} without values ({quoted_list(variables)}): freeze it first.")
    return tuple(notes)


def _model(file: ModelFile, graph: modelfile.Graph) -> Model:
    """Raises what the parts raise: WireError, TextError, BadNode, BadGraph."""
    contents = _Contents()
    for part in graph.parts:
        contents.add(part)
    if not contents.nodes:
        raise BadNode("it has no nodes")
    check_nodes(contents.nodes)
    if graph.signature is None:
        inputs = (node for node in contents.nodes if node.op in _PLACEHOLDERS)
        placeholders = tuple(_placeholder(node, contents.producer) for node in inputs)
        outputs = _unconsumed(contents.nodes)
    else:
        placeholders, outputs = _signature_ends(graph.signature, contents.nodes)
    return Model(
        path=file.path,
        nodes=tuple(contents.nodes),
        functions=contents.bodies(),
        placeholders=placeholders,
        outputs=outputs,
        sha256=file.sha256(),
        producer=contents.producer,
        min_consumer=contents.min_consumer,
        notes=_notes(contents),
    )


def load_model(path: Path, tag: str = "serve") -> Model:
    """Reads a frozen graph (binary or text), a saved_model.pb or a SavedModel folder.

    ``tag`` picks a SavedModel's graph. The weights are left in the file: of a tensor with more than
    SMALL_TENSOR elements only type and shape are kept. Raises TfcrossError, which names file and node.
    """
    with modelfile.open_model(path) as file, file.explained_errors():
        return _model(file, file.graph(tag))
