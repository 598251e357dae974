"""What people see of nightly builds: a page with plots over time, and badges."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pygal
import pygaljs
from pygal.style import Style

from tfcross.nightly.index import NOT_RUN, statuses
from tfcross.render import render

#: What is plotted: a name, a title, how to get the value from a build's result, how to show it.
_Value = Callable[[Mapping[str, Any]], float | None]
#: Told apart by people who do not see all colours as well (Paul Tol's bright scheme).
_COLOURS = ("#4477aa", "#ee6677", "#228833", "#aa3377", "#ccbb44", "#66ccee", "#777777")
_BADGE_COLOURS = {"passing": "#2a7d2e", "failing": "#c0392b", "timeout": "#b35c00", NOT_RUN: "#6b6b6b"}
_SHOWN = {"passed": "passing", "failed": "failing"}
#: Widths in pixels of characters that are not 7 wide, in the badges' font (Verdana, 11 px).
_WIDTHS = {**dict.fromkeys("ijlI.,:-'| ", 4.2), **dict.fromkeys("frt", 4.8), **dict.fromkeys("mwMW", 10.3)}
#: What a build that was not run lacks.
_NO_BUILD = {"error": "", "attempts": 0, "seconds": None, "sizes": {}, "package": {}, "path": ""}
#: Days that have a label below a plot, and characters of a name in half a plot's width: more would overlap.
_LABELS, _HALF = 6, 26


def page(index: Mapping[str, Any], keep_days: int) -> str:
    """HTML, whole in one file: the last day's builds, plots over all days, and what each day had."""
    days: Sequence[Mapping[str, Any]] = index["days"]
    cells = list(statuses(days))
    rows = [{cell["cell"]: cell for cell in day["cells"]} for day in days]
    return render(
        "nightly/index.html.j2",
        index=index,
        last={**days[-1], "cells": [{**_NO_BUILD, **cell} for cell in days[-1]["cells"]]} if days else None,
        before=_before(rows),
        plots=plots([day["date"] for day in days], cells, rows),
        script=Path(pygaljs.path("2.0.x", "pygal-tooltips.min.js")).read_text(encoding="utf-8"),
        history=[(cell, [row.get(cell) for row in rows]) for cell in cells],
        shown={**_SHOWN, "timeout": "timeout", NOT_RUN: NOT_RUN},
        megabytes=megabytes,
        duration=duration,
        keep_days=keep_days,
    )


def badges(index: Mapping[str, Any]) -> dict[str, str]:
    """SVG texts by file name: one for each target of the last day, and one for each known build."""
    drawn = {f"{target}.svg": badge(target, text) for target, text in index["targets"].items()}
    for cell, status in statuses(index["days"]).items():
        drawn[f"{cell}.svg"] = badge(cell, _SHOWN.get(status, status))
    return drawn


def badge(label: str, text: str) -> str:
    """An SVG of ``label`` and ``text``."""
    colour = _BADGE_COLOURS.get(text, "#b35c00")
    widths = [round(sum(_WIDTHS.get(char, 7) for char in part)) for part in (label, text)]
    return render("nightly/badge.svg.j2", label=label, text=text, widths=widths, colour=colour)


def plots(
    dates: Sequence[str], cells: Sequence[str], rows: Sequence[Mapping[str, Mapping[str, Any]]]
) -> list[tuple[str, str]]:
    """(title, SVG) of each plot, with a line for each cell; a build that failed is a gap."""
    values: list[tuple[str, str, _Value, Callable[[float], str]]] = [
        ("stripped", "Stripped app", lambda build: build["sizes"].get("stripped"), megabytes),
        ("archive", "libtensorflow-core.a", lambda build: build["sizes"].get("archive"), megabytes),
        ("seconds", "Build time", lambda build: build["seconds"] / 60, _minutes),
    ]
    drawn = []
    for name, title, value, shown in values:
        lines = {cell: [_point(row.get(cell), value) for row in rows] for cell in cells}
        drawn.append((title, _plot(name, dates, lines, shown)))
    return drawn


def megabytes(size: float) -> str:
    return f"{size / 1e6:.1f} MB"


def duration(seconds: float) -> str:
    """``4 min 2 s``, ``4 min``, and for less than a minute ``3.1 s``."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes} min {rest} s" if rest else f"{minutes} min"


def _minutes(minutes: float) -> str:
    return duration(60 * minutes)


def _before(rows: Sequence[Mapping[str, Mapping[str, Any]]]) -> dict[str, Mapping[str, Any]]:
    """The last good build of each cell on a day before the last one: what sizes are compared with."""
    return {name: cell for row in rows[:-1] for name, cell in row.items() if cell["status"] == "passed"}


def _point(build: Mapping[str, Any] | None, value: _Value) -> float | None:
    return value(build) if build and build["status"] == "passed" else None


def _plot(
    name: str,
    dates: Sequence[str],
    lines: Mapping[str, Sequence[float | None]],
    shown: Callable[[float], str],
) -> str:
    days = [datetime.date.fromisoformat(date) for date in dates]
    style = Style(
        background="transparent",
        plot_background="transparent",
        font_family="sans-serif",
        label_font_size=14,
        major_label_font_size=14,
        legend_font_size=14,
        tooltip_font_size=14,
        no_data_font_size=24,
        colors=_COLOURS,
        guide_stroke_color="#ccc",
        major_guide_stroke_color="#ccc",
    )
    columns = 2 if max(map(len, lines), default=0) <= _HALF else 1
    chart = pygal.DateLine(
        js=[],  # the page has the script once
        style=style,
        width=560,
        height=300 + 22 * (-(-len(lines) // columns)),
        margin_bottom=26,
        disable_xml_declaration=True,
        legend_at_bottom=True,
        legend_at_bottom_columns=columns,
        truncate_legend=-1,
        value_formatter=shown,
        x_value_formatter=lambda day: f"{day:%b} {day.day}",
        dots_size=4,
        stroke_style={"width": 2},
        include_x_axis=True,
        no_data_text="no build has passed yet",
        min_scale=3,
        max_scale=6,
    )
    chart.uuid = name  # instead of a random one
    chart.x_labels = days[:: -(-len(days) // _LABELS) or 1]
    for cell, values in lines.items():
        chart.add(cell, list(zip(days, values, strict=True)), allow_interruptions=True)
    chart.add_xml_filter(_without_comments)
    return str(chart.render(is_unicode=True))


def _without_comments(root: Any) -> Any:
    """They hold the day on which it was drawn."""
    for child in [child for child in root if not isinstance(child.tag, str)]:
        root.remove(child)
    return root
