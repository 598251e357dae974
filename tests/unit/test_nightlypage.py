"""The page of nightly builds, its plots and badges; what a browser makes of them is in tests/integration."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from published import V6, V7, publish, result

from tfcross.nightly.page import badge, duration, megabytes

GOLDEN = Path(__file__).parents[1] / "golden" / "nightly"
SVG = "{http://www.w3.org/2000/svg}"
WRONG = "a.cc:1: error: no match for 'operator<' in <script>alert(1)</script> & more"


def made_up(folder: Path) -> str:
    """Three days of two builds: one that fails on the second day, one that grows on the third."""
    publish(
        folder,
        result(V7, "2026-11-23"),
        result(V6, "2026-11-23"),
        result(V7, "2026-11-24"),
        result(V6, "2026-11-24", "failed", error="x"),
        result(V7, "2026-11-25", stripped=4_310_000, attempts=2),
        result(V6, "2026-11-25", "timeout", error=WRONG, attempts=2),
    )
    return (folder / "index.html").read_text()


def plots(page: str) -> list[ElementTree.Element]:
    return [ElementTree.fromstring(text) for text in re.findall(r"<svg .*?</svg>", page, re.S)]


def test_the_page_is_as_it_was_looked_at(tmp_path: Path) -> None:
    page = re.sub(r"<svg .*?</svg>", "(plot)", made_up(tmp_path), flags=re.S)
    page = re.sub(r"<script>\n.*?</script>", "(script)", page, flags=re.S)
    assert page == (GOLDEN / "index.html").read_text()


def test_the_same_builds_make_the_same_page(tmp_path: Path) -> None:
    assert made_up(tmp_path / "a") == made_up(tmp_path / "b")


def test_nothing_is_fetched_from_elsewhere(tmp_path: Path) -> None:
    page = made_up(tmp_path)
    addresses = set(re.findall(r"""(?:src|href)=["']([^"']*)""", page))
    assert [address for address in addresses if re.match(r"(?:\w+:)?//", address)] == []
    assert not re.search(r"@import|url\((?!#)", page)


def test_what_a_log_says_is_text_on_the_page(tmp_path: Path) -> None:
    page = made_up(tmp_path)
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; more" in page
    assert "<script>alert" not in page


def test_there_is_a_plot_of_each_size_and_of_the_time_with_a_line_for_each_build(tmp_path: Path) -> None:
    found = plots(made_up(tmp_path))
    assert [plot.get("id") for plot in found] == ["chart-stripped", "chart-archive", "chart-seconds"]
    for plot in found:
        legends = plot.findall(f".//{SVG}g[@class='legends']/{SVG}g/{SVG}text")
        assert [legend.text for legend in legends] == [V7, V6]
        dots = [
            len(group.findall(f".//{SVG}circle"))
            for group in plot.findall(f".//{SVG}g[@class='plot overlay']/{SVG}g")
        ]
        assert dots == [3, 1]  # a build that failed is none


def test_a_plot_tells_day_and_size_of_each_build(tmp_path: Path) -> None:
    stripped = plots(made_up(tmp_path))[0]
    told = [text.text for text in stripped.findall(f".//{SVG}desc[@class='value']")]
    assert told == ["Nov 23: 4.3 MB", "Nov 24: 4.3 MB", "Nov 25: 4.3 MB", "Nov 23: 4.3 MB"]


def test_a_page_without_a_good_build_says_so_in_its_plots(tmp_path: Path) -> None:
    publish(tmp_path, result(V7, "2026-11-25", "failed"))
    said = [
        plot.findtext(f".//{SVG}text[@class='no_data']")
        for plot in plots((tmp_path / "index.html").read_text())
    ]
    assert said == ["no build has passed yet"] * 3


def test_a_badge_is_as_it_was_looked_at() -> None:
    assert badge("PI", "passing") == (GOLDEN / "badge.svg").read_text()


def test_a_badge_is_well_formed_whatever_it_says() -> None:
    root = ElementTree.fromstring(badge("<&>", "1 of 2 passing"))
    assert [text.text for text in root.iter(f"{SVG}text")] == ["<&>", "1 of 2 passing"]


@pytest.mark.parametrize(
    ("text", "colour"),
    [
        pytest.param("passing", "#2a7d2e", id="good"),
        pytest.param("failing", "#c0392b", id="bad"),
        pytest.param("1 of 2 passing", "#b35c00", id="partly"),
        pytest.param("not run", "#6b6b6b", id="none"),
    ],
)
def test_a_badges_colour_tells_the_same(text: str, colour: str) -> None:
    assert f'fill="{colour}"' in badge("PI", text)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        pytest.param(3.14, "3.1 s", id="seconds"),
        pytest.param(242, "4 min 2 s", id="minutes"),
        pytest.param(240, "4 min", id="whole minutes"),
        pytest.param(3720, "1 h 2 min", id="hours"),
    ],
)
def test_times_are_shown_for_people(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


def test_sizes_are_shown_for_people() -> None:
    assert megabytes(4_349_999) == "4.3 MB"
