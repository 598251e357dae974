"""core.yaml of a release."""

from __future__ import annotations

from pathlib import Path

import pytest

from tfcross.coreset import CoreSet, Generated, load_core
from tfcross.errors import TfcrossError

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
registration: {headers: [a/op.h], template: ops.h.j2}
runtime: {z/core: [last], a/core: [second, first]}
portable: {a/kernels: [add_op]}
always: {NoOp: every graph has some}
inserted: {If: [Switch, Merge]}
definers: {folders: [a/core], exclude: "_test", symbols: "10tensorflow"}
public_headers: [a/session.h]
"""


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
