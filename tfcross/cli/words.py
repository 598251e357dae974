"""The words of a script's command line: NAME=VALUE as scons takes them, flags, and names of files."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from tfcross.errors import TfcrossError, known

_VARIABLE = re.compile(r"([A-Z][A-Z0-9_]*|SOURCE_[\w-]+)=(.*)", re.S)


@dataclass(frozen=True)
class CommandLine:
    """``values`` are those of the options that take one."""

    names: list[str]
    variables: dict[str, str]
    flags: frozenset[str]
    values: dict[str, str]


def split_words(words: Sequence[str], flags: Collection[str], options: Collection[str] = ()) -> CommandLine:
    """``words`` by kind; a value of ``options`` is behind "=" or the next word. Raises TfcrossError."""
    line = CommandLine([], {}, frozenset(word for word in words if word in flags), {})
    rest = iter(words)
    for word in rest:
        variable = _VARIABLE.fullmatch(word)
        option = word.partition("=")[0]
        if option in options:
            line.values[option] = _value(word, rest)
        elif word.startswith("-") and word != "-":
            if word not in flags:
                raise TfcrossError(f"{word}: unknown option. {known([*flags, *options])}")
        elif variable:
            line.variables[variable[1]] = variable[2]
        else:
            line.names.append(word)
    return line


def variables_of(words: Sequence[str], script: str) -> dict[str, str]:
    """The words of a ``script`` (its path in the project) that takes nothing but NAME=VALUE."""
    for word in words:
        if "=" not in word:
            raise TfcrossError(f"'{word}': not NAME=VALUE. See {script} --help.")
    return {name: value for name, _, value in (word.partition("=") for word in words)}


def _value(word: str, rest: Iterator[str]) -> str:
    option, equals, value = word.partition("=")
    value = value if equals else next(rest, "")
    if not value:
        raise TfcrossError(f"{option}: its value is missing; write {option} VALUE.")
    return value
