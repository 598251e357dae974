"""The data of every release: complete, sorted, without doubles."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatch
from itertools import pairwise
from pathlib import Path, PurePosixPath

import pytest
import yaml

from tfcross.releases.coreset import CoreSet, load_core
from tfcross.releases.recipes import load_recipes
from tfcross.releases.release import known_releases, load_release
from tfcross.render import TEMPLATES

ROOT = Path(__file__).parents[2]
RELEASES = pytest.mark.parametrize("version", known_releases(ROOT))
SORTED = ("runtime", "portable", "proto_units")


def folder(version: str) -> Path:
    return ROOT / "releases" / version


def data(version: str, name: str) -> dict[str, object]:
    loaded = yaml.safe_load((folder(version) / name).read_text())
    assert isinstance(loaded, dict)
    return loaded


def lists(value: object, where: str = "") -> Iterator[tuple[str, list[object]]]:
    """Every list in the data, with its place."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from lists(item, f"{where}.{key}" if where else str(key))
    elif isinstance(value, list):
        yield where, value


@RELEASES
def test_recipes_and_core_load(version: str) -> None:
    assert load_recipes(folder(version))
    assert load_core(folder(version)).runtime


@RELEASES
def test_everything_that_is_included_or_built_has_a_source(version: str) -> None:
    sources, core = load_release(ROOT, version).sources, load_core(folder(version))
    assert core.tree in sources
    assert set(core.include) - set(load_recipes(folder(version))) == set()
    assert set(load_recipes(folder(version))) - set(sources) == set()


@RELEASES
@pytest.mark.parametrize("name", ["core.yaml", "recipes.yaml", "release.yaml"])
def test_no_list_names_anything_twice(version: str, name: str) -> None:
    doubles = {
        where: [item for item in items if items.count(item) > 1]
        for where, items in lists(data(version, name))
        if not all(isinstance(item, dict) for item in items)
    }
    assert {where: items for where, items in doubles.items() if items} == {}


@RELEASES
@pytest.mark.parametrize("key", SORTED)
def test_lists_of_units_are_sorted(version: str, key: str) -> None:
    units = data(version, "core.yaml")[key]
    assert isinstance(units, dict)
    assert list(units) == sorted(units)
    unsorted = {
        where: next(f"{one} before {two}" for one, two in pairwise(items) if str(one) > str(two))
        for where, items in lists(units)
        if items != sorted(items, key=str)
    }
    assert unsorted == {}


@RELEASES
def test_no_unit_is_both_runtime_and_registered_by_choice(version: str) -> None:
    core = load_core(folder(version))
    assert set(core.runtime) & set(core.portable) == set()


@RELEASES
def test_templates_that_the_release_names_are_there(version: str) -> None:
    core = load_core(folder(version))
    named = {core.registration_template, *(header.template for header in core.generated.values())}
    mains = {r.host_tool.main for r in load_recipes(folder(version)).values() if r.host_tool}
    assert {name for name in named | mains if not (TEMPLATES / name).is_file()} == set()


@RELEASES
def test_every_op_that_is_always_kept_says_why(version: str) -> None:
    always = load_core(folder(version)).always
    assert {op for op, reason in always.items() if len(reason.split()) < 3} == set()
    assert {op for op in always if not re.fullmatch(r"_?[A-Z]\w*", op)} == set()


@RELEASES
def test_what_is_left_out_of_the_index_is_a_pattern_that_leaves_the_runtime_in(version: str) -> None:
    core = load_core(folder(version))
    skip = re.compile(core.definer_exclude)
    assert [name for name in core.portable if skip.search(name)] == []


@RELEASES
def test_public_and_precompiled_headers_are_headers(version: str) -> None:
    core = load_core(folder(version))
    names = (*core.public_headers, *core.registration_headers)
    assert [name for name in names if not name.endswith(".h")] == []


@RELEASES
def test_every_file_that_is_listed_is_one_that_the_release_keeps(version: str) -> None:
    core, release = load_core(folder(version)), load_release(ROOT, version)
    made = (*core.generated, *(f"{proto.removesuffix('.proto')}.pb.h" for proto in core.proto_units))
    programs = [file for files in core.programs.values() for file in files]
    headers = (*core.public_headers, *core.registration_headers, *core.pch_without)
    listed = (*core.runtime, *core.portable, *core.proto_units, *core.unavailable, *programs, *headers)
    kept = release.source(core.tree).files
    assert [name for name in listed if name not in kept and name not in made] == []


@RELEASES
def test_every_generated_source_is_a_unit_of_the_runtime(version: str) -> None:
    core = load_core(folder(version))
    assert [name for name in core.generated if name.endswith(".cc") and name not in core.runtime] == []


@RELEASES
def test_text_conversions_are_of_protos_that_are_compiled(version: str) -> None:
    conversions = data(version, "core.yaml")["pb_text"]
    assert isinstance(conversions, dict)
    core = load_core(folder(version))
    assert set(conversions) - {*core.proto_units, *core.whole_protos} == set()
    enums = [enum for names in conversions.values() for enum in names]
    assert [enum for enum in enums if not re.fullmatch(r"[A-Z][A-Za-z]+", enum)] == []


@RELEASES
def test_programs_are_made_of_files_that_the_library_never_has(version: str) -> None:
    core = load_core(folder(version))
    for name, files in core.programs.items():
        assert re.fullmatch(r"[a-z][a-z_]*", name)
        assert name != "fetch"  # scons fetch is something else
        assert set(files) & {*core.runtime, *core.portable} == set()
        assert [file for file in files if in_whole(core, file)] == []
        assert [file for file in files if not file.startswith("tensorflow/")] == []


def in_whole(core: CoreSet, file: str) -> bool:
    """Whether a build without a model takes ``file`` whatever it registers."""
    included = any(PurePosixPath(file).match(pattern) for pattern in core.whole_sources)
    return included and not any(fnmatch(file, pattern) for pattern in core.whole_exclude)


@RELEASES
def test_patterns_of_the_whole_set_are_of_sources(version: str) -> None:
    core = load_core(folder(version))
    assert [text for text in core.whole_sources if not re.fullmatch(r"tensorflow/[\w/*]+\.cc", text)] == []
    assert [text for text in core.whole_exclude if text.startswith("/") or text.endswith("/")] == []
