"""Runs small frozen graphs with numpy: the ops, functions, loops and tables of the tests' models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tfcross.graph.tensors import STRING, array_of, strings_of

DTYPES = {1: np.float32, 3: np.int32, 7: object, 9: np.int64, 10: np.bool_}


def constant(node: Any) -> np.ndarray:
    tensor = node.attr["value"].tensor
    assert tensor.dtype == node.attr["dtype"].type
    if tensor.dtype != STRING:
        return array_of(tensor)
    return np.array(strings_of(tensor), object).reshape([dim.size for dim in tensor.tensor_shape.dim])


def strided_slice(x: np.ndarray, begin: np.ndarray, end: np.ndarray, strides: np.ndarray, attr: Any) -> Any:
    assert len(begin) == 1 and attr["shrink_axis_mask"].i == 1
    return x[int(begin[0])]


class Tables:
    """What tables hold, by node of the table."""

    def __init__(self) -> None:
        self.held: dict[str, dict[Any, Any]] = {}

    def fill(self, node: Any, keys: np.ndarray, values: np.ndarray) -> None:
        assert node.op in ("InitializeTableV2", "LookupTableImportV2"), node.op
        assert keys.ndim == 1 and len(keys) == len(values)
        self.held[node.input[0]] = dict(zip(keys.tolist(), values, strict=True))

    def find(self, node: Any, keys: np.ndarray, default: np.ndarray) -> np.ndarray:
        held = self.held[node.input[0]]
        found = [held.get(key, default[()]) for key in keys.ravel().tolist()]
        return np.array(found, DTYPES[node.attr["Tout"].type]).reshape(keys.shape)


OPS = {
    "AddV2": lambda a, x, y: x + y,
    "Add": lambda a, x, y: x + y,
    "Cast": lambda a, x: x.astype(DTYPES[a["DstT"].type]),
    "Equal": lambda a, x, y: x == y,
    "GatherNd": lambda a, x, i: x[tuple(np.moveaxis(i, -1, 0))],
    "GatherV2": lambda a, x, i, axis: np.take(x, i, int(axis)),
    "Greater": lambda a, x, y: x > y,
    "Identity": lambda a, x: x,
    "Less": lambda a, x, y: x < y,
    "MatMul": lambda a, x, y: x @ y,
    "Mul": lambda a, x, y: x * y,
    "Pack": lambda a, *xs: np.stack(xs),
    "Relu": lambda a, x: np.maximum(x, 0),
    "Shape": lambda a, x: np.array(np.shape(x), np.int32),
    "StridedSlice": lambda a, *xs: strided_slice(*xs, a),
    "Sub": lambda a, x, y: x - y,
    "Sum": lambda a, x, axes: np.sum(x, tuple(np.atleast_1d(axes).tolist())),
    "Tanh": lambda a, x: np.tanh(x),
}


class Runner:
    """A GraphDef; ``variables`` keep their values between runs, as do tables."""

    def __init__(self, graph: Any) -> None:
        self.functions = {function.signature.name: function for function in graph.library.function}
        self.main = list(graph.node)
        self.tables = Tables()
        self.variables: dict[str, np.ndarray] = {}

    def run(self, fetches: Sequence[str], feeds: Mapping[str, Any]) -> list[Any]:
        values = {name: (np.asarray(value),) for name, value in feeds.items()}
        nodes = {node.name: node for node in self.main}
        return [self._output(nodes, name, values) for name in fetches]

    def call(self, name: str, arguments: Sequence[Any]) -> list[Any]:
        function = self.functions[name]
        assert len(function.signature.input_arg) == len(arguments)
        values = {
            arg.name: (value,) for arg, value in zip(function.signature.input_arg, arguments, strict=True)
        }
        for arg, value in zip(function.signature.input_arg, arguments, strict=True):
            assert np.asarray(value).dtype == DTYPES[arg.type], arg
        nodes = {node.name: node for node in function.node_def}
        return [self._output(nodes, function.ret[arg.name], values) for arg in function.signature.output_arg]

    def _output(self, nodes: Mapping[str, Any], ref: str, values: dict[str, tuple[Any, ...]]) -> Any:
        name, *rest = ref.split(":")
        index = int(rest[-1]) if rest else 0
        if name not in values:
            values[name] = self._evaluate(nodes, nodes[name], values)
        return values[name][index]

    def _evaluate(self, nodes: Mapping[str, Any], node: Any, values: dict[str, tuple[Any, ...]]) -> Any:
        for text in node.input:
            if text.startswith("^") and text[1:] not in values:
                values[text[1:]] = self._evaluate(nodes, nodes[text[1:]], values)
        if node.op == "Const":
            return (constant(node),)
        if node.op in ("NoOp", "VarHandleOp") or "HashTable" in node.op:
            return (node.name,)
        inputs = [self._output(nodes, text, values) for text in node.input if not text.startswith("^")]
        if node.op == "LookupTableFindV2":
            return (self.tables.find(node, *inputs[1:]),)
        if node.op in ("InitializeTableV2", "LookupTableImportV2"):
            return (self.tables.fill(node, *inputs[1:]),)
        if node.op in ("ReadVariableOp", "AssignVariableOp", "AssignAddVariableOp"):
            return (self._variable(node.op, *inputs),)
        if node.op == "While":
            return self._loop(node, inputs)
        if node.op in ("If", "Case"):
            return tuple(self.call(self._branch(node, inputs[0]), inputs[1:]))
        return (np.asarray(OPS[node.op](node.attr, *inputs)),)

    def _variable(self, op: str, name: str, *value: Any) -> Any:
        if op == "AssignVariableOp":
            self.variables[name] = value[0]
        elif op == "AssignAddVariableOp":
            self.variables[name] = self.variables[name] + value[0]
        return self.variables[name]

    def _branch(self, node: Any, choice: Any) -> str:
        if node.op == "If":
            return str(node.attr["then_branch" if choice else "else_branch"].func.name)
        branches = node.attr["branches"].list.func
        return str(branches[int(choice) if 0 <= choice < len(branches) else -1].name)

    def _loop(self, node: Any, state: list[Any]) -> tuple[Any, ...]:
        while self.call(node.attr["cond"].func.name, state)[0]:
            state = self.call(node.attr["body"].func.name, state)
        return tuple(state)
