"""What the doctor finds: green with what was found, red with the command that mends it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fake_compilers import ROOT, clang, gcc, pi, program

from tfcross.cli.doctor import Check, Machine, check_machine, check_sources, check_target
from tfcross.releases.release import Origin, load_release
from tfcross.targets.profile import load_profile
from tfcross.toolchains.toolchain import Places

APT = "sudo apt-get install --no-install-recommends"


def machine(folder: Path, answer: str = "") -> Machine:
    return Machine(ROOT, str(folder / "bin"), folder / "store", lambda origin: answer)


def reds(checks: Iterator[Check]) -> list[tuple[str, str]]:
    return [(check.name, check.mend) for check in checks if not check.ok]


def test_what_is_missing_of_the_machine_is_red_with_its_package(tmp_path: Path) -> None:
    assert reds(check_machine(machine(tmp_path))) == [
        ("ctags", f"{APT} universal-ctags"),
        ("c++filt", f"{APT} binutils"),
    ]


def test_on_a_mac_they_come_from_elsewhere(tmp_path: Path) -> None:
    assert reds(check_machine(machine(tmp_path), "darwin")) == [
        ("ctags", "brew install universal-ctags"),
        ("c++filt", "xcode-select --install"),
    ]


def test_a_machine_with_the_programs_is_green(tmp_path: Path) -> None:
    for name in ("ctags", "c++filt"):
        program(tmp_path / "bin", name)
    found = {check.name: check.found for check in check_machine(machine(tmp_path)) if check.ok}
    assert found["ctags"] == str(tmp_path / "bin/ctags")
    assert found["Python packages"].startswith("all ")
    assert found["cache"].startswith(f"{tmp_path}/store, ")


def test_a_cache_that_cannot_be_made_is_red(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file")
    red = dict(reds(check_machine(machine(tmp_path))))
    assert red["cache"] == "set TFCROSS_CACHE to another folder"


def test_without_a_compiler_the_targets_packages_are_named(tmp_path: Path) -> None:
    assert reds(check_target(machine(tmp_path), pi(), pi(), "", "")) == [
        ("compiler for PI-armv7", f"{APT} clang-14 g++-12-arm-linux-gnueabihf"),
        ("emulator", f"{APT} qemu-user-static libstdc++6-armhf-cross libatomic1-armhf-cross"),
    ]


def test_without_an_sdk_it_is_said_what_to_install(tmp_path: Path) -> None:
    android = load_profile(ROOT, "ANDROID", None, "2.14.1")
    ((name, mend),) = reds(check_target(machine(tmp_path), android, android, "", ""))
    assert name == "compiler for ANDROID-armeabi-v7a"
    assert mend.startswith("install an NDK (")


def test_an_sdk_is_found_where_the_machine_has_it(tmp_path: Path) -> None:
    android = load_profile(ROOT, "ANDROID", None, "2.14.1")
    places = Places(str(tmp_path / "ndk"))
    (check,) = check_target(replace(machine(tmp_path), places=places), android, android, "", "")
    assert check.found.startswith(f"NDK_ROOT={tmp_path}/ndk: no NDK there")


def test_with_compiler_and_emulator_a_target_is_green(tmp_path: Path) -> None:
    gcc(tmp_path / "bin", "12.2.0", "-12")
    clang(tmp_path / "bin", "/libs/12.2.0")
    program(tmp_path / "bin", "qemu-arm-static")
    checks = list(check_target(machine(tmp_path), pi(), pi(), "", ""))
    assert [check.name for check in checks] == [
        "compiler for PI-armv7",
        "sysroot",
        "emulator",
        "libraries to run with",
    ]
    assert checks[0].found == f"clang-14, clang 14.0.6: {tmp_path}/bin/clang++-14"
    assert [check.name for check in checks if not check.ok] == []


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param("", [], id="its origin answers"),
        pytest.param(
            "host is not reachable",
            [("gcc-4.8 0e906ebc527e", "scons TOOLCHAIN_ROOT=<the compiler's folder> …")],
            id="its origin does not",
        ),
    ],
)
def test_a_compiler_that_is_downloaded_is_as_good_as_its_origin(
    tmp_path: Path, answer: str, expected: list[tuple[str, str]]
) -> None:
    old = pi("1.8.0")
    checks = check_target(machine(tmp_path, answer), old, old, "", "")
    assert [red for red in reds(checks) if red[0] != "emulator"] == expected


def test_sources_that_are_not_there_are_asked_for_at_their_origins(tmp_path: Path) -> None:
    asked: list[Origin] = []

    def reach(origin: Origin) -> str:
        asked.append(origin)
        return "" if origin.kind == "debian" else "HTTP 404"

    here = Machine(ROOT, "", tmp_path, reach)
    release = load_release(ROOT, "2.14.1")
    checks = {check.name: check for check in check_sources(here, release)}
    assert checks["sources of 2.14.1"].found == "0 of 12 are in the cache"
    assert checks[str(release.source("nsync"))].ok
    assert checks[str(release.source("tensorflow"))].found == "Debian sid tensorflow 2.14.1+dfsg answers"
    eigen = checks[str(release.source("eigen"))]
    assert not eigen.ok
    assert eigen.mend.startswith(
        "bring eigen-0b51f763cbbd0ed08168f88972724329f0375498.tar.gz or tensorflow_cpu-"
    )
    assert {origin.kind for origin in asked} == {"url", "debian", "pypi"}
