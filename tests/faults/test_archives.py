"""Archives and patches that are damaged or mean harm: refused with the member's name, in bounded memory."""

from __future__ import annotations

import gzip
import io
import random
import resource
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

from tfcross.errors import TfcrossError
from tfcross.sources.patching import apply_patches
from tfcross.sources.unpack import Layout, unpack

SEED = 20261128


def member(name: str, kind: bytes = tarfile.REGTYPE, to: str = "", size: int = 0) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, to, size
    return info


def tar(path: Path, *members: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w") as archive:
        for info in members:
            archive.addfile(info, io.BytesIO(bytes(info.size)))
    return path


def refusal(archive: Path) -> str:
    with pytest.raises(TfcrossError) as caught:
        unpack(archive, archive.parent / "tree", Layout())
    return str(caught.value)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        pytest.param(
            [member("t/d/e/x", tarfile.SYMTYPE, "."), member("t/d/e/l", tarfile.SYMTYPE, "x/../../../..")],
            "'d/e/l' links to 'x/../../../..', outside of the tree",
            id="a link through a link",
        ),
        pytest.param(
            [member("t/a"), member("t/a/b")], "'a/b' is below the file 'a'", id="a file that is a folder, too"
        ),
        pytest.param(
            [member("t/a/b"), member("t/a")], "'a' is a file and a folder in it", id="a folder that is a file"
        ),
        pytest.param(
            [member("t/pipe", tarfile.FIFOTYPE)], "member 't/pipe' is a device or a pipe", id="a pipe"
        ),
    ],
)
def test_a_tar_that_means_harm_is_refused(
    tmp_path: Path, members: list[tarfile.TarInfo], message: str
) -> None:
    assert refusal(tar(tmp_path / "x.tar", *members)) == f"x.tar: {message}. Not used."


def test_a_zip_with_a_pipe_is_refused(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("t/pipe")
    info.external_attr = (stat.S_IFIFO | 0o644) << 16
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr(info, b"")
    assert refusal(tmp_path / "x.zip") == "x.zip: member 't/pipe' is a device or a pipe. Not used."


def test_a_wrong_checksum_is_damage_and_not_a_full_disk(tmp_path: Path) -> None:
    content = bytearray(gzip.compress(tar(tmp_path / "x.tar", member("t/a", size=9000)).read_bytes()))
    content[-8] ^= 1  # the CRC of the gzip stream
    (tmp_path / "x.tar.gz").write_bytes(content)
    assert refusal(tmp_path / "x.tar.gz").startswith("x.tar.gz: a damaged archive (CRC check failed")


def test_a_header_of_gigabytes_costs_no_memory(tmp_path: Path) -> None:
    info = member("t/long", tarfile.GNUTYPE_LONGNAME)
    info.size = 3 << 30
    path = tmp_path / "x.tar"
    path.write_bytes(info.tobuf(tarfile.GNU_FORMAT))
    with path.open("r+b") as stream:
        stream.truncate(4 << 30)  # a hole: no disk is used
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert refusal(path) == "x.tar: a header in it has 3221225472 bytes; 1048576 are allowed. Not used."
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000


@pytest.mark.parametrize("kind", ["tar.gz", "tar.bz2", "tar.xz", "tar", "zip"])
def test_damaged_archives_unpack_or_are_refused_in_one_line(tmp_path: Path, kind: str) -> None:
    whole = tmp_path / f"whole.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in ("t/a", "t/b/c"):
                archive.writestr(name, b"some text " * 50)
    else:
        with tarfile.open(whole, f"w:{kind.partition('.')[2]}") as opened:
            for name in ("t/a", "t/b/c"):
                opened.addfile(member(name, size=500), io.BytesIO(b"some text " * 50))
    chance = random.Random(f"{SEED} {kind}")
    for number in range(150):
        content = bytearray(whole.read_bytes())
        for _ in range(chance.randint(1, 4)):
            content[chance.randrange(len(content))] = chance.randrange(256)
        damaged = tmp_path / f"{number}.{kind}"
        damaged.write_bytes(content[: chance.choice([len(content), chance.randrange(len(content))])])
        try:
            unpack(damaged, tmp_path / f"tree{number}", Layout())
        except TfcrossError as error:
            assert str(error).startswith(f"{number}.{kind}: ")
    assert {path.name.rstrip("0123456789") for path in tmp_path.iterdir() if path.is_dir()} <= {"tree"}


def test_a_patch_does_not_write_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/a.txt").write_text("one\n")
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/link").symlink_to(tmp_path / "outside")
    patch = tmp_path / "x.patch"
    patch.write_text("--- a/link/a.txt\n+++ b/link/a.txt\n@@ -1 +1 @@\n-one\n+two\n")
    with pytest.raises(TfcrossError) as caught:
        apply_patches(tmp_path / "tree", [patch])
    told = "x.patch: link/a.txt: 'link' is a link; name the file that it leads to."
    assert str(caught.value) == told
    assert (tmp_path / "outside/a.txt").read_text() == "one\n"
