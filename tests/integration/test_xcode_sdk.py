"""An Xcode put together from public parts: Mach-O objects, archives, links, load commands, by real tools."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from constructed_xcode import construct_xcode
from macholib.mach_o import LC_BUILD_VERSION, LC_SEGMENT_64, LC_VERSION_MIN_IPHONEOS
from macholib.MachO import MachO
from registering_library import build, build_nsync

from tfcross import environment
from tfcross.binary.macho import symbol_sizes
from tfcross.targets.profile import adjusted, load_profile
from tfcross.toolchains.families import resolve_toolchain
from tfcross.toolchains.toolchain import Toolchain

ROOT = Path(__file__).parents[2]
# The platforms of LC_BUILD_VERSION, and a minimum of 12.0 in its encoding.
IOS, SIMULATOR, VERSION_12 = 2, 7, 12 << 16


@pytest.fixture(scope="module")
def xcode(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A PATH with the constructed xcrun first."""
    return f"{construct_xcode(tmp_path_factory.mktemp('xcode'))}:{environment.path()}"


def resolve(path: str, arch: str = "arm64", release: str = "2.14.1", api: str = "") -> Toolchain:
    return resolve_toolchain(ROOT, "", load_profile(ROOT, "IOS", arch, release, api=api), path, "")


def commands(file: Path) -> list[tuple[int, object, object]]:
    """The load commands of a thin Mach-O file: number, command, its data."""
    header, *others = MachO(str(file)).headers
    assert not others
    return [(load.cmd, command, data) for load, command, data in header.commands]


def sections(file: Path) -> dict[str, int]:
    """Name to size."""
    parts = (data for number, _, data in commands(file) if number == LC_SEGMENT_64)
    return {section.sectname.rstrip(b"\0").decode(): section.size for data in parts for section in data}


def test_force_load_keeps_registrations_and_a_plain_link_drops_them(tmp_path: Path, xcode: str) -> None:
    found = resolve(xcode)
    whole, plain = build(found, load_profile(ROOT, "IOS", "arm64", "2.14.1"), tmp_path)
    assert sections(whole)["__mod_init_func"] == 8  # one constructor
    assert "__mod_init_func" not in sections(plain)


def test_the_bytes_of_code_are_those_of_its_symbols(tmp_path: Path, xcode: str) -> None:
    whole, _ = build(resolve(xcode), load_profile(ROOT, "IOS", "arm64", "2.14.1"), tmp_path)
    sized = symbol_sizes(whole)
    assert dict(sized)["_main"] > 0
    assert min(size for _, size in sized) >= 0
    assert sections(whole)["__text"] <= sum(size for _, size in sized) <= sum(sections(whole).values())


@pytest.mark.parametrize(
    ("arch", "platform", "machine"),
    [
        pytest.param("arm64", IOS, "arm64", id="a device"),
        pytest.param("simulator-arm64", SIMULATOR, "arm64", id="the simulator on Apple silicon"),
        pytest.param("simulator-x86_64", SIMULATOR, "x86_64", id="the simulator on an Intel Mac"),
    ],
)
def test_each_arch_has_its_platform_and_machine(
    tmp_path: Path, xcode: str, arch: str, platform: int, machine: str
) -> None:
    found = resolve(xcode, arch)
    build(found, load_profile(ROOT, "IOS", arch, "2.14.1"), tmp_path)
    versions = [
        command for number, command, _ in commands(tmp_path / "kernel.cc.o") if number == LC_BUILD_VERSION
    ]
    assert [int(version.platform) for version in versions] == [platform]
    said = subprocess.run(
        [found.lipo, "-archs", tmp_path / "whole"], capture_output=True, text=True, check=True
    )
    assert said.stdout.split() == [machine]


@pytest.mark.parametrize(
    ("api", "number"),
    [
        pytest.param("11.0", LC_VERSION_MIN_IPHONEOS, id="up to 11"),
        pytest.param("12.0", LC_BUILD_VERSION, id="since 12"),
    ],
)
def test_the_minimum_version_is_in_every_object(tmp_path: Path, xcode: str, api: str, number: int) -> None:
    found = resolve(xcode, release="1.8.0", api=api)
    build(found, load_profile(ROOT, "IOS", "arm64", "1.8.0", api=api), tmp_path)
    for file in ("registry.cc.o", "kernel.cc.o", "app.cc.o"):
        (command,) = [one for found_number, one, _ in commands(tmp_path / file) if found_number == number]
        minimum = command.minos if number == LC_BUILD_VERSION else command.version
        assert int(minimum) >> 16 == int(api.partition(".")[0])


def test_bitcode_is_a_switch(tmp_path: Path, xcode: str) -> None:
    for bitcode in (False, True):
        profile = adjusted(load_profile(ROOT, "IOS", "arm64", "1.8.0"), (), bitcode)
        folder = tmp_path / str(bitcode)
        folder.mkdir()
        build(resolve_toolchain(ROOT, "", profile, xcode, ""), profile, folder)
        assert ("__bitcode" in sections(folder / "kernel.cc.o")) is bitcode


def test_nsync_is_built_for_ios(tmp_path: Path, xcode: str) -> None:
    found = resolve(xcode)
    nsync = build_nsync(found, load_profile(ROOT, "IOS", "arm64", "2.14.1"), tmp_path)
    argv = [found.nm, "--defined-only", nsync]
    symbols = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    assert " T __ZN5nsync13nsync_mu_lockEPNS_11nsync_mu_s_E" in symbols
