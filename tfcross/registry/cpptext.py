"""Just enough C++ to read builder calls in preprocessed text: literals, arguments, chains of calls."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_LITERAL = r'R"(?P<tag>[^()\\\s]{0,16})\((?P<raw>.*?)\)(?P=tag)"|"(?P<text>(?:\\.|[^"\\\n])*)"'
_STRING = re.compile(rf"\s*(?:u8|L|u|U)?(?:{_LITERAL})\s*", re.S)
_PIECE = re.compile(
    r'R"([^()\\\s]{0,16})\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|[^()\[\]{},"\'R]+|.', re.S
)
_CALL = re.compile(r"\s*\.\s*(\w+)\s*(?:<([^()]*)>)?\s*\(")
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]+|[0-7]{1,3}|.)", re.S)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "0": "\0"}


@dataclass(frozen=True)
class Call:
    """``.name<template>(argument, …)``; the arguments as written, without outer white space."""

    name: str
    template: str
    arguments: tuple[str, ...]


def unescape(text: str) -> str:
    """The characters that a C string literal's inside, or an op definition's quoted string, stands for."""
    return _ESCAPE.sub(_unescape_one, text)


def _unescape_one(match: re.Match[str]) -> str:
    code = match[1]
    if code[0] == "x" and len(code) > 1:
        return chr(int(code[1:], 16))
    if code[0] in "01234567":
        return chr(int(code, 8))
    return _ESCAPES.get(code, code)


def string_value(text: str) -> str | None:
    """The value of one or more adjacent string literals; None if ``text`` is anything else."""
    value, position = "", 0
    while position < len(text):
        match = _STRING.match(text, position)
        if not match:
            return None
        value += match["raw"] if match["text"] is None else unescape(match["text"])
        position = match.end()
    return value if position else None


def read_arguments(text: str, start: int) -> tuple[tuple[str, ...], int]:
    """The arguments from ``start``, just behind an opening parenthesis, and the place behind the closing one.

    Raises ValueError if nothing closes it.
    """
    arguments, depth, begin = [], 0, start
    for match in _PIECE.finditer(text, start):
        piece = match[0]
        if piece in "([{":
            depth += 1
        elif piece in ")]}" and depth:
            depth -= 1
        elif piece in ",)" and not depth:
            arguments.append(text[begin : match.start()].strip())
            begin = match.end()
            if piece == ")":
                return tuple(arguments) if arguments != [""] else (), begin
    raise ValueError("a parenthesis is not closed")


def read_calls(text: str, start: int) -> tuple[list[Call], int]:
    """The chain ``.F(…).G<T>(…)`` from ``start`` on, and the place behind it."""
    calls = []
    while match := _CALL.match(text, start):
        arguments, start = read_arguments(text, match.end())
        calls.append(Call(match[1], (match[2] or "").strip(), arguments))
    return calls, start


def find_marks(text: str, name: str) -> Iterator[tuple[tuple[str, ...], int]]:
    """The arguments of every ``name(…)`` in ``text`` and the place behind it."""
    for match in re.finditer(rf"\b{name}\(", text):
        yield read_arguments(text, match.end())


def list_items(text: str) -> tuple[str, ...]:
    """The items of a braced list ``{a, b}``; of anything else, the whole text as the only item."""
    text = text.strip()
    return read_arguments(f"{text[1:-1]})", 0)[0] if text.startswith("{") and text.endswith("}") else (text,)
