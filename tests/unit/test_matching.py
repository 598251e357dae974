"""The runtime's choice of a kernel for a node."""

from __future__ import annotations

import pytest

from tfcross.errors import TfcrossError
from tfcross.registry.opdef import ArgDef, AttrDef, OpDef
from tfcross.registry.parser import Kernel
from tfcross.selection.matching import match_node, op_types, with_defaults
from tfcross.selection.mismatch import Gap, Mismatch, explain

CAST = OpDef(
    "Cast",
    "ops/math_ops.cc",
    attrs=(
        AttrDef("SrcT", "type"),
        AttrDef("DstT", "type", default=1),
        AttrDef("mode", "string", default="near", allowed_strings=("near", "down")),
        AttrDef("Ts", "list(type)", default=()),
    ),
)
ADD = OpDef("Add", "ops/math_ops.cc", attrs=(AttrDef("T", "type", allowed=(1, 2, 3, 9)),))


def kernel(
    op: str = "Add",
    device: str = "CPU",
    label: str = "",
    priority: int = 0,
    file: str = "kernels/add.cc",
    values: tuple[tuple[str, tuple[int | bool | str, ...]], ...] = (),
    **types: tuple[int, ...],
) -> Kernel:
    name = f"{op}Op<{device}, {sorted(types.items())}>"
    return Kernel(op, device, label, priority, tuple(types.items()), (), name, file, False, values)


def test_kernel_of_the_nodes_type_is_found() -> None:
    kernels = [kernel(T=(1,)), kernel(T=(3,)), kernel("Sub", T=(3,))]
    assert match_node(ADD, {"T": 3}, kernels) == kernels[1]


def test_type_may_be_given_by_its_name() -> None:
    kernels = [kernel(T=(1,)), kernel(T=(3,))]
    assert match_node(ADD, {"T": "DT_INT32"}, kernels) == kernels[1]


def test_default_of_the_op_stands_in_for_an_attr_that_is_not_given() -> None:
    kernels = [kernel("Cast", DstT=(3,)), kernel("Cast", DstT=(1,))]
    assert match_node(CAST, {"SrcT": 9}, kernels) == kernels[1]


def test_every_constraint_must_hold() -> None:
    kernels = [kernel("Cast", SrcT=(9,), DstT=(3,)), kernel("Cast", SrcT=(9,), DstT=(1, 2))]
    assert match_node(CAST, {"SrcT": 9, "DstT": 2}, kernels) == kernels[1]


@pytest.mark.parametrize(
    ("types", "found"),
    [
        pytest.param((1, 3), True, id="each is allowed"),
        pytest.param((1, 9), False, id="one is not"),
        pytest.param((), True, id="none at all"),
    ],
)
def test_constraint_on_a_list_holds_for_each_element(types: tuple[int, ...], found: bool) -> None:
    kernels = [kernel("Cast", Ts=(1, 3))]
    match = match_node(CAST, {"SrcT": 1, "Ts": types}, kernels)
    assert (match == kernels[0]) is found


def test_constraint_on_a_string_holds_for_bytes_and_text() -> None:
    kernels = [kernel("Cast", values=(("mode", ("down",)),))]
    assert match_node(CAST, {"SrcT": 1, "mode": b"down"}, kernels) == kernels[0]
    assert match_node(CAST, {"SrcT": 1, "mode": "down"}, kernels) == kernels[0]
    assert match_node(CAST, {"SrcT": 1}, kernels) == Mismatch(
        "type", "CPU", ("CPU",), (Gap("mode", ("near",), ("down",), False),)
    )


def test_highest_priority_wins() -> None:
    kernels = [kernel(T=(1,)), kernel(priority=2, T=(1,)), kernel(priority=1)]
    assert match_node(ADD, {"T": 1}, kernels) == kernels[1]


def test_two_kernels_of_one_priority_are_ambiguous() -> None:
    kernels = [kernel(T=(1,), file="kernels/b.cc"), kernel(T=(1,), file="kernels/a.cc")]
    assert match_node(ADD, {"T": 1}, kernels) == Mismatch(
        "ambiguous", "CPU", files=("kernels/a.cc", "kernels/b.cc")
    )


def test_label_of_the_node_must_be_the_kernels() -> None:
    kernels = [kernel(T=(1,)), kernel(label="host", T=(1,))]
    assert match_node(ADD, {"T": 1, "_kernel": b"host"}, kernels) == kernels[1]
    assert match_node(ADD, {"T": 1}, kernels) == kernels[0]
    assert match_node(ADD, {"T": 1, "_kernel": "gpu"}, kernels) == Mismatch(
        "label", "CPU", ("CPU",), label="gpu", labels=("host", "none")
    )


