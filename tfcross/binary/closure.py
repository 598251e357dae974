"""Which further files a set of objects needs, from the symbols that they leave undefined."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass

from tfcross.binary.definitions import Definitions
from tfcross.errors import TfcrossError

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
    try:
        done = subprocess.run(argv, input=given, capture_output=True, text=True, errors="replace")
    except OSError as error:
        raise TfcrossError(f"{argv[0]}: cannot be run: {error.strerror}. Install binutils.") from error
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[0]
        raise TfcrossError(f"{reason}. Remove that file and build again.")
    return done.stdout


@dataclass(frozen=True)
class Missing:
    """A symbol that nothing defines: readable, one file that needs it, and where it may be defined.

    ``candidates`` are not among the objects yet, the likeliest first. ``family`` are files of which all may
    be needed; only where there is no candidate.
    """

    symbol: str
    user: str
    candidates: tuple[str, ...]
    family: tuple[str, ...] = ()


def find_missing(
    objects: Mapping[str, Symbols],
    libraries: Iterable[Symbols],
    definitions: Definitions,
    ours: Callable[[str], bool],
    readable: Callable[[Iterable[str]], Mapping[str, str]],
) -> list[Missing]:
    """Symbols that ``objects`` (by source file) need and nobody defines; ``ours`` picks by mangled name."""
    defined = frozenset().union(*(s.defined for s in objects.values()), *(s.defined for s in libraries))
    users: dict[str, str] = {}
    for file in sorted(objects):
        for name in objects[file].undefined - defined:
            if ours(name):
                users.setdefault(name, file)
    shown = readable(sorted(users))
    return [_missing(shown[name], users[name], objects, definitions) for name in sorted(users)]


def _missing(symbol: str, user: str, have: Container[str], definitions: Definitions) -> Missing:
    candidates = tuple(file for file in definitions.files_of(symbol, user) if file not in have)
    family = () if candidates else definitions.family_of(symbol)
    return Missing(symbol, user, candidates, tuple(file for file in family if file not in have))
