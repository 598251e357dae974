from __future__ import annotations

from pathlib import Path

import pytest

from tfcross.errors import TfcrossError
from tfcross.targets.profile import Emulator, load_host_profile, load_profile
from tfcross.targets.target import find_host, host_triple, known_archs, known_hosts, known_targets

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "tests/fixtures"
TARGETS = "Known: ANDROID, DARWIN, IOS, LINUX, PI."


def test_the_default_pi_has_neon_and_hard_float() -> None:
    profile = load_profile(ROOT, "PI", None, "2.14.1", machine="x86_64")
    assert profile.name == "PI-armv7"
    assert profile.triple == "arm-linux-gnueabihf"
    assert profile.ccflags == ("-march=armv7-a", "-mfpu=neon-vfpv4", "-mfloat-abi=hard")
    assert profile.libraries == ("pthread", "dl", "m", "atomic")
    assert profile.emulator == Emulator(
        "qemu-arm-static",
        ("-L", "/usr/arm-linux-gnueabihf", "-cpu", "cortex-a7"),
        ("qemu-user-static", "libstdc++6-armhf-cross", "libatomic1-armhf-cross"),
    )


def test_a_pi_1_has_no_neon() -> None:
    profile = load_profile(ROOT, "PI", "armv6", "2.14.1", machine="x86_64")
    assert profile.ccflags == ("-march=armv6", "-mfpu=vfp", "-mfloat-abi=hard", "-marm")
    assert profile.defines == ("RASPBERRY_PI",)


def test_a_64_bit_pi_has_another_triple_and_no_flags_that_its_compiler_refuses() -> None:
    profile = load_profile(ROOT, "PI", "aarch64", "2.14.1", machine="x86_64")
    assert (profile.triple, profile.cpu, profile.ccflags) == ("aarch64-linux-gnu", "aarch64", ())


@pytest.mark.parametrize(
    ("arch", "release", "toolchain"),
    [
        pytest.param("armv7", "1.8.0", "gcc-4.8", id="the book's release pins GCC 4.8"),
        pytest.param("armv6", "1.8.0", "gcc-4.8", id="on a Pi 1 as well"),
        pytest.param("aarch64", "1.8.0", "gcc-12", id="which never had a 64-bit Pi"),
        pytest.param("armv7", "2.14.1", "clang-14", id="the default release"),
        pytest.param("aarch64", "2.14.1", "clang-14", id="the default release, 64 bits"),
    ],
)
def test_a_release_pins_its_toolchain(arch: str, release: str, toolchain: str) -> None:
    assert load_profile(ROOT, "PI", arch, release).toolchain == toolchain


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_linux_is_this_machine_and_needs_no_emulator(machine: str) -> None:
    profile = load_profile(ROOT, "LINUX", None, "2.14.1", machine=machine)
    assert (profile.arch, profile.triple) == (machine, f"{machine}-linux-gnu")
    assert (profile.native, profile.emulator, profile.runs_here) == (True, None, True)


def test_a_64_bit_pi_builds_for_itself_without_an_emulator() -> None:
    profile = load_profile(ROOT, "PI", "aarch64", "2.14.1", machine="aarch64")
    assert (profile.native, profile.emulator) == (True, None)


def test_the_host_tools_have_a_native_profile() -> None:
    assert load_host_profile(ROOT, "2.14.1").native


@pytest.mark.parametrize("machine", ["armv6l", "armv7l", "armv8l"])
def test_a_32_bit_pi_os_is_debians_armhf(machine: str) -> None:
    assert host_triple(machine) == "arm-linux-gnueabihf"


@pytest.mark.parametrize(
    ("given", "machine", "host"),
    [
        pytest.param("", "x86_64", "LINUX", id="a PC"),
        pytest.param("", "aarch64", "LINUX", id="64-bit ARM, a Pi or not"),
        pytest.param("", "armv7l", "PI", id="32-bit ARM, which only a Pi is"),
        pytest.param("PI", "aarch64", "PI", id="64-bit ARM, said to be a Pi"),
        pytest.param("LINUX", "x86_64", "LINUX", id="said and found"),
    ],
)
def test_this_machine_is_a_target_too(given: str, machine: str, host: str) -> None:
    assert find_host(ROOT, given, machine) == host


def test_targets_that_a_build_can_run_on() -> None:
    assert known_hosts(ROOT) == ["DARWIN", "LINUX", "PI"]


