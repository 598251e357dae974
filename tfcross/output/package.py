"""Packages: an output folder as one file, with licences and sums; the same bytes wherever it is made."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tfcross.errors import TfcrossError
from tfcross.files import write_whole
from tfcross.render import TEMPLATES

SUMS = "SHA256SUMS"
#: Texts of licences that a source names and does not bring, by SPDX identifier.
LICENCES = TEMPLATES / "licences"
_NAMES = ("LICENSE", "LICENCE", "COPYING", "NOTICE")


@dataclass(frozen=True)
class Part:
    """A source that is inside: its tree, the name of its licence's file there, the SPDX expression."""

    name: str
    tree: Path
    licence: str
    spdx: str


def licence_files(parts: Iterable[Part]) -> dict[str, bytes]:
    """The licences of all that is inside, by path in the package; TfcrossError for a part without one."""
    licences: dict[str, bytes] = {}
    for part in parts:
        texts = {path.name: path for path in part.tree.iterdir() if path.name.startswith(_NAMES)}
        own = part.tree / part.licence
        texts |= {own.name: own} if own.is_file() else {}
        if not texts:
            path = LICENCES / f"{part.spdx}.txt"
            if not path.is_file():
                raise TfcrossError(
                    f"package: {part.name}: no {part.licence} in its tree, and none in "
                    f"templates/{LICENCES.name}; put {part.spdx}.txt there."
                )
            texts = {path.name: path}
        licences |= {f"licences/{part.name}/{name}": path.read_bytes() for name, path in texts.items()}
    return licences


def folder_files(folder: Path) -> dict[str, bytes]:
    """Every file below ``folder`` by its path there, but for what Python leaves beside a tool."""
    paths = sorted(p for p in folder.rglob("*") if p.is_file() and "__pycache__" not in p.parts)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def file_sums(files: Mapping[str, bytes]) -> dict[str, str]:
    """The sha256 of each of ``files``."""
    return {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}


def with_sums(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """``files`` and the list that ``sha256sum --check`` reads."""
    lines = [f"{digest}  {name}\n" for name, digest in sorted(file_sums(files).items())]
    return {**files, SUMS: "".join(lines).encode()}


def package_name(release: str, profile: str) -> str:
    return f"tensorflow-core-{release}-{profile}"


def write_package(path: Path, content: bytes) -> str:
    """``path`` and, beside it, the sum that ``sha256sum --check`` reads; gives the sum."""
    digest = hashlib.sha256(content).hexdigest()
    for target, data in ((path, content), (Path(f"{path}.sha256"), f"{digest}  {path.name}\n".encode())):
        write_whole(target, data)
    return digest


def tarball(name: str, files: Mapping[str, bytes], date: int) -> bytes:
    """A .tar.gz of ``files`` below the folder ``name``, sorted; all times are ``date``, in Unix seconds."""
    packed = io.BytesIO()
    with (
        gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=packed, mtime=date) as stream,
        tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for path, content in sorted(files.items()):
            entry = tarfile.TarInfo(f"{name}/{path}")
            entry.size, entry.mtime = len(content), date
            entry.mode = 0o755 if path.startswith("bin/") else 0o644
            archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def package_files(packed: bytes) -> dict[str, bytes]:
    """The files of a tarball of ours by their paths below its folder."""
    with tarfile.open(fileobj=io.BytesIO(packed), mode="r:gz") as archive:
        entries = ((entry.name.partition("/")[2], archive.extractfile(entry)) for entry in archive)
        return {name: stream.read() for name, stream in entries if stream}


def bundle_files(bundle: Mapping[str, bytes], archs: Mapping[str, Mapping[str, bytes]]) -> dict[str, bytes]:
    """The ``bundle`` of several archs, the licences of all, and each arch's other papers in a folder.

    ``archs`` are the files of each arch's own package.
    """
    bundled = dict(bundle)
    for arch, files in archs.items():
        bundled |= {name: content for name, content in files.items() if name.startswith("licences/")}
        papers = {
            name: content for name, content in files.items() if "/" not in name and name.endswith(".json")
        }
        bundled |= {f"{arch}/{name}": content for name, content in papers.items()}
    return bundled


def packed_file(package: Path, name: str) -> bytes:
    """The file ``name`` of a package that ``tarball`` made; TfcrossError where there is none."""
    path = f"{package.name.removesuffix('.tar.gz')}/{name}"
    try:
        with tarfile.open(package) as archive:
            stream = archive.extractfile(path)
            return stream.read() if stream else b""
    except (KeyError, tarfile.TarError, EOFError) as error:
        raise TfcrossError(f"{package}: has no {path}: {error}; pack again.") from error
