"""The one exception that users see, and how its messages spell names."""

from __future__ import annotations

from collections.abc import Sequence


class TfcrossError(Exception):
    """Something the user can mend, in one line: where, what was found, what is allowed, what to do.

    ``str(error)`` is the whole message without the ``error: `` prefix; SConstruct and the scripts
    print it and exit with status 2. Newlines in it are a defect, so they become spaces.
    """

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split("\n")))


def known(names: object) -> str:
    """``"Known: a, b."`` for a message that lists what is allowed; sorted, "none" when empty."""
    listed = ", ".join(sorted(str(name) for name in names))  # type: ignore[attr-defined]
    return f"Known: {listed or 'none'}."


class TfcrossErrors(TfcrossError):
    """Several mistakes that are told together, each a line of its own behind ``error:``."""

    def __init__(self, messages: list[str]) -> None:
        super().__init__("")
        self.errors = tuple(TfcrossError(message) for message in messages)

    def __str__(self) -> str:
        return "\nerror: ".join(map(str, self.errors))


def quoted(name: str) -> str:
    """A name for a message: printable, on one line, at most 80 characters of it."""
    shown = name if len(name) <= 80 else name[:77] + "..."
    return f"'{shown}'" if shown.isprintable() else repr(shown)


def quoted_list(names: Sequence[str], most: int = 3) -> str:
    """The first names for a message."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(quoted(name) for name in names[:most]) + more
