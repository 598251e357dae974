"""How far a tensor is from the one that is expected."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfcross.app.answers import Answers, Stored, Tolerance
from tfcross.app.tensorfiles import load_stored, read_saved, write_feed
from tfcross.errors import TfcrossError, quoted

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

_KINDS = {"b": "bool", "i": "integer", "u": "integer", "f": "float", "c": "complex", "O": "string"}
_MOST_TEXT = 60
#: What the two sides are called.
EXPECTED = ("expected", "found")


@dataclass(frozen=True)
class Difference:
    """Where an output differs most: ``index`` () and no ``expected`` where nothing differs.

    ``wrong`` is the number of elements that are further off than ``allowed``, or, where the tensors cannot be
    compared at all, 1 with the reason in ``unlike``. ``size`` is 0 for texts.
    """

    size: float = 0.0
    index: tuple[int, ...] = ()
    expected: str = ""
    found: str = ""
    allowed: float = 0.0
    wrong: int = 0
    unlike: str = ""
    sides: tuple[str, str] = EXPECTED

    @property
    def text(self) -> str:
        """A clause: where, what was expected, what was found, and what may differ."""
        if self.unlike:
            return self.unlike
        if not self.expected:
            return "no difference"
        told = f"{list(self.index)}: {self.sides[0]} {self.expected}, {self.sides[1]} {self.found}"
        return f"the largest difference {self.size:.3g} is at {told}" if self.size else f"differs at {told}"

    @property
    def limit(self) -> str:
        return f"at most {self.allowed:.3g} is allowed" if self.allowed else "it must be equal"


def feed_words(answers: Answers, folder: Path) -> list[str]:
    """The words for the generic runner that feed and fetch ``answers`` by files in ``folder``.

    Raises TfcrossError for a file that the model's input cannot take.
    """
    feeds, inputs = [], []
    for number, stored in enumerate(answers.feeds):
        path, word = write_feed(stored, folder / f"feed{number}")
        feeds += ["--feed", f"{stored.tensor}={path.absolute()}"]
        inputs.append(word)
    if not answers.expected:
        return feeds
    fetched = ",".join(stored.tensor for stored in answers.expected)
    only = ["--inputs", ",".join(inputs)] if inputs else []  # placeholders that nothing needs are not fed
    return [*only, *feeds, "--outputs", fetched, "--save", str(folder.absolute())]


def compare_saved(answers: Answers, folder: Path) -> str:
    """For each expected output a line about what the runner saved in ``folder``.

    Raises TfcrossError that names the first that is wrong.
    """
    lines, wrong = [], []
    for number, stored in enumerate(answers.expected):
        difference = compare(load_stored(stored), read_saved(folder, number), answers.tolerance)
        lines.append(f"answer {stored.tensor}: {difference.text}; {difference.limit}\n")
        if difference.wrong:
            wrong.append((stored, difference))
    if wrong:
        raise _wrong_answer(*wrong[0], len(wrong) - 1)
    return "".join(lines)


def _wrong_answer(stored: Stored, difference: Difference, others: int) -> TfcrossError:
    facts = [f"proof: output {quoted(stored.tensor)}: {difference.text}"]
    facts += [] if difference.unlike else [difference.limit]
    facts += [f"{difference.wrong} elements are wrong"] if difference.wrong > 1 else []
    facts += [f"{others} more output{'s are' if others > 1 else ' is'} wrong"] if others else []
    remedy = "correct one of them" if difference.unlike else "correct one of them, or give a `tolerance`"
    return TfcrossError(
        f"{'; '.join(facts)}. {stored.where} and the model do not agree: {remedy} (docs/models.md#the-proof)."
    )


def compare(
    expected: Array | None, found: Array | None, tolerance: Tolerance, sides: tuple[str, str] = EXPECTED
) -> Difference:
    """Floats may differ by the tolerance; a NaN is like a NaN, an infinity like itself. All else is exact."""
    return replace(_compare(expected, found, tolerance, sides), sides=sides)


def _compare(
    expected: Array | None, found: Array | None, tolerance: Tolerance, sides: tuple[str, str]
) -> Difference:
    import numpy as np  # noqa: PLC0415 (not every reading of a build needs it)

    if expected is None or found is None:
        return Difference(wrong=1, unlike="has no elements that could be compared, as a handle")
    unlike = _unlike(expected, found, sides)
    if unlike:
        return Difference(wrong=1, unlike=unlike)
    if expected.dtype.kind in "fc":
        return _compare_floats(expected, found, tolerance)
    unequal = np.asarray(expected != found)
    if not unequal.any():
        return Difference()
    distance = _distance(expected, found) if expected.dtype.kind in "iu" else unequal.astype(float)
    at = _place(distance)
    size = float(distance[at]) if expected.dtype.kind in "iu" else 0.0
    return Difference(size, at, _shown(expected[at]), _shown(found[at]), 0.0, int(unequal.sum()))


def _unlike(expected: Array, found: Array, sides: tuple[str, str]) -> str:
    """Why the two cannot be compared, a clause; "" if they can."""
    kinds = [_KINDS.get(array.dtype.kind, str(array.dtype)) for array in (expected, found)]
    if kinds[0] != kinds[1]:
        return f"{sides[0]} {kinds[0]} ({_type(expected)}), {sides[1]} {kinds[1]} ({_type(found)})"
    if expected.shape != found.shape:
        return f"{sides[0]} the shape {list(expected.shape)}, {sides[1]} {list(found.shape)}"
    return ""


def _type(array: Array) -> str:
    return "text" if array.dtype == object else str(array.dtype)


def _compare_floats(expected: Array, found: Array, tolerance: Tolerance) -> Difference:
    import numpy as np  # noqa: PLC0415

    size = np.abs(expected[np.isfinite(expected)].astype(_wide(expected)))
    allowed = max(tolerance.absolute, tolerance.relative * float(size.max(initial=0.0)))
    distance = _distance(expected, found)
    if distance.size == 0 or not distance.any():
        return Difference(allowed=allowed)
    at, wrong = _place(distance), int((distance > allowed).sum())
    return Difference(float(distance[at]), at, _shown(expected[at]), _shown(found[at]), allowed, wrong)


def _distance(expected: Array, found: Array) -> Array:
    """Of each two elements, as float64; infinite where one is no number and the other is none like it."""
    import numpy as np  # noqa: PLC0415

    wide = _wide(expected)
    with np.errstate(all="ignore"):
        distance = np.abs(expected.astype(wide) - found.astype(wide)).astype(float)
    if expected.dtype.kind in "iu":  # beyond 2^53 two that differ may be the same in 64 bits
        return np.where(expected == found, 0.0, np.maximum(distance, 1.0))
    alike = (expected == found) | (np.isnan(expected) & np.isnan(found))
    return np.where(alike, 0.0, np.where(np.isnan(distance), np.inf, distance))


def _wide(array: Array) -> str:
    return "complex128" if array.dtype.kind == "c" else "float64"


def _place(distance: Array) -> tuple[int, ...]:
    """The index of the first of the largest."""
    import numpy as np  # noqa: PLC0415

    return tuple(int(i) for i in np.unravel_index(int(distance.argmax()), distance.shape))


def _shown(value: Any) -> str:
    """A number with all of its digits; of a text no more than a line."""
    text = repr(value) if isinstance(value, bytes) else str(value)
    return text if len(text) <= _MOST_TEXT else f"{text[: _MOST_TEXT - 3]}..."
