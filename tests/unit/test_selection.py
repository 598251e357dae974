"""What a model keeps of a registry."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from small_registry import ARRAY, DATASET, FUNCTION, MATH, calls, kernel, model, node, registry, rule, typed

from tfcross.errors import TfcrossError
from tfcross.graph.model import Model
from tfcross.graph.node import AttrSummary
from tfcross.registry.parser import Problem
from tfcross.registry.registry import Registry
from tfcross.selection.refusal import Refusal
from tfcross.selection.rule import Served
from tfcross.selection.selection import FileSelection, Reason, Selection
from tfcross.selection.selector import select, select_all

KERNELS = "tensorflow/core/kernels"
ALWAYS = {"_Arg": "feeds"}
ADD = model(node("x", "Placeholder", dtype=typed("float")), node("sum", "Add", T=typed("float")))


def test_a_model_keeps_its_ops_the_kernels_of_its_types_and_their_files() -> None:
    chosen = select([ADD], rule())
    assert chosen.ops == ("Add", "Placeholder")
    assert chosen.kernels == (
        ("Add", "BinaryOp<CPUDevice, functor::add<float>>"),
        ("Placeholder", "PlaceholderOp"),
    )
    assert chosen.files == (f"{KERNELS}/add_op.cc", f"{KERNELS}/constant_op.cc", ARRAY, MATH)
    assert chosen.reasons == {"Add": Reason("graph", "sum"), "Placeholder": Reason("graph", "x")}
    assert not chosen.gradients


def test_several_models_keep_the_sum_of_what_each_keeps() -> None:
    ints = model(node("n", "Add", T=typed("int32")))
    assert select([ADD, ints], rule()).kernels == (
        ("Add", "BinaryOp<CPUDevice, functor::add<float>>"),
        ("Add", "BinaryOp<CPUDevice, functor::add<int32>>"),
        ("Placeholder", "PlaceholderOp"),
    )


def test_a_node_that_no_output_needs_keeps_its_kernel_too() -> None:
    lonely = model(node("y", "Identity", T=typed("float")), node("x", "Placeholder", dtype=typed("float")))
    assert select([lonely], rule()).kernels == (
        ("Identity", "IdentityOp"),
        ("Placeholder", "PlaceholderOp"),
    )


def test_a_kernel_for_any_device_serves_the_cpu() -> None:
    chosen = select([model(node("y", "Identity", T=typed("float")))], rule())
    assert chosen.kernels == (("Identity", "IdentityOp"),)


def test_the_nodes_of_called_functions_count_with_the_function_as_their_reason() -> None:
    caller = model(
        node("call", "f"),
        functions={
            "f": [node("a", "Add", "f", T=typed("int32")), node("g", "g", "f")],
            "g": [node("m", "MatMul", "g", T=typed("float"))],
            "unused": [node("c", "CudnnRNN", "unused")],
        },
    )
    chosen = select([caller], rule())
    assert chosen.reasons == {"Add": Reason("function", "f"), "MatMul": Reason("function", "g")}


def test_types_that_only_the_callers_know_keep_all_cpu_kernels() -> None:
    body = [node("a", "Add", "f", T=AttrSummary("placeholder", "T"))]
    assert select([model(node("call", "f"), functions={"f": body})], rule()).kernels == (
        ("Add", "BinaryOp<CPUDevice, functor::add<float>>"),
        ("Add", "BinaryOp<CPUDevice, functor::add<int32>>"),
    )


def test_an_op_that_a_function_attribute_names_is_kept_with_all_its_cpu_kernels() -> None:
    chosen = select([model(node("grad", "SymbolicGradient", f=calls("MatMul")))], rule())
    assert chosen.reasons["MatMul"] == Reason("function", "attribute of grad")
    assert ("MatMul", "MatMulOp<CPUDevice, float>") in chosen.kernels
    assert chosen.gradients


def test_what_the_runtime_always_needs_is_kept_with_its_reason() -> None:
    chosen = select([], rule(always={"Add": "folding", "Identity": "lowering"}))
    assert chosen.reasons == {"Add": Reason("runtime", "folding"), "Identity": Reason("runtime", "lowering")}
    assert [text for _, text in chosen.kernels] == [
        "BinaryOp<CPUDevice, functor::add<float>>",
        "BinaryOp<CPUDevice, functor::add<int32>>",
        "IdentityOp",
    ]


def test_ops_that_the_runtime_puts_in_anothers_place_come_with_it() -> None:
    inserted = {"MatMul": ["Identity"], "PartitionedCall": ["Add"], "CudnnRNN": ["_Arg"]}
    product = model(node("m", "MatMul", T=typed("float")))
    assert select([product], rule(inserted=inserted)).reasons == {
        "Identity": Reason("runtime", "may stand in the place of MatMul"),
        "MatMul": Reason("graph", "m"),
    }
    call = model(node("call", "f"), functions={"f": []})
    assert select([call], rule(inserted=inserted)).ops == ("Add",)


def test_an_inserted_op_that_does_not_exist_is_an_error_of_the_release() -> None:
    with pytest.raises(TfcrossError) as caught:
        select([ADD], rule(inserted={"Add": ["Gone"]}))
    assert str(caught.value) == "core.yaml: inserted: this release defines no op 'Gone'; take it out."


def test_a_selected_file_brings_what_it_registers_unasked_and_the_ops_of_that() -> None:
    chosen = select([], rule(always=ALWAYS))
    file = f"{KERNELS}/function_ops.cc"
    assert chosen.files == (file, FUNCTION)
    assert chosen.kernels == (("_Arg", "ArgOp"), ("_ListToArray", "PassOn"))
    assert chosen.reasons == {
        "_Arg": Reason("runtime", "feeds"),
        "_DeviceArg": Reason("runtime", f"{FUNCTION} always registers it"),
        "_ListToArray": Reason("runtime", f"{file} always registers it"),
    }


def test_system_kernels_are_followed_from_file_to_file() -> None:
    there = kernel("WrapDatasetVariant", "SystemWrap", "add_op", system=True)
    chosen = select([ADD], rule(of=registry(more=[there])))
    assert DATASET in chosen.files
    assert "WrapDatasetVariant" in chosen.ops
    assert f"{KERNELS}/wrap_op.cc" not in chosen.files


def test_every_selected_kernel_has_its_op() -> None:
    chosen = select_all([f"{KERNELS}/function_ops.cc", f"{KERNELS}/matmul_op.cc"], rule(always=ALWAYS))
    assert chosen.ops == ("MatMul", "_Arg", "_DeviceArg", "_ListToArray")
    assert {op for op, _ in chosen.kernels} <= set(chosen.ops)
    assert chosen.files == (f"{KERNELS}/function_ops.cc", f"{KERNELS}/matmul_op.cc", FUNCTION, MATH)


def test_without_a_model_all_cpu_registrations_of_the_files_are_kept() -> None:
    chosen = select_all([f"{KERNELS}/add_op.cc", ARRAY], rule())
    assert chosen.ops == ("Add", "CudnnRNN", "Identity", "Placeholder")
    assert [text for _, text in chosen.kernels] == [
        "BinaryOp<CPUDevice, functor::add<float>>",
        "BinaryOp<CPUDevice, functor::add<int32>>",
    ]
    assert chosen.reasons["Add"] == Reason("release", f"{KERNELS}/add_op.cc")
    assert chosen.gradients


def test_without_a_model_a_kernel_for_any_device_is_kept_only_where_the_cpu_has_none() -> None:
    for_any = kernel("Add", "BinaryOp<CPUDevice, functor::add<int64>>", "add_op", (9,), device="DEFAULT")
    chosen = select_all(
        [f"{KERNELS}/add_op.cc", f"{KERNELS}/identity_op.cc"], rule(of=registry(more=[for_any]))
    )
    assert [text for _, text in chosen.kernels] == [
        "BinaryOp<CPUDevice, functor::add<float>>",
        "BinaryOp<CPUDevice, functor::add<int32>>",
        "IdentityOp",
    ]


def test_a_file_gets_the_part_that_it_registers() -> None:
    chosen = select([ADD], rule())
    assert chosen.of_file(MATH) == FileSelection(("Add",), (), False)
    assert chosen.of_file(f"{KERNELS}/add_op.cc") == FileSelection(
        (), (("Add", "BinaryOp<CPUDevice, functor::add<float>>"),), False
    )
    assert chosen.of_file("tensorflow/core/framework/dataset.cc") == FileSelection((), (), False)


def test_two_models_that_keep_the_same_of_a_file_share_its_key_and_no_others() -> None:
    one = select([ADD], rule())
    two = select([model(node("sum", "Add", T=typed("float")))], rule())
    assert one.of_file(MATH).key == two.of_file(MATH).key
    assert one.key != two.key
    assert one.key == "35763ec20ba23b69"  # names folders: must not change from run to run


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        pytest.param(
            model(node("x", "Frobnicate")),
            "m.pb: node 'x': op 'Frobnicate' is not defined by this release. A custom op needs its "
            "own sources (OPS_DIR=), a newer op a newer RELEASE.",
            id="unknown op",
        ),
        pytest.param(
            model(node("call", "f"), functions={"f": [node("rnn", "CudnnRNN", "f")]}),
            "m.pb: node 'rnn' of function 'f': op 'CudnnRNN' has no CPU kernel, only for GPU. "
            "Strip or replace the node.",
            id="no CPU kernel, in a function",
        ),
        pytest.param(
            model(node("product", "MatMul", T=typed("int32"))),
            "m.pb: node 'product': op 'MatMul' has no CPU kernel for T=int32. Compiled: T: float. "
            "If this is TYPES=slim: TYPES=full has more types.",
            id="type",
        ),
        pytest.param(
            model(node("sum", "Add", T=typed("half"))),
            "m.pb: node 'sum': op 'Add' does not allow T=half; allowed: float, int32. "
            "Export the model again.",
            id="type that the op does not have",
        ),
    ],
)
def test_a_node_that_cannot_run_is_named_with_its_op(broken: Model, message: str) -> None:
    with pytest.raises(TfcrossError) as caught:
        select([broken], rule())
    assert str(caught.value) == message


def test_an_op_that_is_always_needed_and_does_not_exist_is_an_error_of_the_release() -> None:
    with pytest.raises(TfcrossError) as caught:
        select([], rule(always={"_Gone": "old times"}))
    assert str(caught.value) == "core.yaml: always: this release defines no op '_Gone'; take it out."


HALF = Problem(f"{KERNELS}/add_op.cc", "Add", "kernel Add: unknown type Half of T")
NAMELESS = Problem(f"{KERNELS}/add_op.cc", "", "priority kHigh")
MATMUL = Problem(
    f"{KERNELS}/matmul_op.cc", "MatMul", "'+ 1' behind the kernel builder ::tensorflow::Name(\"MatMul\") + 1"
)
ELSEWHERE = Problem(f"{KERNELS}/far_op.cc", "Far", "kernel Far: unknown type Half of T")
BROKEN_OP = Problem(MATH, "Broken", "op Broken: 'T: flot' has an unknown type")
TWICE = Problem(ARRAY, "Add", f"op Add is defined in {MATH} already", twice=True)
REMEDY = "Correct that source (SOURCE_tensorflow=…), or report it."


@pytest.mark.parametrize("problem", [HALF, NAMELESS, ELSEWHERE, BROKEN_OP], ids=lambda problem: problem.what)
def test_unread_registrations_do_not_matter_to_a_node_that_has_its_kernel(problem: str) -> None:
    assert select([ADD], rule(of=registry([problem]))).ops == ("Add", "Placeholder")


ALL_TYPES = model(
    node("call", "f"), functions={"f": [node("a", "Add", "f", T=AttrSummary("placeholder", "T"))]}
)


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        pytest.param(
            lambda: select([model(node("b", "Broken"))], rule(of=registry([BROKEN_OP]))),
            f"m.pb: node 'b': op 'Broken': its definition cannot be read: {BROKEN_OP}. {REMEDY}",
            id="definition of a node's op",
        ),
        pytest.param(
            lambda: select([ADD], rule(of=registry([TWICE]))),
            f"m.pb: node 'sum': {TWICE}. {REMEDY}",
            id="second definition",
        ),
        pytest.param(
            lambda: select([model(node("m", "MatMul", T=typed("int32")))], rule(of=registry([MATMUL]))),
            "m.pb: node 'm': op 'MatMul' has no CPU kernel for T=int32. Compiled: T: float. "
            f"A registration cannot be read: {MATMUL}. {REMEDY}",
            id="the kernel that is missing may be it",
        ),
        pytest.param(
            lambda: select([ALL_TYPES], rule(of=registry([NAMELESS]))),
            f"m.pb: node 'a' of function 'f': op 'Add': a registration cannot be read: {NAMELESS}. {REMEDY}",
            id="all kernels are needed",
        ),
        pytest.param(
            lambda: select([], rule(always={"Add": "folding"}, of=registry([HALF]))),
            f"core.yaml: always: op 'Add': a registration cannot be read: {HALF}. {REMEDY}",
            id="always needed",
        ),
        pytest.param(
            lambda: select_all([f"{KERNELS}/add_op.cc"], rule(of=registry([ELSEWHERE, HALF]))),
            f"registry: a registration cannot be read: {HALF}. {REMEDY}",
            id="in a file of the whole set",
        ),
    ],
)
def test_an_unread_registration_that_may_be_needed_is_an_error(
    chosen: Callable[[], Selection], message: str
) -> None:
    with pytest.raises(TfcrossError) as caught:
        chosen()
    assert str(caught.value) == message


def test_a_whole_set_without_the_unread_file_is_no_error() -> None:
    whole: Registry = registry([ELSEWHERE])
    assert select_all([f"{KERNELS}/matmul_op.cc"], rule(of=whole)).ops == ("MatMul",)


NEEDS_ICU = {f"{KERNELS}/add_op.cc": "it needs ICU"}


def test_a_node_whose_kernel_cannot_be_built_is_refused_with_the_reason() -> None:
    with pytest.raises(TfcrossError) as caught:
        select([ADD], rule(unavailable=NEEDS_ICU))
    assert str(caught.value) == (
        f"{ADD.path}: node 'sum': op 'Add' is in {KERNELS}/add_op.cc, which is not built: it needs ICU. "
        "Do its work in the app, and feed the graph behind it (INPUTS=)."
    )


def test_a_build_without_a_model_leaves_out_what_cannot_be_built() -> None:
    files = [f"{KERNELS}/add_op.cc", f"{KERNELS}/constant_op.cc"]
    assert {op for op, _ in select_all(files, rule()).kernels} >= {"Add"}
    assert "Add" not in {op for op, _ in select_all(files, rule(unavailable=NEEDS_ICU)).kernels}


def test_every_node_that_nothing_serves_is_told_each_cause_once() -> None:
    half = [node(name, "Add", T=typed("half")) for name in ("a", "b", "c")]
    broken = model(*half, node("ok", "Add", T=typed("float")), node("x", "Frobnicate"))
    with pytest.raises(TfcrossError) as caught:
        select([broken], rule())
    assert str(caught.value).splitlines() == [
        "m.pb: node 'a' (and 2 more): op 'Add' does not allow T=half; allowed: float, int32. "
        "Export the model again.",
        "error: m.pb: node 'x': op 'Frobnicate' is not defined by this release. A custom op needs its own "
        "sources (OPS_DIR=), a newer op a newer RELEASE.",
    ]


def test_a_node_whose_types_only_its_callers_know_needs_a_cpu_kernel_too() -> None:
    unknown = node("rnn", "CudnnRNN", "f", T=AttrSummary("placeholder", "T"))
    with pytest.raises(TfcrossError, match="op 'CudnnRNN' has no CPU kernel. Strip or replace the node."):
        select([model(node("call", "f"), functions={"f": [unknown]})], rule())


def test_what_must_stand_in_the_place_of_a_node_is_looked_for_before_it_is_served() -> None:
    served = rule(inserted={"_DeviceArg": ("CudnnRNN",)}).serve(node("d", "_DeviceArg"))
    assert isinstance(served, Refusal)
    assert (served.kind, served.op) == ("no substitute", "_DeviceArg")
    assert rule(inserted={"_DeviceArg": ("(CudnnRNN)",)}).serve(node("d", "_DeviceArg")) == Served((), True)
