"""NDK folders of every layout around real compilers: found, compiled with, archived, linked, run."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest
from constructed_ndk import ABIS, construct_ndk
from elftools.elf.elffile import ELFFile
from registering_library import build, build_nsync

from tfcross import environment
from tfcross.targets.profile import load_profile
from tfcross.toolchains.families import resolve_toolchain
from tfcross.toolchains.toolchain import Places, Toolchain

ROOT = Path(__file__).parents[2]
CLANG = (
    "r15c",
    "r16b",
    "r17c",
    "r18b",
    "r19c",
    "r20b",
    "r21e",
    "r22b",
    "r23c",
    "r24",
    "r25c",
    "r26d",
    "r27c",
    "r29",
)
GCC = ("r10e", "r11c", "r12b", "r13b", "r14b", "r15c", "r16b", "r17c")


def resolve(ndk: Path, arch: str, toolchain: str, release: str = "1.8.0") -> Toolchain:
    profile = load_profile(ROOT, "ANDROID", arch, release)
    places = Places(str(ndk))
    return resolve_toolchain(ROOT, toolchain, profile, environment.path(), "", places=places)


def said(program: Path, arch: str) -> list[str]:
    argv = [*shlex.split(ABIS[arch].emulator), str(program)]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.splitlines()


@pytest.mark.parametrize(
    ("revision", "toolchain"),
    [
        *(pytest.param(revision, "ndk-clang", id=f"{revision}, clang") for revision in CLANG),
        *(pytest.param(revision, "ndk-gcc", id=f"{revision}, GCC") for revision in GCC),
    ],
)
def test_a_library_built_with_an_ndk_of_each_layout_registers(
    tmp_path: Path, revision: str, toolchain: str
) -> None:
    ndk = construct_ndk(tmp_path / "ndk", revision)
    found = resolve(ndk, "armeabi-v7a", toolchain)
    assert found.sdk == f"NDK {revision}"
    whole, plain = build(found, load_profile(ROOT, "ANDROID", "armeabi-v7a", "1.8.0"), tmp_path)
    assert said(whole, "armeabi-v7a") == ["Android 21", "kernel"]
    assert said(plain, "armeabi-v7a") == ["Android 21"]


@pytest.mark.parametrize("arch", list(ABIS))
def test_each_arch_has_its_machine(tmp_path: Path, arch: str) -> None:
    ndk = construct_ndk(tmp_path / "ndk", "r25c", arch)
    found = resolve(ndk, arch, "ndk-clang", "2.14.1")
    whole, _ = build(found, load_profile(ROOT, "ANDROID", arch, "2.14.1"), tmp_path)
    assert said(whole, arch) == ["Android 21", "kernel"]
    with whole.open("rb") as stream:
        machine = ELFFile(stream).get_machine_arch()
    assert machine == {"armeabi-v7a": "ARM", "arm64-v8a": "AArch64", "x86": "x86", "x86_64": "x64"}[arch]


def test_float_arguments_of_armeabi_v7a_are_in_integer_registers(tmp_path: Path) -> None:
    found = resolve(construct_ndk(tmp_path / "ndk", "r25c"), "armeabi-v7a", "ndk-clang")
    build(found, load_profile(ROOT, "ANDROID", "armeabi-v7a", "1.8.0"), tmp_path)
    with (tmp_path / "kernel.cc.o").open("rb") as stream:
        section = ELFFile(stream).get_section_by_name(".ARM.attributes")
        attributes = next(section.iter_subsections()).iter_subsubsections()
        found_tags = {str(one.tag): one.value for one in next(attributes).iter_attributes()}
    assert found_tags["TAG_CPU_ARCH"] == 10  # v7
    assert found_tags["TAG_ADVANCED_SIMD_ARCH"] == 1  # NEON
    assert "TAG_ABI_VFP_ARGS" not in found_tags  # softfp


@pytest.mark.parametrize("release", ["2.14.1"])
def test_nsync_is_built_for_android(tmp_path: Path, release: str) -> None:
    found = resolve(construct_ndk(tmp_path / "ndk", "r25c"), "armeabi-v7a", "ndk-clang", release)
    nsync = build_nsync(found, load_profile(ROOT, "ANDROID", "armeabi-v7a", release), tmp_path)
    argv = [found.nm, "--defined-only", "-C", nsync]
    symbols = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    assert " nsync::nsync_mu_lock(" in symbols
    assert "futex" not in symbols
