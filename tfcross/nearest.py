"""What somebody may have meant who wrote a name that there is not."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping

from tfcross.errors import quoted_list

NO_OTHERS: Mapping[str, str] = {}


def did_you_mean(
    name: str, names: Iterable[str], others: Mapping[str, str] = NO_OTHERS, cutoff: float = 0.6
) -> str:
    """``" (did you mean PI?)"``, or "" where nothing is near enough.

    ``others`` are what other systems call the things, with the name that they have here; case does not count.
    """
    called = {other.upper(): meant for other, meant in others.items()}
    called |= {known.upper(): known for known in names}
    near = difflib.get_close_matches(name.upper(), called, n=1, cutoff=cutoff)
    return f" (did you mean {called[near[0]]}?)" if near else ""


def nearest(name: str, names: Iterable[str], most: int = 3) -> str:
    """``"; the nearest are 'a', 'b'"`` for a message, "" for none that is near."""
    close = difflib.get_close_matches(name, list(names), most, 0.5)
    verb = "are" if len(close) > 1 else "is"
    return f"; the nearest {verb} {quoted_list(close)}" if close else ""
