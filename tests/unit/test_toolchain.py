from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from fake_compilers import ROOT, TRIPLE, clang, compiler, gcc, pi, program

from tfcross.documents import SCHEMAS
from tfcross.errors import TfcrossError
from tfcross.targets.profile import load_profile
from tfcross.toolchains.families import debian_packages, resolve_launcher, resolve_toolchain
from tfcross.toolchains.search import expand, fitting_toolchains

FIXTURES = ROOT / "tests/fixtures"
WAYS_OUT_GCC_12 = (
    "Install it (apt-get install g++-12-arm-linux-gnueabihf), or pass TOOLCHAIN= another. "
    "Known: clang-14, gcc-4.8."
)
WAYS_OUT_GCC_48 = (
    "Install it (no Debian package has it; builds on x86-64 download it from github.com/raspberrypi/tools; "
    "any other: put its folder on PATH or pass TOOLCHAIN_ROOT=), or pass TOOLCHAIN= another. "
    "Known: clang-14, gcc-12."
)
WAYS_OUT_CLANG_14 = (
    "Install it (apt-get install clang-14 g++-12-arm-linux-gnueabihf), or pass TOOLCHAIN= another. "
    "Known: gcc-12, gcc-4.8."
)


def error_of(folder: Path, name: str = "", release: str = "2.14.1", launcher: str = "") -> str:
    with pytest.raises(TfcrossError) as raised:
        resolve_toolchain(ROOT, name, pi(release), str(folder), launcher)
    return str(raised.value)


@pytest.mark.parametrize(
    ("suffix", "prefix"),
    [
        pytest.param("-4.8", f"{TRIPLE}-", id="triple and version in the name"),
        pytest.param("-4.8", "", id="version in the name"),
        pytest.param("", f"{TRIPLE}-", id="triple in the name"),
    ],
)
def test_gcc_4_8_is_found_under_each_of_its_names(tmp_path: Path, suffix: str, prefix: str) -> None:
    gcc(tmp_path, "4.8.3", suffix, prefix)
    found = resolve_toolchain(ROOT, "", pi("1.8.0"), str(tmp_path), "")
    assert (found.name, found.family, found.version) == ("gcc-4.8", "gcc", "4.8.3")
    assert found.cxx == found.linker == str(tmp_path / f"{prefix}g++{suffix}")
    assert found.cc == str(tmp_path / f"{prefix}gcc{suffix}")
    assert found.ar == str(tmp_path / f"{TRIPLE}-ar")
    cpu = ("-march=armv7-a", "-mfpu=neon-vfpv4", "-mfloat-abi=hard")
    assert found.flags == cpu
    assert found.link_flags == (*cpu, "-Wl,--gc-sections")
    assert found.launcher == ()


@pytest.mark.parametrize("suffix", ["-4.8", ""], ids=["g++-4.8", "g++"])
def test_on_a_pi_the_compilers_own_name_is_enough(tmp_path: Path, suffix: str) -> None:
    gcc(tmp_path, "4.8.3", suffix, prefix="")
    profile = load_profile(ROOT, "PI", None, "1.8.0", "armv7l", "PI")
    found = resolve_toolchain(ROOT, "", profile, str(tmp_path), "")
    assert (found.cxx, found.cc) == (str(tmp_path / f"g++{suffix}"), str(tmp_path / f"gcc{suffix}"))


def test_a_pin_that_is_not_met_names_the_pin_what_was_found_and_the_ways_out(tmp_path: Path) -> None:
    gcc(tmp_path, "12.2.0")
    assert error_of(tmp_path, release="1.8.0") == (
        "PI pins gcc 4.8 for TensorFlow 1.8.0; arm-linux-gnueabihf-g++-4.8 is not on PATH "
        f"(found: arm-linux-gnueabihf-g++ 12.2.0). {WAYS_OUT_GCC_48}"
    )


