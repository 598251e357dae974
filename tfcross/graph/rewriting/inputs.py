"""The inputs of nodes: ``x`` and ``x:0`` are the first output of x, ``x:1`` the second, ``^x`` is control.

In functions an output may also be ``x:name:0``; what is behind the first colon is kept as it is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from tfcross.errors import TfcrossError, quoted
from tfcross.graph.messages import NodeDef

ALL_OUTPUTS = ":*"


class Input(NamedTuple):
    """``prefix`` is "^" or "", ``suffix`` ":1" or ""."""

    prefix: str
    node: str
    suffix: str

    @classmethod
    def parse(cls, text: str) -> Input:
        name, colon, output = text.removeprefix("^").partition(":")
        return cls("^" if text.startswith("^") else "", name, colon + output)

    def text(self) -> str:
        return self.prefix + self.node + self.suffix


def node_of(text: str) -> str:
    """The node that an input names."""
    return text.removeprefix("^").partition(":")[0]


def canonical(text: str) -> str:
    """``x`` as ``x:0``, also behind ``^``: two texts for one output are equal then."""
    return text if ":" in text else text + ":0"


def is_first_output(text: str) -> bool:
    return Input.parse(text).suffix in ("", ":0")


def data_inputs(node: Any) -> list[str]:
    return [text for text in node.input if not text.startswith("^")]


def control_inputs(node: Any) -> list[str]:
    return [text for text in node.input if text.startswith("^")]


def copied(node: Any, **fields: object) -> Any:
    """A copy of ``node`` with other ``fields``: name, op, device; ``input`` a sequence."""
    new = NodeDef()
    new.CopyFrom(node)
    for field, value in fields.items():
        if field == "input":
            del new.input[:]
            new.input.extend(value)
        else:
            setattr(new, field, value)
    return new


def with_inputs(node: Any, inputs: Sequence[str]) -> Any:
    """``node`` itself where these are its inputs, else a copy."""
    return node if list(node.input) == list(inputs) else copied(node, input=inputs)


def consumers(nodes: Iterable[Any]) -> dict[str, list[Any]]:
    """For each node's name those that take it, also as control; twice who takes it twice."""
    takers: dict[str, list[Any]] = {}
    for node in nodes:
        for text in node.input:
            takers.setdefault(node_of(text), []).append(node)
    return takers


def rename_inputs(
    nodes: Iterable[Any], renames: Mapping[str, str], ignored: Collection[str] = ()
) -> list[Any]:
    """The nodes with inputs replaced: ``{"x": "y", "^x": "^y", "z:*": "w"}``; that keeps ``^`` and ``:1``.

    A new input that is itself in ``renames`` is followed. Nodes named in ``ignored`` keep their inputs.
    Raises TfcrossError where the renames go round in a circle.
    """
    by_node: dict[str, list[tuple[str, str]]] = {}
    for source in sorted(renames):
        by_node.setdefault(node_of(source), []).append((source, renames[source]))
    result = []
    for node in nodes:
        inputs = list(node.input)
        if node.name not in ignored and any(node_of(text) in by_node for text in inputs):
            node = with_inputs(node, [_renamed(text, by_node) for text in inputs])
        result.append(node)
    return result


def _renamed(text: str, by_node: Mapping[str, list[tuple[str, str]]]) -> str:
    seen: set[str] = set()
    while (name := node_of(text)) in by_node:
        if name in seen:
            raise TfcrossError(f"transforms: the inputs from node {quoted(name)} are renamed in a circle.")
        seen.add(name)
        before = text
        for source, target in by_node[name]:
            text = _replaced(text, source, target)
        if text == before:
            break
    return text


def _replaced(text: str, source: str, target: str) -> str:
    if source.endswith(ALL_OUTPUTS):
        parts = Input.parse(text)
        return parts._replace(node=target).text()
    return target if canonical(source) == canonical(text) else text
