"""Logging of values, and the ranges that a log holds."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tfcross.errors import TfcrossError, quoted
from tfcross.graph.construction import make_node
from tfcross.graph.messages import dtype_name
from tfcross.graph.rewriting.definitions import output_types
from tfcross.graph.rewriting.inputs import Input, rename_inputs
from tfcross.graph.rewriting.tensors import const_node, scalar
from tfcross.graph.transforms.context import Context

_PRINT = "__print__"
_LOG_LINE = re.compile(rf"([^;]*){_PRINT};__requant_min_max:\[([^][]*)\]\[([^][]*)\]")
_MOST_BYTES = 1 << 30


def insert_logging(nodes: Sequence[Any], context: Context) -> list[Any]:
    """A Print behind each node of ``op`` and with ``prefix`` (none: any) whose outputs are taken."""
    arguments = context.arguments
    ops, prefixes = arguments.many("op"), tuple(arguments.many("prefix"))
    taken = _taken_outputs(nodes)
    result: list[Any] = []
    renames: dict[str, str] = {}
    for node in nodes:
        result.append(node)
        chosen = (not ops or node.op in ops) and (not prefixes or node.name.startswith(prefixes))
        types = _output_types(node, context) if chosen and node.name in taken else ()
        if types:
            result.append(_print_node(node, sorted(taken[node.name]), types, context))
            renames[f"{node.name}:0"] = f"{node.name}{_PRINT}:0"
    prints = {node.name for node in result if node.op == "Print" and node.name.endswith(_PRINT)}
    return rename_inputs(result, renames, prints)


def _taken_outputs(nodes: Sequence[Any]) -> dict[str, set[int]]:
    taken: dict[str, set[int]] = {}
    for node in nodes:
        for text in node.input:
            part = Input.parse(text)
            number = part.suffix.removeprefix(":") or "0"
            if number.isdecimal() and len(number) < 6:
                taken.setdefault(part.node, set()).add(int(number))
    return taken


def _print_node(node: Any, outputs: Sequence[int], types: Sequence[int], context: Context) -> Any:
    arguments = context.arguments
    name = node.name + _PRINT
    message = f";{node.op};" if arguments.flag("show_op", False) else ""
    message += f";{name};" if arguments.flag("show_name", False) else ""
    new = make_node(
        name,
        "Print",
        [f"{node.name}:0", *(f"{node.name}:{number}" for number in outputs)],
        first_n=arguments.integer("first_n", -1),
        summarize=arguments.integer("summarize", 1024),
        T=dtype_name(types[0]),
    )
    new.attr["message"].s = (message + arguments.text("message", "")).encode()
    new.attr["U"].list.type.extend(types[number] for number in outputs if number < len(types))
    if len(new.attr["U"].list.type) != len(outputs):
        raise arguments.error(
            f"node {quoted(node.name)} (op {quoted(node.op)}) has {len(types)} outputs only"
        )
    return new


def _output_types(node: Any, context: Context) -> Sequence[int]:
    """None for a node that gives nothing, and is only waited for."""
    definition = context.op_defs().get(node.op)
    if definition is None:
        raise context.arguments.error(f"the outputs of the op {quoted(node.op)} are not known")
    types = output_types(definition, node)
    if not all(types):
        raise context.arguments.error(f"the types of node {quoted(node.name)} are not known")
    return types


def freeze_requantization_ranges(nodes: Sequence[Any], context: Context) -> list[Any]:
    """RequantizationRange nodes become the ranges that ``min_max_log_file`` has for them.

    ``min_percentile`` and ``max_percentile`` of the logged values are left out as outliers.
    """
    arguments = context.arguments
    logged = _logged_ranges(Path(arguments.text("min_max_log_file")), context)
    cuts = (arguments.decimal("min_percentile", 5), arguments.decimal("max_percentile", 5))
    if not all(0 <= cut <= 100 for cut in cuts):
        raise arguments.error(f"percentiles go from 0 to 100, and there are {cuts[0]:g} and {cuts[1]:g}")
    by_name = {node.name: node for node in nodes}
    for name in logged:
        if name not in by_name:
            raise arguments.error(f"the log has a node {quoted(name)}, and the graph has not")
        if by_name[name].op != "RequantizationRange":
            op = quoted(by_name[name].op)
            raise arguments.error(f"node {quoted(name)} is a {op}; only RequantizationRange is frozen")
    result: list[Any] = []
    renames: dict[str, str] = {}
    for node in nodes:
        if node.name not in logged:
            result.append(node)
            continue
        for output, (part, value) in enumerate(
            zip(("min", "max"), _range(logged[node.name], *cuts), strict=True)
        ):
            constant = const_node(f"{node.name}/frozen_{part}", scalar(value))
            renames[f"{node.name}:{output}"] = f"{constant.name}:0"
            result.append(constant)
    return rename_inputs(result, renames)


def _range(ranges: Sequence[tuple[float, float]], low_cut: float, high_cut: float) -> tuple[float, float]:
    lows, highs = (sorted(values) for values in zip(*ranges, strict=True))
    first = min(_whole(len(lows) * (low_cut / 100)), len(lows) - 1)
    last = min(_whole(len(highs) * (1 - high_cut / 100)), len(highs) - 1)
    return lows[first], highs[last]


def _whole(value: float) -> int:
    """A half goes up."""
    return math.floor(value + 0.5)


def _logged_ranges(path: Path, context: Context) -> dict[str, list[tuple[float, float]]]:
    """By node, what lines with ``;<node>__print__;__requant_min_max:[min][max]`` say; others do not count."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise context.arguments.error(f"{path} has more than {_MOST_BYTES} bytes")
        lines = path.read_text(errors="replace").splitlines()
    except OSError as error:
        raise TfcrossError(f"{path}: the log cannot be read ({error.strerror}).") from None
    ranges: dict[str, list[tuple[float, float]]] = {}
    for line in lines:
        match = _LOG_LINE.search(line)
        try:
            low, high = (float(text) for text in match.groups()[1:]) if match else (math.nan, math.nan)
        except ValueError:
            continue
        if match and math.isfinite(low) and math.isfinite(high):
            ranges.setdefault(match[1], []).append((low, high))
    if not ranges:
        raise context.arguments.error(f"{path} has no line with the range of a node")
    return ranges
