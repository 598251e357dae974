"""The (op, kernel class) pairs that graphs, lists of ops and ``--default_ops`` ask for.

The rules are those of TensorFlow's own print_selective_registration_header: every node of a graph and of its
functions counts, a node without a kernel is left out with a warning. Graphs are read, not checked: the inputs
of nodes do not matter here. Unlike there, a node that names another device counts as one for the CPU, and a
node of a function whose types only the function's callers know keeps every CPU kernel of its op.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from tfcross.errors import TfcrossError, quoted
from tfcross.graph.filekind import is_text_graph, not_a_graph, starts_like_a_graph
from tfcross.graph.modelfile import ModelFile, open_model
from tfcross.graph.node import Node, make_node
from tfcross.selection.refusal import Refusal
from tfcross.selection.rule import KernelRule

RAW, TEXT, OPS_LIST = "rawproto", "textproto", "ops_list"
FORMATS = (RAW, TEXT, OPS_LIST)
_OPTION = "--proto_fileformat"
_PAIRS = 'a list of pairs, as [["NoOp", "NoOp"], ["AccumulateNV2", null]]'


class Pair(NamedTuple):
    """An op and the class text of one of its kernels; ``kernel`` is "" for an op that has none."""

    op: str
    kernel: str


@dataclass(frozen=True)
class GraphNodes:
    """``nodes`` of the main graph and of all functions; ``functions`` are names that are no ops."""

    path: Path
    nodes: tuple[Node, ...]
    functions: frozenset[str]


@dataclass(frozen=True)
class Picked:
    """``warnings`` are lines that tell what was left out."""

    pairs: frozenset[Pair]
    warnings: tuple[str, ...]


def read_graph(path: Path, form: str) -> GraphNodes:
    """The graph, or SavedModel, in ``path``, whose form is ``form``: RAW or TEXT. Raises TfcrossError."""
    nodes: list[Node] = []
    functions: set[str] = set()
    with open_model(path) as file, file.explained_errors():
        graph = file.graph("serve")
        _check_form(file, form)
        for part in graph.parts:
            kind = part.DESCRIPTOR.name
            if kind == "NodeDef":
                nodes.append(make_node(part))
            elif kind == "FunctionDef":
                functions.add(part.signature.name)
                nodes.extend(make_node(node, part.signature.name) for node in part.node_def)
    if not nodes:
        raise TfcrossError(f"{path}: the graph has no nodes; pass the graph that your app loads.")
    return GraphNodes(path, tuple(nodes), frozenset(functions))


def _check_form(file: ModelFile, form: str) -> None:
    text = is_text_graph(file.path.name, file.head)
    if text and form == RAW:
        raise TfcrossError(f"{file.path}: a text graph, and {_OPTION} is {RAW}; pass {_OPTION}={TEXT}.")
    if not text and form == TEXT:
        if starts_like_a_graph(file.head):
            raise TfcrossError(f"{file.path}: a binary graph, and {_OPTION} is {TEXT}; pass {_OPTION}={RAW}.")
        raise not_a_graph(
            str(file.path), file.path.name, file.head, file.tail, "it does not start like a text graph"
        )


def pick_pairs(graph: GraphNodes, rule: KernelRule) -> Picked:
    """What the nodes of ``graph`` need; an op is told once for each reason to leave it out.

    An op in whose place the runtime always puts others stays though it has no kernel at all.
    """
    pairs: set[Pair] = set()
    missing: dict[Refusal, list[Node]] = {}
    for node in graph.nodes:
        if node.op in graph.functions:
            continue
        served = rule.serve(node)
        if isinstance(served, Refusal):
            missing.setdefault(served, []).append(node)
        elif served.replaced:
            pairs.add(Pair(node.op, ""))
        else:
            pairs.update(Pair(node.op, kernel.class_text) for kernel in served.kernels)
    return Picked(frozenset(pairs), tuple(_warnings(graph.path, missing)))


def _warnings(path: Path, missing: dict[Refusal, list[Node]]) -> Iterator[str]:
    for refusal, nodes in missing.items():
        more = f" (and {len(nodes) - 1} more)" if len(nodes) > 1 else ""
        yield f"{path}: node {quoted(nodes[0].name)}{more} is left out: no kernel found: {refusal.text}"


def read_ops_list(path: Path) -> frozenset[Pair]:
    """The pairs in a JSON file ``[["op", "kernel class"], …]``; null and "" are no kernel."""
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise TfcrossError(f"{path}: cannot be read ({error.strerror}); pass {_PAIRS}.") from None
    except (ValueError, RecursionError) as error:
        raise TfcrossError(f"{path}: no JSON: {error}; write {_PAIRS}.") from None
    if not isinstance(rows, list) or not rows:
        raise TfcrossError(f"{path}: lists no ops; write {_PAIRS}.")
    return frozenset(_row(path, number, row) for number, row in enumerate(rows, 1))


def _row(path: Path, number: int, row: object) -> Pair:
    if isinstance(row, list) and len(row) == 2 and _is_name(row[0]) and (not row[1] or _is_name(row[1])):
        return Pair(row[0], row[1] or "")
    shown = json.dumps(row)
    shown = shown if len(shown) <= 80 else shown[:77] + "..."
    raise TfcrossError(f"{path}: entry {number} is {shown}; write {_PAIRS}.")


def parse_default_ops(text: str) -> frozenset[Pair]:
    """The pairs of ``NoOp:NoOp,_Recv:RecvOp``; "" is none. Commas within < > belong to the class text."""
    return frozenset(_default_pair(entry) for entry in _split(text)) if text.strip() else frozenset()


def _default_pair(entry: str) -> Pair:
    op, colon, kernel = (part.strip() for part in entry.partition(":"))
    if not colon or not _is_name(op) or not _is_name(kernel) or kernel.startswith(":") or " " in op:
        raise TfcrossError(
            f"--default_ops: '{entry}' is no pair of an op and a kernel class; "
            "write op:class,op:class as NoOp:NoOp,_Recv:RecvOp, or all."
        )
    return Pair(op, kernel)


def _split(text: str) -> Iterator[str]:
    depth = start = 0
    for index, character in enumerate(text):
        depth += (character == "<") - (character == ">")
        if character == "," and depth <= 0:
            yield text[start:index]
            start = index + 1
    yield text[start:]


def _is_name(text: object) -> bool:
    """Whether ``text`` can stand in a C literal as it is, but for quotes and backslashes."""
    return isinstance(text, str) and bool(text.strip()) and text.isprintable()
