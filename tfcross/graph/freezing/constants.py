"""Variables replaced by constants: what made, passed on and read their handles works on values then."""

from __future__ import annotations

import struct
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from tfcross.errors import TfcrossError, quoted, quoted_list
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
from tfcross.graph.freezing.handles import (
    BRANCHES,
    LOOPS,
    PASSING,
    REFERENCE_PASSING,
    VARIABLE_OPS,
    Bodies,
    Handles,
    Variable,
    argument_handles,
    body_arguments,
    body_func,
    body_names,
    follow,
)
from tfcross.graph.messages import AttrValue
from tfcross.graph.tensors import make_tensor

#: Attributes that a loop or branch keeps of itself; those that tell shapes or which inputs are handles go.
_STALE = ("output_shapes", "_output_shapes", "_read_only_resource_inputs", "_class")
_INT32, _INT64, _BOOL = 3, 9, 10


class Constants:
    """Turns the variables of a graph into constants, and makes the functions that this takes."""

    def __init__(self, bodies: Bodies) -> None:
        self._bodies = bodies
        self._functions = bodies.library.functions
        self._made: dict[tuple[bytes, tuple[int | None, ...]], str] = {}

    def convert(self, graph: FlatGraph, seeds: Mapping[Ref, Variable]) -> Handles:
        """Rewrites ``graph``; the nodes of variables become Consts without a value. Raises TfcrossError.

        Gives the outputs that were handles.
        """
        handles = follow(graph, seeds)
        for name in list(graph.nodes):
            node = graph.nodes[name]
            if body_names(node):
                self._convert_bodies(node, handles)
            elif any(ref in handles for ref in data_refs(node)):
                _rewrite(graph, node, handles)
            elif Ref(name, 0) in seeds and node.op in VARIABLE_OPS:
                graph.nodes[name] = make_node(name, "Const", dtype=AttrValue(type=seeds[Ref(name, 0)].dtype))
                set_inputs(graph.nodes[name], (), control_names(node))
        return handles

    def _convert_bodies(self, node: Any, handles: Handles) -> None:
        given = [handles.get(ref) for ref in body_arguments(node)]
        for key, _ in body_names(node):
            body_func(node, key).CopyFrom(self._function(node, key, given))
        _set_types(node, "T" if node.op in LOOPS else "Tin", given)
        if any(given):
            _drop(node, _STALE)

    def _function(self, node: Any, key: str, given: list[Variable | None]) -> Any:
        """The NameAttrList of the body for these arguments."""
        func = body_func(node, key)
        wanted = (
            func.SerializeToString(deterministic=True),
            tuple(variable.dtype if variable else None for variable in given),
        )
        if wanted not in self._made:
            body = _copy(self._bodies.body(node, key))
            self._made[wanted] = self._free_name(func.name)
            # The name is there before the body is, which may come back to it.
            self._functions[self._made[wanted]] = like = self._functions[func.name]
            for name, variable in zip(body.arguments, given, strict=True):
                if variable:
                    body.nodes[name].attr["T"].type = variable.dtype
            handles = self.convert(body, argument_handles(body, given))
            returned = [handles[ref].dtype if ref in handles else None for ref in body.returns]
            if node.op in BRANCHES and any(returned):
                raise _returned(node, handles)
            simplify_controls(body)
            body.prune([*(ref.node for ref in body.returns), *body.effects])
            made = self._bodies.library.emit(body, self._made[wanted], like, returned)
            _trim_arguments(made, given)
            self._functions[self._made[wanted]] = made
        new = type(func)()
        new.CopyFrom(func)
        new.name = self._made[wanted]
        return new

    def _free_name(self, name: str) -> str:
        base, number = name.removesuffix("_frozen") + "_frozen", 0
        free = base
        while free in self._functions:
            number += 1
            free = f"{base}_{number}"
        return free


def _returned(node: Any, handles: Handles) -> TfcrossError:
    names = sorted({variable.node for variable in handles.values()})
    return TfcrossError(
        f"node {quoted(node.name)} (op {quoted(node.op)}) gives back a variable itself (of "
        f"{quoted_list(names)}), not "
        "its value; no frozen graph can do that."
    )


def _copy(graph: FlatGraph) -> FlatGraph:
    nodes = {name: copied(node, name) for name, node in graph.nodes.items()}
    return FlatGraph(nodes, list(graph.arguments), list(graph.returns), list(graph.effects))


def _trim_arguments(function: Any, given: list[Variable | None]) -> None:
    """What a function tells of its arguments' shapes holds for handles, not for values."""
    for position, variable in enumerate(given):
        if variable:
            function.arg_attr.pop(position, None)
            function.resource_arg_unique_id.pop(position, None)


def _drop(node: Any, attrs: Collection[str]) -> None:
    for attr in attrs:
        node.attr.pop(attr, None)
    node.ClearField("experimental_type")


