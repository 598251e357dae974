"""What a user asks to be done with a model before it is built for, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tfcross.graph.cutting.ends import NO_ENDS, Ends
from tfcross.graph.freezing.savedmodel import SERVE
from tfcross.graph.model import Model


@dataclass(frozen=True)
class Wanted:
    """``graph`` is the file of a checkpoint's graph, "" for the one beside it.

    ``transforms`` is a text as --transforms takes it; ``release`` the one whose op definitions it may need.
    """

    ends: Ends = NO_ENDS
    tags: tuple[str, ...] = SERVE
    graph: str = ""
    transforms: str = ""
    release: str = ""


@dataclass(frozen=True)
class Prepared:
    """``model`` is what is in the file ``graph``, but named, and its sha256 that of, what the user gave.

    ``description`` is what an app calls it with, as JSON; "" where ``graph`` is the user's own file.
    ``files`` are all that were read. ``transforms`` are those that made ``graph``.
    """

    model: Model
    graph: Path
    sha256: str
    description: str = ""
    files: tuple[Path, ...] = ()
    transforms: str = ""
