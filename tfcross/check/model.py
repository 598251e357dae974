"""Will a model run? The verdict on each of its nodes, and what else it brings that an app should know."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tfcross.app.proof import own_proof
from tfcross.check.stripping import honest, outputs_without
from tfcross.check.verdicts import DEVICE, OK, Judge, Rules, Verdict
from tfcross.check.wiring import Wiring
from tfcross.graph.cutting.feeds import unknown_text
from tfcross.graph.model import Model, Node
from tfcross.selection.refusal import GRAPH, Refusal
from tfcross.selection.selection import Selection
from tfcross.selection.selector import choose

#: Control flow of TensorFlow 1, made of nodes; that of TensorFlow 2 calls functions.
_LOOPS = ("Enter", "Exit", "LoopCond", "NextIteration", "RefEnter", "RefExit", "RefNextIteration")
_BRANCHES = ("Switch", "Merge", "RefSwitch", "RefMerge")
_FUNCTIONAL = ("While", "StatelessWhile", "If", "StatelessIf", "Case", "StatelessCase", "For")


@dataclass(frozen=True)
class ModelCheck:
    """``nodes`` are those of the main graph, then those of the functions that it can come to call.

    ``refused`` is what the runtime has against the graph as a whole; ``selection`` what a library needs for
    it, None where a node has no kernel or the library is there already. ``unproven`` is what a build's
    generic proof would have to know to run it, "" for nothing, or if the model has a proof of its own.
    ``without`` are outputs that need no node that cannot run, where cutting to them mends the graph.
    """

    model: Model
    nodes: tuple[tuple[Node, Verdict], ...]
    refused: tuple[str, ...]
    selection: Selection | None
    unproven: str = ""
    without: tuple[str, ...] = ()

    @property
    def runs(self) -> bool:
        return not self.refused and all(verdict.runs for _, verdict in self.nodes)

    def bad(self) -> list[tuple[Node, Verdict]]:
        return [(node, verdict) for node, verdict in self.nodes if not verdict.runs]

    def features(self) -> dict[str, list[str]]:
        """What the graph has beside plain nodes: names of nodes or functions, by kind; no empty lists."""
        nodes = [node for node, _ in self.nodes]
        by_kind = {
            "loops": [node.name for node in nodes if node.op in _LOOPS],
            "branches": [node.name for node in nodes if node.op in _BRANCHES],
            "functional control flow": [node.name for node in nodes if node.op in _FUNCTIONAL],
            "functions": [body.name for body in self.model.reachable()],
            "pinned to a device": [node.name for node in nodes if node.device],
            "label kernels": [node.name for node in nodes if node.attr("_kernel", "string")],
        }
        return {kind: names for kind, names in by_kind.items() if names}

    def inserted(self) -> dict[str, str]:
        """The ops that the runtime adds on its own, each with the reason."""
        reasons = self.selection.reasons if self.selection else {}
        return {op: reason.detail for op, reason in reasons.items() if reason.kind == "runtime"}


def check_model(model: Model, rules: Rules, graph_version: int) -> ModelCheck:
    """The check of ``model`` for a runtime whose GraphDef version is ``graph_version``.

    Raises TfcrossError for mistakes in the release's data.
    """
    judge = Judge(rules, model.functions, model.producer)
    by_name = {node.name: node for node in model.nodes}
    wiring = {bad.node: bad for bad in Wiring(by_name, rules.registry.ops, model.functions).refusals()}
    judged = [_judged(node, judge.verdict(node), wiring) for node in model.all_nodes()]
    without = outputs_without(model, [node.name for node, verdict in judged if not verdict.runs])
    nodes = honest(model, judged, without)
    refused: tuple[str, ...] = ()
    if model.min_consumer > graph_version:
        refused = (
            f"the graph asks for GraphDef version {model.min_consumer} or later, and this release has "
            f"{graph_version}. Take a newer RELEASE.",
        )
    if model.unfrozen():
        refused = (*refused, model.unfrozen())
    unproven = "" if own_proof(model.path) else unknown_text(model)
    whole = not refused and all(verdict.cause in (OK, DEVICE) for _, verdict in nodes)
    if not whole or rules.library is not None:
        return ModelCheck(model, nodes, refused, None, unproven, without)
    choice = choose([_one_of_each(model)], rules.kernels)
    refused = tuple(refusal.text for _, refusal in choice.refusals)
    return ModelCheck(model, nodes, refused, None if refused else choice.selection, unproven)


def _judged(node: Node, verdict: Verdict, wiring: dict[str, Refusal]) -> tuple[Node, Verdict]:
    bad = wiring.get(node.name) if wiring and not node.function and verdict.runs else None
    return node, Verdict(GRAPH, bad.what, bad.remedy) if bad else verdict


def _one_of_each(model: Model) -> Model:
    """The model with one node of each case: the others bring nothing new to a selection."""
    nodes = tuple({node.case: node for node in reversed(model.nodes)}.values())
    return replace(model, nodes=nodes[::-1])
