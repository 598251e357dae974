"""The ops that have an eight-bit form, and the nodes that one of them becomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tfcross.graph.construction import make_node
from tfcross.graph.rewriting.inputs import Input, control_inputs, data_inputs
from tfcross.graph.rewriting.tensors import const_node, scalar

_BYTE, _WIDE = "DT_QUINT8", "DT_QINT32"


@dataclass(frozen=True)
class QuantizedOp:
    """``copied`` attributes keep their values, ``types`` are new ones; ``plain`` inputs are not quantized.

    ``wide``: the result has 32 bits. ``apart``: the inputs' minima come before all maxima.
    """

    copied: tuple[str, ...] = ()
    types: tuple[tuple[str, str], ...] = (("T", _BYTE),)
    wide: bool = False
    plain: tuple[int, ...] = ()
    apart: bool = False


_TWO = (("T1", _BYTE), ("T2", _BYTE), ("Toutput", _WIDE))
_BIAS = (("T1", _BYTE), ("T2", _BYTE), ("out_type", _WIDE))
_CONV = (("Tinput", _BYTE), ("Tfilter", _BYTE), ("out_type", _WIDE))
_POOL = ("ksize", "strides", "padding")
_INPUT = (("Tinput", _BYTE),)

QUANTIZED: Mapping[str, QuantizedOp] = {
    "Add": QuantizedOp((), _TWO, wide=True),
    "AvgPool": QuantizedOp(_POOL),
    "BiasAdd": QuantizedOp((), _BIAS, wide=True),
    "Concat": QuantizedOp(("N",), plain=(0,), apart=True),
    "Conv2D": QuantizedOp(("strides", "padding"), _CONV, wide=True),
    "MatMul": QuantizedOp(("transpose_a", "transpose_b"), _TWO, wide=True),
    "MaxPool": QuantizedOp(_POOL),
    "Mul": QuantizedOp((), _TWO, wide=True),
    "Relu": QuantizedOp((), _INPUT),
    "Relu6": QuantizedOp((), _INPUT),
    "Reshape": QuantizedOp((), plain=(1,)),
    "ResizeBilinear": QuantizedOp(("align_corners",), plain=(1,)),
}


def quantized_nodes(node: Any, fallback: tuple[float, float] | None) -> list[Any]:
    """All that takes the place of ``node``; the last one has its name and gives floats."""
    op = QUANTIZED[node.op]
    new: list[Any] = []
    quantized: dict[str, str] = {}  # an input that is taken twice is quantized once
    texts = [text for number, text in enumerate(data_inputs(node)) if number not in op.plain]
    for text in texts:
        if text not in quantized:
            new += _quantized_input(f"{node.name}_eightbit/{_unique(text)}", text)
            quantized[text] = new[-1].name
    names = [quantized[text] for text in texts]
    main = make_node(f"{node.name}/eightbit", f"Quantized{node.op}", _main_inputs(node, op, names))
    for attribute in op.copied:
        if attribute in node.attr:
            main.attr[attribute].CopyFrom(node.attr[attribute])
    for attribute, dtype in op.types:
        main.attr[attribute].CopyFrom(make_node("", "", T=dtype).attr["T"])
    new.append(main)
    if op.wide:
        new += _narrowed(main.name, fallback)
    outputs = [f"{new[-1].name}:{number}" for number in range(3)]
    return [*new, make_node(node.name, "Dequantize", outputs, T=_BYTE, mode="MIN_FIRST")]


def _unique(text: str) -> str:
    part = Input.parse(text)
    return part.node + (f"__port__{part.suffix[1:]}" if part.suffix else "")


def _quantized_input(prefix: str, text: str) -> list[Any]:
    """The range is measured: the input as a vector, its minimum and maximum."""
    waits = ("^" + Input.parse(text).node,)
    shape = const_node(f"{prefix}/reshape_dims", np.array([-1], np.int32), waits)
    axes = const_node(f"{prefix}/reduction_dims", np.array([0], np.int32), waits)
    vector = make_node(f"{prefix}/reshape", "Reshape", [text, shape.name], T="DT_FLOAT")
    low, high = (
        make_node(f"{prefix}/{op.lower()}", op, [vector.name, axes.name], T="DT_FLOAT", keep_dims=False)
        for op in ("Min", "Max")
    )
    quantize = make_node(
        f"{prefix}/quantize", "QuantizeV2", [text, low.name, high.name], T=_BYTE, mode="MIN_FIRST"
    )
    return [shape, axes, vector, low, high, quantize]


def _main_inputs(node: Any, op: QuantizedOp, names: Sequence[str]) -> list[str]:
    quantized = iter(names)
    inputs = [
        text if number in op.plain else f"{next(quantized)}:0"
        for number, text in enumerate(data_inputs(node))
    ]
    if op.apart:
        ranges = [f"{name}:1" for name in names] + [f"{name}:2" for name in names]
    else:
        ranges = [f"{name}:{output}" for name in names for output in (1, 2)]
    return [*inputs, *ranges, *control_inputs(node)]


def _narrowed(name: str, fallback: tuple[float, float] | None) -> list[Any]:
    """From 32 bits to 8, in the range that is given or measured."""
    outputs = [f"{name}:{number}" for number in range(3)]
    if fallback:
        new = [
            const_node(f"{name}/fallback_{part}", scalar(value))
            for part, value in zip(("min", "max"), fallback, strict=True)
        ]
        limits = [constant.name for constant in new]
    else:
        new = [make_node(f"{name}/requant_range", "RequantizationRange", outputs, Tinput=_WIDE)]
        limits = [f"{new[0].name}:0", f"{new[0].name}:1"]
    again = make_node(f"{name}/requantize", "Requantize", [*outputs, *limits], Tinput=_WIDE, out_type=_BYTE)
    return [*new, again]
