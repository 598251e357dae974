"""A graph through a chain of transforms: main graph and functions, checked behind each of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import Any

from tfcross.errors import TfcrossError, quoted
from tfcross.graph.messages import GraphDef
from tfcross.graph.rewriting.bodies import close_body, functions_by_name, open_body
from tfcross.graph.rewriting.colocations import without_lost_colocations
from tfcross.graph.rewriting.definitions import OpDefs
from tfcross.graph.rewriting.inputs import node_of
from tfcross.graph.transforms.arguments import parse_transforms
from tfcross.graph.transforms.context import Context
from tfcross.graph.transforms.table import TRANSFORMS, check_calls, nearest


def transform_graph(
    graph: Any, inputs: Sequence[str], outputs: Sequence[str], transforms: str, op_defs: OpDefs
) -> tuple[Any, list[str]]:
    """The new GraphDef, and what to tell the user. Names may end in ``:0``. Raises TfcrossError.

    ``transforms`` is the text of --transforms. ``op_defs`` gives the release's op definitions; it is called
    only by transforms that need them.
    """
    calls = parse_transforms(transforms)
    check_calls(calls)
    check_graph(graph)
    fed, fetched = _nodes(graph, inputs, "inputs"), _nodes(graph, outputs, "outputs")
    notes: list[str] = []
    for call in calls:
        context = Context(call, fed, fetched, functions_by_name(graph), op_defs, notes)
        graph = _applied(graph, context)
    return graph, notes


def _nodes(graph: Any, names: Sequence[str], option: str) -> tuple[str, ...]:
    """The names without ``:0``, each once; they must be there."""
    there = {node.name for node in graph.node}
    wanted = dict.fromkeys(node_of(name.strip()) for name in names if name.strip())
    for name in wanted:
        if name not in there:
            raise TfcrossError(
                f"--{option}: the graph has no node {quoted(name)}{nearest(name, there)}; "
                "scripts/summarize_graph.py lists its inputs and outputs."
            )
    return tuple(wanted)


def _applied(graph: Any, context: Context) -> Any:
    ignore = context.arguments.flag("ignore_errors", False)
    try:
        new = _transformed(graph, context)
        check_graph(new)
    except TfcrossError as error:
        if not ignore:
            raise
        context.notes.append(f"ignored: {error}")
        return graph
    return new


def _transformed(graph: Any, context: Context) -> Any:
    transform = TRANSFORMS[context.arguments.transform]
    package = __package__ or ""
    run = getattr(import_module(f"{package}.{transform.module}"), transform.name)
    new = GraphDef()
    new.versions.CopyFrom(graph.versions)
    new.node.extend(without_lost_colocations(run(list(graph.node), context)))
    if transform.in_functions and graph.library.function:
        functions = [_transformed_function(function, run, context) for function in graph.library.function]
        new.library.function.extend(functions)
        new.library.gradient.extend(graph.library.gradient)
        new.library.registered_gradients.extend(graph.library.registered_gradients)
    elif graph.HasField("library"):
        new.library.CopyFrom(graph.library)
    return new


def _transformed_function(function: Any, run: Any, context: Context) -> Any:
    body = open_body(function)
    inner = Context(
        context.arguments,
        body.arguments,
        body.outputs,
        context.functions,
        context.op_defs,
        context.notes,
        function.signature.name,
    )
    return close_body(body, without_lost_colocations(run(body.nodes, inner)))


def check_graph(graph: Any) -> None:
    """Every name once, every input there, in the main graph and in functions. Raises TfcrossError."""
    _check_nodes(graph.node, (), "the graph")
    for function in graph.library.function:
        arguments = [argument.name for argument in function.signature.input_arg]
        where = f"function {quoted(function.signature.name)}"
        _check_nodes(function.node_def, arguments, where)
        names = {node.name for node in function.node_def}.union(arguments)
        for text in (*function.ret.values(), *function.control_ret.values()):
            if node_of(text) not in names:
                raise TfcrossError(f"{where} returns {quoted(text)}, and it has no such node.")


def _check_nodes(nodes: Iterable[Any], arguments: Sequence[str], where: str) -> None:
    names = set(arguments)
    for node in nodes:
        if node.name in names:
            raise TfcrossError(f"{where}: two nodes are named {quoted(node.name)}; names must be unique.")
        names.add(node.name)
    for node in nodes:
        for text in node.input:
            if node_of(text) not in names:
                raise TfcrossError(
                    f"{where}: node {quoted(node.name)} takes {quoted(text)}, and there is no such node."
                )
