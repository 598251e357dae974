"""The page of nights that were really built, in a real browser."""

from __future__ import annotations

import http.client
import re
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import numpy
import pytest
from browser import asked, chromium, served
from nights import BAD, GOOD, PHONE, Nights
from PIL import Image

#: Of each plot: its place, the lengths of its lines, the places of its dots.
PLOTS = """
return [...page.querySelectorAll("figure svg")].map(svg => {
  const place = element => {
    const box = element.getBoundingClientRect();
    return [box.x, box.y, box.width, box.height];
  };
  return {
    place: place(svg),
    title: svg.closest("figure").querySelector("figcaption").textContent,
    lines: [...svg.querySelectorAll(".series path.line")].map(line => line.getTotalLength()),
    dots: [...svg.querySelectorAll("circle.dot")].map(place),
  };
});
"""
ROWS = """
return [...page.querySelectorAll("table.builds tbody tr")].map(
  row => [...row.cells].map(cell => cell.innerText.trim().replace(/\\s+/g, " ")));
"""
WIDE = """
const root = page.documentElement;
const ends = [...page.querySelectorAll("table.builds td")].map(cell => cell.getBoundingClientRect().right);
return [root.scrollWidth, root.clientWidth, Math.max(...ends) <= root.clientWidth];
"""
TOOLTIP = """
const dot = page.querySelector("figure svg circle.dot");
dot.dispatchEvent(new MouseEvent("mouseenter"));
await soon();
const svg = dot.closest("svg");
return [...svg.querySelectorAll(".tooltip text")].map(text => text.textContent);
"""
BADGES = """
return [...page.querySelectorAll("img")].map(image => [image.alt, image.complete && image.naturalWidth]);
"""


def test_the_table_has_a_row_for_each_build_of_the_last_day(published: Nights, tmp_path: Path) -> None:
    rows, console = asked(published.folder, tmp_path, 1280, ROWS)
    assert console == []
    assert [row[0].split(" ")[0] for row in rows] == [GOOD, BAD, PHONE]
    assert [row[1] for row in rows] == ["passing", "failing 2 attempts", "failing 2 attempts"]
    assert "truncated: it ends at byte 9000" in rows[1][0]
    assert re.fullmatch(r"\d\.\d MB", rows[0][2])
    assert re.fullmatch(r"\d\d\.\d MB", rows[0][3])
    assert rows[0][5] == "package sha256 manifest sizes log result"
    assert [row[6] for row in rows] == ["2026-11-24", "none yet", "none yet"]


def test_every_link_of_the_page_leads_to_a_file(published: Nights, tmp_path: Path) -> None:
    with served(published.folder) as address:
        dom, _ = chromium(tmp_path, "--dump-dom", f"{address}/index.html")
        links = set(re.findall(r'(?:href|src)="([^"#]+)"', dom)) - {"data:,"}
        assert len(links) > 15
        wrong = {}
        for link in sorted(links):
            parts = urlsplit(urljoin(f"{address}/index.html", link))
            connection = http.client.HTTPConnection(parts.netloc)
            connection.request("HEAD", parts.path)
            status = connection.getresponse().status
            if status != 200:
                wrong[link] = status
            connection.close()
    assert wrong == {}


def test_the_plots_are_drawn_and_seen(published: Nights, tmp_path: Path) -> None:
    plots, _ = asked(published.folder, tmp_path, 1280, PLOTS)
    assert [plot["title"] for plot in plots] == ["Stripped app", "libtensorflow-core.a", "Build time"]
    picture = tmp_path / "page.png"
    with served(published.folder) as address:
        _, console = chromium(
            tmp_path, "--window-size=1280,4000", f"--screenshot={picture}", f"{address}/index.html"
        )
    assert console == []
    pixels = numpy.asarray(Image.open(picture).convert("RGB")).astype(int)
    for plot in plots:
        assert max(plot["lines"]) > 50
        assert len(plot["dots"]) == 2  # of three days the first is one that failed
        x, y, width, height = map(round, plot["place"])
        assert width > 400 and height > 200
        area = pixels[y : y + height, x : x + width]
        assert (area[:, :, 2] - area[:, :, 0] > 40).sum() > 200  # blue: the first build's line
        for x, y, width, height in plot["dots"]:
            assert (pixels[round(y + height / 2), round(x + width / 2)] != 255).any()


def test_a_value_is_told_under_the_pointer(published: Nights, tmp_path: Path) -> None:
    said, console = asked(published.folder, tmp_path, 1280, TOOLTIP)
    assert console == []
    assert GOOD in said
    assert any(re.match(r"Nov 23: \d\.\d MB", text) for text in said)


def test_the_badges_are_pictures(published: Nights, tmp_path: Path) -> None:
    badges, _ = asked(published.folder, tmp_path, 1280, BADGES)
    assert [badge[0] for badge in badges] == ["IOS: failing", "PI: 1 of 2 passing"]
    assert all(badge[1] > 50 for badge in badges)


@pytest.mark.parametrize(
    "width", [pytest.param(1280, id="desktop"), pytest.param(768, id="tablet"), pytest.param(360, id="phone")]
)
def test_nothing_stands_out_at_the_side(published: Nights, tmp_path: Path, width: int) -> None:
    (wanted, there, inside), _ = asked(published.folder, tmp_path, width, WIDE)
    assert (wanted, there, inside) == (width, width, True)


def test_the_page_works_without_a_server(published: Nights, tmp_path: Path) -> None:
    page = (published.folder / "index.html").as_uri()
    dom, console = chromium(tmp_path, "--dump-dom", page)
    assert console == []
    assert dom.count("<svg ") == 3


def test_an_error_in_a_script_would_be_seen(published: Nights, tmp_path: Path) -> None:
    text = (published.folder / "index.html").read_text()
    broken = tmp_path / "index.html"
    broken.write_text(text.replace("<script>\n", "<script>\nnowhere.to.be.found();\n", 1))
    _, console = chromium(tmp_path / "profile", "--dump-dom", broken.as_uri())
    assert any("nowhere is not defined" in line for line in console)
