"""Recipes of dependencies: what is compiled, and when."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from tfcross.documents import SCHEMAS
from tfcross.errors import TfcrossError
from tfcross.releases.coreset import load_core
from tfcross.releases.recipes import HostTool, Recipe, expand_sources, load_recipes, wanted_recipes
from tfcross.releases.release import known_releases, load_release

ROOT = Path(__file__).parents[2]

RECIPES = """
users:
  licence: LICENSE
  include: [.]
  sources: ["src/*.cc"]
  wanted_by: [users/api.h]
base:
  licence: COPYING
  include: [include]
  private_include: ["platform/{cpu}"]
  sources: ["*.c"]
  exclude: ["*_test.c"]
  language: c++
  ccflags: [-std=c++11]
  defines: [A=1]
  precompiled: [vector]
  host_tool: {name: tool, main: main.cc, sources: ["tool/*.cc"], exclude: ["*test*"]}
headers:
  licence: LICENSE
  include: [.]
  sources: []
"""


def recipes(folder: Path, text: str = RECIPES) -> dict[str, Recipe]:
    (folder / "recipes.yaml").write_text(text)
    return load_recipes(folder)


def test_recipes_keep_the_order_of_the_file_which_is_the_link_order(tmp_path: Path) -> None:
    assert list(recipes(tmp_path)) == ["users", "base", "headers"]


def test_a_recipe_has_all_that_the_file_says(tmp_path: Path) -> None:
    assert recipes(tmp_path)["base"] == Recipe(
        name="base",
        licence="COPYING",
        include=("include",),
        sources=("*.c",),
        exclude=("*_test.c",),
        private_include=("platform/{cpu}",),
        language="c++",
        ccflags=("-std=c++11",),
        defines=("A=1",),
        precompiled=("vector",),
        wanted_by=(),
        host_tool=HostTool("tool", "main.cc", ("tool/*.cc",), ("*test*",)),
    )


def test_every_key_of_the_schema_is_taken_over() -> None:
    schema = yaml.safe_load((SCHEMAS / "recipes.yaml").read_text())
    keys = schema["additionalProperties"]["properties"]
    assert {field.name for field in fields(Recipe)} == {"name", *keys} - {"platforms"}


def test_a_dependency_of_headers_only_has_no_archive(tmp_path: Path) -> None:
    found = recipes(tmp_path)
    assert (found["base"].archive, found["headers"].archive) == ("libbase.a", "")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(
            "a: {licence: L, include: []}", "a: 'sources' is a required property.", id="missing key"
        ),
        pytest.param(
            "a: {licence: L, include: [], sources: [], flags: []}",
            "a: unknown key 'flags'. Known: ccflags, defines, exclude, host_tool, include, language, "
            "licence, platforms, precompiled, private_include, sources, wanted_by.",
            id="unknown key",
        ),
        pytest.param(
            "a: {licence: L, include: [], sources: [], language: fortran}",
            "a.language: 'fortran' is not allowed. Known: c, c++.",
            id="unknown language",
        ),
    ],
)
def test_a_wrong_recipe_is_named(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(TfcrossError) as caught:
        recipes(tmp_path, text)
    assert str(caught.value) == f"{tmp_path.name}/recipes.yaml: {message}"


@pytest.mark.parametrize(
    ("texts", "wanted"),
    [
        pytest.param([], ["base", "headers"], id="nothing includes it"),
        pytest.param(['#include "users/api.h"\n'], ["users", "base", "headers"], id="a file includes it"),
        pytest.param(['#include "other_users/api.h"\n'], ["base", "headers"], id="another header's name"),
    ],
)
def test_a_dependency_is_built_where_a_file_includes_its_header(
    texts: list[str], wanted: list[str], tmp_path: Path
) -> None:
    assert list(wanted_recipes(recipes(tmp_path), iter(texts))) == wanted


@pytest.mark.parametrize("version", known_releases(ROOT))
def test_every_release_makes_one_host_tool_and_keeps_the_licence_of_all_it_builds(version: str) -> None:
    release = load_release(ROOT, version)
    found = load_recipes(release.folder)
    assert [recipe.host_tool.name for recipe in found.values() if recipe.host_tool] == ["protoc"]
    without = {name for name, recipe in found.items() if recipe.licence not in release.source(name).files}
    assert without - {"eigen"} == set()  # 2.14.1's comes from a wheel: every header states its terms


@pytest.mark.parametrize("version", known_releases(ROOT))
def test_dependencies_are_compiled_as_no_newer_c_plus_plus_than_tensorflow(version: str) -> None:
    folder = ROOT / "releases" / version
    own = {
        flag
        for recipe in load_recipes(folder).values()
        for flag in recipe.ccflags
        if flag.startswith("-std=")
    }
    assert own <= {"-std=c++11", f"-std={load_core(folder).cxx_standard}"}


def tree(root: Path) -> Path:
    for name in ("a.cc", "b.cc", "b_test.cc", "deep/er/c.cc", "deep/mock_d.cc", "e.h", "folder.cc/x.h"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


@pytest.mark.parametrize(
    ("patterns", "exclude", "found"),
    [
        pytest.param(["*.cc"], [], ["a.cc", "b.cc", "b_test.cc"], id="top folder, files only"),
        pytest.param(
            ["**/*.cc"], ["*_test.cc", "*/mock_*"], ["a.cc", "b.cc", "deep/er/c.cc"], id="all but some"
        ),
        pytest.param(["b.cc", "*.cc"], ["b_*"], ["a.cc", "b.cc"], id="each once"),
        pytest.param([], [], [], id="nothing"),
    ],
)
def test_patterns_become_sorted_files(
    patterns: list[str], exclude: list[str], found: list[str], tmp_path: Path
) -> None:
    assert expand_sources(tree(tmp_path), patterns, exclude, "x.yaml") == found


def test_a_pattern_without_a_match_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TfcrossError) as caught:
        expand_sources(tree(tmp_path), ["*.cc", "src/*.c"], [], "recipes.yaml: nsync")
    assert str(caught.value) == (
        "recipes.yaml: nsync: 'src/*.c' matches no file in the source tree; correct the pattern."
    )
