"""The part of a graph that its outputs need, with placeholders where an app feeds it."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from tfcross.errors import quoted, quoted_list
from tfcross.graph.cutting.ends import Input, tensor_name, type_word
from tfcross.graph.cutting.frames import loop_problem
from tfcross.graph.messages import base_dtype
from tfcross.graph.node import AttrSummary, Node, Shape
from tfcross.graph.structure import producer, reached

#: What an app has to feed; a PlaceholderWithDefault has a value without it.
FED = ("Placeholder", "PlaceholderV2")
# Ops at which graphs are cut, by the attribute that tells the type of their first output.
_TYPED_BY_DTYPE = (*FED, "PlaceholderWithDefault", "Const", "Variable", "VariableV2", "ReadVariableOp")
_TYPED_BY_T = """
    Add AddV2 AvgPool BiasAdd Concat ConcatV2 Conv2D DepthwiseConv2dNative Div Elu ExpandDims FusedBatchNorm
    FusedBatchNormV3 Identity LeakyRelu MatMul MaxPool Maximum Mean Merge Minimum Mul Pack Pad PadV2 RealDiv
    Relu Relu6 Reshape Sigmoid Slice Snapshot Softmax Split Squeeze StopGradient StridedSlice Sub Switch Tanh
    Transpose
"""
_TYPE_ATTRS = {
    **dict.fromkeys(_TYPED_BY_DTYPE, "dtype"),
    **dict.fromkeys(_TYPED_BY_T.split(), "T"),
    "Cast": "DstT",
}
_TYPES = {"ResizeBilinear": "DT_FLOAT", "DecodeJpeg": "DT_UINT8"}
_HANDLES = ("VarHandleOp", "HashTableV2", "MutableHashTableV2")
_NEAREST = 3


class BadEnds(ValueError):
    """Ends that do not fit the graph; the reader of the file names it."""


@dataclass(frozen=True)
class Cut:
    """``nodes`` in the file's order; ``replaced`` are those of them that placeholders stand for."""

    nodes: tuple[Node, ...]
    replaced: frozenset[str]


def cut_graph(
    nodes: Sequence[Node], inputs: Sequence[Input], outputs: Sequence[str], beside: Sequence[str] = ()
) -> Cut:
    """What ``outputs`` need, but nothing behind ``inputs``, which are kept and become placeholders.

    What the nodes ``beside`` the outputs need is kept, too. Data and control inputs count. Raises BadEnds.
    """
    by_name = {node.name: node for node in nodes}
    _check_names("INPUTS", [each.name for each in inputs], by_name)
    _check_names("OUTPUTS", [*outputs, *beside], by_name)
    fed = {each.name: _placeholder(by_name[each.name], each) for each in inputs}
    replaced = frozenset(name for name, node in fed.items() if node is not by_name[name])
    kept = needed(by_name, [*outputs, *beside, *fed], fed)
    cut = tuple(fed.get(node.name, node) for node in nodes if node.name in kept)
    _check_first_outputs(cut, outputs, fed)
    _check_outputs(cut, outputs, fed)
    return Cut(cut, replaced)


def needed(by_name: Mapping[str, Node], tensors: Iterable[str], stops: Collection[str] = ()) -> set[str]:
    """The nodes that ``tensors`` come from, up to ``stops``, which are among them."""

    def inputs(name: str) -> Iterable[str]:
        return () if name in stops else map(producer, by_name[name].inputs)

    return reached(map(producer, tensors), inputs)


