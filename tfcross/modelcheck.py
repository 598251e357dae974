"""Will a model run? The verdict on each of its nodes, and what else it brings that an app should know."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from .errors import TfcrossError
from .model import Model, Node
from .node import quoted
from .selection import Selection, select
from .verdicts import DEVICE, GRAPH, OK, Judge, Rules, Verdict
from .wiring import Wiring

#: Control flow of TensorFlow 1, made of nodes; that of TensorFlow 2 calls functions.
_LOOPS = ("Enter", "Exit", "LoopCond", "NextIteration", "RefEnter", "RefExit", "RefNextIteration")
_BRANCHES = ("Switch", "Merge", "RefSwitch", "RefMerge")
_FUNCTIONAL = ("While", "StatelessWhile", "If", "StatelessIf", "Case", "StatelessCase", "For")


@dataclass(frozen=True)
class ModelCheck:
    """``nodes`` are those of the main graph, then those of the functions that it can come to call.

    ``refused`` is what the runtime has against the graph as a whole; ``selection`` what a library needs for
    it, None where a node has no kernel or the library is there already.
    """

    model: Model
    nodes: tuple[tuple[Node, Verdict], ...]
    refused: tuple[str, ...]
    selection: Selection | None

    @property
    def runs(self) -> bool:
        return not self.refused and all(verdict.runs for _, verdict in self.nodes)

    def bad(self) -> list[tuple[Node, Verdict]]:
        return [(node, verdict) for node, verdict in self.nodes if not verdict.runs]

    def features(self) -> dict[str, list[str]]:
        """What the graph has beside plain nodes: names of nodes or functions, by kind; no empty lists."""
        nodes = [node for node, _ in self.nodes]
        found = {
            "loops": [node.name for node in nodes if node.op in _LOOPS],
            "branches": [node.name for node in nodes if node.op in _BRANCHES],
            "functional control flow": [node.name for node in nodes if node.op in _FUNCTIONAL],
            "functions": [body.name for body in self.model.reachable()],
            "pinned to a device": [node.name for node in nodes if node.device],
            "label kernels": [node.name for node in nodes if node.attr("_kernel", "string")],
        }
        return {kind: names for kind, names in found.items() if names}

    def inserted(self) -> dict[str, str]:
        """The ops that the runtime adds on its own, each with the reason."""
        reasons = self.selection.reasons if self.selection else {}
        return {op: reason.detail for op, reason in reasons.items() if reason.kind == "runtime"}


def check_model(model: Model, rules: Rules, always: dict[str, str], graph_version: int) -> ModelCheck:
    """The check of ``model`` for a runtime whose GraphDef version is ``graph_version``.

    ``always``: the ops that the runtime needs in any case, and why.
    """
    judge = Judge(rules, model.functions, model.producer)
    by_name = {node.name: node for node in model.nodes}
    wiring = dict(_wired(Wiring(by_name, rules.registry.ops, model.functions)))
    nodes = tuple(_judged(node, judge.verdict(node), wiring) for node in model.all_nodes())
    refused = []
    if model.min_consumer > graph_version:
        refused.append(
            f"the graph asks for GraphDef version {model.min_consumer} or later, and this release has "
            f"{graph_version}. Take a newer RELEASE."
        )
    selection = None
    whole = not refused and all(verdict.cause in (OK, DEVICE) for _, verdict in nodes)
    if whole and rules.library is None:
        try:
            selection = _selected(model, rules, always)
        except TfcrossError as error:
            refused.append(str(error).removeprefix(f"{model.path}: "))
    return ModelCheck(model, nodes, tuple(refused), selection)


def _wired(wiring: Wiring) -> Iterator[tuple[str, str]]:
    for node, problem in wiring.problems():
        yield node.name, problem


def _judged(node: Node, verdict: Verdict, wiring: dict[str, str]) -> tuple[Node, Verdict]:
    problem = wiring.get(node.name) if wiring and not node.function and verdict.runs else None
    if problem:
        what, _, remedy = problem.partition(". ")
        verdict = Verdict(GRAPH, f"node {quoted(node.name)} {what}", remedy)
    return node, verdict


def _selected(model: Model, rules: Rules, always: dict[str, str]) -> Selection:
    """What the model needs, asked with one node of each case: the others would bring nothing new."""
    one_of_each = tuple({node.case: node for node in reversed(model.nodes)}.values())
    reduced = replace(model, nodes=one_of_each[::-1])
    return select([reduced], rules.registry, always, rules.inserted, rules.unavailable)
