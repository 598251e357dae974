"""What of a graph can be stripped: nodes that cannot run, and that no output of an app needs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from tfcross.check.verdicts import Verdict
from tfcross.graph.cutting.cut import needed
from tfcross.graph.cutting.likely import likely_outputs
from tfcross.graph.model import Model, Node

_STRIP = "strip it"
_NEEDED = (
    "the outputs need it: name OUTPUTS= that do without it, or cut behind it with INPUTS= "
    "(docs/models.md#cutting)"
)


def outputs_without(model: Model, bad: Collection[str]) -> tuple[str, ...]:
    """Likely outputs of ``model`` that need none of the nodes ``bad``; () where it is cut already."""
    if not bad or model.replaced is not None:
        return ()
    ops = {node.name: node.op for node in model.nodes}
    return tuple(likely_outputs(ops, {node.name: node.inputs for node in model.nodes}, bad))


def honest(
    model: Model, nodes: Sequence[tuple[Node, Verdict]], outputs: Sequence[str]
) -> tuple[tuple[Node, Verdict], ...]:
    """``nodes`` with verdicts that advise to strip only what ``outputs``, or the model's, do not need."""
    by_name = {node.name: node for node in model.nodes}
    kept = needed(by_name, outputs or model.outputs)
    return tuple(
        (node, replace(verdict, remedy=_NEEDED))
        if not verdict.runs and verdict.remedy.startswith(_STRIP) and (node.function or node.name in kept)
        else (node, verdict)
        for node, verdict in nodes
    )
