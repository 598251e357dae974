"""Text from the project's templates (sorted values in, loops and conditions at most), and plain tables."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2

TEMPLATES = Path(__file__).resolve().parent.parent / "templates"

_environment = jinja2.Environment(
    loader=jinja2.FileSystemLoader(TEMPLATES),
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
    autoescape=lambda name: bool(name and name.endswith((".html.j2", ".svg.j2"))),
)


#: What templates may call with a bar, beside what Jinja brings; modules add the spellings they know.
filters: dict[str, Any] = _environment.filters


def render(template: str, **values: Any) -> str:
    """``templates/<template>`` filled in; its first line says what it was made from, and what is ``told``."""
    told = values.pop("told", "")
    return _environment.get_template(template).render(
        origin=f"Made by tfcross from templates/{template}.{told}", **values
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines with aligned columns; cells of more than 60 characters are cut."""
    cut = [[_cell(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(row[column]) for row in cut) for column in range(len(head))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cut
    ]


def _cell(text: str) -> str:
    shown = text if text.isprintable() else repr(text)[1:-1]
    return shown if len(shown) <= 60 else shown[:57] + "..."
