"""A cut graph as a file of its own, which the library of the model can load; the weights go by untouched."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from tfcross.files import replacing
from tfcross.graph import messages, modelfile, wire
from tfcross.graph.construction import make_node, shape_attr
from tfcross.graph.model import Model
from tfcross.graph.node import Node
from tfcross.graph.structure import producer

_NODE, _LIBRARY, _VERSIONS = 1, 2, 4  # fields of a GraphDef
_FUNCTION, _GRADIENT = 1, 2  # fields of its library
_COLOCATION = "_class"


def write_cut(model: Model, target: Path, tag: str = "serve") -> str:
    """Writes the nodes and reachable functions of ``model``, a cut one, to ``target``; gives the sha256.

    Node by node, so that a large graph takes no memory. Raises TfcrossError as ``load_model`` does.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with (
        modelfile.open_model(model.path) as file,
        file.explained_errors(),
        replacing(target) as part,
        part.open("wb") as stream,
    ):
        for content in _fields(model, file.pieces(tag)):
            digest.update(content)
            stream.write(content)
    return digest.hexdigest()


def _fields(model: Model, pieces: Iterator[modelfile.Piece]) -> Iterator[bytes]:
    """The new GraphDef's bytes: nodes in their order, functions, versions; a large node is not copied."""
    nodes = {node.name: node for node in model.nodes}
    functions = {body.name for body in model.reachable()}
    library, versions = bytearray(), b""
    for message, content in pieces:
        kind = message.DESCRIPTOR.name
        if kind == "NodeDef" and message.name in nodes:
            node = _node(model, nodes, message, content)
            yield wire.field_head(_NODE, len(node))
            yield node
        elif kind == "FunctionDef" and message.signature.name in functions:
            library += wire.length_field(_FUNCTION, content)
        elif kind == "GradientDef" and message.function_name in functions:
            library += wire.length_field(_GRADIENT, content)
        elif kind == "VersionDef":
            versions = wire.length_field(_VERSIONS, content)
    if library:
        yield wire.length_field(_LIBRARY, bytes(library))
    yield versions


def _node(model: Model, nodes: dict[str, Node], message: object, content: bytes) -> bytes:
    """The node as it is in the file, as a placeholder, or without a place beside a node that is gone."""
    node = nodes[message.name]  # type: ignore[attr-defined]
    if model.replaced and node.name in model.replaced:
        return _placeholder(node)
    beside = node.attr(_COLOCATION, "list(string)") or ()
    if all(producer(place.removeprefix("loc:@")) in nodes for place in beside):
        return content
    whole = messages.NodeDef.FromString(content)
    del whole.attr[_COLOCATION]
    return bytes(whole.SerializeToString(deterministic=True))


def _placeholder(node: Node) -> bytes:
    shape = node.attr("shape", "shape")
    attrs = {"dtype": node.attr("dtype", "type")}
    if shape is not None:
        attrs["shape"] = shape_attr(shape)
    made = make_node(node.name, "Placeholder", **attrs)
    return bytes(made.SerializeToString(deterministic=True))