@pytest.mark.parametrize(
    ("given", "machine", "message"),
    [
        pytest.param(
            "PI",
            "x86_64",
            "HOST_OS=PI: this machine is x86_64, not PI. Known: aarch64, armv6l, armv7l, armv8l. "
            "Leave HOST_OS out to have it found.",
            id="no Pi",
        ),
        pytest.param(
            "LINUX",
            "armv7l",
            "HOST_OS=LINUX: this machine is armv7l, not LINUX. Known: aarch64, x86_64. "
            "Leave HOST_OS out to have it found.",
            id="a Pi said to be a PC",
        ),
        pytest.param(
            "OSX", "x86_64", "HOST_OS=OSX: unknown host. Known: DARWIN, LINUX, PI.", id="no such host"
        ),
    ],
)
def test_a_host_that_this_machine_is_not_is_refused(given: str, machine: str, message: str) -> None:
    with pytest.raises(TfcrossError) as raised:
        find_host(ROOT, given, machine)
    assert str(raised.value) == message


@pytest.mark.parametrize(
    ("machine", "arch"),
    [
        pytest.param("armv6l", "armv6", id="Pi 1"),
        pytest.param("armv7l", "armv7", id="Pi 2"),
        pytest.param("aarch64", "aarch64", id="64-bit system"),
    ],
)
def test_a_build_on_a_pi_is_for_that_pi_and_so_are_its_tools(machine: str, arch: str) -> None:
    built = load_profile(ROOT, "PI", None, "1.8.0", machine, find_host(ROOT, "PI", machine))
    assert (built.arch, built.native, built.emulator) == (arch, True, None)
    assert load_host_profile(ROOT, "1.8.0", "PI", machine) == built
    assert load_profile(ROOT, "PI", "armv7", "1.8.0", machine, "PI").arch == "armv7"


def test_a_pi_os_of_32_bits_is_native_whatever_the_arch_is_called() -> None:
    assert load_profile(ROOT, "PI", "armv7", "1.8.0", machine="armv6l").native
    assert not load_profile(ROOT, "PI", "armv7", "1.8.0", machine="aarch64").native
    assert load_host_profile(ROOT, "1.8.0", machine="armv7l").name == "PI-armv7"


def test_files_without_archs_are_no_targets() -> None:
    assert known_targets(ROOT) == ["ANDROID", "DARWIN", "IOS", "LINUX", "PI"]
    assert known_archs(ROOT, "PI") == ["aarch64", "armv6", "armv7"]


def test_extending_appends_to_lists_replaces_scalars_and_merges_mappings() -> None:
    profile = load_profile(FIXTURES, "extended", None, "1.0", machine="x86_64")
    assert profile.description == "The small arch"
    assert profile.libraries == ("pthread", "m", "atomic")
    assert profile.ccflags == ("-fone", "-ftwo", "-fone")
    assert profile.whole_archive == "gnu"
    assert profile.toolchain == "gcc-2"
    assert profile.debian == ("some-package",)
    assert load_profile(FIXTURES, "extended", "host", "1.0").toolchain == "gcc-1"


def test_a_release_lays_what_it_wants_over_target_and_arch() -> None:
    small = load_profile(FIXTURES, "extended", "small", "2.0")
    assert (small.toolchain, small.sdk) == ("gcc-3", "r2-")
    host = load_profile(FIXTURES, "extended", "host", "2.0")
    assert (host.toolchain, host.sdk) == ("gcc-4", "")


def test_an_arch_of_some_releases_is_refused_by_the_others() -> None:
    assert load_profile(FIXTURES, "extended", "by_release", "1.0").cpu == "x86_64"
    assert known_archs(FIXTURES, "extended", "2.0") == ["host", "small"]
    with pytest.raises(TfcrossError) as raised:
        load_profile(FIXTURES, "extended", "by_release", "2.0")
    assert str(raised.value) == (
        "targets/extended.yaml: arch 'by_release' is for TensorFlow 1.0; pass RELEASE=, or another ARCH=."
    )


def test_a_profile_without_emulator_on_a_foreign_machine_cannot_run_here() -> None:
    assert not load_profile(FIXTURES, "extended", "small", "1.0", machine="x86_64").runs_here


def test_an_emulator_is_left_out_where_the_machine_is_the_target() -> None:
    assert load_profile(FIXTURES, "extended", "host", "1.0", machine="x86_64").emulator is None


