"""Batch normalisation after a convolution, computed into its weights: less work for the same answer.

Where that would change another answer, the nodes stay: when something else takes what the convolution gives,
or its weights. Constants that others take, too, are kept for them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tfcross.errors import quoted
from tfcross.graph.construction import make_node
from tfcross.graph.rewriting.inputs import consumers, copied, is_first_output
from tfcross.graph.rewriting.patterns import ANY, CONST, Match, Pattern, pattern, replace_matches
from tfcross.graph.rewriting.tensors import Array, UnreadableTensor, const_node, const_value
from tfcross.graph.transforms.context import Context

_OLD, _FUSED = "BatchNormWithGlobalNormalization", ("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3")
_NORMS = "|".join([_OLD, *_FUSED])
_DEPTHWISE = "DepthwiseConv2dNative"
_CONV = pattern(f"Conv2D|{_DEPTHWISE}", ANY, CONST)


class _Stays(ValueError):
    """Why a match is not folded."""


@dataclass
class _Folder:
    """One pattern's matches, folded until none is left; ``stays`` counts why others are not."""

    context: Context
    fold: Callable[[Match, _Folder, Collection[str]], list[Any]]
    folded: int = 0
    stays: dict[str, str] = field(default_factory=dict)
    takers: dict[str, list[Any]] = field(default_factory=dict)
    names: frozenset[str] = frozenset()

    def run(self, nodes: list[Any], wanted: Pattern) -> list[Any]:
        while True:
            before = self.folded
            self.takers = consumers(nodes)
            self.names = frozenset(node.name for node in nodes)
            new = replace_matches(nodes, wanted, self._replace)
            if self.folded == before:
                return nodes
            nodes = new

    def _replace(self, match: Match, needed: Collection[str]) -> Sequence[Any] | None:
        needed = set(needed) | self.context.kept
        try:
            new = self.fold(match, self, needed)
            self._check_names(match, new, needed)
        except (_Stays, UnreadableTensor) as error:
            self.stays[match.node.name] = str(error)
            return None
        self.folded += 1
        constants = [node for node in match.nodes() if node.op == "Const" and node.name in needed]
        by_name: dict[str, Any] = {}
        for node in [*new, *constants]:
            by_name.setdefault(node.name, node)
        return list(by_name.values())

    def _check_names(self, match: Match, new: Sequence[Any], needed: Collection[str]) -> None:
        """A new node may have the name of a node that goes, and of no other."""
        old = {node.name: node for node in match.nodes()}
        for node in new:
            if node.name == match.node.name or node is old.get(node.name):
                continue
            if node.name in self.names and (node.name not in old or node.name in needed):
                raise _Stays(f"the name {quoted(node.name)} is taken")

    def tell(self) -> None:
        self.context.note(f"{self.folded} folded" + (f", {len(self.stays)} left" if self.stays else ""))
        for reason, count in Counter(self.stays.values()).most_common(5):
            first = next(name for name, why in self.stays.items() if why == reason)
            more = f" and {count - 1} more" if count > 1 else ""
            self.context.note(f"{quoted(first)}{more}: {reason}")


def fold_batch_norms(nodes: Sequence[Any], context: Context) -> list[Any]:
    """Multiplication of what a convolution or product gives by a constant vector."""
    folder = _Folder(context, _fold_mul)
    factor = pattern("Mul", pattern(f"Conv2D|MatMul|{_DEPTHWISE}", ANY, CONST), CONST)
    result = folder.run(list(nodes), factor)
    folder.tell()
    return result


def _fold_mul(match: Match, folder: _Folder, needed: Collection[str]) -> list[Any]:
    conv = match.inputs[0]
    _check_conv(conv, needed)
    if _text(conv.node, "data_format", "NHWC") != "NHWC":
        raise _Stays("the factors are not for the channels, which come second")
    factors = _floats(match.inputs[1].node)
    weights = _scaled(conv, factors)
    source = conv.inputs[0].node
    return [weights, source, copied(conv.node, name=match.node.name)]