def test_kernel_for_any_device_stands_in_where_the_device_has_none() -> None:
    anywhere, here = kernel(device="DEFAULT", T=(3,)), kernel(T=(1,))
    assert match_node(ADD, {"T": 3}, [anywhere, here]) == anywhere
    assert match_node(ADD, {"T": 1}, [anywhere, here]) == here


MISMATCHES = [
    pytest.param(
        {"T": 1},
        [],
        Mismatch("no kernel", "CPU"),
        "op 'Add' has no kernel for any device. Strip the node, or compile the op's own sources.",
        id="no kernel at all",
    ),
    pytest.param(
        {"T": 1},
        [kernel(device="GPU", T=(1,))],
        Mismatch("device", "CPU", ("GPU",)),
        "op 'Add' has no CPU kernel, only for GPU. Strip or replace the node.",
        id="another device",
    ),
    pytest.param(
        {"T": 9},
        [kernel(T=(3,)), kernel(T=(1,)), kernel(device="GPU", T=(9,))],
        Mismatch("type", "CPU", ("CPU", "GPU"), (Gap("T", (9,), (1, 3)),)),
        "op 'Add' has no CPU kernel for T=int64. Compiled: T: float, int32. "
        "If this is TYPES=slim: TYPES=full has more types.",
        id="type not compiled",
    ),
    pytest.param(
        {},
        [kernel(T=(3,))],
        Mismatch("missing attr", "CPU", gaps=(Gap("T", (), (), False),)),
        "op 'Add' needs the attribute T, which has no default. Export the model again.",
        id="attr missing",
    ),
    pytest.param(
        {"T": 7},
        [kernel(T=(7,))],
        Mismatch("not allowed", "CPU", gaps=(Gap("T", (7,), (1, 2, 3, 9)),)),
        "op 'Add' does not allow T=string; allowed: float, double, int32, int64. Export the model again.",
        id="type that the op does not allow",
    ),
]


@pytest.mark.parametrize(("attrs", "kernels", "mismatch", "message"), MISMATCHES)
def test_mismatch_tells_why_and_what_there_is(
    attrs: dict[str, object], kernels: list[Kernel], mismatch: Mismatch, message: str
) -> None:
    assert match_node(ADD, attrs, kernels) == mismatch
    assert explain("Add", mismatch).text == message


def test_mismatch_of_a_combination_tells_the_nearest_kernels_types() -> None:
    kernels = [
        kernel("Cast", SrcT=(1,), DstT=(3,)),
        kernel("Cast", SrcT=(3,), DstT=(2,)),
        kernel("Cast", SrcT=(9,), DstT=(9,)),
    ]
    assert match_node(CAST, {"SrcT": 1, "DstT": 2}, kernels) == Mismatch(
        "type", "CPU", ("CPU",), (Gap("DstT", (2,), (3,)), Gap("SrcT", (1,), (3,)))
    )


def test_string_that_the_op_does_not_allow_is_told() -> None:
    mismatch = match_node(CAST, {"SrcT": 1, "mode": b"up"}, [kernel("Cast")])
    assert mismatch == Mismatch("not allowed", "CPU", gaps=(Gap("mode", ("up",), ("near", "down"), False),))
    assert explain("Cast", mismatch).what == "op 'Cast' does not allow mode=up; allowed: near, down"


def test_empty_attr_counts_as_not_given() -> None:
    assert with_defaults(CAST, {"SrcT": 1, "DstT": None}) == {"SrcT": 1, "DstT": 1, "mode": "near", "Ts": ()}


CONCAT = OpDef(
    "Concat",
    "ops/array_ops.cc",
    attrs=(AttrDef("N", "int"), AttrDef("T", "type", 1), AttrDef("Tout", "list(type)")),
    inputs=(ArgDef("dim", 3), ArgDef("values", type_attr="T", number_attr="N")),
    outputs=(ArgDef("ref", type_attr="T", is_ref=True), ArgDef("rest", type_list_attr="Tout")),
)


def test_types_of_inputs_and_outputs_follow_the_attrs() -> None:
    assert op_types(CONCAT, {"N": 3, "T": 2, "Tout": (9, 10)}) == ((3, 2, 2, 2), (102, 9, 10))


def test_types_need_the_attrs_that_tell_them() -> None:
    with pytest.raises(TfcrossError) as caught:
        op_types(CONCAT, {"T": 2, "Tout": ()})
    assert str(caught.value) == "op 'Concat' needs the attribute N. Export the model again."
