"""From a symbol that is missing to the file that may define it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tfcross.binary.cppnames import symbol_key
from tfcross.binary.definitions import Definitions


@pytest.mark.parametrize(
    ("symbol", "key"),
    [
        pytest.param("main", ("", "main"), id="no scope"),
        pytest.param("tensorflow::kName", ("tensorflow", "kName"), id="variable"),
        pytest.param("tensorflow::Env::Default()", ("Env", "Default"), id="member"),
        pytest.param("void tensorflow::Multiply<float>(float*)", ("tensorflow", "Multiply"), id="template"),
        pytest.param(
            "std::vector<int, std::allocator<int> > tensorflow::Shape<int>(int)",
            ("tensorflow", "Shape"),
            id="template that returns one",
        ),
        pytest.param(
            "tensorflow::Visit(std::function<bool (tensorflow::Node*)>)",
            ("tensorflow", "Visit"),
            id="parentheses in a parameter",
        ),
        pytest.param("tensorflow::Node::Node(int)", ("Node", "Node"), id="constructor"),
        pytest.param("tensorflow::Box<int>::~Box()", ("Box", "~Box"), id="destructor of a template"),
        pytest.param(
            "tensorflow::functor::Fill<Eigen::ThreadPoolDevice, int>::operator()(Eigen::Device const&) const",
            ("Fill", "operator ()"),
            id="call operator",
        ),
        pytest.param(
            "tensorflow::Status::operator==(tensorflow::Status const&) const",
            ("Status", "operator =="),
            id="comparison",
        ),
        pytest.param(
            "std::ostream& tensorflow::operator<< <int>(std::ostream&, int)",
            ("tensorflow", "operator <<"),
            id="output operator template",
        ),
        pytest.param("tensorflow::Ptr::operator->() const", ("Ptr", "operator ->"), id="arrow"),
        pytest.param("tensorflow::Row::operator[](int)", ("Row", "operator []"), id="index"),
        pytest.param("tensorflow::X::operator new(unsigned long)", ("X", "operator new"), id="new"),
        pytest.param("tensorflow::Flag::operator bool() const", ("Flag", "operator bool"), id="conversion"),
        pytest.param(
            "tensorflow::Text::operator tensorflow::View() const",
            ("Text", "operator View"),
            id="conversion to a class",
        ),
        pytest.param("tensorflow::operators_of(int)", ("tensorflow", "operators_of"), id="no operator"),
        pytest.param(
            "tensorflow::(anonymous namespace)::Help(int)", ("__anon", "Help"), id="anonymous namespace"
        ),
        pytest.param("tensorflow::Name[abi:cxx11]()", ("tensorflow", "Name"), id="ABI tag"),
        pytest.param("non-virtual thunk to tensorflow::Device::Name()", ("Device", "Name"), id="thunk"),
        pytest.param("TLS wrapper function for tensorflow::current", ("tensorflow", "current"), id="TLS"),
    ],
)
def test_a_symbol_is_known_by_its_innermost_scope_and_name(symbol: str, key: tuple[str, str]) -> None:
    assert symbol_key(symbol) == key


def definitions(sources: dict[str, Path] | None = None) -> Definitions:
    by_key = {
        ("tensorflow", "Log"): frozenset({"a/platform/log.cc", "a/util/log_helper.cc", "b/log.cc"}),
        ("Device", "Name"): frozenset({"a/device.cc"}),
    }
    return Definitions(by_key, {"Device": frozenset({"a/device.cc"})}, sources or {})


def test_the_file_that_is_nearest_to_the_user_comes_first_then_the_shorter_name() -> None:
    found = definitions().files_of("tensorflow::Log(int)", "a/kernels/op.cc")
    assert found == ["a/platform/log.cc", "a/util/log_helper.cc", "b/log.cc"]
    assert definitions().files_of("tensorflow::Log(int)", "b/op.cc")[0] == "b/log.cc"


@pytest.mark.parametrize(
    "symbol",
    [
        "vtable for tensorflow::Device",
        "typeinfo for tensorflow::Device",
        "typeinfo name for tensorflow::Device",
        "VTT for tensorflow::Device",
        "tensorflow::Device::Name() const",
    ],
)
def test_what_belongs_to_a_class_is_where_its_members_are(symbol: str) -> None:
    assert definitions().files_of(symbol, "x.cc") == ["a/device.cc"]


def test_what_a_macro_hides_is_looked_for_beside_the_header_that_declares_it(tmp_path: Path) -> None:
    (tmp_path / "util.h").write_text("namespace n {\nstd::pair<int, int> *Hidden(int x);\n}\n")
    (tmp_path / "other.h").write_text("int HiddenToo(int);\ninline int x = Hidden(1);\n")
    sources = dict.fromkeys(["util.h", "util.cc", "other.h", "other.cc"], tmp_path)
    assert definitions(sources).files_of("n::Hidden(int)", "op.cc") == ["util.cc"]
    assert definitions(sources).files_of("n::Nowhere(int)", "op.cc") == []
    assert definitions(sources).files_of("n::X::operator==(int)", "op.cc") == []


def test_a_header_without_a_source_beside_it_helps_nobody(tmp_path: Path) -> None:
    (tmp_path / "util.h").write_text("int Hidden(int x);\n")
    assert definitions({"util.h": tmp_path}).files_of("Hidden(int)", "op.cc") == []


def test_a_symbol_outside_of_every_class_has_no_family_of_all_headers(tmp_path: Path) -> None:
    (tmp_path / "shape.h").write_text("class Shape {\n};\n")
    (tmp_path / "shape_1.cc").write_text('#include "shape.h"\n')
    sources = dict.fromkeys(["shape.h", "shape_1.cc"], tmp_path)
    assert definitions(sources).family_of("nowhere") == []
    assert definitions(sources).family_of("n::Shape::Area() const") == ["shape_1.cc"]


@pytest.mark.parametrize(
    "symbol",
    [
        "descriptor_table_tensorflow_2fcore_2fframework_2fnode_5fdef_2eproto",
        "scc_info_NodeDef_tensorflow_2fcore_2fframework_2fnode_5fdef_2eproto",
        "TableStruct_tensorflow_2fcore_2fframework_2fnode_5fdef_2eproto::offsets",
    ],
)
def test_what_protoc_names_after_a_proto_is_in_its_unit(symbol: str, tmp_path: Path) -> None:
    unit = "tensorflow/core/framework/node_def.pb.cc"
    assert definitions({unit: tmp_path}).files_of(symbol, "op.cc") == [unit]
    assert definitions().files_of(symbol, "op.cc") == []
