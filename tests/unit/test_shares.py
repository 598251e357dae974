"""What each of several models costs."""

from __future__ import annotations

from small_registry import ARRAY, MATH, model, node, rule, typed

from tfcross.selection.costs import Share, find_shares, measured, share_lines
from tfcross.selection.selector import select

KERNELS = "tensorflow/core/kernels"
MODELS = [
    model(node("a", "Add", T=typed("float")), node("p", "Placeholder", dtype=typed("float"))),
    model(node("m", "MatMul", T=typed("float")), node("p", "Placeholder", dtype=typed("float"))),
]
SHARES = find_shares(["a.pb", "b.pb"], [select([one], rule()) for one in MODELS])
COMMON = (f"{KERNELS}/constant_op.cc", ARRAY, MATH)
SIZES = {
    f"{KERNELS}/add_op.cc": 1_000_000,
    f"{KERNELS}/matmul_op.cc": 2_000_000,
    "session.cc": 9_000_000,
    **dict.fromkeys(COMMON, 100_000),
}


def test_a_file_that_two_models_have_nodes_for_is_shared() -> None:
    assert list(SHARES) == [
        Share("a.pb", (f"{KERNELS}/add_op.cc",), COMMON),
        Share("b.pb", (f"{KERNELS}/matmul_op.cc",), COMMON),
    ]


def test_the_parts_add_up_to_the_library() -> None:
    document = measured(SHARES, SIZES)
    own = [document["models"][name]["own_bytes"] for name in ("a.pb", "b.pb")]
    assert own == [1_000_000, 2_000_000]
    assert (document["shared_bytes"], document["runtime_bytes"]) == (300_000, 9_000_000)
    assert sum(own) + document["shared_bytes"] + document["runtime_bytes"] == sum(SIZES.values())


def test_people_are_told_in_megabytes() -> None:
    assert share_lines(measured(SHARES, SIZES)) == [
        "a.pb: 1.0 MB of its own, 0.3 MB with others",
        "b.pb: 2.0 MB of its own, 0.3 MB with others",
        "runtime and helpers of all: 9.0 MB (objects, not linked)",
    ]


def test_equal_models_share_everything() -> None:
    selection = select(MODELS[:1], rule())
    assert [share.own for share in find_shares(["a.pb", "a2.pb"], [selection, selection])] == [(), ()]
