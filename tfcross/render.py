"""Text from the project's templates: sorted values in, no logic but loops and conditions in them."""

from __future__ import annotations

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
    """``templates/<template>`` filled in; its first line says what it was made from."""
    return _environment.get_template(template).render(
        origin=f"Made by tfcross from templates/{template}.", **values
    )


def write_if_changed(path: Path, text: str) -> bool:
    """Put ``text`` into ``path`` whole; a file that holds it already keeps its time. True if written."""
    content = text.encode()
    if path.is_file() and path.read_bytes() == content:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_bytes(content)
    part.replace(path)
    return True
