"""A page that shows an app's bytes as areas."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import squarify

from tfcross.render import render

WIDTH, HEIGHT = 1200, 640
_COLOURS = ("#4477aa", "#66ccee", "#228833", "#ccbb44", "#ee6677", "#aa3377", "#bbbbbb")


def treemap(title: str, sizes: Mapping[str, Any]) -> str:
    """HTML, whole in one file: maps of files, archives, kernels, ops and types; a folder has one colour."""
    groups = [(group, _tiles(sizes[group])) for group in ("files", "archives", "kernels", "ops", "types")]
    return render("sizes.html.j2", title=title, groups=groups, width=WIDTH, height=HEIGHT, sizes=sizes)


def _tiles(sizes: Mapping[str, int]) -> list[dict[str, Any]]:
    """What to draw, largest first."""
    items = sorted(((size, name) for name, size in sizes.items() if size > 0), key=lambda i: (-i[0], i[1]))
    if not items:
        return []
    folders = sorted({name.rpartition("/")[0] for _, name in items})
    areas = squarify.normalize_sizes([size for size, _ in items], WIDTH, HEIGHT)
    places = squarify.squarify(areas, 0, 0, WIDTH, HEIGHT)
    return [
        {
            "name": name,
            "short": name.rpartition("/")[2],
            "size": size,
            "colour": _COLOURS[folders.index(name.rpartition("/")[0]) % len(_COLOURS)],
            "big": place["dx"] > 70 and place["dy"] > 14,
            **{key: round(place[key], 1) for key in ("x", "y", "dx", "dy")},
        }
        for (size, name), place in zip(items, places, strict=True)
    ]