def _rewrite(graph: FlatGraph, node: Any, handles: Handles) -> None:
    """``node`` takes a handle that is a value now."""
    refs = data_refs(node)
    variable = next(handles[ref] for ref in refs if ref in handles)
    if node.op in REFERENCE_PASSING:
        node.op = REFERENCE_PASSING[node.op]
    if node.op in PASSING:
        _retype(node, [handles.get(ref) for ref in refs])
    elif node.op in _READERS:
        _READERS[node.op](graph, node, variable)
        _drop(node, _STALE)
    elif not variable.is_reference:
        raise TfcrossError(
            f"node {quoted(node.name)} (op {quoted(node.op)}) takes the variable {quoted(variable.node)} "
            "itself, "
            "not its value; no frozen graph can do that."
        )


def _retype(node: Any, given: list[Variable | None]) -> None:
    if node.op == "IdentityN":
        _set_types(node, "T", given)
    else:
        node.attr["T"].type = next(variable.dtype for variable in given if variable)
    _drop(node, _STALE)


def _set_types(node: Any, attr: str, given: Sequence[Variable | None]) -> None:
    types = node.attr[attr].list.type
    if len(types) < len(given):
        raise TfcrossError(
            f"node {quoted(node.name)} has {len(types)} types for {len(given)} inputs; export it again."
        )
    for position, variable in enumerate(given):
        if variable:
            types[position] = variable.dtype


def _become(node: Any, op: str, **attrs: object) -> None:
    """``node`` with another op and only these attributes; name and inputs stay."""
    new: Any = make_node(node.name, op, node.input, **attrs)
    node.CopyFrom(new)


def _type(dtype: int) -> Any:
    return AttrValue(type=dtype)


def _become_read(graph: FlatGraph, node: Any, variable: Variable) -> None:
    _become(node, "Identity", T=_type(variable.dtype))


def _become_gather(graph: FlatGraph, node: Any, variable: Variable) -> None:
    batch_dims = node.attr["batch_dims"].i
    axis = graph.add(_scalar(f"{node.name}/axis", _INT32, struct.pack("<i", batch_dims & 0x7FFFFFFF)))
    data, controls = data_refs(node), control_names(node)
    attrs: dict[str, object] = {"batch_dims": batch_dims} if batch_dims else {}
    types = {"Tparams": variable.dtype, "Tindices": node.attr["Tindices"].type, "Taxis": _INT32}
    _become(node, "GatherV2", **{key: _type(dtype) for key, dtype in types.items()}, **attrs)
    set_inputs(node, [*data[:2], Ref(axis, 0)], controls)


def _become_gather_nd(graph: FlatGraph, node: Any, variable: Variable) -> None:
    indices = node.attr["Tindices"].type
    _become(node, "GatherNd", Tparams=_type(variable.dtype), Tindices=_type(indices))


def _become_shape(graph: FlatGraph, node: Any, variable: Variable) -> None:
    out_type = node.attr["out_type"].type or _INT32
    _become(node, "Shape", T=_type(variable.dtype), out_type=_type(out_type))


def _become_true(graph: FlatGraph, node: Any, variable: Variable) -> None:
    controls = control_names(node)
    _become(node, "Const", dtype=_type(_BOOL), value=AttrValue(tensor=make_tensor(_BOOL, (), b"\1")))
    # In a branch of a V1 cond it must not run where the branch does not.
    set_inputs(node, (), controls)


def _become_nothing(graph: FlatGraph, node: Any, variable: Variable) -> None:
    controls = control_names(node)
    _become(node, "NoOp")
    set_inputs(node, (), controls)


def _scalar(name: str, dtype: int, content: bytes) -> Any:
    return make_node(
        name, "Const", dtype=_type(dtype), value=AttrValue(tensor=make_tensor(dtype, (), content))
    )


_READERS: Mapping[str, Callable[[FlatGraph, Any, Variable], None]] = {
    "ReadVariableOp": _become_read,
    "ResourceGather": _become_gather,
    "ResourceGatherNd": _become_gather_nd,
    "VariableShape": _become_shape,
    "VarIsInitializedOp": _become_true,
    "IsVariableInitialized": _become_true,
    "DisableCopyOnRead": _become_nothing,
}


def simplify_controls(graph: FlatGraph) -> None:
    """Leaves out what only waits for constants, and effects that are none any more."""
    idle = _idle(graph)
    for node in graph.nodes.values():
        if any(name in idle for name in control_names(node)):
            set_inputs(node, data_refs(node), [name for name in control_names(node) if name not in idle])
    graph.effects = [name for name in graph.effects if name not in idle]


def _idle(graph: FlatGraph) -> set[str]:
    """The nodes that run in any case and do nothing: constants, and what hands them on or waits for them."""
    idle: set[str] = set()
    changed = True
    while changed:
        changed = False
        for name, node in graph.nodes.items():
            if name in idle or node.op not in ("Const", "Identity", "NoOp", "Shape", ARGUMENT):
                continue
            needed = [*(ref.node for ref in data_refs(node)), *control_names(node)]
            if all(other in idle for other in needed):
                idle.add(name)
                changed = True
    return idle