def _check_conv(conv: Match, needed: Collection[str]) -> None:
    if conv.node.name in needed:
        raise _Stays(f"something else takes {quoted(conv.node.name)}")
    if conv.inputs[1].node.name in needed:
        raise _Stays(f"something else takes the weights {quoted(conv.inputs[1].node.name)}")


def _floats(node: Any) -> Array:
    values = const_value(node)
    if values.dtype != np.float32:
        raise _Stays(f"{quoted(node.name)} is {values.dtype}, only float is folded")
    return values


def _text(node: Any, attribute: str, default: str) -> str:
    if attribute not in node.attr:
        return default
    return str(node.attr[attribute].s.decode(errors="replace"))


def _scaled(conv: Match, factors: Array) -> Any:
    """The weights' constant with each output channel times its factor."""
    node, weights = conv.inputs[1].node, _floats(conv.inputs[1].node)
    if conv.node.op == "MatMul" and "transpose_b" in conv.node.attr and conv.node.attr["transpose_b"].b:
        weights_rank, channels, factor = 2, weights.shape[:1], factors.reshape(-1, 1)
    elif conv.node.op == _DEPTHWISE:
        weights_rank, channels = 4, (int(np.prod(weights.shape[2:])),)
        factor = factors.reshape(weights.shape[2:]) if factors.size == channels[0] else factors
    else:
        weights_rank, channels, factor = (2 if conv.node.op == "MatMul" else 4), weights.shape[-1:], factors
    if weights.ndim != weights_rank or factors.shape != channels:
        raise _Stays(
            f"the vector has the shape {list(factors.shape)}, and there are {list(channels)} channels"
        )
    return const_node(node.name, weights * factor)


def fold_old_batch_norms(nodes: Sequence[Any], context: Context) -> list[Any]:
    """The ops that normalise: FusedBatchNorm, its V2 and V3, and the one of the first releases."""
    params = [CONST] * 4
    patterns: list[tuple[Callable[[Match, _Folder, Collection[str]], list[Any]], Pattern]] = [
        (_fold_conv, pattern(_NORMS, _CONV, *params)),
        (_fold_bias, pattern(_NORMS, pattern("BiasAdd", _CONV, CONST), *params)),
        (_fold_batch_to_space, pattern(_NORMS, pattern("BatchToSpaceND", _CONV, CONST, CONST), *params)),
        (_fold_concat, pattern(_NORMS, pattern("ConcatV2", _CONV, _CONV, CONST), *params)),
    ]
    all_stays: dict[str, str] = {}
    total = _Folder(context, _fold_conv)
    current = list(nodes)
    for fold, wanted in patterns:
        folder = _Folder(context, fold)
        current = folder.run(current, wanted)
        total.folded += folder.folded
        all_stays |= folder.stays
    left = {node.name for node in current if node.op in (_OLD, *_FUSED)}
    total.stays = {name: all_stays.get(name, "no constant convolution before it") for name in sorted(left)}
    total.tell()
    return current


@dataclass(frozen=True)
class _Norm:
    """The normalisation as ``x * scale + offset``."""

    scale: Array
    offset: Array

    def part(self, start: int, end: int) -> _Norm:
        return _Norm(self.scale[start:end], self.offset[start:end])


def _norm(match: Match, folder: _Folder) -> _Norm:
    """In the arithmetic of TensorFlow's tool: float, one operation after the other."""
    node = match.node
    if any(
        not is_first_output(text)
        for taker in folder.takers.get(node.name, ())
        for text in taker.input
        if text.partition(":")[0] == node.name
    ):
        raise _Stays("another of its outputs is taken, too")
    fused = node.op in _FUSED
    if fused and (("is_training" not in node.attr) or node.attr["is_training"].b):
        raise _Stays("it is in training mode")
    order = (3, 4, 2, 1) if fused else (1, 2, 3, 4)
    mean, variance, beta, gamma = (_floats(match.inputs[number].node) for number in order)
    if mean.ndim != 1 or not mean.shape == variance.shape == beta.shape == gamma.shape:
        raise _Stays("its constants are no vectors of one length")
    epsilon = np.float32(node.attr["epsilon" if fused else "variance_epsilon"].f)
    with np.errstate(all="ignore"):
        scale = np.float32(1) / np.sqrt(variance + epsilon)
        if fused or node.attr["scale_after_normalization"].b:
            scale = scale * gamma
        offset = -mean * scale + beta
    if not (np.isfinite(scale).all() and np.isfinite(offset).all()):
        raise _Stays("its scale is not finite")
    return _Norm(scale, offset)


