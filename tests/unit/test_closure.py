"""Which symbols are missing, and who needs them."""

from __future__ import annotations

from collections.abc import Iterable

from tfcross.binary.closure import Missing, find_missing
from tfcross.binary.definitions import Definitions
from tfcross.binary.symbols import Symbols

DEFINITIONS = Definitions({("n", "Far"): frozenset({"core/far.cc"})}, {}, {})


def symbols(undefined: Iterable[str] = (), defined: Iterable[str] = ()) -> Symbols:
    return Symbols(frozenset(undefined), frozenset(defined))


def show(names: Iterable[str]) -> dict[str, str]:
    return {name: f"n::{name.removeprefix('_n')}()" for name in names}


def find(objects: dict[str, Symbols], libraries: Iterable[Symbols] = ()) -> list[Missing]:
    return find_missing(objects, libraries, DEFINITIONS, lambda name: name.startswith("_n"), show)


def test_a_symbol_that_nothing_defines_is_told_with_its_first_user_and_its_files() -> None:
    objects = {"b.cc": symbols(["_nFar"]), "a.cc": symbols(["_nFar", "_nNowhere"])}
    assert find(objects) == [
        Missing("n::Far()", "a.cc", ("core/far.cc",)),
        Missing("n::Nowhere()", "a.cc", ()),
    ]


def test_what_another_object_or_a_library_defines_is_not_missing() -> None:
    objects = {"a.cc": symbols(["_nFar", "_nNear"]), "b.cc": symbols(defined=["_nNear"])}
    assert find(objects, [symbols(defined=["_nFar"])]) == []


def test_what_others_have_to_define_is_not_asked_for() -> None:
    assert find({"a.cc": symbols(["memcpy"])}) == []


def test_what_only_a_library_lacks_is_not_ours_to_find() -> None:
    assert find({"a.cc": symbols()}, [symbols(["_nFar"])]) == []
