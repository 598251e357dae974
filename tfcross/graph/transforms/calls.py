"""inline_partitionedcall: functions that are only called, as nodes of the graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tfcross.errors import quoted
from tfcross.graph.construction import make_node
from tfcross.graph.messages import AttrValue, dtype_name
from tfcross.graph.rewriting.bodies import ARGUMENT, Body, open_body
from tfcross.graph.rewriting.inputs import Input, control_inputs, copied, data_inputs
from tfcross.graph.transforms.context import Context

_CALLS = ("PartitionedCall", "StatefulPartitionedCall")
_MOST_NODES = 1_000_000
_MOST_LEVELS = 64
_MOST_INPUTS = 100_000


def inline_partitionedcall(nodes: Sequence[Any], context: Context) -> list[Any]:
    """Nodes of a body are named ``call/node``; calls in it are inlined, too. While and If stay."""
    current, count = list(nodes), 0
    for _ in range(_MOST_LEVELS):
        calls = [node for node in current if node.op in _CALLS]
        if not calls:
            context.note(f"{count} calls inlined")
            return current
        count += len(calls)
        current = _one_level(current, context)
        if len(current) > _MOST_NODES:
            break
    raise context.arguments.error("functions that call each other without an end, or too many nodes")


@dataclass(frozen=True)
class _Inlined:
    """``outputs`` are the call's, as inputs of other nodes; ``controls`` what must have run when it has."""

    nodes: list[Any]
    outputs: list[str]
    controls: list[str]


def _one_level(nodes: Sequence[Any], context: Context) -> list[Any]:
    inlined = {node.name: _inline(node, context) for node in nodes if node.op in _CALLS}
    result: list[Any] = []
    for node in nodes:
        result += inlined[node.name].nodes if node.name in inlined else [node]
        if node.name in inlined and node.name in context.kept:
            result.append(_output(node, inlined[node.name], context))
    called = inlined.keys()
    return [
        _rewired(node, inlined, context)
        if any(Input.parse(text).node in called for text in node.input)
        else node
        for node in result
    ]


def _inline(call: Any, context: Context) -> _Inlined:
    body = _body(call, context)
    given = dict(zip(body.arguments, data_inputs(call), strict=True))
    controls = control_inputs(call)
    values = call.attr["f"].func.attr
    nodes = []
    for node in body.nodes:
        if node.op == ARGUMENT:
            continue
        inputs = [_inner(text, call.name, given, context) for text in node.input]
        if not data_inputs(node):
            inputs += [text for text in controls if text not in inputs]
        nodes.append(_bound(copied(node, name=f"{call.name}/{node.name}", input=inputs), values))
    returned = [
        body.plain(body.function.ret[argument.name]) for argument in body.function.signature.output_arg
    ]
    outputs = [_inner(text, call.name, given, context) for text in returned]
    done = [f"^{call.name}/{name}" for name in body.function.control_ret.values()]
    done += ["^" + Input.parse(text).node for text in outputs]
    return _Inlined(nodes, outputs, list(dict.fromkeys(done)) or controls)


def _output(call: Any, inlined: _Inlined, context: Context) -> Any:
    """A call that is an output of the graph leaves a node of its name."""
    types = list(call.attr["Tout"].list.type) if "Tout" in call.attr else []
    if not types or not inlined.outputs:
        raise context.arguments.error(f"the output {quoted(call.name)} is a call that gives nothing")
    return make_node(call.name, "Identity", [inlined.outputs[0]], T=dtype_name(types[0]))


def _body(call: Any, context: Context) -> Body:
    name = call.attr["f"].func.name if "f" in call.attr else ""
    function = context.functions.get(name)
    if function is None:
        raise context.arguments.error(
            f"node {quoted(call.name)} calls {quoted(name)}, and there is no such function"
        )
    signature = function.signature
    wanted, there = len(signature.input_arg), len(data_inputs(call))
    if wanted != there:
        raise context.arguments.error(
            f"node {quoted(call.name)} gives {there} tensors to {quoted(name)}, which takes {wanted}"
        )
    missing = [argument.name for argument in signature.output_arg if argument.name not in function.ret]
    if missing:
        raise context.arguments.error(f"function {quoted(name)} does not tell what {quoted(missing[0])} is")
    return open_body(function, context.op_defs)


def _inner(text: str, call: str, given: Mapping[str, str], context: Context) -> str:
    part = Input.parse(text)
    if part.suffix.count(":") > 1:
        raise context.arguments.error(
            f"in the body of {quoted(call)}: the output {quoted(text)} is not known"
        )
    if part.node in given:
        return "^" + Input.parse(given[part.node]).node if part.prefix else given[part.node]
    return part._replace(node=f"{call}/{part.node}").text()


def _bound(node: Any, values: Mapping[str, Any]) -> Any:
    """With the call's types where the body has placeholders for them."""
    for key in list(node.attr):
        name = node.attr[key].placeholder
        if name and name in values:
            value = AttrValue()
            value.CopyFrom(values[name])
            node.attr[key].CopyFrom(value)
    return node


def _rewired(node: Any, inlined: Mapping[str, _Inlined], context: Context) -> Any:
    """What a call gives may come from another call of the same level."""
    data: list[str] = []
    control: list[str] = []
    waiting = list(node.input)
    for _ in range(_MOST_INPUTS):
        if not waiting:
            return copied(node, input=[*data, *dict.fromkeys(control)])
        text = waiting.pop(0)
        part = Input.parse(text)
        call = inlined.get(part.node)
        if call is None:
            (control if part.prefix else data).append(text)
        elif part.prefix:
            waiting += call.controls
        else:
            waiting.insert(0, _output_of(call, text, context))
    raise context.arguments.error(f"the inputs of node {quoted(node.name)} go round in a circle")


def _output_of(call: _Inlined, text: str, context: Context) -> str:
    number = Input.parse(text).suffix.removeprefix(":") or "0"
    if not number.isdecimal() or len(number) > 6 or int(number) >= len(call.outputs):
        raise context.arguments.error(f"a node takes {quoted(text)}, which the function does not give")
    return call.outputs[int(number)]
