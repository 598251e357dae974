"""The op × type table as values, and in each of its forms."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from small_registry import FLOAT, INT32, kernel, model, node, registry, typed

from tfcross.check.optable import Reasons, main_attr, op_rows, signature, type_columns
from tfcross.check.purposes import load_purposes
from tfcross.errors import TfcrossError
from tfcross.registry.opdef import ArgDef, AttrDef, OpDef
from tfcross.render import render

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden"
PURPOSES = load_purposes(ROOT)
REASONS = Reasons(
    {"tensorflow/core/kernels/wrap_op.cc": "it needs <zlib>"},
    {"Identity": "pass-through nodes"},
    {"While": ["Add"], "Sub": ["(Add)"]},
)
PLACE = "PI-armv7, TensorFlow 2.14.1, TYPES=full"
ROWS = op_rows(registry(), PURPOSES, REASONS)


def test_a_row_has_types_kernels_and_what_asks_for_the_op() -> None:
    (row,) = op_rows(registry(), PURPOSES, REASONS, ["Add"])
    assert row.types == {"T": ("float", "int32")}
    assert [kernel.class_text for kernel in row.kernels] == [
        "BinaryOp<CPUDevice, functor::add<float>>",
        "BinaryOp<CPUDevice, functor::add<int32>>",
    ]
    assert row.devices == ("CPU", "GPU")
    assert row.asked_by == (
        'nodes with op: "Add"',
        "the runtime, in the place of While",
        "the graph optimiser, in the place of Sub, where the library has it",
    )
    assert row.runs
    assert main_attr(row) == "T"


def test_rows_without_a_kernel_that_is_built_do_not_run() -> None:
    runs = {row.name: row.runs for row in ROWS}
    assert [name for name, yes in runs.items() if not yes] == [
        "CudnnRNN",
        "WrapDatasetVariant",
        "_DeviceArg",
    ]


def test_nodes_of_a_model_are_told() -> None:
    asked = model(node("a", "Add", T=typed("float")), node("m", "MatMul", T=typed("float")))
    (row,) = op_rows(registry(), PURPOSES, REASONS, ["Add"], [asked])
    assert row.nodes == ("m.pb: a (T=float)",)


def test_an_unknown_op_is_told_with_those_of_a_similar_name() -> None:
    with pytest.raises(TfcrossError) as caught:
        op_rows(registry(), PURPOSES, REASONS, ["mul"])
    assert str(caught.value) == (
        "mul: the release defines no such op. Ops with that in their name: MatMul. List all with no name."
    )


@pytest.mark.parametrize(
    ("opdef", "text"),
    [
        pytest.param(
            OpDef(
                "Concat",
                "",
                attrs=(
                    AttrDef("N", "int", minimum=2),
                    AttrDef("T", "type", default=FLOAT, allowed=(FLOAT, INT32)),
                    AttrDef("mode", "string", default="a", allowed_strings=("a", "b")),
                    AttrDef("Ts", "list(type)", allowed=(FLOAT,)),
                    AttrDef("on", "bool", default=False),
                ),
                inputs=(ArgDef("axis", INT32), ArgDef("values", type_attr="T", number_attr="N")),
                outputs=(ArgDef("ref", type_attr="T", is_ref=True), ArgDef("more", type_list_attr="Ts")),
            ),
            "Concat(axis: int32, values: N*T) -> (ref: Ref(T), more: Ts); N: int >= 2; "
            "T: float, int32 = float; mode: 'a', 'b' = 'a'; Ts: list(float); on: bool = false",
            id="everything",
        ),
        pytest.param(OpDef("NoOp", ""), "NoOp() -> ()", id="nothing"),
    ],
)
def test_a_signature_reads_as_the_definition(opdef: OpDef, text: str) -> None:
    assert signature(opdef) == text


def test_columns_are_the_types_that_there_are_in_tensorflows_order() -> None:
    more = [kernel("Add", "A", "a", (2,)), kernel("Identity", "I", "i", (19,))]
    rows = op_rows(registry(more=more), PURPOSES, REASONS)
    assert type_columns(rows) == ["float", "double", "int32", "half"]


@pytest.mark.parametrize("form", ["md", "html", "txt"])
def test_the_table_is_written_as_in_the_golden_file(form: str) -> None:
    strange = [kernel("Add", "Odd<1, '&'>", "odd", (INT32,), label="fast", priority=2, values=(("n", (1,)),))]
    rows = op_rows(registry(more=strange), PURPOSES, REASONS)
    pairs = [(row, main_attr(row)) for row in rows]
    text = render(f"ops.{form}.j2", rows=rows, pairs=pairs, columns=type_columns(rows), place=PLACE)
    assert text == (GOLDEN / f"ops.{form}").read_text()


def test_equal_registries_give_equal_tables() -> None:
    backwards = replace(registry(), ops=dict(reversed(registry().ops.items())))
    assert [row.name for row in op_rows(backwards, PURPOSES, REASONS)] == [row.name for row in ROWS]
