"""Reading C++ as text: literals, calls, includes, macros, constants."""

from __future__ import annotations

from pathlib import Path

import pytest

from tfcross.graph.datatypes import cpp_number, enum_number, spec_number, type_name
from tfcross.registry.constants import Constants
from tfcross.registry.cpptext import Call, list_items, read_arguments, read_calls, string_value
from tfcross.registry.opdef import OpDef
from tfcross.registry.parser import Found, Problem, RegistrationParser, type_sets
from tfcross.registry.sourcetree import (
    SourceTree,
    directives_only,
    names_that_expand_to,
    read_tree,
    write_shadow,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param('"plain"', "plain", id="one literal"),
        pytest.param('"a"  "b"\n"c"', "abc", id="adjacent literals"),
        pytest.param(r'"say \"hi\"\n\x41\101"', 'say "hi"\nAA', id="escapes"),
        pytest.param('R"(raw "text" \\n)"', 'raw "text" \\n', id="raw literal"),
        pytest.param(
            'R"doc(with ) and ")" in it)doc" "!"', 'with ) and ")" in it!', id="raw literal with a tag"
        ),
        pytest.param('""', "", id="empty literal"),
        pytest.param("kName", None, id="a name"),
        pytest.param('"a" + b', None, id="an expression"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_value_of_string_literals(text: str, value: str | None) -> None:
    assert string_value(text) == value


@pytest.mark.parametrize(
    ("text", "arguments", "rest"),
    [
        pytest.param("a, b) c", ("a", "b"), " c", id="two"),
        pytest.param(") c", (), " c", id="none"),
        pytest.param("f(a, b), {c, d}, [e, g])", ("f(a, b)", "{c, d}", "[e, g]"), "", id="nested"),
        pytest.param('"a, )", \')\', R"x(, ))x")', ('"a, )"', "')'", 'R"x(, ))x"'), "", id="quoted"),
    ],
)
def test_arguments_end_at_their_own_parenthesis(text: str, arguments: tuple[str, ...], rest: str) -> None:
    found, end = read_arguments(text, 0)
    assert (found, text[end:]) == (arguments, rest)


def test_parenthesis_that_is_not_closed_is_an_error() -> None:
    with pytest.raises(ValueError, match="a parenthesis is not closed"):
        read_arguments("a, (b", 0)


def test_chain_of_calls_ends_where_something_else_begins() -> None:
    text = '.A("x")\n  .B< std::complex<float> >(y, {1, 2}) . C(); .D()'
    calls, end = read_calls(text, 0)
    assert calls == [
        Call("A", "", ('"x"',)),
        Call("B", "std::complex<float>", ("y", "{1, 2}")),
        Call("C", "", ()),
    ]
    assert text[end:] == "; .D()"


def test_braced_list_has_items_and_all_else_is_one() -> None:
    assert list_items("{DT_INT32, DT_INT64}") == ("DT_INT32", "DT_INT64")
    assert list_items(" true ") == ("true",)


@pytest.mark.parametrize(
    ("name", "number"),
    [
        pytest.param("float", 1, id="float"),
        pytest.param("::int64_t", 9, id="int64_t"),
        pytest.param(" ::tensorflow::bfloat16", 14, id="of tensorflow"),
        pytest.param("tsl::uint32", 22, id="of tsl"),
        pytest.param("Eigen::half", 19, id="of Eigen"),
        pytest.param("std::complex<double>", 18, id="complex"),
        pytest.param("tstring", 7, id="string"),
        pytest.param("float8_e5m2", 24, id="float8"),
        pytest.param("CPUDevice", None, id="no data type"),
    ],
)
def test_number_of_a_cpp_type(name: str, number: int | None) -> None:
    assert cpp_number(name) == number


def test_numbers_and_names_of_types() -> None:
    assert (spec_number("float16"), spec_number("string_ref"), spec_number("flot")) == (19, 107, None)
    assert (enum_number("tensorflow::DT_QINT8"), enum_number("DT_INT64_REF"), enum_number("INT8")) == (
        11,
        109,
        None,
    )
    assert (type_name(1), type_name(120), type_name(99)) == ("float", "resource_ref", "99")


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def test_tree_has_what_is_included_at_any_depth_and_names_what_is_outside(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        {
            "tensorflow/a.cc": '#include "tensorflow/b.h"\n#if 0\n# include "c.h"\n#endif\n#include <vector>',
            "tensorflow/b.h": '#include <d.h>\n#include "third_party/eigen3/Eigen/Core"\n',
            "tensorflow/c.h": '#include "absl/c.h"\n',
            "tensorflow/d.h": "",
            "third_party/eigen3/Eigen/Core": '#include "tensorflow/d.h"\n',
        },
    )
    tree = read_tree(root, ["tensorflow/a.cc"], stubs=tmp_path / "none")
    assert sorted(tree.texts) == ["tensorflow/a.cc", "tensorflow/b.h", "tensorflow/c.h"]
    assert tree.outside == {"vector", "d.h", "third_party/eigen3/Eigen/Core", "absl/c.h"}


def test_macros_reach_a_target_through_others_and_through_pasting() -> None:
    macros = {
        "DIRECT": ("(x) TARGET(x)",),
        "SECOND": ("(x) nothing", "(x) DIRECT(x) \\\n  more"),
        "PASTED": ("(x) SEC ## x(1)",),
        "OTHER": ("(x) TARGETS(x)",),
        "OTHER_PASTED": ("(x) UNRELATED_ ## x",),
    }
    assert names_that_expand_to(macros, ["TARGET"]) == {"TARGET", "DIRECT", "SECOND", "PASTED"}


def test_shadow_of_a_header_has_its_directives_only() -> None:
    header = (
        '#pragma once\n/* "\n#define NO */\n#define LONG(a) a \\\n  + 1  // why\n'
        "int f() { return '\"'; }\n #if X\n#endif\n"
    )
    assert directives_only(header, frozenset({"MACRO"})) == (
        "#pragma once\n#define LONG(a) a \\\n  + 1   \n #if X\n#endif\n"
    )


def test_header_whose_code_uses_a_macro_stays_whole() -> None:
    header = "#define OTHER 1\nMACRO(x);\nint y;\n"
    assert directives_only(header, frozenset({"MACRO"})) == header + "\n"


def test_shadow_has_guards_for_once_and_links_to_sources(tmp_path: Path) -> None:
    root = write(
        tmp_path / "root",
        {"t/a.cc": '#include "t/b.h"\n#include <map>\n', "t/b.h": "#pragma once\n#define B 1\n"},
    )
    tree = read_tree(root, ["t/a.cc"], stubs=tmp_path / "none")
    names = write_shadow(tree, tmp_path / "shadow", frozenset())
    assert (tmp_path / "shadow/t/b.h").read_text() == (
        "#ifndef TFCROSS_ONCE_t_b_h\n#define TFCROSS_ONCE_t_b_h\n\n#define B 1\n\n#endif\n"
    )
    assert (tmp_path / "shadow/t/a.cc").resolve() == root / "t/a.cc"
    assert (tmp_path / "shadow/map").read_text() == ""
    assert {"B", "TFCROSS_ONCE_t_b_h"} <= names


def constants(root: Path, texts: dict[str, str]) -> Constants:
    return Constants(SourceTree(root, texts, dict.fromkeys(texts, ())))


def test_constant_of_the_own_file_comes_first_then_headers_then_their_sources(tmp_path: Path) -> None:
    write(
        tmp_path,
        {"t/far.cc": 'const char* const kFar = "far";\nstring Spec() {\n  return "spec: "\n "int"; }\n'},
    )
    found = constants(
        tmp_path,
        {
            "t/a.cc": 'constexpr char kName[] = "own";',
            "t/b.h": 'static constexpr const char* kName = "header"; const char kTwice[] = "b";',
            "t/c.h": 'const char kTwice[] = "c";',
            "t/far.h": "extern const char* const kFar; string Spec();",
        },
    )
    assert found.value("kName", "t/a.cc") == "own"
    assert found.value("::t::B::kName", "t/z.cc") == "header"
    assert found.value("kTwice", "t/a.cc") is None
    assert found.value("kFar", "t/a.cc") == "far"
    assert found.value("Spec()", "t/a.cc") == "spec: int"
    assert found.value("Spec(1)", "t/a.cc") is None
    assert found.value("kNone", "t/a.cc") is None


def test_sets_of_types_are_read_from_the_expanded_header() -> None:
    text = """constexpr Set kAllTypes = Of(DT_FLOAT) | Of(DT_STRING);
    constexpr Set kRealNumberTypes = Of(DT_INT32) | Of(DT_FLOAT);
    inline Set RealNumberTypes() { return kRealNumberTypes; }
    const Set kNumberTypes = Of(DT_FLOAT) |
        Of(DT_COMPLEX64);
    constexpr Set kRealAndQuantizedTypes = Of(DT_QINT8);
    constexpr Set kQuantizedTypes = Of(DT_QINT8);"""
    assert type_sets(text) == {"realnumbertype": (1, 3), "numbertype": (1, 8), "quantizedtype": (11,)}


def test_text_that_ends_within_a_registration_is_told(tmp_path: Path) -> None:
    found = Found()
    parser = RegistrationParser(constants(tmp_path, {}), {})
    parser.parse("a.cc", 'tfcross_op(false, "A");\ntfcross_kernel(false, "X", Name("A"', found)
    parser.parse("b.cc", 'tfcross_op(false, "B");', found)
    assert found.problems == [Problem("a.cc", "", "a parenthesis is not closed")]
    assert found.ops == [OpDef("B", "b.cc")]
