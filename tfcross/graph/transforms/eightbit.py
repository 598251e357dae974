"""quantize_nodes: ops that have an eight-bit form, in that form, with ranges measured, given or trained.

Each op gets its inputs quantized and its output restored to float; what two neighbours then undo for each
other goes. On most devices this is slower than float: quantize_weights is what makes a model small.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from tfcross.graph.construction import attr_value, make_node
from tfcross.graph.rewriting.eightbitops import QUANTIZED, quantized_nodes
from tfcross.graph.rewriting.inputs import copied, data_inputs, rename_inputs
from tfcross.graph.rewriting.patterns import ANY, CONST, Match, Pattern, pattern, replace_matches
from tfcross.graph.rewriting.tensors import const_node, scalar
from tfcross.graph.transforms.context import Context
from tfcross.graph.transforms.duplicates import merge_equal

_FAKE = "FakeQuantWithMinMaxVars"
_FLOAT = 1
_DEPTH = 3  # ops that a trained range is moved over
_RENAMED = "__RENAMED_PLACEHOLDER__"


def quantize_nodes(nodes: Sequence[Any], context: Context) -> list[Any]:
    """``input_min`` and ``input_max``: float placeholders become eight-bit ones of that range.

    ``fallback_min`` and ``fallback_max``: one range for all 32-bit results, in place of measured ones.
    """
    ignored = context.arguments.many("ignore_op")
    fallback = _given_range(context, "fallback")
    steps: tuple[Callable[[list[Any]], list[Any]], ...] = (
        lambda graph: _quantize_placeholders(graph, _given_range(context, "input")),
        _hoist_fake_quants,
        _requantize_fake_quants,
        lambda graph: _quantize_ops(graph, [op for op in QUANTIZED if op not in ignored], fallback),
        _merge_requantizes,
        lambda graph: merge_equal(graph, context)[0],
        lambda graph: _remove_redundant(graph, context.kept),
    )
    current = list(nodes)
    for step in steps:
        current = step(current)
    context.note(f"{sum(node.op.startswith('Quantized') for node in current)} ops in eight bits")
    return current


def _given_range(context: Context, name: str) -> tuple[float, float] | None:
    keys = (f"{name}_min", f"{name}_max")
    given = [key for key in keys if context.arguments.many(key)]
    if not given:
        return None
    if len(given) < 2:
        raise context.arguments.error(f"give both {keys[0]}= and {keys[1]}=, or none")
    low, high = (context.arguments.decimal(key, 0) for key in keys)
    if not -3e38 < low < high < 3e38:
        raise context.arguments.error(f"{keys[0]}={low:g} has to be below {keys[1]}={high:g}, both finite")
    return low, high


def _quantize_placeholders(nodes: list[Any], given: tuple[float, float] | None) -> list[Any]:
    if given is None:
        return nodes
    result: list[Any] = []
    first: dict[str, str] = {}
    second: dict[str, str] = {}
    for node in nodes:
        if node.op != "Placeholder" or node.attr["dtype"].type != _FLOAT:
            result.append(node)
            continue
        prefix = f"{node.name}_eightbit"
        low, high = (
            const_node(f"{prefix}/{part}", scalar(value))
            for part, value in zip(("min", "max"), given, strict=True)
        )
        restored = _dequantize(f"{prefix}/dequantize", [node.name + _RENAMED, low.name, high.name])
        new = copied(node)
        new.attr["dtype"].CopyFrom(attr_value("DT_QUINT8"))
        result += [new, low, high, restored]
        first[node.name] = restored.name
        second[node.name + _RENAMED] = node.name
    return rename_inputs(rename_inputs(result, first), second)


def _dequantize(name: str, inputs: Sequence[str]) -> Any:
    return make_node(name, "Dequantize", inputs, T="DT_QUINT8", mode="MIN_FIRST")


def _hoist_fake_quants(nodes: list[Any]) -> list[Any]:
    """Up over ops that keep the range, to stand behind the op whose result it is for."""
    for depth in range(_DEPTH, 0, -1):
        chain: Pattern = ANY
        for _ in range(depth):
            chain = pattern("*", chain)

        def hoist(match: Match, needed: Collection[str], depth: int = depth) -> list[Any]:
            fake, low, high = match.node, match.inputs[1].node, match.inputs[2].node
            linear = []
            below = match
            for _ in range(depth + 1):
                below = below.inputs[0]
                linear.append(copied(below.node))
            hoisted = copied(fake, name=f"{fake.name}_hoisted")
            hoisted.input[0] = linear[-2].input[0]
            linear[-2].input[0] = hoisted.name
            linear[0].name = fake.name
            return [hoisted, low, high, *linear]

        nodes = replace_matches(nodes, pattern(_FAKE, chain, CONST, CONST), hoist)
    return nodes


def _requantize_fake_quants(nodes: list[Any]) -> list[Any]:
    def requantize(match: Match, needed: Collection[str]) -> list[Any]:
        fake, source = match.node, match.inputs[0].node
        low, high = match.inputs[1].node, match.inputs[2].node
        prefix = f"{fake.name}_eightbit"
        quantize = make_node(
            f"{prefix}/quantize",
            "QuantizeV2",
            [fake.input[0], low.name, high.name],
            T="DT_QINT32",
            mode="MIN_FIRST",
        )
        again = make_node(
            f"{prefix}/requantize",
            "Requantize",
            [*_outputs(quantize.name), low.name, high.name],
            Tinput="DT_QINT32",
            out_type="DT_QUINT8",
        )
        return [source, low, high, quantize, again, _dequantize(fake.name, _outputs(again.name))]

    return replace_matches(nodes, pattern(_FAKE, ANY, CONST, CONST), requantize)


def _outputs(name: str) -> list[str]:
    return [f"{name}:{number}" for number in range(3)]


def _quantize_ops(nodes: list[Any], ops: Sequence[str], fallback: tuple[float, float] | None) -> list[Any]:
    def quantize(match: Match, needed: Collection[str]) -> list[Any] | None:
        node = match.node
        if "T" not in node.attr or node.attr["T"].type != _FLOAT:
            return None
        return quantized_nodes(node, fallback)

    return replace_matches(nodes, pattern("|".join(ops)), quantize) if ops else nodes


def _merge_requantizes(nodes: list[Any]) -> list[Any]:
    """Two in a row, the second with a trained range: the first one's measured range goes."""
    measured = pattern(
        "Requantize", ANY, ANY, ANY, pattern("RequantizationRange"), pattern("RequantizationRange")
    )
    restored = pattern("Dequantize", measured, pattern("Requantize"), pattern("Requantize"))
    again = pattern("QuantizeV2", restored, CONST, CONST)
    wanted = pattern("Requantize", again, pattern("QuantizeV2"), pattern("QuantizeV2"), CONST, CONST)

    def merge(match: Match, needed: Collection[str]) -> list[Any]:
        source = match.inputs[0].inputs[0].inputs[0].inputs[0].node
        low, high = match.inputs[3].node, match.inputs[4].node
        inputs = [*_outputs(source.name), low.name, high.name]
        return [source, low, high, copied(match.node, input=inputs)]

    return replace_matches(nodes, wanted, merge)


def _remove_redundant(nodes: list[Any], kept: Collection[str]) -> list[Any]:
    """A Dequantize that is quantized again by its own range; it stays where its floats are taken."""
    renames: dict[str, str] = {}

    def remove(match: Match, needed: Collection[str]) -> list[Any] | None:
        restored = match.inputs[0].node
        for number, text in enumerate(data_inputs(restored)):
            renames[f"{match.node.name}:{number}"] = text
        if restored.name in needed or restored.name in kept:
            return None
        return [node for node in match.nodes()[2:] if node.name in needed or node.name in kept]

    wanted = pattern("QuantizeV2", pattern("Dequantize"), pattern("Min"), pattern("Max"))
    return rename_inputs(replace_matches(nodes, wanted, remove, may_drop=True), renames)
