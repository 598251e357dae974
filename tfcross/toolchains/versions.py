"""Revisions of NDKs and SDKs, and ranges of them as the data files write them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

Version = tuple[int, ...]
_RANGE = re.compile(r"(r?\d[\w.]*)?-(r?\d[\w.]*)?")


def parse_version(text: str) -> Version:
    """``r17c`` → (17, 2), ``15.2`` → (15, 2); ValueError for what is neither."""
    match = re.fullmatch(r"r?(\d+)([a-z]?)((?:\.\d+)*)", text)
    if not match:
        raise ValueError(f"{text!r} is no version")
    letter = (ord(match[2]) - ord("a"),) if match[2] else ()
    return (int(match[1]), *letter, *(int(part) for part in match[3].split(".")[1:]))


@dataclass(frozen=True)
class VersionRange:
    """``r19-`` (and later), ``-r16b`` (up to it), ``r10e-r17``: an end takes in all that begin with it."""

    text: str

    def __post_init__(self) -> None:
        if not _RANGE.fullmatch(self.text):
            raise ValueError(f"{self.text!r} is no range of versions")

    @property
    def ends(self) -> tuple[str, str]:
        """First and last, "" for an open end."""
        first, _, last = self.text.partition("-")
        return first, last

    def __contains__(self, version: Version) -> bool:
        first, last = self.ends
        if first and version < parse_version(first):
            return False
        end = parse_version(last) if last else ()
        return version[: len(end)] <= end

    def __str__(self) -> str:
        first, last = self.ends
        if first and last:
            return f"{first} to {last}"
        return f"{first} or later" if first else f"up to {last}"


def narrowest(texts: Sequence[str]) -> VersionRange:
    """The range of all that is in each of the ranges ``texts``."""
    ends = [VersionRange(text).ends for text in texts]
    firsts = [first for first, _ in ends if first]
    lasts = [last for _, last in ends if last]
    first = max(firsts, key=parse_version, default="")
    return VersionRange(f"{first}-{min(lasts, key=parse_version, default='')}")
