"""Which kernels come with a node for the ops that the runtime may put in its place."""

from __future__ import annotations

import pytest
from small_registry import FLOAT, INT32, calls, kernel, model, node, registry, rule, typed

from tfcross.errors import TfcrossError
from tfcross.graph.node import AttrSummary
from tfcross.registry.opdef import AttrDef, OpDef
from tfcross.registry.parser import Problem
from tfcross.selection.insertions import Insertion, Insertions, Types, fitting_kernels, single_types
from tfcross.selection.selection import Reason, Selection
from tfcross.selection.selector import select

FLOAT_ADD = ("Add", "BinaryOp<CPUDevice, functor::add<float>>")
INT_ADD = ("Add", "BinaryOp<CPUDevice, functor::add<int32>>")
PRODUCT = node("m", "MatMul", T=typed("float"))
INT_SUM = node("a", "Add", T=typed("int32"))


def kernels(inserted: dict[str, list[str]], *nodes: object) -> tuple[tuple[str, str], ...]:
    return select([model(*nodes)], rule(inserted=inserted)).kernels  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("type_of_node", "added"), [("float", FLOAT_ADD), ("int32", INT_ADD)], ids=["float", "int32"]
)
def test_only_the_kernels_for_the_nodes_own_type_come_with_it(
    type_of_node: str, added: tuple[str, str]
) -> None:
    copy = node("i", "Identity", T=typed(type_of_node))
    assert kernels({"Identity": ["Add"]}, copy) == (added, ("Identity", "IdentityOp"))


def test_nodes_of_several_types_bring_the_kernels_of_each() -> None:
    copies = [node(name, "Identity", T=typed(name)) for name in ("float", "int32", "float")]
    assert kernels({"Identity": ["Add"]}, *copies) == (FLOAT_ADD, INT_ADD, ("Identity", "IdentityOp"))


@pytest.mark.parametrize(
    "attr",
    [
        pytest.param({"dtype": typed("float")}, id="another name"),
        pytest.param({"T": AttrSummary("list(type)", ("DT_FLOAT",))}, id="a list of types"),
        pytest.param({"T": AttrSummary("placeholder", "T")}, id="only the callers know"),
    ],
)
def test_all_kernels_come_where_the_node_does_not_tell_the_type(attr: dict[str, AttrSummary]) -> None:
    holder = node("x", "Placeholder", **({"dtype": typed("float")} | attr))
    assert kernels({"Placeholder": ["Add"]}, holder) == (FLOAT_ADD, INT_ADD, ("Placeholder", "PlaceholderOp"))


def test_a_call_of_a_function_brings_all_kernels_of_what_inlining_inserts() -> None:
    chosen = select([model(node("c", "f"), functions={"f": []})], rule(inserted={"PartitionedCall": ["Add"]}))
    assert chosen.kernels == (FLOAT_ADD, INT_ADD)


def test_an_op_without_a_kernel_for_the_type_is_not_defined_either() -> None:
    chosen = select([model(INT_SUM)], rule(inserted={"Add": ["MatMul", "CudnnRNN", "Identity"]}))
    assert chosen.ops == ("Add", "Identity")


def in_parentheses(*nodes: object, always: dict[str, str] | None = None) -> Selection:
    inserted = {"MatMul": ["(Add)", "(Identity)"]}
    return select([model(*nodes)], rule(always=always or {}, inserted=inserted))  # type: ignore[arg-type]


def test_an_op_in_parentheses_brings_nothing_by_itself() -> None:
    assert in_parentheses(PRODUCT).ops == ("MatMul",)


@pytest.mark.parametrize("nodes", [(PRODUCT, INT_SUM), (INT_SUM, PRODUCT)], ids=["before", "behind"])
def test_an_op_in_parentheses_that_is_there_gets_the_nodes_types(nodes: tuple[object, ...]) -> None:
    chosen = in_parentheses(*nodes)
    assert chosen.kernels == (FLOAT_ADD, INT_ADD, ("MatMul", "MatMulOp<CPUDevice, float>"))
    assert chosen.reasons["Add"] == Reason("graph", "a")


def test_an_op_in_parentheses_that_is_always_there_gets_the_nodes_types() -> None:
    assert in_parentheses(PRODUCT, always={"_Arg": "feeds", "Identity": "inlining"}).kernels == (
        ("Identity", "IdentityOp"),
        ("MatMul", "MatMulOp<CPUDevice, float>"),
        ("_Arg", "ArgOp"),
        ("_ListToArray", "PassOn"),
    )


def test_an_op_in_parentheses_may_be_there_in_another_model() -> None:
    chosen = select([model(PRODUCT), model(INT_SUM)], rule(inserted={"MatMul": ["(Add)"]}))
    assert chosen.kernels[:2] == (FLOAT_ADD, INT_ADD)


