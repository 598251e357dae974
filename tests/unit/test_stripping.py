"""What a check says of nodes that cannot run: to strip them, where no output needs them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from small_registry import kernel, model, registry, typed

from tfcross.check.model import ModelCheck, check_model
from tfcross.check.purposes import load_purposes
from tfcross.check.report import text_check
from tfcross.check.verdicts import Rules
from tfcross.graph.node import Node
from tfcross.registry.opdef import OpDef
from tfcross.selection.rule import KernelRule

PURPOSES = load_purposes(Path(__file__).parents[2])
FLOAT = {"T": typed("float")}
INPUT = Node("x", "Placeholder", (), "", {"dtype": typed("float")})
PRODUCT = Node("y", "MatMul", ("^x",), "", FLOAT)
SAVER = Node("save", "SaveV2", ("y",), "", {})
NEEDED = (
    "the outputs need it: name OUTPUTS= that do without it, or cut behind it with INPUTS= "
    "(docs/models.md#cutting)"
)


def check(*nodes: Node, cut: bool = False, outputs: tuple[str, ...] = ("y",)) -> ModelCheck:
    base = registry(more=(kernel("SaveV2", "SaveV2Op", "save_op"),))
    ops = {
        **base.ops,
        "SaveV2": OpDef("SaveV2", "io_ops.cc"),
        "Placeholder": OpDef("Placeholder", "array.cc"),
    }
    unavailable = {"tensorflow/core/kernels/save_op.cc": "it needs a newer re2"}
    rules = Rules(KernelRule(replace(base, ops=ops), {}, {}, unavailable), PURPOSES)
    graph = replace(model(*nodes), outputs=outputs, replaced=frozenset() if cut else None)
    return check_model(graph, rules, 30)


def remedy(checked: ModelCheck) -> str:
    (text,) = [verdict.remedy for node, verdict in checked.nodes if node.name == "save"]
    return text


def test_what_no_output_needs_is_to_be_stripped_by_a_command() -> None:
    checked = check(INPUT, PRODUCT, SAVER)
    assert checked.without == ("y",)
    assert remedy(checked).startswith("strip it: ")
    assert (
        "What gives 'y' needs none of these nodes. A build without them:\n"
        f"  ./bootstrap scons TARGET=PI MODEL={checked.model.path} OUTPUTS=y\n"
    ) in text_check(checked, "PI", words=["TARGET=PI"])


@pytest.mark.parametrize("cut", [False, True], ids=["a whole graph", "a cut graph"])
def test_what_the_outputs_need_is_not_to_be_stripped(cut: bool) -> None:
    saved = Node("z", "MatMul", ("^save",), "", FLOAT)
    checked = check(INPUT, Node("save", "SaveV2", ("x",), "", {}), saved, cut=cut, outputs=("z",))
    assert checked.without == ()
    assert remedy(checked) == NEEDED
    assert "A build without them" not in text_check(checked, "PI")
