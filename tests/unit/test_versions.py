from __future__ import annotations

import pytest

from tfcross.toolchains.versions import VersionRange, narrowest, parse_version


@pytest.mark.parametrize(
    ("text", "version"),
    [
        pytest.param("r10e", (10, 4), id="an NDK of ten years ago"),
        pytest.param("r20", (20,), id="the first of its kind"),
        pytest.param("15.2", (15, 2), id="an SDK of Apple's"),
        pytest.param("21", (21,), id="an API level"),
    ],
)
def test_a_version_is_read(text: str, version: tuple[int, ...]) -> None:
    assert parse_version(text) == version


@pytest.mark.parametrize("text", ["", "latest", "r", "1..2"])
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no version"):
        parse_version(text)


@pytest.mark.parametrize(
    ("text", "inside", "outside", "words"),
    [
        pytest.param("r19-", ["r19", "r19c", "r27"], ["r18b"], "r19 or later", id="open end"),
        pytest.param("-r16b", ["r10e", "r16b"], ["r16c", "r17"], "up to r16b", id="open start"),
        pytest.param("r10e-r17", ["r10e", "r17", "r17c"], ["r10d", "r18"], "r10e to r17", id="both ends"),
        pytest.param("8.0-15", ["8.0", "15.5"], ["7.1", "16.0"], "8.0 to 15", id="Apple's"),
    ],
)
def test_a_range_takes_in_its_ends(text: str, inside: list[str], outside: list[str], words: str) -> None:
    assert [one for one in (*inside, *outside) if parse_version(one) in VersionRange(text)] == inside
    assert str(VersionRange(text)) == words


@pytest.mark.parametrize(
    ("texts", "text"),
    [
        pytest.param(["r15-", "r10e-"], "r15-", id="the later start"),
        pytest.param(["r10e-r17", "r10e-r16"], "r10e-r16", id="the earlier end"),
        pytest.param(["8.0-", "-15"], "8.0-15", id="one end of each"),
    ],
)
def test_what_is_in_several_ranges(texts: list[str], text: str) -> None:
    assert narrowest(texts) == VersionRange(text)


def test_what_is_no_range_is_refused() -> None:
    with pytest.raises(ValueError, match="is no range of versions"):
        VersionRange("r19")
