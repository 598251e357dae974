"""The data of every release: complete, sorted, without doubles."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from tfcross.coreset import load_core
from tfcross.recipes import load_recipes
from tfcross.release import known_releases, load_release
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
