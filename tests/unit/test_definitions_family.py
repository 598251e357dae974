"""Files that share the instances of one template."""

from __future__ import annotations

from pathlib import Path

from tfcross.binary.closure import Missing, find_missing
from tfcross.binary.definitions import Definitions
from tfcross.binary.symbols import Symbols

HEADER = "template <typename T, int N>\nvoid HandleCase(T* value) {\n}\n"
SYMBOL = "void n::HandleCase<float, 1>(float*)"


def definitions(root: Path) -> Definitions:
    texts = {
        "k/slice_op_impl.h": HEADER,
        "k/other.h": "int Other();\n",
        "k/slice_op_inst_1.cc": '#include "k/slice_op_impl.h"\n',
        "k/slice_op_inst_2.cc": '#include "k/slice_op_impl.h"\n',
        "k/slice_op_other.cc": '#include "k/other.h"\n',
        "k/fill_op.h": "struct Fill {\n  void operator()(int);\n};\n",
        "k/fill_op_cpu_impl.h": '#include "k/fill_op.h"\n',
        "k/fill_op_1.cc": '#include "k/fill_op_cpu_impl.h"\n',
        "k/unrelated.cc": '#include "k/slice_op_impl.h"\n',
    }
    for name, text in texts.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text)
    return Definitions({}, {}, dict.fromkeys(texts, root))


def test_the_family_is_what_includes_the_template_and_is_named_after_its_header(tmp_path: Path) -> None:
    family = ["k/slice_op_inst_1.cc", "k/slice_op_inst_2.cc"]
    assert definitions(tmp_path).family_of(SYMBOL) == family


def test_an_operator_leads_to_the_family_of_its_class(tmp_path: Path) -> None:
    symbol = "n::Fill<Device, float>::operator()(int)"
    assert definitions(tmp_path).family_of(symbol) == ["k/fill_op_1.cc"]


def test_a_name_that_no_header_has_has_no_family(tmp_path: Path) -> None:
    assert definitions(tmp_path).family_of("n::Unknown(int)") == []


def test_members_that_are_there_already_are_not_asked_for_again(tmp_path: Path) -> None:
    objects = {
        "k/slice_op_inst_1.cc": Symbols(frozenset(), frozenset()),
        "k/user.cc": Symbols(frozenset({"mangled"}), frozenset()),
    }
    found = find_missing(
        objects, [], definitions(tmp_path), lambda name: True, lambda names: dict.fromkeys(names, SYMBOL)
    )
    assert found == [Missing(SYMBOL, "k/user.cc", (), ("k/slice_op_inst_2.cc",))]
