"""Which tensor of a checkpoint belongs to which variable: what the saver's own nodes say, not names."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from typing import Any, NamedTuple

from tfcross.graph.freezing.flat import FlatGraph, Ref, data_refs
from tfcross.graph.tensors import BadTensor, strings_of

ASSIGNING = ("Assign", "AssignVariableOp")
IMPORTING = ("LookupTableImport", "LookupTableImportV2")
_RESTORING = ("RestoreV2", "Restore", "RestoreSlice")
#: What may be between the tensor as it is stored and the variable: neither changes the bytes.
_BETWEEN = ("Identity", "Reshape", "EnsureShape")


class Restored(NamedTuple):
    """A key of the checkpoint, and the slice of it ("256 10 0,86:-"; "" for all)."""

    key: str
    slice_spec: str


def read_restores(graph: FlatGraph, among: Iterable[str], keys: Container[str]) -> dict[str, Restored]:
    """By node of the variable's handle, for the assignments ``among`` the graph's nodes.

    Where several restore a variable, the last one counts whose key is in the checkpoint's ``keys``: warm
    starts from other checkpoints come before savers.
    """
    found: dict[str, Restored] = {}
    for node in assignments(graph, among):
        restored = restored_of(graph, data_refs(node)[1])
        variable = origin(graph, data_refs(node)[0]).node
        if restored and (variable not in found or restored.key in keys):
            found[variable] = restored
    return found


def assignments(graph: FlatGraph, among: Iterable[str], ops: tuple[str, ...] = ASSIGNING) -> Iterator[Any]:
    """The nodes that set a variable (or fill a table) to what they take, and that take enough."""
    for name in among:
        node = graph.nodes[name]
        if node.op in ops and len(data_refs(node)) >= 2:
            yield node


def origin(graph: FlatGraph, ref: Ref, passing: tuple[str, ...] = ("Identity", "RefIdentity")) -> Ref:
    """Where the value of ``ref`` comes from, back through nodes that hand it on."""
    met = {ref}
    while graph.nodes[ref.node].op in passing and data_refs(graph.nodes[ref.node]):
        ref = data_refs(graph.nodes[ref.node])[0]
        if ref in met:
            break
        met.add(ref)
    return ref


def restored_of(graph: FlatGraph, ref: Ref) -> Restored | None:
    """What a saver's node reads from the checkpoint for ``ref``; None if it is not such a node's."""
    ref = origin(graph, ref, _BETWEEN)
    node = graph.nodes[ref.node]
    if node.op not in _RESTORING:
        return None
    texts = [_texts(graph, other) for other in data_refs(node)[1:]]
    key = _nth(texts[0] if texts else [], ref.output)
    slice_spec = _nth(texts[1] if len(texts) > 1 else [], ref.output)
    return Restored(key, slice_spec) if key else None


def _nth(items: list[str], index: int) -> str:
    return items[index] if index < len(items) else ""


def _texts(graph: FlatGraph, ref: Ref) -> list[str]:
    """The strings of a constant; none if it is not one."""
    node = graph.nodes[origin(graph, ref).node]
    if node.op != "Const":
        return []
    try:
        return [text.decode(errors="backslashreplace") for text in strings_of(node.attr["value"].tensor)]
    except BadTensor:
        return []
