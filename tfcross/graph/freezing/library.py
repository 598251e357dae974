"""The functions of a graph: their bodies as flat graphs, and back.

In a body an output has the name of the op's argument and the position in it, ``node:y:0``; in a flat graph
it has a number. The definitions of ops that a SavedModel and a .meta come with tell one from the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tfcross.errors import TfcrossError, quoted
from tfcross.graph.construction import make_node
from tfcross.graph.freezing.flat import (
    ARGUMENT,
    FlatGraph,
    Ref,
    control_names,
    copied,
    data_refs,
    set_inputs,
)
from tfcross.graph.messages import AttrValue, FunctionDef

#: Outputs of the ops that freezing itself puts into bodies, and of the common ones with several arguments.
_OUTPUTS = {
    **dict.fromkeys(("Const", "Identity", "GatherV2", "GatherNd", "Shape", "StridedSlice"), ("output",)),
    **dict.fromkeys(("TopK", "TopKV2"), ("values", "indices")),
    **dict.fromkeys(("Unique", "UniqueV2"), ("y", "idx")),
    **dict.fromkeys(
        ("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"),
        ("y", "batch_mean", "batch_variance", *(f"reserve_space_{number}" for number in (1, 2, 3))),
    ),
    "Switch": ("output_false", "output_true"),
    "Merge": ("output", "value_index"),
}
_CALLS = ("PartitionedCall", "StatefulPartitionedCall")
_MOST_NESTED = 100


class Library:
    """``functions`` by name; ``ops`` are OpDefs, as far as the model comes with them."""

    def __init__(self, functions: Iterable[Any], ops: Iterable[Any] = ()) -> None:
        self.functions: dict[str, Any] = {function.signature.name: function for function in functions}
        self._ops: Mapping[str, Any] = {op.name: op for op in ops}
        self._named: dict[str, str] = {}  # the one output of ops that are not known, as bodies name it

    def called(self, node: Any) -> tuple[str, Mapping[str, Any]] | None:
        """The function that ``node`` calls, and what binds its attributes; None if it calls none."""
        if node.op in _CALLS:
            return node.attr["f"].func.name, node.attr["f"].func.attr
        return (node.op, node.attr) if node.op in self.functions else None

    def function(self, name: str, user: str) -> Any:
        """Raises TfcrossError, which names the ``user``, for a function that is not there."""
        if name not in self.functions:
            raise TfcrossError(
                f"node {quoted(user)} calls the function {quoted(name)}, which is not there; export it again."
            )
        return self.functions[name]

    def is_stateful(self, op: str) -> bool:
        """Whether running a node of that op may do more than give its outputs; so may an unknown op."""
        return op not in self._ops or bool(self._ops[op].is_stateful)

    def ports(self, node: Any) -> list[tuple[str, int]] | None:
        """The output arguments of ``node`` and their sizes, in order; None for an unknown op."""
        function = self.functions.get(node.op)
        definition = function.signature if function is not None else self._ops.get(node.op)
        if definition is None:
            names = _OUTPUTS.get(node.op)
            return [(name, 1) for name in names] if names else None
        return [(arg.name, _size(arg, node)) for arg in definition.output_arg]

    def flatten(self, name: str, attrs: Mapping[str, Any], user: str) -> FlatGraph:
        """The body of a function whose attributes ``attrs`` bind. Raises TfcrossError."""
        function = self.function(name, user)
        graph = FlatGraph({})
        for number, argument in enumerate(function.signature.input_arg):
            node = make_node(argument.name, ARGUMENT, index=number)
            node.attr["T"].CopyFrom(_type(argument, attrs))
            graph.arguments.append(graph.add(node))
        for body_node in function.node_def:
            if body_node.name in graph.nodes:
                raise TfcrossError(
                    f"function {quoted(name)} has two nodes {quoted(body_node.name)}; export it again."
                )
            node = copied(body_node, body_node.name)
            for attr in node.attr.values():
                _bind(attr, attrs, 0)
            graph.nodes[node.name] = node
        self._number_inputs(graph, name)
        graph.returns = [
            self._number(graph, function.ret[output.name], name) for output in function.signature.output_arg
        ]
        graph.effects = [target for target in function.control_ret.values() if target in graph.nodes]
        return graph

    def _number_inputs(self, graph: FlatGraph, function: str) -> None:
        for node in graph.nodes.values():
            data = [self._number(graph, text, function) for text in node.input if not text.startswith("^")]
            controls = control_names(node)
            for control in controls:
                if control not in graph.nodes:
                    raise _broken(function, control)
            set_inputs(node, data, controls)

    def _number(self, graph: FlatGraph, text: str, function: str) -> Ref:
        """``node:y:0`` as the number of the output."""
        name, *rest = text.split(":")
        node = graph.nodes.get(name)
        if node is None:
            raise _broken(function, text)
        if node.op == ARGUMENT or not rest:
            return Ref(name, 0)
        index = int(rest[1]) if len(rest) > 1 and rest[1].isdecimal() and len(rest[1]) < 10 else 0
        ports = self.ports(node)
        if ports is None:
            if self._named.setdefault(node.op, rest[0]) != rest[0]:
                raise _unknown(node)
            return Ref(name, index)
        before = 0
        for port, size in ports:
            if port == rest[0]:
                return Ref(name, before + index)
            before += size
        raise _broken(function, text)

    def emit(self, graph: FlatGraph, name: str, like: Any, returned: Sequence[int | None]) -> Any:
        """The FunctionDef of a body; arguments and results have the names that they have in ``like``.

        ``returned`` are the types of results that have another type now.
        """
        function = FunctionDef()
        function.signature.CopyFrom(like.signature)
        function.signature.name = name
        function.signature.ClearField("control_output")
        for key, attr in like.attr.items():
            if key != "_input_shapes":
                function.attr[key].CopyFrom(attr)
        for argument, node_name in zip(function.signature.input_arg, graph.arguments, strict=True):
            _set_type(argument, graph.nodes[node_name].attr["T"].type)
        for node in graph.nodes.values():
            if node.op != ARGUMENT:
                inputs = [self._name(graph, ref) for ref in data_refs(node)]
                body_node = function.node_def.add()
                body_node.CopyFrom(node)
                body_node.ClearField("input")
                body_node.input.extend([*inputs, *(f"^{control}" for control in control_names(node))])
        for output, ref, dtype in zip(function.signature.output_arg, graph.returns, returned, strict=True):
            _set_type(output, dtype or output.type)
            function.ret[output.name] = self._name(graph, ref)
        for effect in graph.effects:
            function.control_ret[effect] = effect
            function.signature.control_output.append(effect)
        return function

    def _name(self, graph: FlatGraph, ref: Ref) -> str:
        node = graph.nodes[ref.node]
        if node.op == ARGUMENT:
            return ref.node
        before = 0
        for port, size in self.ports(node) or ():
            if ref.output < before + size:
                return f"{ref.node}:{port}:{ref.output - before}"
            before += size
        if node.op in self._named:
            return f"{ref.node}:{self._named[node.op]}:{ref.output}"
        raise _unknown(node)


def _set_type(argument: Any, dtype: int) -> None:
    if argument.type != dtype:
        argument.type = dtype
        argument.type_attr = ""
        argument.ClearField("handle_data")
        argument.ClearField("experimental_full_type")


def _size(argument: Any, node: Any) -> int:
    if argument.number_attr:
        return max(int(node.attr[argument.number_attr].i), 0)
    return len(node.attr[argument.type_list_attr].list.type) if argument.type_list_attr else 1


def _type(argument: Any, attrs: Mapping[str, Any]) -> Any:
    if argument.type_attr and argument.type_attr in attrs:
        return attrs[argument.type_attr]
    return AttrValue(type=argument.type)


def _bind(attr: Any, attrs: Mapping[str, Any], depth: int) -> None:
    """Puts the value of the function's attribute where ``attr`` names it."""
    kind = attr.WhichOneof("value")
    if kind == "placeholder":
        if attr.placeholder in attrs:
            attr.CopyFrom(attrs[attr.placeholder])
    elif kind in ("func", "list") and depth < _MOST_NESTED:
        for func in [attr.func] if kind == "func" else attr.list.func:
            for inner in func.attr.values():
                _bind(inner, attrs, depth + 1)


def _unknown(node: Any) -> TfcrossError:
    return TfcrossError(
        f"node {quoted(node.name)}: the order of the outputs of the op {quoted(node.op)} is not known; "
        "export the "
        "model as a SavedModel, which tells it."
    )


def _broken(function: str, text: str) -> TfcrossError:
    return TfcrossError(
        f"function {quoted(function)} is damaged: it takes {quoted(text)}, which is not there; export it "
        "again."
    )
