"""A toolchain in a folder that the user gives, and one that is downloaded."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from fake_compilers import ROOT, TRIPLE, gcc, pi
from file_server import FileServer

from tfcross.errors import TfcrossError
from tfcross.targets.profile import Profile
from tfcross.targets.target import host_triple
from tfcross.toolchains.download import bring_to, toolchain_source
from tfcross.toolchains.families import resolve_toolchain
from tfcross.toolchains.toolchain import Places, Toolchain

WAYS_OUT = (
    "Install it (no Debian package has it; builds on x86-64 download it from github.com/raspberrypi/tools; "
    "any other: put its folder on PATH or pass TOOLCHAIN_ROOT=), or pass TOOLCHAIN= another. "
    "Known: clang-14, gcc-12."
)
PIN = "PI pins gcc 4.8 for TensorFlow 1.8.0; arm-linux-gnueabihf-g++-4.8 is not"


def error_with(folder: Path | str, search_path: Path) -> str:
    with pytest.raises(TfcrossError) as raised:
        resolve_toolchain(ROOT, "", pi("1.8.0"), str(search_path), "", places=Places(folder=str(folder)))
    return str(raised.value)


@pytest.mark.parametrize("inside", ["", "bin"], ids=["the folder itself", "its bin"])
def test_the_programs_of_a_given_folder_come_before_those_on_path(tmp_path: Path, inside: str) -> None:
    own, path = tmp_path / "own", tmp_path / "path"
    gcc(own / inside, "4.8.3")
    gcc(path, "4.8.5", suffix="-4.8")
    found = resolve_toolchain(ROOT, "", pi("1.8.0"), str(path), "", places=Places(folder=str(own)))
    assert found.version == "4.8.3"
    assert {Path(program).parent for program in (found.cxx, found.cc, found.linker, found.ar)} == {
        own / inside
    }


def test_what_a_given_folder_lacks_besides_the_compilers_is_taken_from_path(tmp_path: Path) -> None:
    own, path = tmp_path / "own", tmp_path / "path"
    gcc(own, "4.8.3")
    gcc(path, "12.2.0")
    (own / f"{TRIPLE}-ar").unlink()
    found = resolve_toolchain(ROOT, "", pi("1.8.0"), str(path), "", places=Places(folder=str(own)))
    assert (found.ar, found.nm) == (str(path / f"{TRIPLE}-ar"), str(own / f"{TRIPLE}-nm"))


def test_a_given_folder_with_another_compiler_is_refused_whatever_is_on_path(tmp_path: Path) -> None:
    own, path = tmp_path / "own", tmp_path / "path"
    gcc(own, "12.2.0")
    gcc(path, "4.8.3", suffix="-4.8")
    assert error_with(own, path) == (
        f"{PIN} in TOOLCHAIN_ROOT={own} (found: arm-linux-gnueabihf-g++ 12.2.0). {WAYS_OUT}"
    )


def test_a_given_folder_without_compilers_is_refused(tmp_path: Path) -> None:
    gcc(tmp_path / "path", "4.8.3", suffix="-4.8")
    names = (
        "arm-linux-gnueabihf-g++-4.8 or g++-4.8 or arm-linux-gnueabihf-g++ or "
        "arm-linux-gnueabihf-gcc-4.8 or gcc-4.8 or arm-linux-gnueabihf-gcc"
    )
    assert error_with(tmp_path, tmp_path / "path") == (
        f"TOOLCHAIN_ROOT={tmp_path}: neither it nor its bin holds {names}; "
        "give the folder that holds the toolchain's programs."
    )


def test_a_given_folder_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    assert error_with("/nowhere", tmp_path) == (
        "TOOLCHAIN_ROOT=/nowhere: there is no such folder; "
        "give the folder that holds the toolchain's programs."
    )


def packed(programs: Path) -> bytes:
    """An archive with the programs in tools-1/gcc/bin, a manual beside them, and another toolchain."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        archive.add(programs, "tools-1/gcc/bin")
        archive.add(programs / "macros", "tools-1/gcc/share/manual")
        archive.add(programs / "macros", "tools-1/other/macros")
    return buffer.getvalue()


class Site:
    """A project of one toolchain, whose archive a server on this machine has."""

    def __init__(self, root: Path, server: FileServer) -> None:
        self.root, self.server = root, server
        gcc(root / "programs", "4.8.3")
        self.archive = packed(root / "programs")
        server.files["/tools.tar.gz"] = self.archive
        self.data = yaml.safe_load((ROOT / "toolchains/gcc-4.8.yaml").read_text())
        self.data["download"] |= {
            "hosts": [host_triple()],
            "urls": [f"{server.url}/gone.tar.gz", f"{server.url}/tools.tar.gz"],
            "file": "tools.tar.gz",
            "sha256": hashlib.sha256(self.archive).hexdigest(),
            "root": "tools-1/gcc",
        }
        (root / "toolchains").mkdir()
        self.write()

    def write(self) -> None:
        (self.root / "toolchains/gcc-4.8.yaml").write_text(yaml.safe_dump(self.data))

    def resolve(self, profile: Profile, source_dir: Path | None = None, offline: bool = False) -> Toolchain:
        (self.root / "path").mkdir(exist_ok=True)
        bring = bring_to(self.root / "store", source_dir, offline, progress=False)
        return resolve_toolchain(self.root, "gcc-4.8", profile, str(self.root / "path"), "", bring=bring)

    def error(self, **how: bool) -> str:
        with pytest.raises(TfcrossError) as raised:
            self.resolve(pi("1.8.0"), **how)
        return str(raised.value)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with FileServer({}) as server:
        yield Site(tmp_path, server)


