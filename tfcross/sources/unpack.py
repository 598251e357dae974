"""Unpack the kept files of an archive, refusing whatever could land outside of the tree."""

from __future__ import annotations

import bz2
import contextlib
import errno
import gzip
import hashlib
import io
import lzma
import os
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, cast

from tfcross.errors import TfcrossError
from tfcross.treehash import BLOCK, FileSet, link_hash, modified_time, tree_hash

if TYPE_CHECKING:  # a process that only unpacks starts in a tenth of the time without what it does not need
    from tfcross.releases.release import Origin, Source

LIMIT = 4 << 30
#: Most bytes of a tar member's long name or extended header, which are read whole, and of a link's target.
LONGEST_HEADER, LONGEST_LINK = 1 << 20, 4096
_HEADERS = (tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE, b"X")


@dataclass(frozen=True)
class Layout:
    """How an archive's members become a tree: ``root``, ``moves`` as in an Origin; ``files`` is kept."""

    files: FileSet = field(default_factory=FileSet)
    root: str = ""
    moves: tuple[tuple[str, str], ...] = ()


def layout_of(source: Source, origin: Origin) -> Layout:
    """How the archive from ``origin`` becomes the tree of ``source``."""
    return Layout(source.files, origin.root, origin.moves)


class _Member(tarfile.TarInfo):
    """A tar member whose headers are of a bounded size."""

    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        if self.type in _HEADERS and self.size > LONGEST_HEADER:
            raise TfcrossError(f"a header in it has {self.size} bytes; {LONGEST_HEADER} are allowed")
        return super()._proc_member(archive)  # type: ignore[misc,no-any-return]


class _Tree:
    """The tree being written; ``limit`` bounds the bytes of all members, kept or not."""

    def __init__(self, into: Path, layout: Layout, limit: int) -> None:
        self.into, self.layout, self.left = into, layout, limit
        self.top = ""
        self.contents: dict[str, str] = {}
        self.links: dict[str, str] = {}
        self.folders: set[Path] = set()

    def place(self, member: str) -> str:
        """Where a member goes, "" for one that is not kept; raises for an unsafe name."""
        parts = [part for part in member.split("/") if part not in ("", ".")]
        if member.startswith(("/", "\\")) or ".." in parts or any("\0" in part for part in parts):
            raise TfcrossError(f"member '{member}' would land outside of the tree")
        path = self._below_root(parts, member)
        for source, target in self.layout.moves:
            if path == source or path.startswith(f"{source}/"):
                path = target + path[len(source) :]
                break
        return path if path and path in self.layout.files else ""

    def _below_root(self, parts: list[str], member: str) -> str:
        root = self.layout.root
        if root == ".":
            return "/".join(parts)
        if root:
            wanted = root.split("/")
            return "/".join(parts[len(wanted) :]) if parts[: len(wanted)] == wanted else ""
        self.top = self.top or parts[0]
        if parts[0] != self.top:
            raise TfcrossError(f"member '{member}' is not under the top folder '{self.top}'")
        return "/".join(parts[1:])

    def charge(self, size: int) -> None:
        self.left -= size
        if self.left < 0:
            raise TfcrossError("it unpacks to more bytes than the limit allows")

    def _new(self, path: str) -> Path:
        if path in self.contents:
            raise TfcrossError(f"'{path}' is in it twice")
        for parent in map(str, PurePosixPath(path).parents):
            if parent in self.links:
                raise TfcrossError(f"'{path}' is below a link")
            if parent in self.contents:
                raise TfcrossError(f"'{path}' is below the file '{parent}'")
        target = self.into / path
        if target in self.folders:
            raise TfcrossError(f"'{path}' is a file and a folder in it")
        if target.parent not in self.folders:
            target.parent.mkdir(parents=True, exist_ok=True)
            self.folders.update((target.parent, *target.parent.parents))
        return target

    def add_file(self, path: str, stream: IO[bytes], executable: bool) -> None:
        target = self._new(path)
        digest = hashlib.sha256()
        with target.open("xb") as out:
            while block := stream.read(BLOCK):
                digest.update(block)
                out.write(block)
        self._finish(path, target, digest.hexdigest(), executable)

    def add_copy(self, path: str, of: str) -> None:
        if of not in self.contents or of in self.links:
            raise TfcrossError(f"'{path}' is a link to '{of}', which is not kept before it")
        with (self.into / of).open("rb") as stream:
            self.add_file(path, stream, False)

    def _finish(self, path: str, target: Path, digest: str, executable: bool) -> None:
        target.chmod(0o555 if executable else 0o444)
        os.utime(target, (modified_time(digest),) * 2)
        self.contents[path] = digest

    def add_link(self, path: str, to: str) -> None:
        depth = len(PurePosixPath(path).parents) - 1
        for part in PurePosixPath(to).parts:
            depth += -1 if part == ".." else 1
            if depth < 0 or part == "/":
                raise TfcrossError(f"'{path}' links to '{to}', outside of the tree")
        self._new(path).symlink_to(to)
        self.links[path] = to
        self.contents[path] = link_hash(to)

    def check_links(self) -> None:
        """Raises TfcrossError for a link that leaves the tree by way of another."""
        top = os.path.realpath(self.into)
        for path, to in self.links.items():
            end = os.path.realpath(self.into / path)
            if end != top and not end.startswith(f"{top}/"):
                raise TfcrossError(f"'{path}' links to '{to}', outside of the tree")


