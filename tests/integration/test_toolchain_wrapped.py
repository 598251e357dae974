"""Toolchains that no package has, stood in for by scripts around this machine's real cross compiler."""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import yaml

from tfcross import environment
from tfcross.app.proof import loading, run_here
from tfcross.errors import TfcrossError
from tfcross.targets.profile import Profile, load_profile
from tfcross.targets.target import host_triple
from tfcross.toolchains.download import bring_to
from tfcross.toolchains.families import resolve_toolchain
from tfcross.toolchains.toolchain import Places, Toolchain

ROOT = Path(__file__).parents[2]
PREFIX = "arm-linux-gnueabihf-"
#: As Raspbian configures its GCC: this is what it compiles for when nobody says otherwise.
RASPBIAN = "-march=armv6 -mfpu=vfp -mfloat-abi=hard -marm"
PROGRAM = """
#include <atomic>
#include <cstdio>
#include <memory>
#include <thread>
#ifdef __GCC_HAVE_SYNC_COMPARE_AND_SWAP_2
#error "shared_ptr counts by other means than in the library"
#endif
std::atomic<long long> sum{40};
int main() {
  auto two = std::make_shared<int>(2);
  std::thread([two] { sum += *two; }).join();
  std::printf("%lld\\n", sum.load());
}
"""


def wrapped(folder: Path, flags: str) -> None:
    """The cross GCC 12 under the names of another toolchain's, with ``flags`` before all others."""
    folder.mkdir(parents=True)
    for name, real in (("g++", "g++-12"), ("gcc", "gcc-12")):
        program = folder / f"{PREFIX}old-{name}"
        program.write_text(f'#!/bin/sh\nexec {shutil.which(PREFIX + real)} {flags} "$@"\n')
        program.chmod(0o755)


def project(folder: Path, runtime: Sequence[str] = (), **more: object) -> Path:
    """A project with one toolchain file: the pinned GCC 4.8's, with the version and names of ``wrapped``.

    ``more`` is what its download has otherwise.
    """
    data = yaml.safe_load((ROOT / "toolchains/gcc-4.8.yaml").read_text())
    old = {"cxx": ["{prefix}old-g++"], "linker": ["{prefix}old-g++"], "cc": ["{prefix}old-gcc"]}
    data |= {"version": "12", "programs": data["programs"] | old, "runtime": list(runtime)}
    data["download"] |= more
    (folder / "toolchains").mkdir()
    (folder / "toolchains/old.yaml").write_text(yaml.safe_dump(data))
    return folder


def pi() -> Profile:
    return load_profile(ROOT, "PI", "armv7", "1.8.0")


def output_of(folder: Path, toolchain: Toolchain, source: str) -> str:
    """Compiles, links and runs ``source`` as the build does."""
    profile = toolchain.fitted(pi())
    (folder / "app.cc").write_text(source)
    libraries = [f"-l{name}" for name in profile.libraries]
    emulator = profile.emulator
    assert emulator is not None
    for command in (
        [toolchain.cxx, *toolchain.flags, "-std=c++11", "-Os", "-c", "app.cc", "-o", "app.o"],
        [toolchain.linker, *toolchain.link_flags, "app.o", "-o", "app", *libraries],
    ):
        subprocess.run(command, cwd=folder, env=environment.compiler_environment(), check=True)
    run = [emulator.program, *emulator.arguments, str(folder / "app")]
    return subprocess.run(run, capture_output=True, text=True, check=True).stdout


def test_where_the_compiler_defaults_to_armv6_objects_for_armv7_keep_to_its_librarys_ways(
    tmp_path: Path,
) -> None:
    wrapped(tmp_path / "gcc/bin", RASPBIAN)
    found = resolve_toolchain(
        project(tmp_path), "old", pi(), environment.path(), "", places=Places(folder=str(tmp_path / "gcc"))
    )
    assert found.flags == (*pi().ccflags, "-U__GCC_HAVE_SYNC_COMPARE_AND_SWAP_2")
    assert output_of(tmp_path, found, PROGRAM) == "42\n"


def test_where_the_profile_leaves_the_default_cpu_nothing_is_added(tmp_path: Path) -> None:
    wrapped(tmp_path / "gcc/bin", RASPBIAN)
    profile = replace(pi(), ccflags=("-mfpu=neon-vfpv4",))
    found = resolve_toolchain(
        project(tmp_path), "old", profile, environment.path(), "", places=Places(folder=str(tmp_path / "gcc"))
    )
    assert found.flags == ("-mfpu=neon-vfpv4",)
    assert output_of(tmp_path, found, PROGRAM) == "42\n"


SPEAKS = """
#include <cstdio>
const char* word();
int main() { std::puts(word()); }
"""


def test_a_proof_loads_the_libraries_of_its_toolchain(tmp_path: Path) -> None:
    """The emulator has a library of this name too, but another one."""
    wrapped(tmp_path / "gcc/bin", f"-B{tmp_path}/gcc/lib")
    library = tmp_path / "gcc/lib/libatomic.so.1"
    library.parent.mkdir()
    (tmp_path / "word.cc").write_text('const char* word() { return "own"; }')
    (tmp_path / "app.cc").write_text(SPEAKS)
    build = [f"{PREFIX}g++-12", "-shared", "-fPIC", f"-Wl,-soname,{library.name}", "-o", str(library)]
    subprocess.run([*build, "word.cc"], cwd=tmp_path, check=True)
    root = project(tmp_path, runtime=[library.name, "libmissing.so.1"])
    found = resolve_toolchain(
        root, "old", pi(), environment.path(), "", places=Places(folder=str(tmp_path / "gcc"))
    )
    assert found.runtime == (str(library),)
    link = [found.linker, *found.link_flags, "app.cc", *found.runtime, "-o", "app"]
    subprocess.run(link, cwd=tmp_path, check=True)
    plain, app = environment.compiler_environment(), str(tmp_path / "app")
    assert run_here(pi(), app, [], loading(found.runtime, tmp_path / "app.libraries", plain)) == "own\n"
    with pytest.raises(TfcrossError, match="undefined symbol"):
        run_here(pi(), app, [], plain)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """The URL of ``tmp_path/www``."""
    (tmp_path / "www").mkdir()
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path / "www"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_downloaded_compiler_compiles_links_and_needs_no_network_again(tmp_path: Path, served: str) -> None:
    wrapped(tmp_path / "programs", "")
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        archive.add(tmp_path / "programs", "tools-1/gcc/bin")
    (tmp_path / "www/tools.tar.gz").write_bytes(buffer.getvalue())
    root = project(
        tmp_path,
        hosts=[host_triple()],
        urls=[f"{served}/tools.tar.gz"],
        sha256=hashlib.sha256(buffer.getvalue()).hexdigest(),
        root="tools-1/gcc",
    )
    bring = bring_to(tmp_path / "store", None, offline=False, progress=False)
    found = resolve_toolchain(root, "old", pi(), environment.path(), "", bring=bring)
    assert Path(found.cxx).is_relative_to(tmp_path / "store")
    assert output_of(tmp_path, found, PROGRAM.replace("#error", "//")) == "42\n"
    (tmp_path / "www/tools.tar.gz").unlink()
    offline = bring_to(tmp_path / "store", None, offline=True, progress=False)
    assert resolve_toolchain(root, "old", pi(), environment.path(), "", bring=offline) == found
