"""Unpacking: what is kept, and which archives are refused."""

from __future__ import annotations

import io
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

from tfcross.errors import TfcrossError
from tfcross.sources.unpack import Layout, unpack
from tfcross.sources.unpack_process import unpack_in_child
from tfcross.treehash import FileSet, hash_folder

FILES = {"top/a.h": b"one\n", "top/src/b.cc": b"two\n", "top/tests/t.cc": b"three\n"}


def _member(name: str, kind: bytes = tarfile.REGTYPE, to: str = "", mode: int = 0o644) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname, member.mode = kind, to, mode
    return member


def _tar(path: Path, files: dict[str, bytes], *others: tarfile.TarInfo, mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            member = _member(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        for other in others:
            archive.addfile(other, io.BytesIO(b""))
    return path


def _zip(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def _archive(kind: str, folder: Path, files: dict[str, bytes]) -> Path:
    path = folder / f"x.{kind}"
    return _zip(path, files) if kind == "zip" else _tar(path, files, mode=f"w:{kind.partition('.')[2]}")


KINDS = ["tar.gz", "tar.xz", "tar.bz2", "tar", "zip"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_format_gives_the_same_tree(tmp_path: Path, kind: str) -> None:
    layout = Layout(FileSet(("**",), ("tests/**",)))
    into = tmp_path / "tree"
    found = unpack(_archive(kind, tmp_path, FILES), into, layout)
    assert sorted(str(p.relative_to(into)) for p in into.rglob("*") if p.is_file()) == ["a.h", "src/b.cc"]
    assert found == hash_folder(into, FileSet())
    assert found == "258d41a08dfe4b5949ac9454c489f195382f7b474541bce1cfb17cbedf5bf8bf"


def test_a_child_process_gives_the_same_tree(tmp_path: Path) -> None:
    archive = _archive("tar.xz", tmp_path, FILES)
    here = unpack(archive, tmp_path / "here", Layout())
    assert unpack_in_child(archive, tmp_path / "there", Layout()) == here


def test_files_are_read_only_and_keep_their_executable_bit(tmp_path: Path) -> None:
    archive = _tar(tmp_path / "x.tar.gz", {"top/a.h": b"one\n"}, _member("top/run.sh", mode=0o755))
    unpack(archive, tmp_path / "tree", Layout())
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in (tmp_path / "tree").iterdir()}
    assert modes == {"a.h": 0o444, "run.sh": 0o555}


def test_a_root_and_moves_rearrange_the_archive(tmp_path: Path) -> None:
    files = {"x/include/Eigen/Core": b"core", "x/include/LICENSE": b"l", "y/z": b"", "x/includes/w": b""}
    moves = (("Eigen", "unsupported/Eigen"),)
    unpack(_zip(tmp_path / "x.whl", files), tmp_path / "tree", Layout(FileSet(), "x/include", moves))
    found = sorted(
        str(p.relative_to(tmp_path / "tree")) for p in (tmp_path / "tree").rglob("*") if p.is_file()
    )
    assert found == ["LICENSE", "unsupported/Eigen/Core"]


def test_an_archive_without_a_top_folder_has_the_root_dot(tmp_path: Path) -> None:
    unpack(_tar(tmp_path / "x.tar.gz", {"a.h": b"", "src/b.h": b""}), tmp_path / "tree", Layout(root="."))
    assert (tmp_path / "tree/src/b.h").is_file()


def test_links_inside_of_the_tree_are_kept(tmp_path: Path) -> None:
    links = [
        _member("top/lib/soft", tarfile.SYMTYPE, "../a.h"),
        _member("top/hard", tarfile.LNKTYPE, "top/a.h"),
    ]
    found = unpack(_tar(tmp_path / "x.tar.gz", {"top/a.h": b"one\n"}, *links), tmp_path / "tree", Layout())
    assert (tmp_path / "tree/lib/soft").readlink() == Path("../a.h")
    assert (tmp_path / "tree/hard").read_bytes() == b"one\n"
    assert found == hash_folder(tmp_path / "tree", FileSet())


UNSAFE = [
    pytest.param(
        [_member("/etc/passwd")], "member '/etc/passwd' would land outside of the tree", id="absolute"
    ),
    pytest.param([_member("top/../../a")], "member 'top/../../a' would land outside of the tree", id="dots"),
    pytest.param([_member("other/a")], "member 'other/a' is not under the top folder 'top'", id="second top"),
    pytest.param(
        [_member("top/a.h", tarfile.SYMTYPE, "/etc/passwd")],
        "'a.h' links to '/etc/passwd', outside of the tree",
        id="absolute link",
    ),
    pytest.param(
        [_member("top/src/l", tarfile.SYMTYPE, "../../x")],
        "'src/l' links to '../../x', outside of the tree",
        id="link out",
    ),
    pytest.param(
        [_member("top/l", tarfile.SYMTYPE, "src/../../src")],
        "'l' links to 'src/../../src', outside of the tree",
        id="link out and back in",
    ),
    pytest.param(
        [_member("top/l", tarfile.SYMTYPE, "src"), _member("top/l/b.h")],
        "'l/b.h' is below a link",
        id="via link",
    ),
    pytest.param(
        [_member("top/h", tarfile.LNKTYPE, "top/none")],
        "'h' is a link to 'none', which is not kept before it",
        id="hard link to nothing",
    ),
    pytest.param([_member("top/d", tarfile.CHRTYPE)], "member 'top/d' is a device or a pipe", id="device"),
    pytest.param([_member("top/p", tarfile.FIFOTYPE)], "member 'top/p' is a device or a pipe", id="pipe"),
    pytest.param([_member("top/a"), _member("top/a")], "'a' is in it twice", id="twice"),
]


@pytest.mark.parametrize(("members", "message"), UNSAFE)
def test_an_unsafe_archive_is_refused(tmp_path: Path, members: list[tarfile.TarInfo], message: str) -> None:
    archive = _tar(tmp_path / "x.tar.gz", {"top/first.h": b""}, *members)
    with pytest.raises(TfcrossError) as caught:
        unpack(archive, tmp_path / "tree", Layout())
    assert str(caught.value) == f"x.tar.gz: {message}. Not used."


def test_an_unsafe_zip_is_refused(tmp_path: Path) -> None:
    archive = _zip(tmp_path / "x.zip", {"top/a": b"", "top/../../b": b""})
    with pytest.raises(TfcrossError, match="member 'top/../../b' would land outside of the tree"):
        unpack(archive, tmp_path / "tree", Layout())
    assert not (tmp_path / "b").exists()


def test_a_zips_link_out_is_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("top/l")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr(link, "../../secret")
    with pytest.raises(TfcrossError, match="'l' links to '../../secret', outside of the tree"):
        unpack(tmp_path / "x.zip", tmp_path / "tree", Layout())


@pytest.mark.parametrize("kind", ["tar.gz", "zip"])
def test_a_bomb_is_refused(tmp_path: Path, kind: str) -> None:
    archive = _archive(kind, tmp_path, {"top/zeros": bytes(1 << 20)})
    with pytest.raises(TfcrossError, match="it unpacks to more bytes than the limit allows"):
        unpack(archive, tmp_path / "tree", Layout(), limit=1 << 19)


@pytest.mark.parametrize("kind", KINDS)
def test_a_truncated_archive_is_refused(tmp_path: Path, kind: str) -> None:
    archive = _archive(kind, tmp_path, {"top/a.h": bytes(range(256)) * 999, "top/b.h": b"x"})
    archive.write_bytes(archive.read_bytes()[: archive.stat().st_size // 2])
    with pytest.raises(TfcrossError, match=rf"x\.{kind}: a damaged archive"):
        unpack(archive, tmp_path / "tree", Layout())


def test_a_file_that_is_no_archive_is_refused_by_the_child_too(tmp_path: Path) -> None:
    (tmp_path / "x.tar.gz").write_text("<html>not found</html>")
    with pytest.raises(TfcrossError, match="x.tar.gz: a damaged archive"):
        unpack_in_child(tmp_path / "x.tar.gz", tmp_path / "tree", Layout())


def test_an_archive_with_nothing_to_keep_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TfcrossError, match=r"x\.tar\.gz: it holds none of the files to keep\. Not used\."):
        unpack(_tar(tmp_path / "x.tar.gz", FILES), tmp_path / "tree", Layout(FileSet(("lib/**",))))


def test_a_folder_that_cannot_be_written_is_an_os_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="Not a directory"):
        unpack_in_child(_tar(tmp_path / "x.tar.gz", FILES), tmp_path / "file" / "tree", Layout())
