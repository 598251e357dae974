"""Variables that stay variables in a frozen graph: their initial assignment goes with them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tfcross.graph.construction import make_node
from tfcross.graph.freezing.flat import FlatGraph, Ref, set_inputs
from tfcross.graph.freezing.frozen import Value
from tfcross.graph.freezing.handles import HANDLE_OPS
from tfcross.graph.freezing.variables import Values
from tfcross.graph.messages import AttrValue


def keep_variables(
    graph: FlatGraph, names: Iterable[str], values: Values, constants: dict[str, Value]
) -> list[str]:
    """Adds what sets the variables; gives the names of the nodes that do. ``constants`` gets their values.

    Raises TfcrossError for a variable without a value.
    """
    setters = []
    for name in names:
        computed = values.computed.get(name)
        setters.append(
            computed or _add_assignment(graph, graph.nodes[name], values.value(graph.nodes[name]), constants)
        )
    return setters


def _add_assignment(graph: FlatGraph, variable: Any, value: Value, constants: dict[str, Value]) -> str:
    dtype = AttrValue(type=value.dtype)
    const = graph.add(make_node(f"{variable.name}/initial_value", "Const", dtype=dtype))
    constants[const] = value
    if variable.op in HANDLE_OPS:
        node = make_node(f"{variable.name}/initialize", "AssignVariableOp", dtype=dtype)
    else:
        node = make_node(
            f"{variable.name}/initialize", "Assign", T=dtype, validate_shape=True, use_locking=True
        )
    set_inputs(node, [Ref(variable.name, 0), Ref(const, 0)], ())
    return graph.add(node)
