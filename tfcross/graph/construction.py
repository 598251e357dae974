"""Graphs made here: nodes with their attributes, and the bytes of a graph."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from tfcross.graph.messages import DTYPES, AttrValue, GraphDef, NodeDef


def attr_value(value: object) -> Any:
    """An AttrValue: bool, int, float, bytes; ``DT_…`` a type, other text a string; a sequence of ints a list.

    An AttrValue is taken as it is, which is how tensors and shapes come in.
    """
    attr = AttrValue()
    if isinstance(value, AttrValue):
        attr.CopyFrom(value)
    elif isinstance(value, bool):
        attr.b = value
    elif isinstance(value, int):
        attr.i = value
    elif isinstance(value, float):
        attr.f = value
    elif isinstance(value, str) and value in DTYPES:
        attr.type = DTYPES[value]
    elif isinstance(value, (str, bytes)):
        attr.s = value.encode() if isinstance(value, str) else value
    elif isinstance(value, Sequence):
        attr.list.i.extend(value)
    else:
        raise TypeError(f"no attribute of a node can hold {value!r}")
    return attr


def shape_attr(shape: Sequence[int]) -> Any:
    """An AttrValue that holds ``shape``; -1 is an unknown dimension."""
    attr = AttrValue()
    attr.shape.SetInParent()
    for size in shape:
        attr.shape.dim.add(size=size)
    return attr


def make_node(name: str, op: str, inputs: Sequence[str] = (), **attrs: object) -> Any:
    """A NodeDef; ``attrs`` as :func:`attr_value` takes them."""
    node = NodeDef(name=name, op=op, input=list(inputs))
    for key, value in attrs.items():
        node.attr[key].CopyFrom(attr_value(value))
    return node


def make_placeholder(name: str, dtype: str, shape: Sequence[int]) -> Any:
    """A Placeholder node; -1 in ``shape`` is an unknown dimension."""
    return make_node(name, "Placeholder", dtype=dtype, shape=shape_attr(shape))


def make_const(name: str, dtype: str, shape: Sequence[int], content: bytes) -> Any:
    """A Const node; ``content`` holds the elements, row-major and little-endian."""
    attr = AttrValue()
    attr.tensor.dtype = DTYPES[dtype]
    attr.tensor.tensor_shape.CopyFrom(shape_attr(shape).shape)
    attr.tensor.tensor_content = content
    return make_node(name, "Const", dtype=dtype, value=attr)


def graph_bytes(nodes: Iterable[Any], producer: int, min_consumer: int = 0) -> bytes:
    """A GraphDef's bytes, the same for the same nodes on every machine."""
    graph = GraphDef(node=nodes)
    graph.versions.producer = producer
    graph.versions.min_consumer = min_consumer
    content: bytes = graph.SerializeToString(deterministic=True)
    return content
