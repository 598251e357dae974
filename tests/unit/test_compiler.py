from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest
from fake_compilers import ROOT, TRIPLE, gcc, pi, program

from tfcross.errors import TfcrossError
from tfcross.toolchains import driver
from tfcross.toolchains.driver import is_version, same_machine
from tfcross.toolchains.families import resolve_toolchain


def identity_in(folder: Path) -> str:
    return resolve_toolchain(ROOT, "gcc-12", pi(), str(folder), "").identity


def test_the_identity_follows_the_content_and_not_the_folder(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        gcc(folder, "12.2.0")
        program(folder, "cc1plus", "echo the compiler proper")
    assert identity_in(first) == identity_in(second)
    assert identity_in(first).startswith("gcc 12.2.0 arm-linux-gnueabihf ")


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        pytest.param(f"{TRIPLE}-g++", "(a vendor)", "(another vendor)", id="the driver"),
        pytest.param("cc1plus", "proper", "patched", id="the compiler that the driver runs"),
        pytest.param("cc1", "proper", "patched", id="its compiler for C"),
        pytest.param("collect2", "proper", "patched", id="what it links with"),
        pytest.param("macros", "__GLIBC__ 2", "__GLIBC__ 3", id="the C library"),
    ],
)
def test_the_identity_changes_with(tmp_path: Path, name: str, old: str, new: str) -> None:
    gcc(tmp_path, "12.2.0")
    for part in ("cc1", "cc1plus", "collect2"):
        program(tmp_path, part, f"echo the {part} proper")
    before = identity_in(tmp_path)
    (tmp_path / name).write_text((tmp_path / name).read_text().replace(old, new))
    assert identity_in(tmp_path) != before


@pytest.mark.parametrize(
    ("found", "triple", "same"),
    [
        pytest.param("x86_64-redhat-linux", "x86_64-linux-gnu", True, id="a vendor in the middle"),
        pytest.param("arm-unknown-linux-gnueabihf", TRIPLE, True, id="an unknown vendor"),
        pytest.param("arm-linux-gnueabi", TRIPLE, False, id="soft float"),
        pytest.param("x86_64-alpine-linux-musl", "x86_64-linux-gnu", False, id="another C library"),
        pytest.param("aarch64-linux-gnu", "x86_64-linux-gnu", False, id="another CPU"),
        pytest.param("arm", TRIPLE, False, id="a word alone"),
    ],
)
def test_a_compiler_makes_code_for_the_triple(found: str, triple: str, same: bool) -> None:
    assert same_machine(found, triple) == same


@pytest.mark.parametrize(
    ("version", "pin", "matches"),
    [("4.8.3", "4.8", True), ("4.8", "4.8", True), ("4.80", "4.8", False), ("14.0.6", "1", False)],
)
def test_a_version_meets_a_pin_by_whole_parts(version: str, pin: str, matches: bool) -> None:
    assert is_version(version, pin) == matches


@pytest.mark.parametrize(
    "script",
    [
        pytest.param("sleep 613.7", id="that says nothing"),
        pytest.param("echo Target: x; echo gcc version 12.2.0; sleep 613.7", id="that does not end"),
        pytest.param("trap '' TERM INT; sleep 613.7; sleep 613.7", id="that no signal ends"),
        pytest.param("sleep 613.7 &", id="that leaves a process behind"),
    ],
)
def test_a_compiler_is_ended_with_all_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    monkeypatch.setattr(driver, "ANSWER_SECONDS", 1)
    hanging, begun = program(tmp_path, "g++", script), time.monotonic()
    with pytest.raises(TfcrossError) as caught:
        driver.ask(str(hanging), os.environ["PATH"])
    assert str(caught.value) == (
        f"{hanging}: no answer to `-v' in 1 s; mend it, or pass another TOOLCHAIN= or PATH."
    )
    left = subprocess.run(["ps", "-A", "-o", "stat=,args="], capture_output=True, text=True, check=True)
    assert [line for line in left.stdout.splitlines() if "sleep 613.7" in line and line[0] != "Z"] == []
    assert time.monotonic() - begun < 20
