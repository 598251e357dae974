"""What is left to do when SCons is done: records to save, and whether the build is read again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tfcross.scons.headerdeps import HeaderDeps
from tfcross.scons.uptodate import Record
from tfcross.stages.build import Ending
from tfcross.stages.closing import Closure, Closures, Helpers
from tfcross.stages.goal import remember


def closures(*helpers: Helpers) -> Closures:
    return Closures(tuple(Closure(f"{h.path.stem}.closure", h) for h in helpers))


def test_where_the_build_never_got_to_anything_nothing_is_left_to_do(tmp_path: Path) -> None:
    ending = Ending()
    ending.save()
    remember(ending.goal, Record(tmp_path, "key"), 0)
    assert not ending.again
    assert list(tmp_path.iterdir()) == []


def test_all_that_was_kept_is_saved(tmp_path: Path) -> None:
    folders = [tmp_path / "target", tmp_path / "host"]
    (tmp_path / "a.o.d").write_text("a.o: a.cc\n")
    ending = Ending()
    for folder in folders:
        headers = HeaderDeps(folder, {})
        headers.record("a.o", tmp_path / "a.o.d")
        ending.keep(headers)
    assert [HeaderDeps(folder, {}).knows("a.o") for folder in folders] == [False, False]
    ending.save()
    assert [HeaderDeps(folder, {}).knows("a.o") for folder in folders] == [True, True]


@pytest.mark.parametrize(
    ("learned", "complete"),
    [
        pytest.param([["a.cc"]], False, id="files are missing"),
        pytest.param([["a.cc"], []], True, id="nothing is missing any more"),
    ],
)
def test_the_build_is_read_again_after_a_pass_that_found_what_to_add(
    tmp_path: Path, learned: list[list[str]], complete: bool
) -> None:
    Helpers(tmp_path / "core.json", "inputs").learn([])
    core, program = Helpers(tmp_path / "core.json", "inputs"), Helpers(tmp_path / "benchmark.json", "inputs")
    found, ending = closures(core, program), Ending()
    ending.watch(found)
    assert (found.complete, ending.again) == (False, False)
    for files in learned:
        program.learn(files)
    assert (found.complete, ending.again) == (complete, True)
    assert Helpers(tmp_path / "benchmark.json", "inputs").files == ("a.cc",)
    assert found.nodes == ["core.closure", "benchmark.closure"]


def test_a_pass_that_finds_nothing_new_is_the_last(tmp_path: Path) -> None:
    Helpers(tmp_path / "core.json", "inputs").learn([])
    core = Helpers(tmp_path / "core.json", "inputs")
    found, ending = closures(core), Ending()
    ending.watch(found)
    core.learn([])
    assert (found.complete, ending.again) == (True, False)
