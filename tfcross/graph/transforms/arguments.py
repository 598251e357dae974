"""The text of --transforms: ``name name(key=value, key="any text")``, and the arguments in it.

A key may come several times. Values are words, or quoted with backslash escapes. Calls are separated by
blanks, newlines, or a backslash and a newline.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tfcross.errors import TfcrossError, quoted

_BLANK = re.compile(r"(?:\s|\\\r?\n)*")
_NAME = re.compile(r"[A-Za-z0-9_]+")
_VALUE = re.compile(r'"((?:[^"\\]|\\.)*)"|([\w./:+*-]+)', re.S)
_SEPARATOR = re.compile(r"(?:\s|\\\r?\n|,)*")
_TRUE, _FALSE = ("true", "1"), ("false", "0")


@dataclass(frozen=True)
class Arguments:
    """Of one call; ``values`` are those of each key, in order. Errors name the ``transform``."""

    transform: str
    values: Mapping[str, Sequence[str]]

    def many(self, key: str) -> Sequence[str]:
        return self.values.get(key, ())

    def text(self, key: str, default: str | None = None) -> str:
        """The only value; without a default it has to be there. Raises TfcrossError."""
        values = self.many(key)
        if not values and default is not None:
            return default
        if len(values) != 1:
            raise self.error(f"takes one {key}=, and there are {len(values)}")
        return values[0]

    def integer(self, key: str, default: int, least: int = -(1 << 31)) -> int:
        text = self.text(key, str(default))
        if not re.fullmatch(r"[-+]?\d{1,18}", text) or int(text) < least:
            raise self.error(f"{key}={text} is no whole number from {least} on")
        return int(text)

    def decimal(self, key: str, default: float) -> float:
        text = self.text(key, str(default))
        try:
            return float(text)
        except ValueError:
            raise self.error(f"{key}={text} is no number") from None

    def flag(self, key: str, default: bool) -> bool:
        text = self.text(key, str(default)).lower()
        if text not in _TRUE + _FALSE:
            raise self.error(f"{key}={text} is neither true nor false")
        return text in _TRUE

    def error(self, message: str) -> TfcrossError:
        return TfcrossError(f"transforms: {self.transform}: {message}.")


def parse_transforms(text: str) -> list[Arguments]:
    """The calls in ``text``, in order. Raises TfcrossError."""
    calls = []
    at = _skip(_BLANK, text, 0)
    while at < len(text):
        name = _NAME.match(text, at)
        if not name:
            raise _error(text, at, "the name of a transform is expected")
        values: dict[str, list[str]] = {}
        at = name.end()
        opened = _skip(_BLANK, text, at)
        if text[opened : opened + 1] == "(":
            at = _read_arguments(text, opened + 1, values)
        calls.append(Arguments(name.group(), values))
        at = _skip(_BLANK, text, at)
    return calls


def _read_arguments(text: str, at: int, values: dict[str, list[str]]) -> int:
    """Adds to ``values`` what is in the parentheses; the place behind them."""
    at = _skip(_SEPARATOR, text, at)
    while text[at : at + 1] != ")":
        key = _NAME.match(text, at)
        if not key:
            raise _error(text, at, "the name of an argument or ) is expected")
        at = _skip(_BLANK, text, key.end())
        if text[at : at + 1] != "=":
            raise _error(text, at, f"= is expected behind {key.group()}; quote a value with commas or blanks")
        value = _VALUE.match(text, _skip(_BLANK, text, at + 1))
        if not value:
            raise _error(text, at + 1, f"the value of {key.group()} is expected")
        word = value[2] if value[1] is None else re.sub(r"\\(.)", r"\1", value[1], flags=re.S)
        values.setdefault(key.group(), []).append(word)
        at = _skip(_SEPARATOR, text, value.end())
    return at + 1


def _skip(blank: re.Pattern[str], text: str, at: int) -> int:
    match = blank.match(text, at)
    return match.end() if match else at


def _error(text: str, at: int, message: str) -> TfcrossError:
    rest = text[at : at + 40]
    there = quoted(rest) if rest else "the end"
    return TfcrossError(f"transforms: character {at + 1}: {message}, and there is {there}.")
