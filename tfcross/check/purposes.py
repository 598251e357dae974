"""What ops that an app has no use for are there for: ``answers/purposes.yaml``."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from fnmatch import translate
from pathlib import Path

from tfcross.documents import load_document


@dataclass(frozen=True)
class Purpose:
    """``name`` is the key in the file; ``what`` names such an op, ``remedy`` says what to do."""

    name: str
    what: str
    remedy: str


@dataclass(frozen=True)
class Purposes:
    """Each purpose with the names of its ops as one pattern, in the file's order."""

    patterns: tuple[tuple[re.Pattern[str], Purpose], ...]

    def of(self, op: str) -> Purpose | None:
        """The purpose of ``op``; None for an op that inference may need."""
        return next((purpose for pattern, purpose in self.patterns if pattern.match(op)), None)


@functools.cache
def load_purposes(root: Path) -> Purposes:
    """Those of the project in ``root``."""
    data = load_document(root / "answers" / "purposes.yaml", "purposes")
    named = [(entry["ops"], Purpose(name, entry["what"], entry["remedy"])) for name, entry in data.items()]
    return Purposes(tuple((re.compile("|".join(map(translate, ops))), purpose) for ops, purpose in named))