def test_gcc_4_9_is_refused_with_the_reason(tmp_path: Path) -> None:
    gcc(tmp_path, "4.9.3")
    assert error_of(tmp_path, release="1.8.0") == (
        "PI pins gcc 4.8 for TensorFlow 1.8.0; arm-linux-gnueabihf-g++-4.8 is not on PATH "
        "(found: arm-linux-gnueabihf-g++ 4.9.3). arm-linux-gnueabihf-g++ 4.9.3 is refused: it stops at -Os "
        "with 'failure memory model cannot be stronger than success memory model' "
        "(tensorflow/tensorflow#3135) and its programs die with 'malloc(): memory corruption' "
        "(tensorflow/tensorflow#3442). " + WAYS_OUT_GCC_48
    )


@pytest.mark.parametrize(
    ("name", "version", "machine", "family", "found"),
    [
        pytest.param(
            "arm-linux-gnueabihf-g++", "11.3.0", TRIPLE, "gcc", "arm-linux-gnueabihf-g++ 11.3.0", id="older"
        ),
        pytest.param(
            "arm-linux-gnueabihf-g++", "12.2.0", "x86_64-linux-gnu", "gcc", "none", id="for another machine"
        ),
        pytest.param("g++", "12.2.0", "x86_64-linux-gnu", "gcc", "none", id="the host's own"),
        pytest.param(
            "arm-linux-gnueabihf-g++-12",
            "12.0.0",
            TRIPLE,
            "clang",
            "arm-linux-gnueabihf-g++-12 12.0.0",
            id="a clang",
        ),
    ],
)
def test_another_compiler_is_not_taken_for_gcc_12(
    tmp_path: Path, name: str, version: str, machine: str, family: str, found: str
) -> None:
    compiler(tmp_path, name, version, machine, family)
    assert error_of(tmp_path, "gcc-12") == (
        f"TOOLCHAIN=gcc-12 is gcc 12; arm-linux-gnueabihf-g++-12 is not on PATH (found: {found}). "
        + WAYS_OUT_GCC_12
    )


def test_an_older_compiler_earlier_in_the_list_does_not_hide_the_pinned_one(tmp_path: Path) -> None:
    gcc(tmp_path, "11.3.0", suffix="-12")
    gcc(tmp_path, "12.2.0")
    assert resolve_toolchain(ROOT, "gcc-12", pi(), str(tmp_path), "").cxx == str(tmp_path / f"{TRIPLE}-g++")


def test_a_program_that_is_no_compiler_is_passed_over(tmp_path: Path) -> None:
    program(tmp_path, f"{TRIPLE}-g++-12", "echo hello")
    gcc(tmp_path, "12.2.0")
    assert resolve_toolchain(ROOT, "gcc-12", pi(), str(tmp_path), "").version == "12.2.0"


def test_clang_compiles_and_the_gcc_of_the_same_library_links(tmp_path: Path) -> None:
    clang(tmp_path, "/libs/12.2.0")
    gcc(tmp_path, "13.1.0", suffix="-12")
    gcc(tmp_path, "12.2.0")
    found = resolve_toolchain(ROOT, "", pi(), str(tmp_path), "")
    assert found.cxx == str(tmp_path / "clang++-14")
    assert found.linker == str(tmp_path / f"{TRIPLE}-g++")
    cpu = ("-march=armv7-a", "-mfpu=neon-vfpv4", "-mfloat-abi=hard")
    system = ("-fno-unique-section-names", f"--sysroot=/usr/{TRIPLE}")
    assert found.flags == (f"--target={TRIPLE}", *system, *cpu)
    assert found.link_flags == (*cpu, "-Wl,--gc-sections")


def test_clang_over_a_library_that_nothing_links_is_refused(tmp_path: Path) -> None:
    clang(tmp_path, "/libs/13.1.0")
    gcc(tmp_path, "12.2.0", suffix="-12")
    assert error_of(tmp_path) == (
        "clang++-14 14.0.6 compiles for the C++ library in /libs/13.1.0; no arm-linux-gnueabihf-g++-12 or "
        "arm-linux-gnueabihf-g++ on PATH links that one "
        "(found: arm-linux-gnueabihf-g++-12 12.2.0 over /libs/12.2.0). " + WAYS_OUT_CLANG_14
    )


