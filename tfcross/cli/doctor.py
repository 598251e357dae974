"""What this machine has and lacks for a target: what was found, and the command that mends it."""

from __future__ import annotations

import importlib.metadata
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from tfcross.capacity import memory_gib
from tfcross.errors import TfcrossError
from tfcross.releases.release import Origin, Release, Source
from tfcross.sources.store import Store
from tfcross.targets.profile import Profile
from tfcross.toolchains.download import bring_to
from tfcross.toolchains.families import debian_packages, download_of, install_hint, resolve_toolchain
from tfcross.toolchains.toolchain import Places

APT = "sudo apt-get install --no-install-recommends"
PYTHON = (3, 11)
#: What a build needs, in GiB: the largest compile, and with room; sources and objects.
MEMORY, CACHE_SPACE, BUILD_SPACE = 1, 1, 2
#: What mends a compiler that no package has.
ELSEWHERE = "scons TOOLCHAIN_ROOT=<the compiler's folder> …"
#: Programs of every build, and their Debian packages.
PROGRAMS = {"ctags": "universal-ctags", "c++filt": "binutils"}
#: What brings them to a Mac; the ctags that it has itself is another program, which cannot index C++.
ON_A_MAC = {"ctags": "brew install universal-ctags", "c++filt": "xcode-select --install"}
NO_CTAGS = "/usr/bin/ctags"

Reach = Callable[[Origin], str]
"""Why an origin cannot be reached, "" if it can."""


@dataclass(frozen=True)
class Check:
    """``mend`` is the command to run where ``ok`` is false."""

    ok: bool
    name: str
    found: str
    mend: str = ""


@dataclass(frozen=True)
class Machine:
    """Where things are: the checkout, PATH, the store, SDKs; and how to ask whether an origin answers."""

    root: Path
    path: str
    store: Path
    reach: Reach
    places: Places = field(default_factory=Places)


def check_machine(machine: Machine, system: str = sys.platform) -> Iterator[Check]:
    """What every target needs, on a machine of ``system``."""
    version = ".".join(map(str, sys.version_info[:3]))
    wanted = ".".join(map(str, PYTHON))
    yield Check(
        sys.version_info >= PYTHON, "Python", version, f"install Python {wanted}, then ./bootstrap true"
    )
    yield _packages(machine.root)
    for program, package in PROGRAMS.items():
        mac = system == "darwin"
        yield _program(program, ON_A_MAC[program] if mac else f"{APT} {package}", machine.path, mac)
    memory = memory_gib()
    if memory is not None:
        mend = "add swap: sudo fallocate -l 2G /swapfile …"
        yield Check(memory >= MEMORY, "memory", f"{memory:.1f} GiB", mend)
    yield _writable("cache", machine.store, CACHE_SPACE, "set TFCROSS_CACHE to another folder")
    yield _writable("build folder", machine.root / "build", BUILD_SPACE, "make room, or move the checkout")


def check_target(
    machine: Machine, profile: Profile, host: Profile, toolchain: str, folder: str
) -> Iterator[Check]:
    """The compilers and the emulator of one profile; ``toolchain`` and ``folder`` as TOOLCHAIN and
    TOOLCHAIN_ROOT give them ("": as pinned, on PATH)."""
    yield from _compilers(machine, profile, toolchain, folder)
    if host != profile:
        yield from _compilers(machine, host, "", "")
    if profile.emulator:
        program, packages = profile.emulator.program, " ".join(profile.emulator.debian)
        place = shutil.which(program, path=machine.path)
        yield Check(bool(place), "emulator", place or f"{program} is not on PATH", f"{APT} {packages}")
        yield from _emulator_root(profile.emulator.arguments, packages)


def check_sources(machine: Machine, release: Release) -> Iterator[Check]:
    """For each source that is not in the store yet, whether one of its origins answers."""
    store = Store(machine.store)
    missing = [source for source in release.sources.values() if store.tree(source) is None]
    there = len(release.sources) - len(missing)
    yield Check(True, f"sources of {release.version}", f"{there} of {len(release.sources)} are in the cache")
    for source in missing:
        names = " or ".join(dict.fromkeys(origin.file for origin in source.origins))
        yield _origins(machine, source, f"bring {names} from elsewhere, then scons SOURCE_DIR=<its folder> …")


def _origins(machine: Machine, source: Source, mend: str) -> Check:
    refused = []
    for origin in source.origins:
        why = machine.reach(origin)
        if not why:
            return Check(True, str(source), f"{origin} answers")
        refused.append(f"{origin}: {why}")
    return Check(False, str(source), "; ".join(refused), mend)


def _packages(root: Path) -> Check:
    """The pinned Python packages."""
    with (root / "pyproject.toml").open("rb") as stream:
        pins = dict(pin.split("==") for pin in tomllib.load(stream)["project"]["dependencies"])
    wrong = [f"{name} {_version(name)} is not {pin}" for name, pin in pins.items() if _version(name) != pin]
    state = "; ".join(wrong) or f"all {len(pins)} of the pinned versions"
    return Check(not wrong, "Python packages", state, "./bootstrap true")


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "none"


def _program(program: str, mend: str, path: str, mac: bool) -> Check:
    place = shutil.which(program, path=path)
    if mac and place == NO_CTAGS:
        return Check(False, program, f"{place} is Apple's", mend)
    return Check(bool(place), program, place or "not on PATH", mend)


def _compilers(machine: Machine, profile: Profile, toolchain: str, folder: str) -> Iterator[Check]:
    name = f"compiler for {profile.name}"
    packages = " ".join([*debian_packages(machine.root, toolchain, profile), *profile.debian])
    hint = install_hint(machine.root, toolchain, profile)
    bring = bring_to(machine.store, None, offline=True, progress=False)
    try:
        resolved = resolve_toolchain(
            machine.root,
            toolchain,
            profile,
            machine.path,
            "",
            bring=bring,
            places=replace(machine.places, folder=folder),
        )
    except TfcrossError as error:
        source = download_of(machine.root, toolchain, profile)
        if source is not None and not folder:
            yield _origins(machine, source, ELSEWHERE)
        elif packages:
            yield Check(False, name, str(error), f"{APT} {packages}")
        else:
            way_out = f"install {hint}" if hint else "scons TOOLCHAIN=… …"
            yield Check(False, name, str(error), ELSEWHERE if source else way_out)
        return
    yield Check(True, name, f"{resolved.name}, {resolved.family} {resolved.version}: {resolved.cxx}")
    for flag in resolved.flags:
        if flag.startswith("--sysroot="):
            sysroot = Path(flag.partition("=")[2])
            yield Check(sysroot.is_dir(), "sysroot", str(sysroot), f"{APT} {packages}")


def _emulator_root(arguments: Iterable[str], packages: str) -> Iterator[Check]:
    """The folder in which the emulator looks for the target's libraries."""
    words = list(arguments)
    if "-L" in words:
        root = Path(words[words.index("-L") + 1])
        yield Check((root / "lib").is_dir(), "libraries to run with", str(root / "lib"), f"{APT} {packages}")


def _writable(name: str, folder: Path, space: int, mend: str) -> Check:
    """Whether files can be made in ``folder``, or where it will be, with ``space`` GiB free."""
    place = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(place).free / 2**30
    state = f"{folder}, {free:.0f} GiB free"
    try:
        with tempfile.TemporaryFile(dir=place):
            return Check(free >= space, name, state, mend)
    except OSError as error:
        return Check(False, name, f"{state}: {error.strerror}", mend)
