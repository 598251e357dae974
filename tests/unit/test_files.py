"""Files that are written whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from tfcross.errors import TfcrossError
from tfcross.files import replacing, write_if_changed, write_whole, written_whole


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("shared", [False, True], ids=["one build", "several builds"])
def test_a_file_has_its_name_when_it_is_whole(tmp_path: Path, shared: bool) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with replacing(path, shared) as part:
        part.write_text("new")
        assert (path.read_text(), part.parent, part.suffix) == ("old", tmp_path, ".part")
    assert (path.read_text(), names(tmp_path)) == ("new", ["file"])


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_after_an_error_the_old_file_is_there_and_nothing_else(
    tmp_path: Path, error: type[BaseException]
) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(error), replacing(path) as part:
        part.write_text("half")
        raise error
    assert (path.read_text(), names(tmp_path)) == ("old", ["file"])


def test_what_a_killed_build_left_is_not_written_on(tmp_path: Path) -> None:
    (tmp_path / "file.part").write_text("half")
    with replacing(tmp_path / "file") as part:
        assert not part.exists()
        part.symlink_to("target")
    assert (tmp_path / "file").readlink() == Path("target")


def test_builds_at_the_same_time_have_names_of_their_own(tmp_path: Path) -> None:
    with replacing(tmp_path / "file", shared=True) as part, replacing(tmp_path / "file") as other:
        assert part != other
        part.write_text("one")
        other.write_text("other")
    assert (tmp_path / "file").read_text() == "one"


def test_text_and_bytes_go_into_folders_that_are_made(tmp_path: Path) -> None:
    write_whole(tmp_path / "a" / "b" / "text", "é\n")
    write_whole(tmp_path / "a" / "bytes", b"\xff")
    assert (tmp_path / "a/b/text").read_bytes() == b"\xc3\xa9\n"
    assert (tmp_path / "a/bytes").read_bytes() == b"\xff"


def test_a_file_that_would_be_the_same_keeps_its_time(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "file"
    assert write_if_changed(path, "text")
    before = path.stat()
    assert not write_if_changed(path, "text")
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == (before.st_mtime_ns, before.st_ino)
    assert write_if_changed(path, "another")


def test_a_stream_into_a_folder_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(TfcrossError) as raised, written_whole(tmp_path / "none" / "file") as stream:
        stream.write(b"content")
    message = f"{tmp_path}/none/file: No such file or directory; make room, or write elsewhere."
    assert str(raised.value) == message
    assert names(tmp_path) == []
