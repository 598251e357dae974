"""Damaged models: whatever the bytes are, the reader answers with a Model or a TfcrossError, soon."""

from __future__ import annotations

import random
import resource
import time
from pathlib import Path

import pytest
from mutations import MUTATORS, SEEDS

from tfcross.capacity import peak_kib
from tfcross.errors import TfcrossError
from tfcross.graph.construction import make_const, make_node
from tfcross.graph.messages import GraphDef
from tfcross.graph.model import Model, load_model

MUTATIONS = 400  # of each seed file
SLOWEST = 2.0  # seconds for one file; a usual one takes a millisecond
MOST_MEMORY = 200_000  # kB more than before; the files have 26 kB at most


def load_quietly(path: Path) -> Model | TfcrossError:
    start = time.monotonic()
    try:
        result: Model | TfcrossError = load_model(path)
    except TfcrossError as error:
        result = error
        assert "\n" not in str(error)
        assert len(str(error)) < 1000
    assert time.monotonic() - start < SLOWEST
    return result


@pytest.mark.parametrize("name", list(SEEDS))
def test_a_damaged_model_gives_a_model_or_one_line(tmp_path, name):
    chance = random.Random(name)
    original = SEEDS[name]()
    path = tmp_path / name
    path.write_bytes(original)
    assert isinstance(load_quietly(path), Model)
    before = peak_kib(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    refused = 0
    for number in range(MUTATIONS):
        data = bytearray(original)
        MUTATORS[number % len(MUTATORS)](data, chance)
        path.write_bytes(data)
        refused += isinstance(load_quietly(path), TfcrossError)
    assert refused > MUTATIONS // 4
    assert peak_kib(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) - before < MOST_MEMORY


def field(number: int, content: bytes) -> bytes:
    """A length-delimited field."""
    size, length = len(content), bytearray()
    while size >= 0x80:
        length.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes([number << 3 | 2, *length, size]) + content


def nested_functions(depth: int) -> bytes:
    """A node whose attribute is a function with an attribute that is a function, and so on."""
    value = b""
    for _ in range(depth):
        value = field(10, field(1, b"f") + field(2, field(1, b"a") + field(2, value)))
    node = field(1, b"x") + field(2, b"NoOp") + field(5, field(1, b"a") + field(2, value))
    return field(1, node)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(nested_functions(5000), "no valid NodeDef", id="deep nesting"),
        pytest.param(
            field(1, field(1, b"x") + field(2, b"NoOp") + b"\x2a" + b"\xff" * 9 + b"\1"),
            "no valid NodeDef",
            id="a length of 2^64",
        ),
        pytest.param(field(1, b"\n\1x" + b"\x2a\x80" * 40_000), "no valid NodeDef", id="a large broken node"),
        pytest.param(b"\n\x80" * 50_000, "a node without a name", id="a stream of tags"),
        pytest.param(field(1, field(1, b"\xff\xfe") + field(2, b"NoOp")), "no valid NodeDef", id="not UTF-8"),
        pytest.param(field(1, b"") * 50_000, "a node without a name", id="many empty nodes"),
    ],
)
def test_a_hostile_file_is_refused(tmp_path, content, message):
    path = tmp_path / "graph.pb"
    path.write_bytes(content)
    result = load_quietly(path)
    assert isinstance(result, TfcrossError)
    assert message in str(result)


def test_a_hostile_tensor_shape_allocates_nothing(tmp_path):
    node = make_const("w", "DT_FLOAT", [2**62, 2**62], b"")
    path = tmp_path / "graph.pb"
    path.write_bytes(GraphDef(node=[node]).SerializeToString())
    result = load_quietly(path)
    assert isinstance(result, Model)
    assert result.nodes[0].attrs["value"].value.values is None


def test_functions_that_call_each_other_end(tmp_path):
    graph = GraphDef(node=[make_node("x", "a")])
    for name, callee in (("a", "b"), ("b", "a")):
        function = graph.library.function.add()
        function.signature.name = name
        function.node_def.append(make_node("n", callee))
    path = tmp_path / "graph.pb"
    path.write_bytes(graph.SerializeToString())
    model = load_model(path)
    assert [body.name for body in model.reachable()] == ["a", "b"]
    assert model.ops() == {}
