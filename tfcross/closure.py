"""Which further files a set of objects needs, from the symbols that they leave undefined."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .definitions import Definitions


@dataclass(frozen=True)
class Symbols:
    """Mangled names: ``undefined`` (strong references only) and ``defined`` (weak definitions too)."""

    undefined: frozenset[str]
    defined: frozenset[str]


def read_symbols(files: Sequence[str], nm: str) -> dict[str, Symbols]:
    """The symbols of each object, or of each archive as a whole."""
    undefined: dict[str, set[str]] = {file: set() for file in files}
    defined: dict[str, set[str]] = {file: set() for file in files}
    for chunk in (files[i : i + 200] for i in range(0, len(files), 200)):
        done = subprocess.run([nm, "-A", "-g", "-P", *chunk], capture_output=True, text=True, check=True)
        for line in done.stdout.splitlines():
            where, _, rest = line.partition(": ")
            name, kind, *_ = rest.split(" ")
            file = where.partition("[")[0]
            if kind == "U":
                undefined[file].add(name)
            elif kind not in "wv":
                defined[file].add(name)
            elif len(rest.split(" ")) > 2 and kind in "WV":
                defined[file].add(name)
    return {file: Symbols(frozenset(undefined[file] - defined[file]), frozenset(defined[file])) for file in files}


def demangle(names: Iterable[str], program: str) -> dict[str, str]:
    """Mangled → readable."""
    names = list(names)
    done = subprocess.run([program], input="\n".join(names), capture_output=True, text=True, check=True)
    return dict(zip(names, done.stdout.splitlines(), strict=False))


@dataclass(frozen=True)
class Missing:
    """A symbol that nothing defines: readable, one file that needs it, and where it may be defined."""

    symbol: str
    user: str
    candidates: tuple[str, ...]


def find_missing(
    objects: Mapping[str, Symbols], libraries: Iterable[Symbols], definitions: Definitions, ours: Callable[[str], bool],
    readable: Callable[[Iterable[str]], Mapping[str, str]],
) -> list[Missing]:
    """Symbols that ``objects`` (by source file) need and nobody defines; ``ours`` picks by the mangled name."""
    defined = frozenset().union(*(s.defined for s in objects.values()), *(s.defined for s in libraries))
    users: dict[str, str] = {}
    for file in sorted(objects):
        for name in objects[file].undefined - defined:
            if ours(name):
                users.setdefault(name, file)
    shown = readable(sorted(users))
    return [Missing(shown[n], users[n], tuple(definitions.files_of(shown[n], users[n]))) for n in sorted(users)]
