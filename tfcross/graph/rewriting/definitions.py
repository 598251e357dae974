"""What rewriting needs to know of ops: the part of a release's definitions that this room sees."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

_MOST_OUTPUTS = 1 << 16


class Output(Protocol):
    """A fixed ``type`` (a DataType number, else 0), or the attributes that tell it and how many there are."""

    @property
    def name(self) -> str: ...
    @property
    def type(self) -> int: ...
    @property
    def type_attr(self) -> str: ...
    @property
    def number_attr(self) -> str: ...
    @property
    def type_list_attr(self) -> str: ...


class Attribute(Protocol):
    """``type`` is TensorFlow's ("int", "list(type)"); ``default`` None: it must be given."""

    @property
    def name(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def default(self) -> object: ...


class Definition(Protocol):
    """An op's."""

    @property
    def attrs(self) -> Sequence[Attribute]: ...
    @property
    def outputs(self) -> Sequence[Output]: ...
    @property
    def stateful(self) -> bool: ...


#: Gives all definitions by op; the first call may take a while.
OpDefs = Callable[[], Mapping[str, Definition]]


def output_types(definition: Definition, node: Any) -> list[int]:
    """DataType numbers of all outputs, in order; 0 for one that the node's attributes do not tell."""
    return [number for output in definition.outputs for number in _types(definition, output, node)]


def _types(definition: Definition, output: Output, node: Any) -> Iterator[int]:
    if output.type_list_attr:
        yield from node.attr[output.type_list_attr].list.type if output.type_list_attr in node.attr else ()
        return
    number = output.type or _number(definition, output.type_attr, node, "type")
    count = _number(definition, output.number_attr, node, "i") if output.number_attr else 1
    for _ in range(min(count, _MOST_OUTPUTS)):
        yield number


def _number(definition: Definition, name: str, node: Any, field: str) -> int:
    if name in node.attr:
        return int(getattr(node.attr[name], field))
    defaults = [attribute.default for attribute in definition.attrs if attribute.name == name]
    return defaults[0] if defaults and isinstance(defaults[0], int) else 0
