"""The header that decides about registrations."""

from __future__ import annotations

from pathlib import Path

import pytest

from tfcross.selection.header import fnv1a, ops_header, quote
from tfcross.selection.selection import FileSelection

GOLDEN = Path(__file__).parents[1] / "golden"
TEMPLATE = "ops_to_register.h.j2"
CHOSEN = FileSelection(
    ops=("Add", "Cast", "Quoted"),
    kernels=(
        ("Add", "BinaryOp<CPUDevice, functor::add<float>>"),
        ("AddV2", "BinaryOp<CPUDevice, functor::add<float>>"),
        ("Quoted", 'TextOp<"a\\b">'),
    ),
    gradients=False,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("", 0xCBF29CE484222325, id="nothing"),
        pytest.param("a", 0xAF63DC4C8601EC8C, id="a letter"),
        pytest.param("foobar", 0x85944171F73967E8, id="a word"),
        pytest.param("ä", 0x0AC21207B7181582, id="two bytes of UTF-8"),
    ],
)
def test_names_are_hashed_as_fnv_1a_of_64_bits(text: str, value: int) -> None:
    assert fnv1a(text) == value


@pytest.mark.parametrize(
    ("text", "literal"),
    [
        pytest.param("MatMulOp<float, false >", '"MatMulOp<float, false >"', id="plain"),
        pytest.param('TextOp<"a\\b">', r'"TextOp<\"a\\b\">"', id="quotes and backslashes"),
    ],
)
def test_class_texts_become_c_literals(text: str, literal: str) -> None:
    assert quote(text) == literal


@pytest.mark.parametrize("name", ["ops_to_register.h", "ops_to_register-cxx11.h"])
def test_the_header_is_the_golden_one(name: str) -> None:
    header = ops_header(CHOSEN, f"{name}.j2", ["tensorflow/core/framework/op.h"])
    assert header == (GOLDEN / name).read_text()


def test_equal_selections_give_equal_headers_whatever_their_order() -> None:
    turned = FileSelection(CHOSEN.ops[::-1], CHOSEN.kernels[::-1], False)
    assert ops_header(turned, TEMPLATE, []) == ops_header(CHOSEN, TEMPLATE, [])


def test_a_class_that_two_ops_share_is_listed_once() -> None:
    classes = ops_header(CHOSEN, TEMPLATE, []).partition("kSelectedClasses[] = {")[2].partition("};")[0]
    assert classes.count("functor::add<float>") == 1


def test_gradients_are_registered_only_if_something_asks_for_them() -> None:
    with_gradients = FileSelection((), (), True)
    assert "#define SHOULD_REGISTER_OP_GRADIENT true\n" in ops_header(with_gradients, TEMPLATE, [])
    assert "#define SHOULD_REGISTER_OP_GRADIENT false\n" in ops_header(CHOSEN, TEMPLATE, [])
