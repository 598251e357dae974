"""Transforms that make one op of a convolution and what is before or around it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np

from tfcross.errors import quoted
from tfcross.graph.construction import make_node
from tfcross.graph.rewriting.inputs import data_inputs
from tfcross.graph.rewriting.patterns import ANY, Match, Pattern, pattern, replace_matches
from tfcross.graph.rewriting.tensors import UnreadableTensor, const_node, const_value
from tfcross.graph.transforms.context import Context

_RESIZE = pattern("ResizeBilinear")
_CONVS = "Conv2D|DepthwiseConv2dNative"


class _Stays(ValueError):
    """Why a match is left."""


def _replaced(
    nodes: Sequence[Any], context: Context, wanted: Pattern, fuse: Callable[[Match], list[Any]]
) -> Any:
    """The graph with ``fuse`` of each match whose inner nodes nothing else takes."""
    count = 0

    def replace(match: Match, needed: Collection[str]) -> Sequence[Any] | None:
        nonlocal count
        try:
            new = fuse(match)
        except (_Stays, UnreadableTensor) as error:
            context.note(f"{quoted(match.node.name)} stays: {error}")
            return None
        names = {node.name for node in new}
        wanted_outside = context.kept.union(needed)
        parts = (node.name for node in match.nodes() if node.name not in names)
        gone = next((name for name in parts if name in wanted_outside), "")
        if gone:
            context.note(f"{quoted(match.node.name)} stays: something else takes {quoted(gone)}")
            return None
        count += 1
        return new

    result = replace_matches(nodes, wanted, replace)
    context.note(f"{count} convolutions changed")
    return result


def fuse_resize_pad_and_conv(nodes: Sequence[Any], context: Context) -> list[Any]:
    wanted = pattern("Conv2D", pattern("MirrorPad", _RESIZE, ANY), ANY)
    return list(_replaced(nodes, context, wanted, _fuse_resize_pad))


def fuse_resize_and_conv(nodes: Sequence[Any], context: Context) -> list[Any]:
    return list(_replaced(nodes, context, pattern("Conv2D", _RESIZE, ANY), _fuse_resize))


def fuse_pad_and_conv(nodes: Sequence[Any], context: Context) -> list[Any]:
    wanted = pattern("Conv2D", pattern("MirrorPad", ANY, ANY), ANY)
    return list(_replaced(nodes, context, wanted, _fuse_pad))


def _fuse_resize_pad(match: Match) -> list[Any]:
    conv, pad, resize = match.node, match.inputs[0].node, match.inputs[0].inputs[0].node
    inputs = [*data_inputs(resize)[:2], data_inputs(pad)[1], data_inputs(conv)[1]]
    fused = _fused("FusedResizeAndPadConv2D", conv, inputs)
    _copy(resize, "align_corners", fused, "resize_align_corners")
    _copy(pad, "mode", fused)
    return [match.inputs[1].node, match.inputs[0].inputs[1].node, fused]


def _fuse_resize(match: Match) -> list[Any]:
    """The fused op has margins, so there are some of no width."""
    conv, resize = match.node, match.inputs[0].node
    margins = const_node(f"{conv.name}_dummy_paddings", np.zeros((4, 2), np.int32))
    fused = _fused(
        "FusedResizeAndPadConv2D", conv, [*data_inputs(resize)[:2], margins.name, data_inputs(conv)[1]]
    )
    _copy(resize, "align_corners", fused, "resize_align_corners")
    fused.attr["mode"].s = b"REFLECT"
    return [match.inputs[1].node, margins, fused]


def _fuse_pad(match: Match) -> list[Any]:
    conv, pad = match.node, match.inputs[0].node
    fused = _fused("FusedPadConv2D", conv, [*data_inputs(pad)[:2], data_inputs(conv)[1]])
    _copy(pad, "mode", fused)
    return [match.inputs[1].node, match.inputs[0].inputs[0].node, match.inputs[0].inputs[1].node, fused]


def _fused(op: str, conv: Any, inputs: Sequence[str]) -> Any:
    """With the convolution's name; the fused kernels know neither other layouts nor dilations."""
    if "data_format" in conv.attr and conv.attr["data_format"].s != b"NHWC":
        raise _Stays("the fused op takes NHWC only")
    if "dilations" in conv.attr and set(conv.attr["dilations"].list.i) - {1}:
        raise _Stays("the fused op has no dilations")
    if "padding" in conv.attr and conv.attr["padding"].s == b"EXPLICIT":
        raise _Stays("the fused op has no explicit padding")
    fused = make_node(conv.name, op, inputs)
    for attribute in ("T", "padding", "strides"):
        _copy(conv, attribute, fused)
    return fused