def test_a_compiler_without_a_c_plus_plus_library_is_told_before_the_build(tmp_path: Path) -> None:
    gcc(tmp_path, "12.2.0")
    path = tmp_path / f"{TRIPLE}-g++"
    no_library = "*-dM*) echo \"fatal error: 'cstddef' file not found\"; exit 1 ;;"
    path.write_text(path.read_text().replace(" *-dM*)", f"{no_library}\n*-dM*)"))
    assert error_of(tmp_path, "gcc-12") == (
        "arm-linux-gnueabihf-g++ 12.2.0 finds no C++ library for arm-linux-gnueabihf: "
        f"fatal error: 'cstddef' file not found. {WAYS_OUT_GCC_12}"
    )


SYNC = "__GCC_HAVE_SYNC_COMPARE_AND_SWAP_"
ARMV6 = f"#define {SYNC}4 1\n"
ARMV7 = "".join(f"#define {SYNC}{size} 1\n" for size in (1, 2, 4, 8))


@pytest.mark.parametrize(
    ("library", "objects", "added"),
    [
        pytest.param(ARMV6, ARMV7, (f"-U{SYNC}2",), id="Raspbian's library, objects for a Pi 2"),
        pytest.param(ARMV7, ARMV6, (f"-D{SYNC}2=1",), id="Debian's library, objects for a Pi 1"),
        pytest.param(ARMV7, ARMV7, (), id="both for a Pi 2"),
        pytest.param(ARMV6, ARMV6, (), id="both for a Pi 1"),
    ],
)
def test_objects_agree_with_the_library_of_gcc_4_8_on_how_shared_ptr_counts(
    tmp_path: Path, library: str, objects: str, added: tuple[str, ...]
) -> None:
    gcc(tmp_path, "4.8.3")
    (tmp_path / "macros").write_text(library)
    (tmp_path / "macros-of-flags").write_text(objects)
    profile = pi("1.8.0")
    found = resolve_toolchain(ROOT, "", profile, str(tmp_path), "")
    assert found.flags == (*profile.ccflags, *added)
    assert found.link_flags == (*profile.ccflags, *added, "-Wl,--gc-sections")
    assert found.fitted(profile) == replace(profile, ccflags=(*profile.ccflags, *added))


def test_later_libraries_know_how_they_were_built(tmp_path: Path) -> None:
    gcc(tmp_path, "12.2.0")
    (tmp_path / "macros-of-flags").write_text(ARMV7)
    found = resolve_toolchain(ROOT, "gcc-12", pi("1.8.0"), str(tmp_path), "")
    assert found.flags == (f"--sysroot=/usr/{TRIPLE}", *pi().ccflags)


def test_a_library_that_the_toolchain_lacks_and_may_lack_is_left_out(tmp_path: Path) -> None:
    gcc(tmp_path, "12.2.0")
    found = resolve_toolchain(ROOT, "gcc-12", pi(), str(tmp_path), "")
    assert found.libraries == ("pthread", "dl", "m", "atomic")
    (tmp_path / "libatomic.a").unlink()
    found = resolve_toolchain(ROOT, "gcc-12", pi(), str(tmp_path), "")
    assert found.libraries == found.fitted(pi()).libraries == ("pthread", "dl", "m")


def test_the_libraries_that_gcc_4_8_brought_are_told(tmp_path: Path) -> None:
    gcc(tmp_path, "4.8.3")
    (tmp_path / "libstdc++.so.6").touch()
    found = resolve_toolchain(ROOT, "", pi("1.8.0"), str(tmp_path), "")
    assert found.runtime == (str(tmp_path / "libstdc++.so.6"),)


def test_a_missing_archiver_is_named(tmp_path: Path) -> None:
    gcc(tmp_path, "12.2.0")
    (tmp_path / f"{TRIPLE}-ar").unlink()
    program(tmp_path, "ar")
    message = "toolchain gcc-12: arm-linux-gnueabihf-ar is not on PATH. "
    assert error_of(tmp_path, "gcc-12") == message + WAYS_OUT_GCC_12