def _folded_conv(conv: Match, norm: _Norm, name: str, needed: Collection[str]) -> list[Any]:
    """The convolution with scaled weights, and a BiasAdd of that name for the offset."""
    _check_conv(conv, needed)
    weights = _scaled(conv, norm.scale)
    node = conv.node
    offset = const_node(f"{node.name}_bn_offset", norm.offset)
    bias = make_node(name, "BiasAdd", [node.name, offset.name])
    for attribute in ("T", "data_format"):
        if attribute in node.attr:
            bias.attr[attribute].CopyFrom(node.attr[attribute])
    return [weights, conv.inputs[0].node, node, offset, bias]


def _fold_conv(match: Match, folder: _Folder, needed: Collection[str]) -> list[Any]:
    return _folded_conv(match.inputs[0], _norm(match, folder), match.node.name, needed)


def _fold_bias(match: Match, folder: _Folder, needed: Collection[str]) -> list[Any]:
    """``(x + bias) * scale + offset`` is ``x * scale + (bias * scale + offset)``."""
    bias = match.inputs[0]
    _check_free(bias.node, needed)
    norm, old = _norm(match, folder), _floats(bias.inputs[1].node)
    if old.shape != norm.offset.shape:
        raise _Stays("its constants do not fit the bias before it")
    return _folded_conv(
        bias.inputs[0], _Norm(norm.scale, old * norm.scale + norm.offset), match.node.name, needed
    )


def _check_free(node: Any, needed: Collection[str]) -> None:
    if node.name in needed:
        raise _Stays(f"something else takes {quoted(node.name)}")


def _fold_batch_to_space(match: Match, folder: _Folder, needed: Collection[str]) -> list[Any]:
    space = match.inputs[0]
    _check_free(space.node, needed)
    bias = f"{space.inputs[0].node.name}/biasadd"
    new = _folded_conv(space.inputs[0], _norm(match, folder), bias, needed)
    moved = copied(space.node, name=match.node.name, input=[bias, *space.node.input[1:]])
    return [*new, space.inputs[1].node, space.inputs[2].node, moved]


def _fold_concat(match: Match, folder: _Folder, needed: Collection[str]) -> list[Any]:
    """Of two convolutions: joined by channels each has a part of the norm, else each has all of it."""
    concat = match.inputs[0]
    first, second, axis = concat.inputs
    _check_free(concat.node, needed)
    if first.node.name == second.node.name or first.inputs[1].node.name == second.inputs[1].node.name:
        raise _Stays("the two convolutions share their weights")
    norm = _norm(match, folder)
    channels = 1 if _text(match.node, "data_format", "NHWC") == "NCHW" else 3
    parts = [norm, norm]
    if int(const_value(axis.node).reshape(())) % 4 == channels:
        count = _channels(first)
        parts = [norm.part(0, count), norm.part(count, len(norm.scale))]
    names = [f"{concat.node.name}_bn_in{number}" for number in (0, 1)]
    new = []
    for conv, part, name in zip((first, second), parts, names, strict=True):
        new += _folded_conv(conv, part, name, needed)
    joined = copied(concat.node, name=match.node.name, input=[*names, *concat.node.input[2:]])
    return [*new, axis.node, joined]


def _channels(conv: Match) -> int:
    shape = const_value(conv.inputs[1].node).shape
    return int(np.prod(shape[2:])) if conv.node.op == _DEPTHWISE else int(shape[-1])
