"""Graphs for tests of what rewrites them: made from nodes, and looked at by node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tfcross.graph.construction import make_node, make_placeholder
from tfcross.graph.messages import GraphDef
from tfcross.graph.rewriting.tensors import const_node, read_tensor
from tfcross.graph.transforms.chain import transform_graph
from tfcross.registry.opdef import ArgDef, AttrDef, OpDef

FLOAT = "DT_FLOAT"


def graph_of(*nodes: Any, producer: int = 26) -> Any:
    graph = GraphDef(node=nodes)
    graph.versions.producer = producer
    return graph


def const(name: str, values: object, dtype: str = "float32") -> Any:
    return const_node(name, np.array(values, dtype))


def placeholder(name: str = "input", shape: Sequence[int] = (1, 4, 4, 2)) -> Any:
    return make_placeholder(name, FLOAT, shape)


def conv(name: str, source: str, weights: str, op: str = "Conv2D", **more: object) -> Any:
    attrs: dict[str, Any] = {"T": FLOAT, "strides": [1, 1, 1, 1], "padding": "SAME", **more}
    return make_node(name, op, [source, weights], **attrs)


def fused_norm(name: str, inputs: Sequence[str], op: str = "FusedBatchNorm", **more: object) -> Any:
    attrs: dict[str, Any] = {"T": FLOAT, "epsilon": 1e-5, "is_training": False, **more}
    return make_node(name, op, inputs, **attrs)


def relu(name: str, source: str, *more: str) -> Any:
    return make_node(name, "Relu", [source, *more], T=FLOAT)


def identity(name: str, source: str, *more: str) -> Any:
    return make_node(name, "Identity", [source, *more], T=FLOAT)


def chain() -> Any:
    """input, middle, passed, output; and one more that takes input."""
    return graph_of(
        placeholder(),
        relu("middle", "input"),
        identity("passed", "middle"),
        relu("output", "passed"),
        relu("rest", "input"),
    )


def transformed(
    graph: Any, transforms: str, inputs: str = "input", outputs: str = "output"
) -> tuple[Any, list[str]]:
    return transform_graph(graph, inputs.split(","), outputs.split(","), transforms, op_definitions)


def op_definitions() -> Mapping[str, OpDef]:
    """Of the few ops that tests need them for."""
    kind = AttrDef("T", "type")
    ops = (
        OpDef("Relu", "", attrs=(kind,), outputs=(ArgDef("activations", type_attr="T"),)),
        OpDef(
            "Split",
            "",
            attrs=(AttrDef("num_split", "int"), kind),
            outputs=(ArgDef("output", number_attr="num_split", type_attr="T"),),
        ),
        OpDef("RandomUniform", "", stateful=True),
        OpDef("Moments", "", outputs=(ArgDef("mean", type=1), ArgDef("variance", type=1))),
        OpDef("Assign", ""),
        OpDef("Elu", "", attrs=(kind,)),
        OpDef(
            "Conv2D",
            "",
            attrs=(
                kind,
                AttrDef("data_format", "string", "NHWC"),
                AttrDef("dilations", "list(int)", (1, 1, 1, 1)),
            ),
        ),
    )
    return {op.name: op for op in ops}


def nodes_of(graph: Any) -> dict[str, Any]:
    return {node.name: node for node in graph.node}


def wiring(graph: Any) -> dict[str, list[str]]:
    """Each node's op and inputs, in the graph's order."""
    return {node.name: [node.op, *node.input] for node in graph.node}


def value(graph: Any, name: str) -> Any:
    """The numbers of a constant, as lists."""
    return read_tensor(nodes_of(graph)[name].attr["value"].tensor).tolist()
