"""The check in front of SCons says "nothing to do" only where nothing has changed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tfcross.scons.uptodate import Record, command_key

NOW = 2_000_000_000_000_000_000
WORDS = ["TARGET=PI", "MODEL=a.pb"]


def key(*words: str, path: str = "/bin", store: str = "/store") -> str:
    return command_key(words, {"PATH": path}, Path(store))


@pytest.fixture
def files(tmp_path, monkeypatch) -> list[str]:
    monkeypatch.chdir(tmp_path)
    Path("out/lib").mkdir(parents=True)
    Path("out/lib/old").write_text("")
    for name in ("source", "made"):
        Path(name).write_text(name)
        os.utime(name, ns=(NOW, NOW))
    Path("folder").mkdir()
    Path("folder/old").write_text("")
    return ["source", "folder", "absent"]


def kept(read: list[str], begun_ns: int = NOW + 1) -> Record:
    record = Record(Path("records"), "k")
    record.keep("out/manifest.json", read, ["made", "out", "out/lib", "out/lib/old"], begun_ns)
    return Record(Path("records"), "k")


def test_a_command_whose_files_are_as_they_were_has_its_goal(files):
    assert kept(files).stands() == "out/manifest.json"


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda: Path("source").write_text("other"), id="source changed"),
        pytest.param(lambda: Path("source").unlink(), id="source gone"),
        pytest.param(lambda: Path("made").unlink(), id="what was made is gone"),
        pytest.param(lambda: Path("made").write_text("broken"), id="what was made changed"),
        pytest.param(lambda: replace_by_folder("made"), id="what was made is a folder now"),
        pytest.param(lambda: replace_by_link("made"), id="what was made is a link to it now"),
        pytest.param(lambda: Path("made").chmod(0o600), id="permissions of what was made"),
        pytest.param(lambda: Path("out/lib").chmod(0o700), id="permissions of its folder"),
        pytest.param(lambda: Path("out/lib/new").write_text(""), id="file added to what was made"),
        pytest.param(lambda: Path("out/empty").mkdir(), id="empty folder added to what was made"),
        pytest.param(lambda: shutil.rmtree("out/lib"), id="folder gone"),
        pytest.param(lambda: Path("folder/new").write_text(""), id="file added to a folder"),
        pytest.param(lambda: Path("absent").write_text(""), id="file that was not there"),
        pytest.param(lambda: Path("records/k.json").write_text("{"), id="record damaged"),
        pytest.param(lambda: Path("records/k.json").write_text("[]"), id="record of another form"),
        pytest.param(lambda: Path("records/k.json").unlink(), id="no record"),
    ],
)
def test_any_change_leaves_it_to_scons(files, change):
    record = kept(files)
    change()
    assert record.stands() == ""


def replace_by_folder(name: str) -> None:
    Path(name).unlink()
    Path(name).mkdir()


def replace_by_link(name: str) -> None:
    Path(name).rename("elsewhere")
    Path(name).symlink_to("elsewhere")


def test_pythons_caches_and_times_of_folders_do_not_count(files):
    record = kept(files)
    Path("folder/__pycache__").mkdir()
    Path("out/lib/__pycache__").mkdir()
    os.utime("folder", ns=(0, 0))
    assert record.stands() == "out/manifest.json"


def test_a_file_replaced_by_one_of_the_same_size_and_time_is_another(files):
    record = kept(files)
    Path("new").write_text("SOURCE")
    os.utime("new", ns=(NOW, NOW))
    Path("new").replace("source")
    assert record.stands() == ""


def test_a_source_that_changed_while_it_was_built_is_not_taken_as_read(files):
    kept(files)
    assert kept(files, begun_ns=NOW).stands() == ""


def test_words_that_only_say_how_to_build_share_a_record():
    assert key(*WORDS) == key(*WORDS, "-j4") == key("-Q", *WORDS, "-j", "2") != ""


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(key("TARGET=PI", "MODEL=b.pb"), id="model"),
        pytest.param(key(*WORDS, "fetch"), id="target of scons"),
        pytest.param(key(*WORDS, path="/usr/bin"), id="PATH"),
        pytest.param(key(*WORDS, store="/other"), id="store"),
    ],
)
def test_another_command_or_environment_has_another_record(other):
    assert other not in ("", key(*WORDS))


def test_another_checkout_with_the_same_build_folder_has_another_record(tmp_path, monkeypatch):
    before = key(*WORDS)
    monkeypatch.chdir(tmp_path)
    assert key(*WORDS) not in ("", before)


@pytest.mark.parametrize(
    "word",
    ["-n", "-c", "-h", "--debug=explain", "-k", "SOURCE_protobuf=../protobuf", "OPS_DIR=my_ops", "package"],
)
def test_what_only_scons_can_tell_has_no_record(word):
    assert key(*WORDS, word) == ""


def test_a_folder_of_archives_is_no_local_tree():
    assert key(*WORDS, "SOURCE_DIR=sources") != ""


def test_a_command_without_a_key_is_never_told_to_be_done(files):
    record = Record(Path("records"), "")
    record.keep("goal", files, [], NOW + 1)
    assert (record.stands(), Path("records").exists()) == ("", False)