def unpack(archive: Path, into: Path, layout: Layout, limit: int = LIMIT) -> str:
    """Unpack what ``layout`` keeps into the new folder ``into``; the tree's hash.

    Raises TfcrossError, naming the archive, for a damaged or an unsafe one; what was written so far
    stays, for the caller to remove with its folder.
    """
    with _told(archive.name):
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as opened:
                return _unpack_zip(opened, into, layout, limit)
        tree = _Tree(into, layout, limit)
        with (
            _decompressed(archive) as plain,
            tarfile.open(fileobj=plain, mode="r:", tarinfo=_Member) as opened_tar,
        ):
            for member in opened_tar:
                _add_tar_member(tree, opened_tar, member)
        return _digest(tree)


def unpack_zip(archive: zipfile.ZipFile, into: Path, layout: Layout, limit: int = LIMIT) -> str:
    """``unpack`` for a zip that is open already, wherever its bytes come from."""
    with _told(PurePosixPath(archive.filename or "zip").name):
        return _unpack_zip(archive, into, layout, limit)


def _decompressed(archive: Path) -> IO[bytes]:
    """The tar in ``archive``; not by tarfile's own stream mode, which takes seven times as long."""
    with archive.open("rb") as stream:
        magic = stream.read(6)
    for start, module in ((b"\x1f\x8b", gzip), (b"\xfd7zXZ\0", lzma), (b"BZh", bz2)):
        if magic.startswith(start):
            return cast(IO[bytes], io.BufferedReader(module.open(archive), BLOCK))
    return archive.open("rb")


@contextlib.contextmanager
def _told(name: str) -> Iterator[None]:
    try:
        yield
    except TfcrossError as error:
        raise TfcrossError(f"{name}: {error}. Not used.") from error
    except (tarfile.TarError, zipfile.BadZipFile, lzma.LZMAError, zlib.error, EOFError) as error:
        raise TfcrossError(f"{name}: a damaged archive ({error or 'it ends early'}). Not used.") from error
    except (UnicodeDecodeError, RuntimeError, OverflowError) as error:  # of a zip
        raise TfcrossError(f"{name}: an archive that cannot be read ({error}). Not used.") from error
    except OSError as error:
        if error.errno not in (None, errno.EINVAL):  # of the disk; a zip can name a place before its start
            raise
        raise TfcrossError(f"{name}: a damaged archive ({error}). Not used.") from error  # gzip, bz2


def _digest(tree: _Tree) -> str:
    if not tree.contents:
        raise TfcrossError("it holds none of the files to keep")
    tree.check_links()
    return tree_hash(tree.contents)


def _add_tar_member(tree: _Tree, archive: tarfile.TarFile, member: tarfile.TarInfo) -> None:
    if member.isdir():
        return
    path = tree.place(member.name)
    tree.charge(member.size)
    if not (member.isreg() or member.issym() or member.islnk()):
        raise TfcrossError(f"member '{member.name}' is a device or a pipe")
    if not path:
        return
    if member.issym():
        tree.add_link(path, member.linkname)
    elif member.islnk():
        tree.add_copy(path, tree.place(member.linkname))
    elif (stream := archive.extractfile(member)) is not None:
        tree.add_file(path, stream, bool(member.mode & 0o100))


def _unpack_zip(archive: zipfile.ZipFile, into: Path, layout: Layout, limit: int) -> str:
    tree = _Tree(into, layout, limit)
    for member in sorted(archive.infolist(), key=lambda info: info.header_offset):
        if member.is_dir():
            continue
        path = tree.place(member.filename)
        tree.charge(member.file_size)
        mode = member.external_attr >> 16
        if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFLNK):
            raise TfcrossError(f"member '{member.filename}' is a device or a pipe")
        if path and stat.S_ISLNK(mode):
            if member.file_size > LONGEST_LINK:
                raise TfcrossError(f"'{path}' is a link to a name of {member.file_size} bytes")
            tree.add_link(path, archive.read(member).decode())
        elif path:
            with archive.open(member) as stream:
                tree.add_file(path, stream, bool(mode & 0o100))
    return _digest(tree)
