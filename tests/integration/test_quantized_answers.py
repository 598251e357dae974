"""Quantized kernels of a 32-bit ARM answer as the plain ones of any other CPU, to the bit.

ARM has paths of its own for them, gemmlowp's ``meta`` and loops for NEON; the release's patches take out
those that answer otherwise. One graph holds a node for each case; the emulated runner prints a checksum of
each answer. The sizes are about the vectors' 16 elements; 20,003 elements are shared among threads.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from plain_quantization import (
    Array,
    Range,
    bias_add,
    centred,
    instance_norm,
    matrix_product,
    requantize,
    resize,
    rounded,
)
from project_build import Run, run_scons

from tfcross.graph.construction import graph_bytes, make_const, make_node

DTYPES = {"DT_QUINT8": np.uint8, "DT_QINT32": np.int32, "DT_FLOAT": np.float32, "DT_INT32": np.int32}
SIZES = (1, 7, 15, 16, 17, 33, 1000, 20003)
#: With and without 0, even and uneven about it; the last is a single number.
RANGES = (Range(-1.2345, 0.789), Range(0.0, 6.0), Range(0.2, 0.9), Range(-0.31, -0.1), Range(0.5, 0.5))
#: QuantizeV2 and Requantize take ranges that hold 0 only.
ROUND_ZERO = RANGES[:2]
WEIGHTS = Range(-0.7, 1.1)
CASES = ("dequantize", "quantize", "requantize", "bias_add", "matmul", "relu", "mul", "resize", "norm")


@dataclass
class Graph:
    """Nodes, and what each node that is asked for should give."""

    nodes: list[Any] = field(default_factory=list)
    expected: dict[str, Array] = field(default_factory=dict)
    random: np.random.Generator = field(default_factory=lambda: np.random.default_rng(3))

    def const(self, dtype: str, values: Any) -> str:
        values = np.asarray(values, DTYPES[dtype])
        self.nodes.append(make_const(f"c{len(self.nodes)}", dtype, values.shape, values.tobytes()))
        return str(self.nodes[-1].name)

    def codes(self, *shape: int) -> Array:
        return self.random.integers(0, 256, shape).astype(np.uint8)

    def add(self, name: str, op: str, inputs: list[tuple[str, Any]], expected: Array, **attrs: Any) -> None:
        """Ranges among ``inputs`` become two scalars."""
        names = []
        for dtype, value in inputs:
            values = [value.low, value.high] if isinstance(value, Range) else [value]
            names += [self.const(dtype, one) for one in values]
        self.nodes.append(make_node(name, op, names, **attrs))
        self.expected[name] = expected


def made_graph() -> Graph:
    graph = Graph()
    for number, given in enumerate(RANGES):
        for size in SIZES:
            add_vectors(graph, f"{number}_{size}", given, size)
    for m, n, k in ((1, 1, 1), (3, 17, 33), (7, 31, 65), (33, 18, 127), (5, 4, 2048)):
        for number, given in enumerate(RANGES[:4]):
            add_product(graph, f"matmul_{number}_{m}_{n}_{k}", given, m, n, k)
    for number, width in enumerate((8, 17)):
        add_resize(graph, f"resize_{number}", width)
    add_norm(graph, "norm")
    return graph


def add_vectors(graph: Graph, name: str, given: Range, size: int) -> None:
    """The cases that take any number of elements."""
    q, f = ("DT_QUINT8", graph.codes(size)), ("DT_FLOAT", given)
    low_type = {"T": "DT_QUINT8", "mode": b"MIN_FIRST"}
    graph.add(f"dequantize_{name}", "Dequantize", [q, f], given.numbers(q[1]), **low_type)
    if given in ROUND_ZERO:
        margin = 0.3 * float(given.width)
        x = graph.random.uniform(given.low - margin, given.high + margin, size).astype(np.float32)
        graph.add(
            f"quantize_{name}",
            "QuantizeV2",
            [("DT_FLOAT", x), f],
            given.codes(x).astype(np.uint8),
            **low_type,
        )
        add_requantize(graph, name, given, size)
    if given.width == 0:
        return
    types = {"Tinput": "DT_QUINT8", "out_type": "DT_QUINT8"}
    clamped = np.maximum(q[1], np.uint8(np.clip(given.zero, 0, 255)))
    graph.add(f"relu_{name}", "QuantizedRelu", [q, f], clamped, **types)
    other, types = graph.codes(size), {"T1": "DT_QUINT8", "T2": "DT_QUINT8"}
    inputs = [q, ("DT_QUINT8", other), f, ("DT_FLOAT", WEIGHTS)]
    product = centred(q[1], given) * centred(other, WEIGHTS)
    graph.add(f"mul_{name}", "QuantizedMul", inputs, product, Toutput="DT_QINT32", **types)
    rows = graph.codes(3, size)
    inputs[0] = ("DT_QUINT8", rows)
    total = bias_add(rows, given, other, WEIGHTS)
    graph.add(f"bias_add_{name}", "QuantizedBiasAdd", inputs, total, out_type="DT_QINT32", **types)


def add_requantize(graph: Graph, name: str, wanted: Range, size: int) -> None:
    """From all of 32 bits to a range; and to one far from 0, for which an offset takes more than 32 bits."""
    types = {"Tinput": "DT_QINT32", "out_type": "DT_QUINT8"}
    codes = graph.random.integers(-(2**31), 2**31, size).astype(np.int32)
    given = Range(wanted.low * 1.7, wanted.high * 1.3)
    inputs = [("DT_QINT32", codes), ("DT_FLOAT", given), ("DT_FLOAT", wanted)]
    graph.add(f"requantize_{name}", "Requantize", inputs, requantize(codes, given, wanted), **types)
    far, codes = Range(-3000.0, 0.0), graph.random.integers(-(2**20), 2**21, size).astype(np.int32)
    numbers = [far.low + (int(code) + 2**31) * 3000.0 / (2**32 - 1) for code in (codes.min(), codes.max())]
    shrunk = Range(min(0.0, numbers[0]), numbers[1])
    inputs = [("DT_QINT32", codes), ("DT_FLOAT", far), ("DT_FLOAT", shrunk)]
    if size > 1:
        graph.add(f"requantize_far_{name}", "Requantize", inputs, requantize(codes, far, shrunk), **types)


def add_product(graph: Graph, name: str, given: Range, m: int, n: int, k: int) -> None:
    a, b = graph.codes(m, k), graph.codes(k, n)
    inputs = [("DT_QUINT8", a), ("DT_QUINT8", b), ("DT_FLOAT", given), ("DT_FLOAT", WEIGHTS)]
    types = {"T1": "DT_QUINT8", "T2": "DT_QUINT8", "Toutput": "DT_QINT32"}
    graph.add(name, "QuantizedMatMul", inputs, matrix_product(a, given, b, WEIGHTS), **types)


def add_resize(graph: Graph, name: str, width: int) -> None:
    """Values whose differences take 33 bits."""
    image = graph.random.integers(-(2**31), 2**31, 7).astype(np.int32)
    inputs = [("DT_QINT32", image.reshape(1, 1, 7, 1)), ("DT_INT32", [1, width]), ("DT_FLOAT", WEIGHTS)]
    answer = resize(image, width).reshape(1, 1, width, 1)
    graph.add(name, "QuantizedResizeBilinear", inputs, answer, T="DT_QINT32")


def add_norm(graph: Graph, name: str) -> None:
    """Computed in floats: the image is one whose places are not near the middle of two codes."""
    given, wanted = Range(-1.0, 2.0), Range(-3.0, 3.0)
    while True:
        image = graph.codes(4, 4, 16)
        places = instance_norm(image, given, wanted)
        if np.abs(places - np.floor(places) - 0.5).min() > 1e-3:
            break
    limits = {"output_range_given": True, "given_y_min": wanted.low, "given_y_max": wanted.high}
    answer = np.clip(rounded(places), 0, 255).astype(np.uint8).reshape(1, 4, 4, 16)
    inputs = [("DT_QUINT8", image.reshape(1, 4, 4, 16)), ("DT_FLOAT", given)]
    graph.add(name, "QuantizedInstanceNorm", inputs, answer, T="DT_QUINT8", **limits)


def checksum(values: Array) -> str:
    """FNV-1a, 64 bits, as the runner prints it."""
    hashed = 14695981039346656037
    for byte in values.tobytes():
        hashed = (hashed ^ byte) * 1099511628211 % 2**64
    return f"{hashed:x}"


@pytest.fixture(scope="module")
def graph() -> Graph:
    return made_graph()


@pytest.fixture(scope="module")
def answers(built: Run, graph: Graph, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The checksum of each node's answer, from the proof of a library for the graph."""
    folder = tmp_path_factory.mktemp("quantized")
    (folder / "graph.pb").write_bytes(graph_bytes(graph.nodes, 1286))
    run = run_scons("TARGET=PI", f"MODEL={folder / 'graph.pb'}", f"OUT={folder / 'out'}")
    assert run.status == 0, run.out[-4000:] + run.err[-4000:]
    return checksums((folder / "out" / "PI-armv7" / "proof.txt").read_text())


def checksums(said: str) -> dict[str, str]:
    lines = [line.split() for line in said.splitlines() if line.startswith("output ")]
    return {words[1]: words[-1] for words in lines}


@pytest.mark.parametrize("case", CASES)
def test_a_quantized_kernel_answers_as_the_plain_one(
    case: str, graph: Graph, answers: dict[str, str]
) -> None:
    expected = {name: checksum(values) for name, values in graph.expected.items() if name.startswith(case)}
    assert expected
    assert {name: answers[name] for name in expected} == expected


def test_a_weight_is_what_its_code_stands_for() -> None:
    """The formula, by numbers: a step of 0.1, so that the minimum of -0.26 is moved to -0.3."""
    weights = Range(-0.26, 25.24).numbers(np.array([0, 3, 255], np.uint8))
    assert weights == pytest.approx([-0.3, 0.0, 25.2], abs=1e-5)
