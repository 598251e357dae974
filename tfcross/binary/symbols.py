"""The symbols of objects, archives and programs, as nm and c++filt tell them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tfcross import programs

_AT_ONCE = 200  # files for one nm: a command line has its limits
_LINE = re.compile(r"(.+): (\S+) (\w)(?: |$)")
_MEMBER = re.compile(r"\[[^\[\]]*\]$")


@dataclass(frozen=True)
class Symbols:
    """Mangled names: ``undefined`` (strong references only) and ``defined`` (weak definitions too)."""

    undefined: frozenset[str]
    defined: frozenset[str]


def read_symbols(files: Sequence[str], nm: str, prefix: str = "") -> dict[str, Symbols]:
    """The symbols of each object, or of each archive as a whole. TfcrossError if ``nm`` cannot read one.

    ``prefix`` is what the object format puts before each name, and is taken off.
    """
    undefined: dict[str, set[str]] = {file: set() for file in files}
    defined: dict[str, set[str]] = {file: set() for file in files}
    for chunk in (files[i : i + _AT_ONCE] for i in range(0, len(files), _AT_ONCE)):
        for line in _said([nm, "-A", "-g", "-P", *chunk]).splitlines():
            match = _LINE.match(line)
            if not match:
                continue
            where, name, kind = match[1], match[2].removeprefix(prefix), match[3]
            file = where if where in defined else _MEMBER.sub("", where)
            if kind == "U":
                undefined[file].add(name)
            elif kind not in "wv":  # weak references may stay undefined
                defined[file].add(name)
    return {
        file: Symbols(frozenset(undefined[file] - defined[file]), frozenset(defined[file])) for file in files
    }


def demangle(names: Iterable[str], program: str) -> dict[str, str]:
    """Mangled → readable; the names have no underscore of the object format before them (``-n``)."""
    names = list(names)
    said = _said([program, "-n"], "".join(f"{name}\n" for name in names))
    return dict(zip(names, said.splitlines(), strict=True))


def _said(argv: Sequence[str], given: str = "") -> str:
    remedy = "Remove that file and build again."
    return programs.run(argv, install="Install binutils.", remedy=remedy, given=given)


@dataclass(frozen=True)
class Symbol:
    """A symbol of ``size`` bytes; ``member`` is the archive's member that defines it, "" in an app."""

    name: str
    size: int
    member: str = ""


def sized_symbols(text: str, sized: bool = True) -> list[Symbol]:
    """What ``nm -S -p --defined-only`` prints; symbols without a size are left out.

    Without ``-S`` (``sized`` is false), as for Mach-O, which keeps none, all sizes are 0.
    """
    symbols, member = [], ""
    for line in text.splitlines():
        words = line.split(maxsplit=3)
        if line.endswith(":") and len(words) == 1:
            member = line[:-1]
        elif len(words) == 4 and len(words[2]) == 1:
            symbols.append(Symbol(words[3], int(words[1], 16), member))
        elif len(words) == 3 and len(words[1]) == 1 and not sized:
            symbols.append(Symbol(words[2], 0, member))
    return symbols
