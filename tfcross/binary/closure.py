"""Which further files a set of objects needs, from the symbols that they leave undefined."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass

from tfcross.binary.definitions import Definitions
from tfcross.binary.symbols import Symbols


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