def _copy(source: Any, attribute: str, target: Any, new: str = "") -> None:
    """A missing attribute has its default in both ops."""
    if attribute in source.attr:
        target.attr[new or attribute].CopyFrom(source.attr[attribute])


def flatten_atrous_conv(nodes: Sequence[Any], context: Context) -> list[Any]:
    """A convolution between SpaceToBatchND and BatchToSpaceND, as one with zeros in its filter."""
    space = pattern("SpaceToBatchND", ANY, ANY, ANY)
    wanted = pattern("BatchToSpaceND", pattern(_CONVS, space, ANY), ANY, ANY)
    return list(_replaced(nodes, context, wanted, _flatten))


def _flatten(match: Match) -> list[Any]:
    conv, weights = match.inputs[0].node, match.inputs[0].inputs[1].node
    space = match.inputs[0].inputs[0]
    rates = const_value(space.inputs[1].node).ravel().tolist()
    values = const_value(weights)
    if values.ndim != 4 or values.dtype != np.float32 or len(rates) != 2 or min(rates) < 1:
        raise _Stays("its filter or block is not that of an image")
    strides = list(conv.attr["strides"].list.i) if "strides" in conv.attr else []
    if set(strides) - {1}:
        raise _Stays("its strides are not 1")
    _check_same_padding(match, values.shape, rates)
    spread = np.zeros(
        ((values.shape[0] - 1) * rates[0] + 1, (values.shape[1] - 1) * rates[1] + 1, *values.shape[2:]),
        np.float32,
    )
    spread[:: rates[0], :: rates[1]] = values
    source = space.inputs[0].node
    flat = make_node(match.node.name, conv.op, [data_inputs(space.node)[0], weights.name])
    flat.device = conv.device
    for attribute in ("T", "strides", "data_format", "use_cudnn_on_gpu"):
        _copy(conv, attribute, flat)
    flat.attr["padding"].s = b"SAME"
    return [source, const_node(weights.name, spread), flat]


def _check_same_padding(match: Match, filter_shape: Sequence[int], rates: Sequence[int]) -> None:
    """The margins before and the crops after must leave what SAME gives, or the answer has another size."""
    conv, space = match.inputs[0].node, match.inputs[0].inputs[0]
    before, after = (_pairs(inner.node) for inner in (space.inputs[2], match.inputs[2]))
    same = "padding" in conv.attr and conv.attr["padding"].s == b"SAME"
    for axis, rate in enumerate(rates):
        reach = filter_shape[axis] - 1
        inner = (reach // 2 * rate, (reach - reach // 2) * rate) if same else (0, 0)
        margins = [before[axis][side] - after[axis][side] + inner[side] for side in (0, 1)]
        if margins != [reach * rate // 2, reach * rate - reach * rate // 2]:
            raise _Stays("its margins are not those of SAME")


def _pairs(node: Any) -> list[tuple[int, int]]:
    if node.op != "Const":
        raise _Stays(f"{quoted(node.name)} is no constant; fold constants first")
    pairs = const_value(node).reshape(-1, 2).tolist()
    if len(pairs) != 2:
        raise _Stays("its margins are not those of an image")
    return [(int(start), int(end)) for start, end in pairs]
