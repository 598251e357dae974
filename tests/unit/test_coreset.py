"""core.yaml of a release."""

from __future__ import annotations

from pathlib import Path

import pytest

from tfcross.errors import TfcrossError
from tfcross.releases.coreset import CoreSet, Generated, check_files, load_core

CORE = """
tree: tensorflow
cxx_standard: c++17
ccflags: [-fPIC]
defines: [NDEBUG]
types: {slim: [SLIM], full: [FULL]}
include: [eigen]
precompiled: {defines: [THREADS], headers: [a/op.h], without: [a/b.cc]}
protos: {sources: ["a/**/*.proto"], exclude: ["*test*"]}
proto_units: {a/framework: [types, graph]}
generated:
  a/plain.h: {template: plain.h.j2}
  a/text.h: {template: text.h.j2, values: {guard: G}}
  a/core/made.cc: {template: made.cc.j2}
pb_text: {a/framework/types.proto: [DataType]}
registration: {headers: [a/op.h], template: ops.h.j2}
runtime: {z/core: [last], a/core: [second, first]}
portable: {a/kernels: [add_op]}
always: {NoOp: every graph has some}
inserted: {If: [Switch, Merge]}
definers: {folders: [a/core], exclude: "_test", symbols: "10tensorflow"}
public_headers: [a/session.h]
"""
TYPES_TEXT = {
    "guard": "TFCROSS_A_FRAMEWORK_TYPES_PB_TEXT_H_",
    "proto": "a/framework/types.pb.h",
    "enums": ["DataType"],
}


def core(folder: Path, text: str = CORE) -> CoreSet:
    (folder / "core.yaml").write_text(text)
    return load_core(folder)


def test_folders_of_stems_become_sorted_paths(tmp_path: Path) -> None:
    loaded = core(tmp_path)
    assert loaded.runtime == ("a/core/first.cc", "a/core/second.cc", "z/core/last.cc")
    assert loaded.portable == ("a/kernels/add_op.cc",)
    assert loaded.proto_units == ("a/framework/graph.proto", "a/framework/types.proto")


def test_the_rest_is_what_the_file_says(tmp_path: Path) -> None:
    loaded = core(tmp_path)
    assert (loaded.pch_defines, loaded.pch_headers, loaded.pch_without) == (
        ("THREADS",),
        ("a/op.h",),
        ("a/b.cc",),
    )
    assert loaded.generated == {
        "a/plain.h": Generated("plain.h.j2", {}),
        "a/text.h": Generated("text.h.j2", {"guard": "G"}),
        "a/core/made.cc": Generated("made.cc.j2", {}),
        "a/framework/types.pb_text.h": Generated("pb_text.h.j2", TYPES_TEXT),
    }
    assert loaded.always == {"NoOp": "every graph has some"}
    assert loaded.inserted == {"If": ("Switch", "Merge")}
    assert (loaded.registration_template, loaded.registration_headers) == ("ops.h.j2", ("a/op.h",))
    assert (loaded.definer_folders, loaded.definer_exclude) == (("a/core",), "_test")
    assert loaded.definer_symbols == "10tensorflow"


def test_types_become_the_macros_behind_them(tmp_path: Path) -> None:
    assert core(tmp_path).type_defines("full") == ("FULL",)


def test_unknown_types_are_refused_with_those_that_the_release_has(tmp_path: Path) -> None:
    with pytest.raises(TfcrossError) as caught:
        core(tmp_path).type_defines("tiny")
    assert str(caught.value) == "TYPES=tiny: not in this release. Known: full, slim."


def test_a_release_can_do_without_a_precompiled_header(tmp_path: Path) -> None:
    text = "".join(line for line in CORE.splitlines(True) if not line.startswith("precompiled"))
    assert core(tmp_path, text).pch_headers == ()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        pytest.param("tree: tensorflow\n", "", "'tree' is a required property.", id="missing key"),
        pytest.param(
            'exclude: "_test"',
            "except: x",
            "definers: unknown key 'except'. Known: exclude, folders, symbols.",
            id="unknown",
        ),
        pytest.param("[last]", "last", "runtime.z/core: 'last' is not of type array.", id="no list"),
    ],
)
def test_a_wrong_core_file_is_named(old: str, new: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(TfcrossError) as caught:
        core(tmp_path, CORE.replace(old, new))
    assert str(caught.value) == f"{tmp_path.name}/core.yaml: {message}"


def test_a_proto_with_text_conversions_gets_a_header_of_them(tmp_path: Path) -> None:
    assert core(tmp_path).generated["a/framework/types.pb_text.h"] == Generated("pb_text.h.j2", TYPES_TEXT)


@pytest.mark.parametrize("key", ["runtime", "portable", "proto_units"])
def test_a_file_that_is_listed_twice_is_refused(tmp_path: Path, key: str) -> None:
    text = CORE.replace(f"{key}: {{", f"{key}: {{b/c: [one, two, one], ")
    with pytest.raises(TfcrossError) as caught:
        core(tmp_path, text)
    suffix = ".proto" if key == "proto_units" else ".cc"
    assert str(caught.value) == f"core.yaml: {key}: b/c/one{suffix} is listed twice; take one out."


def tree_of(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


FILES = ("z/core/last.cc", "a/core/second.cc", "a/core/first.cc", "a/kernels/add_op.cc")
PROTOS = ("a/framework/types.proto", "a/framework/graph.proto")


def test_a_list_whose_files_are_there_passes_and_a_generated_file_need_not_be(tmp_path: Path) -> None:
    text = CORE.replace("a/core: [second, first]", "a/core: [second, first, made]")
    check_files(core(tmp_path, text), tree_of(tmp_path / "tree", *FILES, *PROTOS))


@pytest.mark.parametrize(
    ("absent", "message"),
    [
        pytest.param(
            "a/kernels/add_op.cc",
            "portable: a/kernels/add_op.cc is not in the source tree (did you mean add_ops.cc?)",
            id="misspelt",
        ),
        pytest.param("z/core/last.cc", "runtime: z/core/last.cc is not in the source tree", id="gone"),
        pytest.param(
            "a/framework/types.proto",
            "proto_units: a/framework/types.proto is not in the source tree",
            id="a proto",
        ),
    ],
)
def test_a_listed_file_that_the_tree_lacks_is_told_with_the_nearest(
    tmp_path: Path, absent: str, message: str
) -> None:
    tree = tree_of(tmp_path / "tree", *FILES, *PROTOS, "a/kernels/add_ops.cc")
    (tree / absent).unlink()
    with pytest.raises(TfcrossError) as caught:
        check_files(core(tmp_path), tree)
    assert str(caught.value) == (
        f"core.yaml: {message}; correct the list, or give the tree of this release (SOURCE_tensorflow=)."
    )
