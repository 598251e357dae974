"""Why a node has no kernel, as values and as one line for people."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tfcross.errors import quoted
from tfcross.graph.datatypes import type_names
from tfcross.selection.refusal import AGAIN, Refusal

LABEL = "_kernel"


@dataclass(frozen=True)
class Gap:
    """An attr whose value no kernel has; ``compiled`` is what they have. Types are DataType numbers."""

    attr: str
    wanted: tuple[object, ...]
    compiled: tuple[object, ...]
    types: bool = True


@dataclass(frozen=True)
class Mismatch:
    """Why a node has no kernel. ``reason`` is one of

    "missing attr": the node lacks an attr that has no default (``gaps`` names it);
    "not allowed": the op's definition does not allow the value (``gaps`` tells what it allows);
    "no kernel": the op has no kernel at all; "device": only for ``devices``; "label": not that label, but
    ``labels`` ("none" is a kernel without one);
    "type": not for these types or values (``gaps``); "ambiguous": several kernels of one priority,
    from ``files``.
    """

    reason: str
    device: str
    devices: tuple[str, ...] = ()
    gaps: tuple[Gap, ...] = ()
    files: tuple[str, ...] = ()
    label: str = ""
    labels: tuple[str, ...] = ()

    @property
    def illegal(self) -> bool:
        """Whether the op's own definition is against the node: no kernel could change that."""
        return self.reason in ("missing attr", "not allowed")


def explain(op: str, mismatch: Mismatch) -> Refusal:
    """The mismatch for people: what ``op`` lacks, what there is, what to do."""
    what, remedy = _told(f"op {quoted(op)}", mismatch)
    return Refusal(mismatch.reason, op, what, remedy)


def _told(where: str, mismatch: Mismatch) -> tuple[str, str]:
    gap = mismatch.gaps[0] if mismatch.gaps else Gap("", (), ())
    match mismatch.reason:
        case "missing attr":
            return f"{where} needs the attribute {gap.attr}, which has no default", AGAIN
        case "not allowed":
            allowed = _list(gap, gap.compiled)
            return f"{where} does not allow {_shown(gap, gap.wanted)}; allowed: {allowed}", AGAIN
        case "no kernel":
            remedy = "Strip the node, or compile the op's own sources."
            return f"{where} has no kernel for any device", remedy
        case "device":
            known = ", ".join(mismatch.devices)
            return f"{where} has no {mismatch.device} kernel, only for {known}", "Strip or replace the node."
        case "label":
            what = f"{where} has no {mismatch.device} kernel with the label '{mismatch.label}'"
            return what, f"Remove {LABEL}; the labels that there are: {', '.join(mismatch.labels)}."
        case "ambiguous":
            files = ", ".join(mismatch.files)
            return f"{where} has several kernels for this node, in {files}", "Compile one."
    wanted = ", ".join(_shown(gap, gap.wanted) for gap in mismatch.gaps)
    compiled = "; ".join(f"{gap.attr}: {_list(gap, gap.compiled)}" for gap in mismatch.gaps)
    hint = "If this is TYPES=slim: TYPES=full has more types." if gap.types else ""
    return f"{where} has no {mismatch.device} kernel for {wanted}. Compiled: {compiled}", hint


def _shown(gap: Gap, values: Iterable[object]) -> str:
    return f"{gap.attr}={_list(gap, values)}"


def _list(gap: Gap, values: Iterable[object]) -> str:
    if gap.types:
        return type_names(value for value in values if isinstance(value, int))
    return ", ".join(str(value) for value in values) or "none"
