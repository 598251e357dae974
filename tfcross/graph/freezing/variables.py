"""What a variable holds when the graph is frozen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from tfcross.errors import TfcrossError, quoted
from tfcross.graph.checkpoints.stored import BadSlice, StoredTensor, parse_slice
from tfcross.graph.datatypes import type_name
from tfcross.graph.freezing.flat import FlatGraph, data_refs
from tfcross.graph.freezing.frozen import Value
from tfcross.graph.freezing.restores import Restored, assignments, origin
from tfcross.graph.tensors import STRING, BadTensor, shape_of, string_tensor
from tfcross.nearest import nearest

_INTERNAL = ("_CHECKPOINTABLE_OBJECT_GRAPH",)


class Values:
    """Values by variable: what the user's initializers set, else the checkpoint, else the model's init."""

    def __init__(
        self,
        where: str,
        graph: FlatGraph,
        tensors: Mapping[str, StoredTensor],
        restores: Mapping[str, Restored],
    ) -> None:
        self._where, self._graph = where, graph
        self._tensors, self._restores = tensors, restores
        self._assigned: dict[str, Value] = {}
        self._initial: dict[str, Value] = {}
        #: The nodes that set variables to what is no constant, by variable.
        self.computed: dict[str, str] = {}

    def add_assignments(self, nodes: Iterable[str], before_checkpoint: bool) -> None:
        """Takes in what ``nodes`` assign."""
        target = self._assigned if before_checkpoint else self._initial
        for node in assignments(self._graph, nodes):
            handle, source = data_refs(node)[:2]
            variable = origin(self._graph, handle).node
            value = constant_value(self._graph.nodes[origin(self._graph, source).node])
            if value is not None:
                target[variable] = value
            elif before_checkpoint or not self._is_stored(variable):
                self.computed[variable] = node.name

    def _is_stored(self, variable: str) -> bool:
        return variable in self._restores or (not self._restores and variable in self._tensors)

    def value(self, node: Any) -> Value:
        """What the variable of that node holds. Raises TfcrossError."""
        if node.name in self._assigned:
            return self._assigned[node.name]
        restored = self._restores.get(node.name)
        if restored is None and not self._restores:
            restored = self._by_name(node)
        if restored is not None:
            value = self.stored(f"the variable {quoted(node.name)}", restored)
        elif node.name in self._initial:
            value = self._initial[node.name]
        else:
            raise self._no_value(node)
        self._check(node, value)
        return value

    def _by_name(self, node: Any) -> Restored | None:
        """The key of a graph that has no saver."""
        names = (node.name, node.attr["shared_name"].s.decode(errors="replace"))
        key = next((name for name in names if name in self._tensors), None)
        return Restored(key, "") if key else None

    def _no_value(self, node: Any) -> TfcrossError:
        if not self._tensors:
            return TfcrossError(
                f"{self._where}: the variable {quoted(node.name)} has no value, as there is no checkpoint; "
                "pass the "
                "one that training wrote."
            )
        return TfcrossError(
            f"{self._where}: the variable {quoted(node.name)} has no value in the checkpoint"
            f"{nearest(node.name, self._keys())}; pass the checkpoint of this graph, or initialize the "
            "variable."
        )

    def _keys(self) -> Sequence[str]:
        return [key for key in self._tensors if key not in _INTERNAL]

    def stored(self, what: str, restored: Restored) -> Value:
        """The value of ``what`` as the checkpoint has it. Raises TfcrossError."""
        tensor = self._tensors.get(restored.key)
        if tensor is None:
            raise TfcrossError(
                f"{self._where}: {what} has no value: the checkpoint has no key {quoted(restored.key)}"
                f"{nearest(restored.key, self._keys())}; pass the checkpoint of this graph."
            )
        try:
            return _value(tensor, restored.slice_spec)
        except BadSlice as error:
            raise TfcrossError(
                f"{self._where}: the key {quoted(restored.key)} does not fit {what}: {error}; pass the "
                "checkpoint of "
                "this graph."
            ) from None

    def _check(self, node: Any, value: Value) -> None:
        """TfcrossError if the variable has another type or shape than its value."""
        dtype = node.attr["dtype"].type
        if dtype and dtype != value.dtype:
            raise TfcrossError(
                f"{self._where}: the variable {quoted(node.name)} is {type_name(dtype)} in the graph and "
                f"{type_name(value.dtype)} in the checkpoint; pass the checkpoint of this graph."
            )
        try:
            shape = shape_of(node.attr["shape"].shape)
        except BadTensor:
            return
        if shape != value.shape and (shape or node.op == "VarHandleOp"):
            raise TfcrossError(
                f"{self._where}: the variable {quoted(node.name)} has the shape {list(shape)} in the graph "
                "and "
                f"{list(value.shape)} in the checkpoint; pass the checkpoint of this graph."
            )


def _value(tensor: StoredTensor, slice_spec: str) -> Value:
    extents = parse_slice(slice_spec, tensor.shape)
    shape = tuple(size for _, size in extents)
    if tensor.dtype == STRING:
        if tensor.strings is None or shape != tensor.shape:
            raise BadSlice("strings in slices")
        return Value(STRING, shape, string_tensor(shape, tensor.strings()))
    if not tensor.pieces:
        raise BadSlice(f"values of the type {type_name(tensor.dtype)}, which no constant can hold")
    tensor.require(extents)
    return Value(tensor.dtype, shape, read=partial(tensor.read, extents))


def constant_value(node: Any) -> Value | None:
    """The value of a Const; None for another node, or one whose shape is not known."""
    if node.op != "Const":
        return None
    tensor = node.attr["value"].tensor
    try:
        return Value(tensor.dtype, shape_of(tensor.tensor_shape), tensor)
    except BadTensor:
        return None
