"""What the build has made is known by content: a change by anything else is seen, a new time is none."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tfcross.errors import TfcrossError
from tfcross.scons.made import Made, clear_way, files_below

NOW = 2_000_000_000_000_000_000
RECORD = Path("build/made")
TARGET, STAMP, FOLDER = "build/a.o", "build/stamp", "build/include"


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Made:
    """An action's file, and another action's stamp with its own folder; read back from the record."""
    monkeypatch.chdir(tmp_path)
    Path(FOLDER, "sub").mkdir(parents=True)
    for name in (TARGET, STAMP, f"{FOLDER}/sub/a.h"):
        Path(name).write_text("content")
        os.utime(name, ns=(NOW, NOW))
    Made(RECORD).keep([TARGET])
    Made(RECORD).keep([STAMP], FOLDER)
    return Made(RECORD)


def test_what_is_as_it_was_made_is_right(made: Made) -> None:
    assert [made.wrong(name, thorough) for name in (TARGET, STAMP) for thorough in (False, True)] == [""] * 4


def flip(name: str) -> None:
    """Another content of the same size at the same time, in the same file."""
    with Path(name).open("r+b") as stream:
        stream.write(b"C")
    os.utime(name, ns=(NOW, NOW))


def exchange(name: str, how: Callable[[Path], object]) -> None:
    Path(name).rename("elsewhere")
    how(Path(name))


HEADER = f"{FOLDER}/sub/a.h"
CHANGES = [
    pytest.param(TARGET, lambda: Path(TARGET).write_text("changed"), TARGET, id="content"),
    pytest.param(TARGET, lambda: Path(TARGET).unlink(), TARGET, id="gone"),
    pytest.param(TARGET, lambda: exchange(TARGET, Path.mkdir), TARGET, id="a folder"),
    pytest.param(TARGET, lambda: exchange(TARGET, lambda p: p.symlink_to("elsewhere")), TARGET, id="a link"),
    pytest.param(STAMP, lambda: Path(STAMP).write_text("changed"), STAMP, id="the stamp"),
    pytest.param(STAMP, lambda: Path(HEADER).write_text("changed"), HEADER, id="content in the folder"),
    pytest.param(STAMP, lambda: Path(HEADER).chmod(0o600), HEADER, id="permissions in the folder"),
    pytest.param(STAMP, lambda: Path(f"{FOLDER}/sub").chmod(0o700), f"{FOLDER}/sub", id="of a folder in it"),
    pytest.param(STAMP, lambda: Path(f"{FOLDER}/b.h").write_text(""), f"{FOLDER}/b.h", id="an added file"),
    pytest.param(STAMP, lambda: Path(f"{FOLDER}/empty").mkdir(), f"{FOLDER}/empty", id="an empty folder"),
    pytest.param(STAMP, lambda: shutil.rmtree(FOLDER), FOLDER, id="the folder gone"),
    pytest.param(
        STAMP, lambda: exchange(FOLDER, lambda p: p.symlink_to("elsewhere")), FOLDER, id="elsewhere"
    ),
]


@pytest.mark.parametrize(("target", "change", "wrong"), CHANGES)
def test_a_change_is_named(made: Made, target: str, change: Callable[[], object], wrong: str) -> None:
    change()
    assert made.wrong(target) == wrong
    assert made.wrong({TARGET: STAMP, STAMP: TARGET}[target]) == ""


def test_a_change_that_keeps_size_and_time_shows_where_contents_are_looked_at(made: Made) -> None:
    flip(HEADER)
    assert (made.wrong(STAMP), made.wrong(STAMP, thorough=True)) == ("", HEADER)


def test_another_time_or_copy_of_the_same_content_is_right_and_remembered(made: Made) -> None:
    os.utime(HEADER)
    exchange(TARGET, lambda path: shutil.copy("elsewhere", path))
    assert (made.wrong(TARGET), made.wrong(STAMP)) == ("", "")
    made.save()
    found = os.stat(HEADER)  # noqa: PTH116
    assert f"{found.st_size}, {found.st_mtime_ns}, {found.st_ino}, " in RECORD.read_text()


def test_permissions_outside_of_an_own_folder_and_pythons_caches_do_not_count(made: Made) -> None:
    Path(TARGET).chmod(0o664)
    Path(FOLDER, "__pycache__").mkdir()
    Path(FOLDER, "__pycache__/a.pyc").write_text("")
    assert (made.wrong(TARGET), made.wrong(STAMP)) == ("", "")


def test_all_that_an_action_made_is_told(made: Made) -> None:
    assert made.files(STAMP) == [STAMP, FOLDER, f"{FOLDER}/sub", HEADER]
    assert (made.knows(TARGET), made.knows("build/b.o"), made.files("build/b.o")) == (True, False, [])


def test_a_record_of_a_killed_build_is_read_as_far_as_it_goes(made: Made) -> None:
    whole = RECORD.read_text()
    RECORD.write_text(whole[:-20])
    again = Made(RECORD)
    assert (again.knows(TARGET), again.knows(STAMP)) == (True, False)
    again.keep([STAMP], FOLDER)
    assert Made(RECORD).wrong(STAMP) == ""
    assert len(RECORD.read_text().splitlines()) == 2


def test_the_last_line_for_a_target_counts(made: Made) -> None:
    Path(TARGET).write_text("another content")
    made.keep([TARGET])
    assert Made(RECORD).wrong(TARGET, thorough=True) == ""
    assert RECORD.read_text().count(f'["{TARGET}"') == 1  # the one of before is left out when it is read


def test_a_folder_is_ours_as_long_as_it_has_a_file_of_ours(made: Made) -> None:
    Path(STAMP).unlink()
    assert made.has_left(STAMP)
    Path(HEADER).write_text("somebody else's")
    assert not made.has_left(STAMP)


def test_without_a_path_nothing_is_kept(made: Made) -> None:
    none = Made()
    none.keep([TARGET])
    none.save()
    assert (none.knows(TARGET), none.wrong(TARGET)) == (False, "")


@pytest.mark.parametrize(
    "block",
    [
        pytest.param(lambda: exchange(TARGET, Path.mkdir), id="a folder"),
        pytest.param(lambda: exchange(TARGET, lambda path: path.symlink_to("elsewhere")), id="a link"),
        pytest.param(lambda: exchange("build", Path.touch), id="a file in the place of its folder"),
    ],
)
def test_what_is_in_the_way_of_a_file_is_taken_away_in_the_builds_own_places(
    made: Made, block: Callable[[], object]
) -> None:
    block()
    clear_way(TARGET, "build/")
    assert not os.path.lexists(TARGET)
    Path(TARGET).parent.mkdir(exist_ok=True)
    Path(TARGET).write_text("made anew")


def test_a_file_that_is_in_no_ones_way_is_left(made: Made) -> None:
    clear_way(TARGET, "build/")
    assert Path(TARGET).read_text() == "content"


def test_a_users_file_above_a_folder_of_ours_is_not_deleted(made: Made) -> None:
    Path("notes.txt").write_text("mine")
    with pytest.raises(TfcrossError) as caught:
        clear_way("notes.txt/PI-armv7/manifest.json", "build/", "notes.txt/PI-armv7")
    assert (
        str(caught.value)
        == "notes.txt: is no folder, and notes.txt/PI-armv7/manifest.json has to be made; move it away."
    )
    assert Path("notes.txt").read_text() == "mine"


def test_a_users_folder_is_not_deleted(made: Made) -> None:
    Path("sizes.json").mkdir()
    with pytest.raises(TfcrossError) as caught:
        clear_way("sizes.json", "build/")
    assert str(caught.value) == "sizes.json: is no file, and sizes.json has to be made; move it away."
    assert Path("sizes.json").is_dir()


def test_the_files_below_a_folder_are_listed(made: Made) -> None:
    Path(FOLDER, "__pycache__").mkdir()
    Path(FOLDER, "__pycache__/a.pyc").write_text("")
    assert files_below(Path("build")) == ["a.o", "include/sub/a.h", "made", "stamp"]