def test_files_that_come_with_an_op_in_parentheses_may_bring_the_next() -> None:
    system = kernel("Identity", "SystemIdentity", "far_op", (), system=True)
    far = kernel("Add", "FarAdd", "far_op", (FLOAT,))
    chosen = select(
        [model(PRODUCT, INT_SUM)],
        rule(inserted={"MatMul": ["(Identity)", "(Add)"]}, of=registry(more=[system, far])),
    )
    assert [op for op, _ in chosen.kernels] == ["Add", "Add", "Add", "Identity", "Identity", "MatMul"]


REPLACED = node("n", "_DeviceArg", T=typed("float"))  # an op without kernels


def test_a_node_that_others_always_replace_needs_no_kernel() -> None:
    assert kernels({"_DeviceArg": ["Add", "(MatMul)"]}, REPLACED) == (FLOAT_ADD,)


def test_a_node_whose_replacement_has_no_kernel_is_refused() -> None:
    with pytest.raises(TfcrossError) as caught:
        kernels({"_DeviceArg": ["MatMul"]}, node("n", "_DeviceArg", T=typed("int32")))
    assert str(caught.value) == (
        "m.pb: node 'n': op '_DeviceArg' runs as others: 'MatMul', which has no CPU kernel for T=int32. "
        "If this is TYPES=slim: TYPES=full has more types."
    )


def test_an_op_that_has_kernels_elsewhere_is_not_taken_for_a_replaced_one() -> None:
    with pytest.raises(TfcrossError, match="op 'CudnnRNN' has no CPU kernel, only for GPU"):
        kernels({"CudnnRNN": ["Add"]}, node("r", "CudnnRNN"))


UNREAD = Problem("tensorflow/core/kernels/add_op.cc", "Add", "kernel Add: unknown type Half of T")


@pytest.mark.parametrize("entry", ["Add", "(Add)"])
def test_an_unread_registration_of_an_inserted_op_is_an_error(entry: str) -> None:
    with pytest.raises(TfcrossError) as caught:
        select([model(PRODUCT, INT_SUM)], rule(inserted={"MatMul": [entry]}, of=registry([UNREAD])))
    assert str(caught.value) == (
        f"core.yaml: inserted: op 'Add': a registration cannot be read: {UNREAD}. "
        "Correct that source (SOURCE_tensorflow=…), or report it."
    )


def test_an_op_in_parentheses_that_does_not_exist_is_an_error_too() -> None:
    with pytest.raises(TfcrossError) as caught:
        kernels({"MatMul": ["(Gone)"]}, PRODUCT)
    assert str(caught.value) == "core.yaml: inserted: this release defines no op 'Gone'; take it out."


def test_what_is_held_back_is_given_once() -> None:
    insertions = Insertions({"MatMul": ["Identity", "(Add)"]}, registry().ops)
    held = Insertion("Add", "MatMul", {"T": FLOAT})
    assert list(insertions.of("MatMul", {"T": FLOAT})) == [Insertion("Identity", "MatMul", {"T": FLOAT})]
    assert list(insertions.of("MatMul", {"T": FLOAT})) == []
    assert insertions.take(["Identity", "MatMul"]) == []
    assert insertions.take(["Add", "MatMul"]) == [held]
    assert insertions.take(["Add", "MatMul"]) == []


GATHER = OpDef(
    "Gather",
    "ops.cc",
    (
        AttrDef("T", "type"),
        AttrDef("Tindices", "type", INT32),
        AttrDef("Tall", "list(type)"),
        AttrDef("N", "int"),
    ),
)
GATHERS = [
    kernel("Gather", f"{t},{index}", "gather_op", constraints=(("T", (t,)), ("Tindices", (index,))))
    for t in (FLOAT, INT32)
    for index in (INT32, 9)
]


@pytest.mark.parametrize(
    ("types", "fitting"),
    [
        pytest.param({"T": FLOAT}, ["1,3", "1,9"], id="the other attr stays open"),
        pytest.param({"T": FLOAT, "Tindices": 9}, ["1,9"], id="both"),
        pytest.param({"Tall": 7, "N": 7, "U": 7}, ["1,3", "1,9", "3,3", "3,9"], id="attrs that hold no type"),
        pytest.param({"T": 7}, [], id="no kernel"),
    ],
)
def test_kernels_fit_that_allow_the_types_of_attrs_of_the_same_name(types: Types, fitting: list[str]) -> None:
    assert [kernel.class_text for kernel in fitting_kernels(GATHER, GATHERS, types)] == fitting


def test_a_node_tells_the_types_that_it_gives_and_the_defaults_of_the_others() -> None:
    given = node("g", "Gather", T=typed("float"), N=AttrSummary("int", 2), f=calls("f"))
    assert single_types(given, GATHER) == {"T": FLOAT, "Tindices": INT32}
    unknown = node("g", "Gather", T=AttrSummary("placeholder", "T"), Tindices=typed("int64"))
    assert single_types(unknown, GATHER) == {"Tindices": 9}
