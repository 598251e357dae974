"""A check of a model as JSON values and as a table for people."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from tfcross.check.model import ModelCheck
from tfcross.check.verdicts import OK, Verdict
from tfcross.errors import quoted_list
from tfcross.graph.node import Node
from tfcross.render import table

_HEAD = ("nodes", "op", "types", "verdict", "kernel")


def json_check(check: ModelCheck) -> dict[str, Any]:
    """Everything that is known; ``nodes`` has every node, also those of functions."""
    return {
        "model": str(check.model.path),
        "sha256": check.model.sha256,
        "runs": check.runs,
        "refused": list(check.refused),
        "notes": list(check.model.notes),
        "unproven": check.unproven,
        "nodes": [_json_node(node, verdict) for node, verdict in check.nodes],
        "features": check.features(),
        "inserted": check.inserted(),
        "kernels": [list(pair) for pair in check.selection.kernels] if check.selection else [],
        "files": list(check.selection.files) if check.selection else [],
    }


def _json_node(node: Node, verdict: Verdict) -> dict[str, Any]:
    kernel = verdict.kernel if verdict.runs else None
    return {
        "name": node.name,
        "function": node.function,
        "op": node.op,
        "types": {name: list(types) for name, types in node.types()},
        "device": node.device,
        "verdict": verdict.cause,
        "what": verdict.what,
        "remedy": verdict.remedy,
        "kernel": kernel.class_text if kernel else "",
        "file": kernel.file if kernel else "",
        "notes": list(verdict.notes),
    }


def text_check(
    check: ModelCheck, place: str, kernels: str = "", every_node: bool = False, words: Sequence[str] = ()
) -> str:
    """A table, one line for equal nodes or for each; then what hinders, what surprises, what comes with it.

    ``place`` names target, release and types; a file in the folder ``kernels`` is shown as from there;
    ``words`` are the command line's, for commands.
    """
    says = "runs" if check.runs else "cannot run"
    lines = [f"{check.model.path} on {place}: {says}", ""]
    rows = (_node_rows if every_node else _case_rows)(check.nodes, kernels)
    lines += table(("node", *_HEAD[1:]) if every_node else _HEAD, rows)
    lines += _problems(check)
    lines += _mending(check, words)
    lines += _surprises(check)
    lines += _proof(check)
    lines += _brought(check)
    return "\n".join(lines) + "\n"


def _case_rows(nodes: Iterable[tuple[Node, Verdict]], kernels: str) -> list[tuple[str, ...]]:
    """Equal nodes once, in the order of op and types."""
    counts: dict[tuple[str, ...], int] = {}
    for node, verdict in nodes:
        row = _cells(node, verdict, kernels)
        counts[row] = counts.get(row, 0) + 1
    return [(str(counts[row]), *row) for row in sorted(counts)]


def _node_rows(nodes: Iterable[tuple[Node, Verdict]], kernels: str) -> list[tuple[str, ...]]:
    return [
        (f"{node.function}: {node.name}" if node.function else node.name, *_cells(node, verdict, kernels))
        for node, verdict in nodes
    ]


def _cells(node: Node, verdict: Verdict, kernels: str) -> tuple[str, ...]:
    types = " ".join(f"{name}={','.join(map(_type, types))}" for name, types in node.types() if types)
    kernel = verdict.kernel.file.removeprefix(kernels) if verdict.kernel and verdict.runs else "-"
    return node.op, types or "-", "OK" if verdict.runs else verdict.cause, kernel


def _type(name: str) -> str:
    return name.removeprefix("DT_").lower()


def _problems(check: ModelCheck) -> Iterator[str]:
    """Each reason once, with the nodes that have it."""
    groups: dict[tuple[str, str, str], list[str]] = {}
    for node, verdict in check.bad():
        name = f"{node.name} (in function {node.function})" if node.function else node.name
        groups.setdefault((verdict.cause, verdict.what, verdict.remedy), []).append(name)
    if not groups and not check.refused:
        return
    yield ""
    yield f"Why it cannot run ({len(check.bad())} of {len(check.nodes)} nodes):"
    yield from (f"- {reason}" for reason in check.refused)
    for (cause, what, remedy), names in groups.items():
        yield f"- {cause}: {quoted_list(names)}: {what}. {remedy}".rstrip()


def _mending(check: ModelCheck, words: Sequence[str]) -> Iterator[str]:
    """The command that builds without the nodes that no output needs."""
    if check.without and not check.refused:
        yield ""
        yield f"What gives {quoted_list(check.without)} needs none of these nodes. A build without them:"
        ends = [f"MODEL={check.model.path}", f"OUTPUTS={','.join(check.without)}"]
        yield f"  ./bootstrap scons {shlex.join([*words, *ends])}"


def _surprises(check: ModelCheck) -> Iterator[str]:
    notes: dict[str, list[str]] = {}
    for node, verdict in check.nodes:
        for note in verdict.notes if verdict.cause == OK else ():
            notes.setdefault(note, []).append(node.name)
    features = check.features()
    if not notes and not features and not check.model.notes:
        return
    yield ""
    yield "Worth knowing:"
    yield from (f"- {note}" for note in check.model.notes)
    yield from (f"- {quoted_list(names)}: {note}" for note, names in notes.items())
    yield from (f"- {kind}: {len(names)} ({quoted_list(names)})" for kind, names in features.items())


def _proof(check: ModelCheck) -> Iterator[str]:
    if check.runs and check.unproven:
        yield ""
        yield f"A build's generic proof would not run it: {check.unproven}"


def _brought(check: ModelCheck) -> Iterator[str]:
    if check.selection is None:
        return
    yield ""
    counts = map(len, (check.selection.ops, check.selection.kernels, check.selection.files))
    yield "A library for it registers {} ops and {} kernels, from {} files.".format(*counts)
    why: dict[str, list[str]] = {}
    for op, reason in check.inserted().items():
        why.setdefault(reason, []).append(op)
    yield "Of these the runtime inserts:"
    yield from (f"- {', '.join(ops)}: {reason}" for reason, ops in why.items())