def check_inputs(cut: Cut, inputs: Sequence[Input], outputs: Sequence[str]) -> None:
    """That ``inputs`` are all that the cut graph has to be fed, and none too many. Raises BadEnds."""
    names = {feed.name for feed in inputs}
    behind = [node.name for node in cut.nodes if node.op in FED and node.name not in names]
    if behind:
        raise BadEnds(
            f"INPUTS: the outputs ({quoted_list(outputs)}) also need the placeholder {quoted(behind[0])}; "
            "add it, cut behind it, or name OUTPUTS that do without it"
        )
    by_name = {node.name: node for node in cut.nodes}
    used = needed(by_name, outputs)
    idle = [each.name for each in inputs if each.name not in used]
    if idle:
        raise BadEnds(
            f"INPUTS: the outputs ({quoted_list(outputs)}) do not need {quoted(idle[0])}; leave it out"
        )


def _check_names(variable: str, tensors: Sequence[str], by_name: Mapping[str, Node]) -> None:
    for tensor in tensors:
        if producer(tensor) not in by_name:
            near = difflib.get_close_matches(producer(tensor), by_name, n=_NEAREST)
            ways = (
                f"the nearest: {', '.join(map(quoted, near))}"
                if near
                else "summarize_graph.py lists its ends"
            )
            raise BadEnds(f"{variable}: there is no node {quoted(producer(tensor))}; {ways}")


def _check_first_outputs(nodes: Iterable[Node], outputs: Sequence[str], fed: Mapping[str, Node]) -> None:
    """A placeholder has one output."""
    for tensor in (*(tensor for node in nodes for tensor in node.inputs), *outputs):
        name, _, output = tensor.partition(":")
        if name in fed and output not in ("", "0"):
            raise BadEnds(
                f"INPUTS: the outputs need {quoted(tensor)}, and of {quoted(name)} only the first output can "
                "be fed; cut behind it"
            )


def _check_outputs(nodes: Sequence[Node], outputs: Sequence[str], fed: Mapping[str, Node]) -> None:
    """What TensorFlow's sessions and executors refuse, or would not survive."""
    twice = next((name for name in map(tensor_name, outputs) if name in fed), None)
    if twice:
        raise BadEnds(f"{quoted(twice)} is an input and an output; no session gives back what it is fed")
    problem = loop_problem(nodes, outputs)
    if problem:
        raise BadEnds(f"{problem}; let INPUTS= and OUTPUTS= name nodes that are outside of it")


def _placeholder(node: Node, told: Input) -> Node:
    """The placeholder that stands for ``node``; itself where it is one and nothing else is told."""
    if node.op in _HANDLES:
        raise BadEnds(
            f"INPUTS: {quoted(node.name)} is a handle ({node.op}), which no app can feed; "
            "name the node that reads it"
        )
    dtype, shape = _dtype(node, told), _shape(node, told)
    if node.op in FED and dtype == node.attr("dtype", "type") and shape == node.attr("shape", "shape"):
        return node
    attrs = {"dtype": AttrSummary("type", dtype)}
    if shape is not None:
        attrs["shape"] = AttrSummary("shape", shape)
    return replace(node, op="Placeholder", inputs=(), device="", attrs=attrs)


def _dtype(node: Node, told: Input) -> str:
    known = _TYPES.get(node.op) or node.attr(_TYPE_ATTRS.get(node.op, ""), "type") or ""
    known = base_dtype(known)
    if known and told.dtype and known != told.dtype:
        raise BadEnds(
            f"INPUTS: {quoted(node.name)} is {type_word(known)} in the graph, not {type_word(told.dtype)}; "
            f"write {node.name}={type_word(known)}[…]"
        )
    if not (known or told.dtype):
        raise BadEnds(
            f"INPUTS: the graph does not tell the type of {quoted(node.name)} (op {quoted(node.op)}); "
            f"write {node.name}=TYPE[SIZES]"
        )
    return told.dtype or known


def _shape(node: Node, told: Input) -> Shape:
    if told.shape is not None:
        return told.shape
    if node.op in FED or node.op in ("Variable", "VariableV2"):
        shape: Shape = node.attr("shape", "shape")
        return shape
    shapes = node.attr("_output_shapes", "list(shape)")
    return shapes[0] if shapes else None