def test_a_toolchain_that_is_nowhere_is_downloaded_once(site: Site) -> None:
    found = site.resolve(pi("1.8.0"))
    home = Path(found.cxx).parents[1]
    assert found.version == "4.8.3"
    assert home.is_relative_to(site.root / "store/trees")
    assert [path.name for path in home.iterdir()] == ["bin"]
    assert [path for path, _ in site.server.seen] == ["/gone.tar.gz", "/tools.tar.gz"]
    assert site.resolve(pi("1.8.0"), offline=True) == found
    assert len(site.server.seen) == 2


def test_a_downloaded_file_in_source_dir_needs_no_network(site: Site) -> None:
    (site.root / "files").mkdir()
    (site.root / "files/tools.tar.gz").write_bytes(site.archive)
    assert site.resolve(pi("1.8.0"), site.root / "files", offline=True).version == "4.8.3"
    assert site.server.seen == []


def test_a_toolchain_on_path_is_taken_before_any_download(site: Site) -> None:
    gcc(site.root / "path", "4.8.5", suffix="-4.8")
    assert site.resolve(pi("1.8.0")).version == "4.8.5"
    assert site.server.seen == []


def test_an_archive_with_another_hash_is_not_used(site: Site) -> None:
    site.server.files["/tools.tar.gz"] = site.archive + b"!"
    url, pinned = site.server.url, site.data["download"]["sha256"][:8]
    found = hashlib.sha256(site.archive + b"!").hexdigest()[:8]
    assert site.error() == (
        f"{PIN} on PATH (found: none). gcc-4.8 0e906ebc527e: no origin brought it. "
        f"{url}/gone.tar.gz: {url}/gone.tar.gz: HTTP 404. {url}/tools.tar.gz: sha256 of the file from "
        f"{url.removeprefix('http://')} is {found}…, the release pins {pinned}…. Not used. "
        "Check the network, or put one of its files into a folder and pass SOURCE_DIR=<folder>. "
        + WAYS_OUT.replace(" Known: clang-14, gcc-12.", " Known: none.")
    )
    assert not (site.root / "store/trees").exists() or list((site.root / "store/trees").iterdir()) == []


def test_offline_the_missing_archive_is_named_and_nothing_is_asked_for(site: Site) -> None:
    message = site.error(offline=True)
    assert message.startswith(f"{PIN} on PATH (found: none). OFFLINE=1: ")
    assert "gcc-4.8 0e906ebc527e (tools.tar.gz)" in message
    assert site.server.seen == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        pytest.param("hosts", ["riscv64-linux-gnu"], id="its programs run on another machine"),
        pytest.param("triples", ["arm-linux-gnueabi"], id="they make code for another target"),
    ],
)
def test_a_toolchain_that_would_be_of_no_use_is_not_downloaded(
    site: Site, key: str, value: list[str]
) -> None:
    site.data["download"][key] = value
    site.write()
    assert site.error().startswith(f"{PIN} on PATH (found: none). Install it (")
    assert site.server.seen == []


def test_what_is_downloaded_for_the_pi_is_pinned_by_its_hash() -> None:
    data = yaml.safe_load((ROOT / "toolchains/gcc-4.8.yaml").read_text())
    source = toolchain_source("gcc-4.8", data, TRIPLE, "x86_64-linux-gnu")
    assert source is not None
    assert {origin.sha256 for origin in source.origins} == {
        "970285762565c7890c6c087d262b0a18286e7d0384f13a37786d8521773bc969"
    }
    commit = "0e906ebc527eab1cdbf7adabff5b474da9562e9f"
    assert all(
        origin.url.endswith(f"/raspberrypi/tools/archive/{commit}.tar.gz") for origin in source.origins
    )
    assert "bin/arm-linux-gnueabihf-g++" in source.files
    assert "arm-linux-gnueabihf/libc/usr/lib/arm-linux-gnueabihf/crt1.o" in source.files
    assert "share/doc/gcc.html" not in source.files
    assert toolchain_source("gcc-4.8", data, TRIPLE, "aarch64-linux-gnu") is None
    assert toolchain_source("gcc-12", {}, TRIPLE, "x86_64-linux-gnu") is None
