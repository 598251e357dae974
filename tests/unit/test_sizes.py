"""What an app's bytes are made of."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tfcross.binary.sizes import changes, measure, over_budget, table
from tfcross.binary.symbols import Symbol, sized_symbols
from tfcross.binary.treemap import HEIGHT, WIDTH, treemap
from tfcross.cli.options import parse_size
from tfcross.errors import TfcrossError

ARCHIVE = """
relu.o:
00000000 00000010 t _GLOBAL__sub_I_relu.cc
00000000 00000064 W _ZN4ReluIfE
         U _undefined
00000010 T _without_size

other.o:
00000000 00000008 t local
00000000 00000064 W _ZN4ReluIfE
"""
KERNELS = {
    "relu.cc": {
        "ops": [],
        "kernels": [["Relu", "ReluOp<CPUDevice, float>"], ["Relu", "ReluOp<CPUDevice, int64>"]],
    }
}


def symbols(*items: tuple[str, int]) -> list[Symbol]:
    return [Symbol(name, size) for name, size in items]


def test_nm_is_read_with_the_member_of_each_symbol() -> None:
    assert sized_symbols(ARCHIVE) == [
        Symbol("_GLOBAL__sub_I_relu.cc", 16, "relu.o"),
        Symbol("_ZN4ReluIfE", 100, "relu.o"),
        Symbol("local", 8, "other.o"),
        Symbol("_ZN4ReluIfE", 100, "other.o"),
    ]


def test_bytes_go_to_archives_files_kernels_ops_and_types() -> None:
    app = symbols(("main", 5), ("relu_f", 100), ("relu_l", 60), ("helper", 40), ("dep", 7))
    shown = symbols(
        ("main", 5),
        ("ReluOp<Eigen::ThreadPoolDevice, float>::Compute()", 100),
        ("ReluOp<Eigen::ThreadPoolDevice, int64>::Compute()", 60),
        ("helper()", 40),
        ("dep()", 7),
    )
    core = [Symbol(name, 1, "relu.o") for name in ("relu_f", "relu_l", "helper")]
    archives = {"libcore.a": core, "libdep.a": [Symbol("dep", 7, "dep.o")]}
    assert measure(app, shown, archives, {"relu.o": "relu.cc"}, KERNELS) == {
        "archives": {"libcore.a": 200, "libdep.a": 7},
        "files": {"relu.cc": 200},
        "kernels": {"ReluOp<CPUDevice, float>": 120, "ReluOp<CPUDevice, int64>": 80},
        "ops": {"Relu": 200},
        "types": {"float": 120, "int64": 80},
        "other": 5,
    }


def test_of_several_definitions_the_first_archives_counts_and_locals_are_dealt_out() -> None:
    app = symbols(("weak", 10), ("init", 1), ("init", 2))
    archives = {
        "a": [Symbol("init", 1, "x.o"), Symbol("weak", 10, "x.o")],
        "b": [Symbol("init", 2, "y.o"), Symbol("weak", 10, "y.o")],
    }
    found = measure(app, app, archives, {}, {})
    assert found["archives"] == {"a": 11, "b": 2}


@pytest.mark.parametrize(
    ("text", "size"),
    [("", 0), ("4500000", 4500000), ("4.5MB", 4500000), ("2KiB", 2048), ("10 kB", 10000)],
)
def test_a_size_is_bytes_or_has_a_unit(text: str, size: int) -> None:
    assert parse_size(text, "SIZE_BUDGET") == size


@pytest.mark.parametrize("text", ["big", "-1", "4,5MB", "4GB"])
def test_another_size_is_refused(text: str) -> None:
    with pytest.raises(TfcrossError) as caught:
        parse_size(text, "SIZE_BUDGET")
    assert str(caught.value) == (
        f"SIZE_BUDGET={text}: not a size; give bytes, or as in 4.5MB. Known: B, KB, KiB, MB, MiB, kB."
    )


def sizes(stripped: int, **files: int) -> dict[str, Any]:
    groups: dict[str, Any] = {"archives": {}, "ops": {}, "kernels": {}, "types": {}, "files": files}
    return {"app": stripped * 2, "stripped": stripped, "other": 0, **groups}


def test_what_differs_is_told_with_the_largest_growth_first() -> None:
    before, after = sizes(100, a=10, b=20, c=5), sizes(120, a=30, b=10, d=5, c=5)
    assert changes(before, after) == [("files", "a", 20), ("files", "d", 5), ("files", "b", -10)]


@pytest.mark.parametrize(
    ("budget", "before", "message"),
    [
        pytest.param(0, None, "", id="no budget"),
        pytest.param(120, None, "", id="within"),
        pytest.param(
            100,
            sizes(90, a=10, b=20),
            "SIZE_BUDGET=100: the stripped app has 120 bytes, +30 since the last build; "
            "grown: a (20), d (5). Raise the budget, or undo that.",
            id="grown",
        ),
        pytest.param(
            100,
            None,
            "SIZE_BUDGET=100: the stripped app has 120 bytes; largest: a (30), b (10), d (5). "
            "Raise the budget, or take ops out of the model.",
            id="no build before",
        ),
    ],
)
def test_an_app_over_its_budget_names_what_grew(budget: int, before: Any, message: str) -> None:
    assert over_budget(budget, sizes(120, a=30, b=10, d=5), before) == message


def test_the_table_shows_the_largest_and_adds_up_the_rest() -> None:
    shown = table(sizes(9, a=3, b=5, c=1), rows=2)
    assert "         5  b\n         3  a\n         1  1 more\n" in shown


def test_the_page_has_an_area_for_each_file_that_is_as_large_as_its_share() -> None:
    page = treemap("x <y>", sizes(9, **{"k/a.cc": 300, "k/b.cc": 100, "o/none.cc": 0}))
    assert "<title>x &lt;y&gt;</title>" in page
    areas = {
        name: float(dx) * float(dy)
        for name, dx, dy in re.findall(r'title="(\S+): \d+" style="left.*?width:(\S+)px;height:(\S+)px', page)
    }
    assert set(areas) == {"k/a.cc", "k/b.cc"}
    assert areas["k/a.cc"] == pytest.approx(WIDTH * HEIGHT * 0.75, rel=0.01)
