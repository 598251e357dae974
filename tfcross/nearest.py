"""What somebody may have meant who wrote a name that there is not."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping

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