def test_an_unknown_toolchain_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    assert error_of(tmp_path, "icc") == (
        "TOOLCHAIN=icc: unknown toolchain. Known: clang-14, gcc-12, gcc-4.8, ndk-clang, ndk-gcc, xcode."
    )


def test_a_launcher_goes_by_its_absolute_path_with_its_arguments(tmp_path: Path) -> None:
    ccache = program(tmp_path, "ccache")
    assert resolve_launcher("ccache --verbose", str(tmp_path)) == (str(ccache), "--verbose")


def test_a_launcher_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    gcc(tmp_path, "12.2.0")
    assert error_of(tmp_path, "gcc-12", launcher="ccache") == (
        "LAUNCHER=ccache: ccache is not on PATH; install it or leave LAUNCHER out."
    )


@pytest.mark.parametrize(
    ("template", "native", "names"),
    [
        pytest.param("{prefix}g++", False, ["arm-linux-gnueabihf-g++"], id="a cross compiler has the triple"),
        pytest.param(
            "{prefix}g++", True, ["arm-linux-gnueabihf-g++", "g++"], id="this machine's may have none"
        ),
        pytest.param("g++-12{suffix}", False, ["g++-12-arm-linux-gnueabihf"], id="a cross package"),
        pytest.param("g++-12{suffix}", True, ["g++-12"], id="this machine's package"),
        pytest.param("--target={triple}", False, ["--target=arm-linux-gnueabihf"], id="the triple"),
        pytest.param("clang++-14", False, ["clang++-14"], id="nothing to fill in"),
    ],
)
def test_a_template_stands_for(template: str, native: bool, names: list[str]) -> None:
    assert expand(template, replace(pi(), native=native)) == names


def test_a_debian_package_has_no_underscore_in_its_name() -> None:
    profile = replace(pi(), triple="x86_64-linux-gnu", native=False)
    assert debian_packages(ROOT, "gcc-12", profile) == ["g++-12-x86-64-linux-gnu"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        pytest.param(
            "invalid_family", "family: 'icc' is not allowed. Known: clang, gcc, ndk, xcode.", id="family"
        ),
        pytest.param(
            "invalid_no_linker", "programs: 'linker' is a required property.", id="a role without programs"
        ),
        pytest.param(
            "invalid_version",
            "version: 'latest' does not match '^[0-9]+([.][0-9]+)*$'.",
            id="a pin that is no number",
        ),
    ],
)
def test_a_wrong_toolchain_file_is_one_line(name: str, message: str) -> None:
    with pytest.raises(TfcrossError) as raised:
        resolve_toolchain(FIXTURES, name, pi(), "", "")
    assert str(raised.value) == f"toolchains/{name}.yaml: {message}"


@pytest.mark.parametrize("name", fitting_toolchains(ROOT, pi()))
def test_every_toolchain_file_is_valid(name: str) -> None:
    assert debian_packages(ROOT, name, pi()) == {
        "clang-14": ["clang-14", "g++-12-arm-linux-gnueabihf"],
        "gcc-12": ["g++-12-arm-linux-gnueabihf"],
        "gcc-4.8": [],
    }.get(name)


def test_a_program_is_demanded_only_if_something_runs_it() -> None:
    schema = yaml.safe_load((SCHEMAS / "toolchain.yaml").read_text())
    roles = sorted(schema["properties"]["programs"]["properties"])
    assert roles == ["ar", "cc", "cxx", "linker", "lipo", "nm", "strip"]
    running = [ROOT / "tfcross" / folder for folder in ("scons", "stages", "output")]
    texts = [
        path.read_text() for folder in running for path in folder.rglob("*.py") if path.name != "goal.py"
    ]
    used = {role for text in texts for role in re.findall(r"\btoolchain\.(\w+)", text)}
    assert [role for role in roles if role not in used] == []
