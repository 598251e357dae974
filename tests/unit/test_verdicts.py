"""The verdict on a node, with its cause and what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from small_registry import FLOAT, INT32, calls, kernel, model, node, registry, typed

from tfcross.check.model import check_model
from tfcross.check.purposes import load_purposes
from tfcross.check.verdicts import Judge, Rules, Verdict
from tfcross.errors import TfcrossError
from tfcross.graph.node import AttrSummary, Node
from tfcross.registry.opdef import ArgDef, AttrDef, OpDef
from tfcross.registry.parser import Kernel
from tfcross.registry.registry import Registry
from tfcross.selection.rule import KernelRule
from tfcross.selection.selector import select

PURPOSES = load_purposes(Path(__file__).parents[2])
MORE_OPS = (
    OpDef("SaveV2", "io_ops.cc"),
    OpDef("ApplyAdam", "training_ops.cc", attrs=(AttrDef("T", "type"),)),
    OpDef("Pad", "array_ops.cc", attrs=(AttrDef("mode", "string", allowed_strings=("A", "B")),)),
    OpDef("Sum", "math_ops.cc", attrs=(AttrDef("T", "type"), AttrDef("N", "int", minimum=2))),
    OpDef("Old", "nn_ops.cc", removed=9, removed_why="Use New"),
    OpDef("Crop", "image_ops.cc"),
    OpDef("While", "functional_ops.cc"),
)
MORE_KERNELS = (
    kernel("SaveV2", "SaveV2Op", "save_op"),
    kernel("ApplyAdam", "ApplyAdamOp<float>", "training_ops", (FLOAT,)),
    kernel("Pad", "PadOp", "pad_op"),
    kernel("Sum", "SumOp", "sum_op", (FLOAT,)),
    kernel("Old", "OldOp", "old_op"),
    kernel("Crop", "FastCrop", "crop_op", label="fast"),
)


def everything(kernels: Sequence[Kernel] = ()) -> Registry:
    base = registry(more=(*MORE_KERNELS, *kernels))
    return replace(base, ops={**base.ops, **{op.name: op for op in MORE_OPS}})


def rules(inserted: Mapping[str, Sequence[str]] | None = None, **changes: object) -> Rules:
    unavailable = {"tensorflow/core/kernels/save_op.cc": "it needs a newer re2"}
    always, usual = {"_Arg": "feeds"}, {"While": ("Identity",)}
    plain = Rules(KernelRule(everything(), always, inserted or usual, unavailable), PURPOSES)
    return replace(plain, **changes)  # type: ignore[arg-type]


def verdict(
    of: Node, producer: int = 20, inserted: Mapping[str, Sequence[str]] | None = None, **changes: object
) -> Verdict:
    return Judge(rules(inserted, **changes), {"body"}, producer).verdict(of)


def text(value: str) -> AttrSummary:
    return AttrSummary("string", value)


def on(device: str) -> Node:
    return Node("x", "Add", (), device, {"T": typed("float")})


@pytest.mark.parametrize(
    "of",
    [
        pytest.param(node("x", "Add", T=typed("float")), id="kernel of the type"),
        pytest.param(node("x", "Identity", T=typed("float")), id="kernel for any device"),
        pytest.param(node("x", "body"), id="call of a function"),
        pytest.param(node("x", "While"), id="op that runs as others"),
        pytest.param(node("x", "MatMul", "f", T=AttrSummary("placeholder", "T")), id="type of the caller"),
        pytest.param(node("x", "Sum", T=typed("float"), N=AttrSummary("int", 2)), id="least value"),
        pytest.param(node("x", "Crop", _kernel=text("fast")), id="label"),
        pytest.param(on("/job:localhost/replica:0/task:0/device:CPU:0"), id="the CPU by its full name"),
        pytest.param(on("/cpu:*"), id="any CPU"),
    ],
)
def test_a_node_that_has_a_kernel_runs(of: Node) -> None:
    assert verdict(of).runs


@pytest.mark.parametrize(
    ("of", "cause", "what", "remedy"),
    [
        pytest.param(
            node("x", "SaveV2"),
            "checkpoint",
            "a checkpoint op, which inference does not need, and op 'SaveV2' is in "
            "tensorflow/core/kernels/save_op.cc, which is not built: it needs a newer re2",
            "strip it: name the OUTPUTS=, which drops the saver; or pass the checkpoint, which a build "
            "freezes (docs/models.md#freezing)",
            id="checkpoint op",
        ),
        pytest.param(
            node("x", "ApplyAdam", T=typed("half")),
            "training",
            "a training-only op, and op 'ApplyAdam' has no CPU kernel for T=half. Compiled: T: float",
            "strip it: name the OUTPUTS=, which drops what they do not need (docs/models.md#cutting)",
            id="training-only op",
        ),
        pytest.param(
            node("x", "Conv9D"),
            "no kernel",
            "op 'Conv9D' is not defined by this release",
            "A custom op needs its own sources (OPS_DIR=), a newer op a newer RELEASE.",
            id="unknown op",
        ),
        pytest.param(
            node("x", "CudnnRNN"),
            "no kernel",
            "op 'CudnnRNN' has no CPU kernel, only for GPU",
            "Strip or replace the node.",
            id="GPU only",
        ),
        pytest.param(
            node("x", "MatMul", T=typed("int32")),
            "type",
            "op 'MatMul' has no CPU kernel for T=int32. Compiled: T: float",
            "TensorFlow has no such CPU kernel: cast in the graph to a type that there is.",
            id="type",
        ),
        pytest.param(
            node("x", "Crop", _kernel=text("slow")),
            "no kernel",
            "op 'Crop' has no CPU kernel with the label 'slow'",
            "Remove _kernel; the labels that there are: fast.",
            id="label",
        ),
        pytest.param(
            node("x", "Add", T=typed("double")),
            "graph",
            "op 'Add' does not allow T=double; allowed: float, int32",
            "Export the model again.",
            id="type that the op does not allow",
        ),
        pytest.param(
            node("x", "Sum", T=typed("float"), N=AttrSummary("int", 1)),
            "graph",
            "attribute N of op 'Sum' has 1, and at least 2 is allowed",
            "Export the model again.",
            id="value below the minimum",
        ),
        pytest.param(
            node("x", "Sum", T=typed("float"), N=AttrSummary("float", 1.0)),
            "graph",
            "attribute N of op 'Sum' should be int and is float",
            "Export the model again.",
            id="value of another kind",
        ),
        pytest.param(
            node("x", "Old"),
            "graph",
            "op 'Old' was removed in GraphDef version 9, and this graph is of version 20",
            "Use New.",
            id="op that is gone",
        ),
        pytest.param(
            node("x", "Identity", T=typed("float"), f=calls("nobody")),
            "graph",
            "it calls the function 'nobody', which the graph does not have",
            "Export the model again.",
            id="function that is not there",
        ),
        pytest.param(
            on("/device:GPU:0"),
            "device",
            "it is pinned to '/device:GPU:0', and there is one device, CPU:0",
            "Clear the device in the graph, or set allow_soft_placement in the ConfigProto.",
            id="GPU",
        ),
        pytest.param(
            on("/job:worker/task:1"),
            "device",
            "it is pinned to '/job:worker/task:1', and there is only this machine",
            "Clear the device in the graph.",
            id="another machine",
        ),
        pytest.param(
            on("GPU"),
            "device",
            "its device 'GPU' is no device name",
            "Clear the device in the graph.",
            id="no device name",
        ),
    ],
)
def test_a_node_that_cannot_run_has_a_cause(of: Node, cause: str, what: str, remedy: str) -> None:
    assert verdict(of) == Verdict(cause, what, remedy)


def test_an_op_that_was_removed_later_than_the_graph_was_made_runs() -> None:
    assert verdict(node("x", "Old"), producer=8).runs


def test_a_type_that_other_words_compile_is_told_with_the_file() -> None:
    full = everything([kernel("MatMul", "MatMulOp<CPUDevice, int32>", "matmul_op_int", (INT32,))])
    of = node("x", "MatMul", T=typed("int32"))
    found = verdict(of, others={"TYPES=tiny": everything, "TYPES=full": lambda: full})
    assert (found.cause, found.remedy) == (
        "type",
        "TYPES=full compiles it (tensorflow/core/kernels/matmul_op_int.cc).",
    )


def test_training_ops_that_run_are_told_to_be_of_no_use() -> None:
    found = verdict(node("x", "ApplyAdam", T=typed("float")))
    assert found.runs
    assert found.notes[0].startswith("a training-only op: it runs, but strip it")


def test_attributes_of_a_later_release_are_ignored_or_refused() -> None:
    of = node("x", "Add", T=typed("float"), later=AttrSummary("bool", False))
    assert verdict(of).notes == ("attributes that this release does not know, and ignores: later",)
    refused = verdict(of, refuses_unknown_attrs=True)
    assert (refused.cause, refused.what) == (
        "graph",
        "op 'Add' has no attribute 'later' here; it is of a later release",
    )


def test_a_type_of_a_later_release_is_refused() -> None:
    of_any_type = node("x", "Placeholder", dtype=typed("float8_e5m2"))
    assert verdict(of_any_type).runs
    found = verdict(of_any_type, data_types=frozenset({"DT_FLOAT"}))
    assert (found.cause, found.what, found.remedy) == (
        "graph",
        "attribute dtype of op 'Placeholder' is DT_FLOAT8_E5M2, a type of a later release",
        "Take a newer RELEASE, or another type in the graph.",
    )


def test_an_op_that_runs_as_others_needs_those_of_the_library() -> None:
    loop, other = node("x", "While"), frozenset({("While", ""), ("Add", "of another type")})
    inserted = {"While": ("Identity",)}
    assert verdict(
        loop, library=frozenset({("While", ""), ("Identity", "IdentityOp")}), inserted=inserted
    ).runs
    undefined = verdict(loop, library=frozenset({("Identity", "IdentityOp")}), inserted=inserted)
    assert (undefined.cause, undefined.what) == ("library", "the library does not define op 'While'")
    lacks = verdict(loop, library=other, inserted=inserted)
    assert (lacks.cause, lacks.what) == (
        "library",
        "the library has no kernel for op 'Identity', which takes the place of 'While'",
    )
    assert verdict(loop, library=other, inserted={"While": ("(Identity)",)}).runs


def test_a_library_that_is_there_has_what_it_was_built_with() -> None:
    library = frozenset({("Add", "BinaryOp<CPUDevice, functor::add<float>>")})
    assert verdict(node("x", "Add", T=typed("float")), library=library).runs
    other = verdict(node("x", "Add", T=typed("int32")), library=library)
    assert (other.cause, other.what) == ("library", "the library has no kernel for op 'Add' with T=int32")
    assert verdict(node("x", "MatMul", T=typed("float")), library=library).cause == "library"
    assert verdict(node("x", "Crop", _kernel=text("no")), library=library).cause == "no kernel"


WIRED = Registry(
    {
        "Two": OpDef(
            "Two", "", inputs=(ArgDef("a", FLOAT), ArgDef("b", INT32)), outputs=(ArgDef("y", FLOAT),)
        ),
        "One": OpDef("One", "", outputs=(ArgDef("y", FLOAT),)),
        "Int": OpDef("Int", "", outputs=(ArgDef("y", INT32),)),
        "NoOp": OpDef("NoOp", ""),
    },
    tuple(kernel(op, f"{op}Op", "ops") for op in ("Two", "One", "Int", "NoOp")),
)


@pytest.mark.parametrize(
    ("inputs", "told"),
    [
        pytest.param(("one", "int"), "", id="as the op wants"),
        pytest.param(("one", "int:0", "^no"), "", id="with a control input"),
        pytest.param(("one",), "node 'x' takes 1 tensors, and its op 2", id="one too few"),
        pytest.param(("one", "one"), "node 'x' takes 'one', which is float, not int32", id="another type"),
        pytest.param(
            ("one", "int:1"), "node 'x' takes 'int:1', and 'int' has 1 outputs", id="no such output"
        ),
        pytest.param(
            ("one", "^no", "int"),
            "node 'x' takes a tensor behind a control input ('int')",
            id="tensor behind control",
        ),
    ],
)
def test_what_flows_into_a_node_must_be_what_its_op_takes(inputs: tuple[str, ...], told: str) -> None:
    nodes = [Node("x", "Two", inputs, "", {}), node("one", "One"), node("int", "Int"), node("no", "NoOp")]
    check = check_model(model(*nodes), Rules(KernelRule(WIRED), PURPOSES), 30)
    assert [verdict.what for _, verdict in check.bad()] == ([told] if told else [])
    assert check.runs == (not told)


def test_a_name_with_a_full_stop_is_no_end_of_a_sentence() -> None:
    nodes = [Node("x", "Two", ("x. y:0", "x. y:5"), "", {}), node("x. y", "One")]
    check = check_model(model(*nodes), Rules(KernelRule(WIRED), PURPOSES), 30)
    assert [(verdict.what, verdict.remedy) for _, verdict in check.bad()] == [
        ("node 'x' takes 'x. y:5', and 'x. y' has 1 outputs", "Export the model again.")
    ]


def test_a_graph_for_later_releases_only_is_refused() -> None:
    late = replace(model(node("one", "One")), min_consumer=31)
    check = check_model(late, Rules(KernelRule(WIRED), PURPOSES), 30)
    assert not check.runs
    assert check.refused == (
        "the graph asks for GraphDef version 31 or later, and this release has 30. Take a newer RELEASE.",
    )


def test_what_comes_with_a_model_is_told() -> None:
    main = [
        node("s", "Add", T=typed("float")),
        node("c", "MatMul", T=typed("float"), f=calls("body")),
        node("c2", "body"),
    ]
    checked = model(*main, functions={"body": [node("r", "Add", "body", T=typed("int32"))]})
    check = check_model(checked, rules(), 30)
    assert check.features() == {"functions": ["body"]}
    assert check.inserted()["_Arg"] == "feeds"
    assert check.selection
    assert len(check.selection.kernels) == 5


CASES = [
    node(f"{op}-{name}", op, **attrs)
    for op in (*everything().ops, "Unheard")
    for name, attrs in {
        "none": {},
        **{t: {"T": typed(t), "dtype": typed(t)} for t in ("float", "int32", "double")},
    }.items()
]


@pytest.mark.parametrize("of", CASES, ids=[case.name for case in CASES])
def test_the_verdict_is_that_of_the_build(of: Node) -> None:
    """The build knows no devices, and leaves what the runtime alone refuses to the runtime."""
    given = rules()
    found = Judge(given, ()).verdict(of)
    if found.cause == "graph" and found.what.startswith("attribute"):
        return
    try:
        select([model(of)], given.kernels)
    except TfcrossError as error:
        assert not found.runs, str(error)
    else:
        assert found.runs
