"""What can be read from a linked program or shared library, whatever its format."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass


@dataclass(frozen=True)
class Binary:
    """``cpu`` is the CPU's family as profiles spell it, "" for another; ``isa`` says more, for people.

    ``units``: base names of the sources whose objects are in it, with how often; None where the linker or
    ``strip`` has removed what tells that. ``undefined`` are symbols that the libraries in ``needed`` have to
    bring. ``content`` is what the program finds in memory when it starts.
    """

    format: str
    cpu: str
    isa: str
    units: Counter[str] | None
    undefined: frozenset[str]
    needed: tuple[str, ...]
    content: bytes

    def has_text(self, text: str) -> bool:
        """Whether the program holds the C string ``text``, perhaps as the end of a longer one.

        Linkers keep a string that is another one's end in that one.
        """
        return text.encode() + b"\0" in self.content
