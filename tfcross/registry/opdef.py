"""Op definitions from the strings that registrations give them: ``.Attr("T: {float, int32} = DT_FLOAT")``.

The grammar is that of TensorFlow's OpDefBuilder:
  attr    name ":" type [">=" integer] ["=" default]
  type    string int float bool type shape tensor func, a set of types (numbertype, …),
          "{" types or quoted strings "}", "list(" type ")"
  in/out  name ":" ["Ref("] [number-attr "*"] type-or-attr [")"]
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from tfcross.graph.datatypes import enum_number, spec_number
from tfcross.registry.cpptext import list_items, read_arguments, unescape

#: What a default can be: int (also a DataType's number), float, bool, str, a tuple of them for lists;
#: of shapes, tensors and functions the text of the definition.
Value = int | float | bool | str | tuple["Value", ...]


@dataclass(frozen=True)
class AttrDef:
    """``type`` is TensorFlow's ("int", "list(type)"); ``default`` None: the attr must be given.

    ``allowed`` are DataType numbers (empty: all), ``allowed_strings`` the same for strings.
    """

    name: str
    type: str
    default: Value | None = None
    allowed: tuple[int, ...] = ()
    allowed_strings: tuple[str, ...] = ()
    minimum: int | None = None


@dataclass(frozen=True)
class ArgDef:
    """One input or output: a fixed ``type`` (a DataType number, else 0) or an attr that tells it."""

    name: str
    type: int = 0
    type_attr: str = ""
    number_attr: str = ""
    type_list_attr: str = ""
    is_ref: bool = False


@dataclass(frozen=True)
class OpDef:
    """``flags``: what the registration says beyond this, as the builder's method names without "Set".

    ``removed``: graphs of that producer version and later must not have the op any more (0: no such
    version), ``removed_why`` is what their authors are told.
    """

    name: str
    file: str
    attrs: tuple[AttrDef, ...] = ()
    inputs: tuple[ArgDef, ...] = ()
    outputs: tuple[ArgDef, ...] = ()
    stateful: bool = False
    system: bool = False
    flags: tuple[str, ...] = ()
    removed: int = 0
    removed_why: str = ""

    def attr(self, name: str) -> AttrDef | None:
        """The definition of that attr, or None."""
        return next((attr for attr in self.attrs if attr.name == name), None)


class BadSpec(ValueError):
    """A string that is not in the grammar; the message quotes it."""


_HEAD = re.compile(r"\s*([A-Za-z]\w*)\s*:\s*(.*)", re.S)
_SIMPLE = re.compile(r"(string|int|float|bool|type|shape|tensor|func|any)\b\s*")
_SET_NAME = re.compile(r"([a-z]\w*)\s*")
_LIST = re.compile(r"list\s*\(\s*")
_MINIMUM = re.compile(r">=\s*(-?\d+)\s*")
_QUOTED = re.compile(r"\s*(?:'((?:\\.|[^'\\])*)'|\"((?:\\.|[^\"\\])*)\")\s*", re.S)
_ARGUMENT = re.compile(r"(Ref\s*\(\s*)?([A-Za-z]\w*)\s*(?:\*\s*([A-Za-z]\w*)\s*)?(\))?\s*")

TypeSets = Mapping[str, tuple[int, ...]]
"""The DataType numbers of "numbertype", "quantizedtype" and "realnumbertype"; mobile builds narrow them."""


def parse_attr(spec: str, sets: TypeSets) -> AttrDef:
    """The definition in an ``.Attr(…)`` string. Raises BadSpec."""
    name, rest = _head(spec)
    is_list = _LIST.match(rest)
    attr, rest = _attr_type(AttrDef(name, ""), rest[is_list.end() :] if is_list else rest, sets, spec)
    if is_list:
        if not rest.startswith(")"):
            raise BadSpec(f"'{spec}' does not close 'list('")
        attr, rest = replace(attr, type=f"list({attr.type})"), rest[1:].lstrip()
    least = _MINIMUM.match(rest)
    if least:
        attr, rest = replace(attr, minimum=int(least[1])), rest[least.end() :]
    if rest.startswith("="):
        return replace(attr, default=_default(attr.type, rest[1:].strip(), spec))
    if rest:
        raise BadSpec(f"'{spec}' has '{rest}' behind its type")
    return attr


def _head(spec: str) -> tuple[str, str]:
    match = _HEAD.fullmatch(spec)
    if not match:
        raise BadSpec(f"'{spec}' does not begin with a name and a colon")
    return match[1], match[2]


def _attr_type(attr: AttrDef, text: str, sets: TypeSets, spec: str) -> tuple[AttrDef, str]:
    """``attr`` with the type at the start of ``text``, and what is behind that."""
    if text.startswith("{"):
        end = text.index("}") + 1 if "}" in text else len(text)
        return _choice(attr, text[:end], sets, spec), text[end:].lstrip()
    simple = _SIMPLE.match(text)
    if simple:
        return replace(attr, type=simple[1]), text[simple.end() :]
    named = _SET_NAME.match(text)
    if named and _set_key(named[1]) in sets:
        return replace(attr, type="type", allowed=sets[_set_key(named[1])]), text[named.end() :]
    raise BadSpec(f"'{spec}' has an unknown type")


def _choice(attr: AttrDef, text: str, sets: TypeSets, spec: str) -> AttrDef:
    items = [item for item in list_items(text) if item]
    quoted = [_QUOTED.fullmatch(item) for item in items]
    if items and all(quoted):
        strings = tuple(unescape(m[1] if m[1] is not None else m[2]) for m in quoted if m)
        return replace(attr, type="string", allowed_strings=strings)
    return replace(attr, type="type", allowed=tuple(_types(items, sets, spec)))


def _types(items: Iterable[str], sets: TypeSets, spec: str) -> Iterable[int]:
    for item in items:
        number = spec_number(item)
        if number is None and _set_key(item) not in sets:
            raise BadSpec(f"'{spec}' has the unknown type '{item}'")
        yield from (number,) if number is not None else sets[_set_key(item)]


def _set_key(name: str) -> str:
    return name.replace("numerictype", "numbertype").replace("numberictype", "numbertype")


def _default(kind: str, text: str, spec: str) -> Value:
    if kind.startswith("list("):
        if not (text.startswith("[") and text.endswith("]")):
            raise BadSpec(f"'{spec}' has a default that is no list")
        items = [item for item in read_arguments(f"{text[1:-1]})", 0)[0] if item]
        return tuple(_default(kind[5:-1], item, spec) for item in items)
    convert = {"int": int, "float": float, "bool": _boolean, "string": _string, "type": _type_default}
    try:
        return convert.get(kind, str)(text)  # type: ignore[operator, no-any-return]
    except ValueError as error:
        raise BadSpec(f"'{spec}' has the default '{text}', which is no {kind}") from error


def _boolean(text: str) -> bool:
    values = {"true": True, "false": False, "t": True, "f": False, "1": True, "0": False}
    if text.lower() not in values:
        raise ValueError(text)
    return values[text.lower()]


def _string(text: str) -> str:
    match = _QUOTED.fullmatch(text)
    if not match:
        raise ValueError(text)
    return unescape(match[1] if match[1] is not None else match[2])


def _type_default(text: str) -> int:
    number = enum_number(text)
    if number is None:
        raise ValueError(text)
    return number


def parse_argument(spec: str, attrs: Sequence[AttrDef]) -> ArgDef:
    """The definition in an ``.Input(…)`` or ``.Output(…)`` string, given the op's attrs. Raises BadSpec."""
    name, rest = _head(spec)
    match = _ARGUMENT.fullmatch(rest)
    if not match or bool(match[1]) != bool(match[4]):
        raise BadSpec(f"'{spec}' is no type or attr")
    what, number_attr = (match[3], match[2]) if match[3] else (match[2], "")
    argument = ArgDef(name, number_attr=number_attr, is_ref=bool(match[1]))
    number = spec_number(what)
    if number is not None:
        return replace(argument, type=number)
    kind = next((attr.type for attr in attrs if attr.name == what), None)
    if kind == "list(type)":
        return replace(argument, type_list_attr=what)
    if kind != "type":
        raise BadSpec(f"'{spec}' names '{what}', which is neither a type nor an attr of types")
    return replace(argument, type_attr=what)


def with_least_lengths(attrs: Iterable[AttrDef], arguments: Sequence[ArgDef]) -> tuple[AttrDef, ...]:
    """``attrs`` where those that count inputs or outputs are at least 1, unless the op says otherwise."""
    counts = {arg.number_attr for arg in arguments} | {arg.type_list_attr for arg in arguments}
    return tuple(
        replace(attr, minimum=1) if attr.name in counts and attr.minimum is None else attr for attr in attrs
    )