@pytest.mark.parametrize(
    ("target", "arch", "release", "message"),
    [
        pytest.param(
            "PI",
            "mips",
            "2.14.1",
            "targets/PI.yaml: unknown arch 'mips'. Known: aarch64, armv6, armv7.",
            id="arch",
        ),
        pytest.param("NOPE", None, "2.14.1", f"TARGET=NOPE: unknown target. {TARGETS}", id="target"),
        pytest.param("glibc", None, "2.14.1", f"TARGET=glibc: unknown target. {TARGETS}", id="a base"),
        pytest.param(
            "PI",
            None,
            "3.0",
            "RELEASE: unknown release '3.0'. Known: 1.8.0, 2.14.1.",
            id="release",
        ),
    ],
)
def test_an_unknown_name_is_answered_with_the_known_ones(
    target: str, arch: str | None, release: str, message: str
) -> None:
    with pytest.raises(TfcrossError) as raised:
        load_profile(ROOT, target, arch, release)
    assert str(raised.value) == message


@pytest.mark.parametrize(
    ("target", "arch", "meant"),
    [
        pytest.param("RPI", None, "PI", id="a board's other name"),
        pytest.param("raspberrypi", None, "PI", id="in other letters"),
        pytest.param("MACOS", None, "DARWIN", id="a system's other name"),
        pytest.param("PI", "arm64", "aarch64", id="an arch as phones call it"),
        pytest.param("ANDROID", "aarch64", "arm64-v8a", id="an arch as Linux calls it"),
        pytest.param("PI", "armhf", "armv7", id="an arch as Debian calls it"),
    ],
)
def test_what_other_systems_call_a_target_or_arch_gets_a_hint(
    target: str, arch: str | None, meant: str
) -> None:
    with pytest.raises(TfcrossError, match=rf"\(did you mean {meant}\?\)\. Known: "):
        load_profile(ROOT, target, arch, "2.14.1")


def test_this_machine_may_be_one_that_linux_does_not_know() -> None:
    with pytest.raises(
        TfcrossError, match=r"^targets/LINUX\.yaml: unknown arch 's390x'\. Known: aarch64, x86_64\.$"
    ):
        load_profile(ROOT, "LINUX", None, "2.14.1", machine="s390x")


KEYS = (
    "api, api_floor, bitcode, ccflags, cpu, debian, defines, description, elsewhere, emulator, ldflags, "
    "libraries, names, only_by_release, optional_libraries, platform, sdk, toolchain, triple, whole_archive"
)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        pytest.param("no_default", "has no default arch; pass ARCH=. Known: one, two.", id="no default arch"),
        pytest.param(
            "invalid_unknown_key",
            "unknown key 'tripel'. Known: api, api_floor, archs, bitcode, ccflags, cpu, debian, "
            "default_arch, defines, description, elsewhere, emulator, extends, ldflags, libraries, machines, "
            "names, only_by_release, optional_libraries, package, platform, sdk, toolchain, triple, "
            "whole_archive.",
            id="unknown key",
        ),
        pytest.param(
            "invalid_unknown_arch_key",
            f"archs.a: unknown key 'default_arch'. Known: {KEYS}.",
            id="key of an arch",
        ),
        pytest.param(
            "invalid_unquoted_version",
            'line 3: key 1.10 is no string; quote it, as in "9.0".',
            id="bare version",
        ),
        pytest.param(
            "invalid_number",
            'archs.a.ccflags.1: 3 is not of type string; quote versions, as in "9.0".',
            id="number for a word",
        ),
        pytest.param(
            "invalid_cpu",
            "archs.a.cpu: 'mips' is not allowed. Known: aarch64, arm, x86_32, x86_64.",
            id="cpu",
        ),
        pytest.param("invalid_twice", "line 2: key description is given twice.", id="key given twice"),
        pytest.param(
            "invalid_syntax",
            "not YAML: while parsing a flow sequence line 1, column 14 did not find expected ',' or ']' "
            "line 2, column 1.",
            id="not YAML",
        ),
        pytest.param("invalid_no_triple", "arch 'a' has no triple; give it there or above.", id="no triple"),
    ],
)
def test_a_wrong_target_file_is_one_line_that_names_file_key_and_what_is_allowed(
    target: str, message: str
) -> None:
    with pytest.raises(TfcrossError) as raised:
        load_profile(FIXTURES, target, None if target == "no_default" else "a", "1.0")
    assert str(raised.value) == f"targets/{target}.yaml: {message}"


@pytest.mark.parametrize(
    ("target", "start"),
    [
        pytest.param(
            "invalid_extends",
            "targets/invalid_extends.yaml: extends unknown 'nothing'. Known: base, ",
            id="no",
        ),
        pytest.param(
            "invalid_circle", "targets/invalid_circle_back.yaml: extends itself. Known: base, ", id="circle"
        ),
    ],
)
def test_extending_what_is_not_there_lists_what_is(target: str, start: str) -> None:
    with pytest.raises(TfcrossError) as raised:
        load_profile(FIXTURES, target, "a", "1.0")
    assert str(raised.value).startswith(start)
