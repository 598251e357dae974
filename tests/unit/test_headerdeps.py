"""The record of headers, over files that change, stay, come and go."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tfcross.scons.headerdeps import HeaderDeps, read_depfile

TREES = {"src/eigen/": "key 1"}
LATER = 2_000_000_000


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A project's folder with two objects: names on record are relative to it."""
    monkeypatch.chdir(tmp_path)
    for name in ("core/a.h", "core/b.h", "src/eigen/matrix.h"):
        write(name, f"// {name}\n")
    deps = HeaderDeps(Path("build"), TREES)
    deps.record("a.o", depfile("a.o: core/a.cc core/a.h src/eigen/matrix.h /usr/include/stdio.h"))
    deps.record("b.o", depfile("b.o: core/a.h \\\n core/b.h"))
    deps.save()


def write(name: str, text: str, time: int = 0) -> None:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    if time:
        os.utime(path, (time, time))


def depfile(text: str) -> Path:
    Path("x.d").write_text(text)
    return Path("x.d")


def stale(trees: dict[str, str] | None = None) -> list[str]:
    return HeaderDeps(Path("build"), TREES if trees is None else trees).stale()


def test_nothing_is_stale_where_nothing_changed() -> None:
    assert stale() == []


def test_another_time_alone_makes_nothing_stale() -> None:
    os.utime("core/a.h", (LATER, LATER))
    assert stale() == []


def test_other_content_makes_every_user_stale_and_no_other() -> None:
    write("core/b.h", "// other\n")
    assert stale() == ["b.o"]
    write("core/a.h", "// other\n")
    assert stale() == ["a.o", "b.o"]


def test_other_content_of_the_same_size_at_another_time_is_seen() -> None:
    write("core/b.h", "// core/c.h\n", LATER)
    assert stale() == ["b.o"]


def test_a_header_that_is_gone_or_came_back_otherwise_makes_its_users_stale() -> None:
    Path("core/b.h").unlink()
    assert stale() == ["b.o"]
    write("core/b.h", "// back\n")
    assert stale() == ["b.o"]
    write("core/b.h", "// core/b.h\n")
    assert stale() == []


def test_a_file_that_was_not_there_and_now_is_counts_as_changed() -> None:
    write("core/a.cc", "int a;\n")
    assert stale() == ["a.o"]


def test_a_tree_with_the_same_key_is_not_looked_at() -> None:
    write("src/eigen/matrix.h", "// changed behind our back\n")
    assert stale() == []


@pytest.mark.parametrize(
    "trees", [pytest.param({"src/eigen/": "key 2"}, id="other key"), pytest.param({}, id="no pinned tree")]
)
def test_a_tree_with_another_key_is_looked_at_file_by_file(trees: dict[str, str]) -> None:
    assert stale(trees) == []
    write("src/eigen/matrix.h", "// another version\n")
    assert stale(trees) == ["a.o"]


def test_in_another_tree_the_same_time_and_size_say_nothing() -> None:
    before = Path("src/eigen/matrix.h").stat()
    write("src/eigen/matrix.h", "// src/eigen/vector.h\n")
    os.utime("src/eigen/matrix.h", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert stale({"src/eigen/": "key 2"}) == ["a.o"]


def test_an_object_that_is_compiled_again_is_fresh_again() -> None:
    write("core/b.h", "// other\n")
    deps = HeaderDeps(Path("build"), TREES)
    assert deps.stale() == ["b.o"]
    deps.record("b.o", depfile("b.o: core/a.h core/b.h"))
    deps.save()
    assert stale() == []


def test_a_header_that_changes_during_a_build_is_stale_only_for_what_was_compiled_before() -> None:
    deps = HeaderDeps(Path("build"), TREES)
    assert deps.stale() == []
    write("core/a.h", "// made anew by this very build\n")
    deps.record("b.o", depfile("b.o: core/a.h core/b.h"))
    deps.save()
    assert stale() == ["a.o"]


def test_staleness_is_told_again_until_the_object_is_compiled_or_forgotten() -> None:
    write("core/b.h", "// other\n")
    deps = HeaderDeps(Path("build"), TREES)
    assert deps.stale() == ["b.o"]
    deps.save()
    assert stale() == ["b.o"]


def test_a_file_of_the_project_may_be_named_by_its_absolute_path() -> None:
    deps = HeaderDeps(Path("build"), TREES)
    deps.record("c.o", depfile(f"c.o: {Path.cwd()}/core/b.h core/b.h {Path.cwd()}x/core/b.h"))
    assert [line.partition(" ")[0] for line in deps.contents("c.o")] == ["core/b.h"]


def test_what_a_precompiled_header_was_made_from_counts_for_its_users() -> None:
    deps = HeaderDeps(Path("build"), TREES)
    deps.record("all.h.gch", depfile("all.h.gch: core/b.h"))
    deps.record("c.o", depfile("c.o: core/a.h"), "all.h.gch")
    deps.save()
    write("core/b.h", "// other\n")
    assert stale() == ["all.h.gch", "b.o", "c.o"]


def test_contents_name_what_was_compiled() -> None:
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    write("core/b.h", "")
    deps = HeaderDeps(Path("build"), TREES)
    deps.record("c.o", depfile("c.o: core/b.h core/none.h"))
    assert deps.contents("c.o") == [f"core/b.h {empty}", "core/none.h "]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\x80\x04\x95", id="cut off"),
        pytest.param(b"garbage", id="no pickle"),
        pytest.param(b"\x80\x04K\x01.", id="other content"),
    ],
)
def test_a_damaged_record_knows_no_object(content: bytes) -> None:
    Path("build/headers.pickle").write_bytes(content)
    deps = HeaderDeps(Path("build"), TREES)
    assert deps.stale() == []
    assert not deps.knows("a.o")
    deps.record("a.o", depfile("a.o: core/a.h"))
    deps.save()
    assert HeaderDeps(Path("build"), TREES).knows("a.o")


def test_without_news_the_record_is_not_written_again() -> None:
    os.utime("build/headers.pickle", (LATER, LATER))
    deps = HeaderDeps(Path("build"), TREES)
    deps.stale()
    deps.save()
    assert Path("build/headers.pickle").stat().st_mtime == LATER


def test_headers_that_no_object_uses_any_more_leave_the_record() -> None:
    deps = HeaderDeps(Path("build"), TREES)
    deps.record("b.o", depfile("b.o: core/a.h"))
    deps.save()
    assert b"core/b.h" not in Path("build/headers.pickle").read_bytes()
    assert stale() == []
    write("core/a.h", "// other\n")
    assert stale() == ["a.o", "b.o"]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        pytest.param("x.o: a.cc a.h\n", ["a.cc", "a.h"], id="one line"),
        pytest.param("x.o: a.cc \\\n  a.h \\\n b.h\n", ["a.cc", "a.h", "b.h"], id="continued lines"),
        pytest.param("x.o: my\\ file.h a$$b.h c\\#.h\n", ["my file.h", "a$b.h", "c#.h"], id="escapes"),
        pytest.param("x.o:\n", [], id="no prerequisite"),
        pytest.param("my\\ x.o: \\\n a.h\n", ["a.h"], id="target with a space"),
    ],
)
def test_depfiles_are_read_as_make_does(text: str, names: list[str]) -> None:
    assert read_depfile(depfile(text)) == names
