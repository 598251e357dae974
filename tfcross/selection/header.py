"""``ops_to_register.h``: a selection as the constant expressions that decide about registrations."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from tfcross.errors import TfcrossError
from tfcross.render import render
from tfcross.selection.selection import FileSelection


class Entry(NamedTuple):
    """One row of the header's tables, which are sorted by ``hash``; ``op`` and ``kernel`` are C literals."""

    hash: int
    op: str
    kernel: str


def ops_header(selection: FileSelection, template: str, headers: Sequence[str]) -> str:
    """The header for ``selection``; it includes ``headers``, whose registration macros it replaces."""
    return render(
        template,
        headers=headers,
        ops=_entries((op, "") for op in selection.ops),
        kernels=_entries(selection.kernels),
        classes=_entries(("", text) for text in {text for _, text in selection.kernels}),
        gradients=selection.gradients,
    )


def _entries(names: Iterable[tuple[str, str]]) -> list[Entry]:
    entries = sorted(Entry(fnv1a(op + text), quote(op), quote(text)) for op, text in names)
    for entry, following in zip(entries, entries[1:], strict=False):
        if entry.hash == following.hash:
            shown = f"{entry.op} {entry.kernel} and {following.op} {following.kernel}"
            raise TfcrossError(f"selection: {shown} have one hash; report this model.")
    return entries


def fnv1a(text: str) -> int:
    """64-bit FNV-1a of the UTF-8 text, as the header computes it at compile time."""
    value = 14695981039346656037
    for byte in text.encode():
        value = (value ^ byte) * 1099511628211 % (1 << 64)
    return value


def quote(text: str) -> str:
    """A C string literal: what stringising makes of a class text (JSON escapes the same characters).

    Two question marks would begin a trigraph in C++11.
    """
    return json.dumps(text).replace("??", "?\\?")
