"""Seeds and damages for tests of what reads models: bytes that are flipped, cut and enlarged; parts of graphs
that are swapped, joined in circles and made strange."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

from google.protobuf import text_format
from google.protobuf.message import DecodeError

from tfcross.graph.construction import make_const, make_node, make_placeholder
from tfcross.graph.messages import AttrValue, GraphDef, SavedModel

ROOT = Path(__file__).parents[2]


def function_graph() -> GraphDef:
    caller = AttrValue()
    caller.func.name = "f"
    caller.func.attr["T"].type = 1
    listed = AttrValue()
    listed.list.type.extend([1, 3])
    listed.list.shape.add().dim.add(size=4)
    graph = GraphDef(
        node=[
            make_placeholder("x", "DT_FLOAT", [-1, 4]),
            make_const("c", "DT_INT32", [2], b"\1\0\0\0\2\0\0\0"),
            make_node("call", "PartitionedCall", ["x", "^c"], f=caller, Tin=listed),
        ]
    )
    graph.versions.producer = 1482
    function = graph.library.function.add()
    function.signature.name = "f"
    function.signature.input_arg.add(name="a", type=1)
    function.node_def.append(make_node("r", "Relu", ["a"], T="DT_FLOAT"))
    graph.library.gradient.add(function_name="f", gradient_func="f")
    return graph


def saved_model() -> bytes:
    saved = SavedModel(saved_model_schema_version=1)
    meta = saved.meta_graphs.add(graph_def=function_graph())
    meta.meta_info_def.tags.append("serve")
    meta.signature_def["serving_default"].inputs["x"].name = "x:0"
    meta.signature_def["serving_default"].outputs["y"].name = "call:0"
    return bytes(saved.SerializeToString())


SEEDS: dict[str, Callable[[], bytes]] = {
    "digits.pb": (ROOT / "examples" / "digits" / "digits.pb").read_bytes,
    "functions.pb": lambda: bytes(function_graph().SerializeToString()),
    "saved_model.pb": saved_model,
    "functions.pbtxt": lambda: text_format.MessageToString(function_graph()).encode(),
    "large_node.pb": lambda: bytes(make_graph_with_large_node()),
}


def make_graph_with_large_node() -> bytes:
    """Large enough that the payload is left out before parsing."""
    graph = GraphDef(node=[make_const("w", "DT_FLOAT", [100, 200], b"\1\2\3\4" * 20_000)])
    return bytes(graph.SerializeToString())


def flip_bits(data: bytearray, chance: random.Random) -> None:
    for _ in range(chance.randint(1, 8)):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def truncate(data: bytearray, chance: random.Random) -> None:
    del data[chance.randrange(len(data)) :]


def enlarge_a_length(data: bytearray, chance: random.Random) -> None:
    at = chance.randrange(len(data))
    data[at : at + 1] = chance.choice([b"\xff\xff\xff\xff\x07", b"\xff\xff\xff\x7f", b"\xff" * 9 + b"\1"])


def repeat_a_piece(data: bytearray, chance: random.Random) -> None:
    start, at = chance.randrange(len(data)), chance.randrange(len(data))
    data[at:at] = bytes(data[start : start + chance.randint(1, 200)]) * chance.randint(1, 20)


def drop_a_piece(data: bytearray, chance: random.Random) -> None:
    start = chance.randrange(len(data))
    del data[start : start + chance.randint(1, 50)]


def overwrite_the_start(data: bytearray, chance: random.Random) -> None:
    data[: chance.randint(1, 16)] = chance.randbytes(chance.randint(1, 16))


MUTATORS = [flip_bits, truncate, enlarge_a_length, repeat_a_piece, drop_a_piece, overwrite_the_start]

OPS = (
    "Add",
    "MatMul",
    "Placeholder",
    "Identity",
    "CudnnRNN",
    "SymbolicGradient",
    "Const",
    "Conv2D",
    "Reshape",
    "Switch",
    "Merge",
    "NextIteration",
    "While",
    "If",
    "SaveV2",
    "f",
    "",
    "No/Op",
    "x" * 5000,
)
DEVICES = ("/device:GPU:0", "/job:a/task:1", "/cpu:*", "nowhere", "/", "/device:" + "9" * 500)
NAMES = ("", "a", "a/b", "a/b/c", "/", "//", "a//b", "x", "\n", "\0", "é" * 200, "/".join("s" * 500))


def _node(graph: GraphDef, chance: random.Random) -> object:
    return chance.choice(graph.node)


def rename(graph: GraphDef, chance: random.Random) -> None:
    _node(graph, chance).name = chance.choice(NAMES)


def another_op(graph: GraphDef, chance: random.Random) -> None:
    _node(graph, chance).op = chance.choice(OPS)


def another_device(graph: GraphDef, chance: random.Random) -> None:
    _node(graph, chance).device = chance.choice(DEVICES)


def rewire(graph: GraphDef, chance: random.Random) -> None:
    """Into circles, to outputs that are not there, behind control inputs."""
    node = _node(graph, chance)
    source = chance.choice(["", "^", "^^"]) + _node(graph, chance).name
    node.input.insert(
        chance.randint(0, len(node.input)), source + chance.choice(["", ":1", ":99999999999", ":x"])
    )


def strange_attr(graph: GraphDef, chance: random.Random) -> None:
    node = _node(graph, chance)
    value = node.attr[
        chance.choice(["T", "dtype", "shape", "value", "strides", "ksize", "axis", "N", "_kernel", "f"])
    ]
    kind = chance.randrange(8)
    if kind == 0:
        value.type = chance.choice([0, 1, 3, 101, 25, 2**31 - 1])
    elif kind == 1:
        value.i = chance.choice([0, -1, 2**63 - 1, -(2**63)])
    elif kind == 2:
        value.list.i.extend([chance.choice([0, -1, 1, 2**62]) for _ in range(chance.randint(0, 6))])
    elif kind == 3:
        for _ in range(chance.randint(0, 300)):
            value.shape.dim.add(size=chance.choice([-1, 0, 1, 2**62]))
    elif kind == 4:
        value.tensor.dtype = chance.randint(0, 30)
        value.tensor.tensor_shape.dim.add(size=chance.choice([-5, 0, 3, 2**62]))
    elif kind == 5:
        value.s = chance.randbytes(chance.randint(0, 50))
    elif kind == 6:
        value.func.name = chance.choice(OPS)
    else:
        value.placeholder = chance.choice(["T", "", "x"])


def copy_nodes(graph: GraphDef, chance: random.Random) -> None:
    """Many, with names of their own, each taking from the one before."""
    last = ""
    for number in range(chance.randint(1, 100)):
        node = graph.node.add()
        node.CopyFrom(graph.node[0])
        node.name = f"{chance.choice(NAMES[:5])}copy{number}"
        del node.input[:]
        if last:
            node.input.append(last)
        last = node.name


def recursive_function(graph: GraphDef, chance: random.Random) -> None:
    function = graph.library.function.add()
    function.signature.name = "f"
    function.node_def.add(name="again", op=chance.choice(["f", *OPS]))
    _node(graph, chance).op = "f"


def versions(graph: GraphDef, chance: random.Random) -> None:
    graph.versions.producer = chance.choice([0, 9, 2**31 - 1, -1])
    graph.versions.min_consumer = chance.choice([0, 9, 2**31 - 1])


PARTS = [rename, another_op, another_device, rewire, strange_attr, copy_nodes, recursive_function, versions]


def damaged_graph(seed: bytes, chance: random.Random) -> bytes:
    """A graph that can be parsed, with a few of its parts changed; ``seed`` is a binary graph."""
    graph = GraphDef.FromString(seed)
    for _ in range(chance.randint(1, 4)):
        if graph.node:
            chance.choice(PARTS)(graph, chance)
    return bytes(graph.SerializeToString())


def damaged(name: str, seed: bytes, number: int, chance: random.Random) -> bytes:
    """The damage ``number``: in turn of bytes and, in binary graphs, of parts."""
    if name.endswith(".pb") and number % 2:
        try:
            return damaged_graph(seed, chance)
        except (DecodeError, ValueError):
            pass
    data = bytearray(seed)
    MUTATORS[number // 2 % len(MUTATORS)](data, chance)
    return bytes(data)
