"""What an error of an app, a linker or a compiler means: ``answers/errors.yaml``."""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfcross.documents import load_document
from tfcross.errors import TfcrossError

_PLACEHOLDER = re.compile(r"\{([a-z]+)\}")
#: What stands for a name that the message does not tell.
_UNTOLD = "…"


@dataclass(frozen=True)
class Explanation:
    """``see`` shows that it is so, ``do`` is what to type; ``line`` counts from 1."""

    key: str
    title: str
    line: int
    means: str
    see: tuple[str, ...]
    do: tuple[str, ...]
    page: str


@dataclass(frozen=True)
class Entry:
    """One entry of the file; ``data`` as it stands there."""

    key: str
    patterns: tuple[re.Pattern[str], ...]
    data: Mapping[str, Any]


def load_entries(root: Path) -> tuple[Entry, ...]:
    """Those of the project in ``root``, in the file's order. Raises TfcrossError."""
    document = load_document(root / "answers" / "errors.yaml", "errors")
    return tuple(Entry(key, tuple(_compiled(key, data)), data) for key, data in document.items())


def _compiled(key: str, data: Mapping[str, Any]) -> Iterator[re.Pattern[str]]:
    for pattern in data["patterns"]:
        try:
            yield re.compile(pattern)
        except re.error as error:
            raise TfcrossError(f"answers/errors.yaml: {key}: '{pattern}' is no pattern: {error}.") from None


def explain_text(text: str, entries: tuple[Entry, ...]) -> list[Explanation]:
    """What each known message in ``text`` means, in the order of the text; equal ones once."""
    first: dict[tuple[object, ...], tuple[int, Entry, dict[str, str]]] = {}
    for entry in entries:
        for match in _matches(entry, text):
            told = {name: value for name, value in match.groupdict().items() if value}
            case = (entry.key, *sorted(told.items()))
            if case not in first or match.start() < first[case][0]:
                first[case] = (match.start(), entry, told)
    line_ends = [match.start() for match in re.finditer("\n", text)]
    once: dict[tuple[str, str, str], Explanation] = {}
    for at, entry, told in sorted(first.values(), key=lambda item: item[0]):
        explanation = _explanation(entry, told, bisect.bisect_left(line_ends, at) + 1)
        once.setdefault((explanation.key, explanation.title, explanation.means), explanation)
    return list(once.values())


def _matches(entry: Entry, text: str) -> Iterator[re.Match[str]]:
    return (match for pattern in entry.patterns for match in pattern.finditer(text))


def _explanation(entry: Entry, told: Mapping[str, str], line: int) -> Explanation:
    def filled(template: str) -> str:
        return _PLACEHOLDER.sub(lambda name: told.get(name[1], _UNTOLD), template)

    data = entry.data
    return Explanation(
        key=entry.key,
        title=filled(data["title"]),
        line=line,
        means=filled(data["means"]),
        see=tuple(map(filled, data["see"])),
        do=tuple(map(filled, data["do"])),
        page=data["page"],
    )
