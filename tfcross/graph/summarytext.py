"""A summary and a picture of a model as text."""

from __future__ import annotations

from collections.abc import Mapping

from tfcross.graph.drawing import Picture
from tfcross.graph.model import Model
from tfcross.graph.summary import End, Summary
from tfcross.render import render

NO_COMMANDS: Mapping[str, str] = {}
_COLORS = {"input": "#cfe8cf", "node": "#ffffff", "scope": "#dde6f5"}


def summary_text(model: Model, summary: Summary, commands: Mapping[str, str] = NO_COMMANDS) -> str:
    """For people; ``commands`` are command lines by what they do."""
    return render(
        "summary.txt.j2",
        path=model.path,
        bytes=model.path.stat().st_size if model.path.is_file() else 0,
        producer=model.producer,
        notes=model.notes,
        commands=commands,
        inputs=[(_shown(end.name), type_and_shape(end), _shown(end.op)) for end in summary.inputs],
        outputs=[(_shown(end.name), type_and_shape(end), _shown(end.op)) for end in summary.outputs],
        ops={_shown(op): count for op, count in summary.ops.items()},
        untold={_shown(op): count for op, count in summary.untold.items()},
        parameters={
            title: [(short_type(dtype), part) for dtype, part in parts.items()]
            for title, parts in (
                ("parameters", summary.constants),
                ("variables without values", summary.variables),
            )
            if parts
        },
        summary=summary,
    )


def _shown(name: str) -> str:
    """A name of the graph on one line, not longer than a line."""
    shown = name if name.isprintable() else repr(name)[1:-1]
    return shown if len(shown) <= 100 else shown[:97] + "..."


def dot_text(picture: Picture, title: str) -> str:
    """For graphviz."""
    if picture.hidden:
        title += f" (without {picture.hidden} nodes of constants)"
    return render("graph.dot.j2", picture=picture, title=title, colors=_COLORS, quoted=_quoted)


def _quoted(text: str) -> str:
    """A string of the dot language; what cannot be printed becomes a question mark."""
    printable = "".join(c if c.isprintable() or c == "\n" else "?" for c in text)
    escaped = printable.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def type_and_shape(end: End) -> str:
    """``float[?,784]``; ``float[...]`` for an unknown rank."""
    sizes = "..." if end.shape is None else ",".join("?" if size < 0 else str(size) for size in end.shape)
    return f"{short_type(end.dtype) or 'unknown'}[{sizes}]"


def short_type(dtype: str) -> str:
    return dtype.removeprefix("DT_").lower()
