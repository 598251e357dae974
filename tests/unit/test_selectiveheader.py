"""The header's text, in upstream's shape and as a table of hashes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tfcross.errors import TfcrossError
from tfcross.selection.upstream_header import STYLES, selective_header
from tfcross.selection.upstream_pairs import Pair

GOLDEN = Path(__file__).parents[1] / "golden"
PAIRS = frozenset(
    {
        Pair("BiasAdd", "BiasOp<CPUDevice, float>"),
        Pair("MatMul", "MatMulOp<CPUDevice, float, false >"),
        Pair("AccumulateNV2", ""),
        Pair("Quoted", 'TextOp<"a\\b">'),
    }
)
ADD = "BinaryOp<CPUDevice, functor::add<float>>"


@pytest.mark.parametrize("style", STYLES)
def test_the_header_is_the_golden_one(style: str) -> None:
    assert selective_header(PAIRS, style) == (GOLDEN / f"selective_header_{style}.h").read_text()


@pytest.mark.parametrize("style", STYLES)
def test_everything_is_three_macros_that_are_true(style: str) -> None:
    assert selective_header(None, style).splitlines()[1:] == [
        "#ifndef OPS_TO_REGISTER",
        "#define OPS_TO_REGISTER",
        "#define SHOULD_REGISTER_OP(op) true",
        "#define SHOULD_REGISTER_OP_KERNEL(clz) true",
        "#define SHOULD_REGISTER_OP_GRADIENT true",
        "#endif",
    ]


def test_a_class_that_two_ops_share_is_listed_for_each_in_upstreams_shape() -> None:
    header = selective_header({Pair("Add", ADD), Pair("AddV2", ADD)}, "upstream")
    assert header.count(f'"{ADD}",') == 2


@pytest.mark.parametrize("style", STYLES)
def test_gradients_are_registered_for_symbolic_gradient_only(style: str) -> None:
    gradient = Pair("SymbolicGradient", "SymbolicGradientOp")
    assert "SHOULD_REGISTER_OP_GRADIENT true\n" in selective_header({gradient}, style)
    assert "SHOULD_REGISTER_OP_GRADIENT false\n" in selective_header({Pair("NoOp", "NoOp")}, style)


@pytest.mark.parametrize("style", STYLES)
def test_a_header_that_keeps_nothing_is_refused(style: str) -> None:
    with pytest.raises(TfcrossError) as caught:
        selective_header(set(), style)
    assert str(caught.value) == (
        "no node has a kernel, and --default_ops is empty: the header would keep nothing."
    )


def test_an_unknown_style_is_refused() -> None:
    with pytest.raises(TfcrossError) as caught:
        selective_header(PAIRS, "sorted")
    assert str(caught.value) == "--style=sorted: unknown style. Known: hashed, upstream."
