"""ARCH=all with scons: a run for each arch that the SDK is for, and what becomes of the others."""

from __future__ import annotations

import platform
from pathlib import Path

from constructed_ndk import construct_ndk
from project_build import run_scons

WORDS = ("TARGET=ANDROID", "ARCH=all", "RELEASE=1.8.0", "MODEL=missing.pb")


def headings(out: str) -> list[str]:
    return [line.partition(":")[0] for line in out.splitlines() if line.startswith("== ")]


def test_an_arch_that_the_ndk_is_too_new_for_is_left_out_and_a_failure_stops_no_other(tmp_path: Path) -> None:
    ndk = construct_ndk(tmp_path / "ndk", "r25c", "armeabi-v7a")
    construct_ndk(ndk, "r25c", "arm64-v8a")
    run = run_scons(*WORDS, f"NDK_ROOT={ndk}")
    assert run.status == 2
    assert headings(run.out) == [
        "== ANDROID-armeabi is left out",
        "== ANDROID-arm64-v8a",
        "== ANDROID-armeabi-v7a",
        "== ANDROID-x86",
        "== ANDROID-x86_64",
    ]
    assert "ANDROID armeabi needs NDK r15 to r16 for TensorFlow 1.8.0" in run.out
    arm64, armv7, x86, x86_64 = run.errors
    assert arm64 == armv7
    assert arm64.startswith("error: missing.pb: the model cannot be read")
    assert x86.startswith("error: NDK r25c in ")
    assert x86_64.startswith("error: NDK r25c in ")
    assert run.out.splitlines()[-4:] == [
        "  FAILED  ANDROID-arm64-v8a",
        "  FAILED  ANDROID-armeabi-v7a",
        "  FAILED  ANDROID-x86",
        "  FAILED  ANDROID-x86_64",
    ]


def test_an_sdk_that_is_for_no_arch_is_one_line(tmp_path: Path) -> None:
    run = run_scons("TARGET=ANDROID", "ARCH=all", f"NDK_ROOT={construct_ndk(tmp_path / 'ndk', 'r15c')}")
    assert (run.status, run.errors) == (
        2,
        ["error: TARGET=ANDROID ARCH=all: nothing is left to build; pass another SDK, see above."],
    )
    assert len(headings(run.out)) == 4


def test_every_device_and_this_machine_are_tried(tmp_path: Path) -> None:
    run = run_scons("TARGET=all", "MODEL=missing.pb", f"NDK_ROOT={construct_ndk(tmp_path / 'ndk', 'r25c')}")
    assert run.status == 2
    assert headings(run.out) == [
        "== ANDROID-arm64-v8a",
        "== ANDROID-armeabi-v7a",
        "== ANDROID-x86",
        "== ANDROID-x86_64",
        "== IOS-arm64",
        "== IOS-simulator-arm64",
        "== IOS-simulator-x86_64",
        f"== LINUX-{platform.machine()}",
        "== PI-aarch64",
        "== PI-armv6",
        "== PI-armv7",
    ]
    # what the NDK is for, this machine and the Pi; the others lack their SDK
    assert sum(line.startswith("error: missing.pb: ") for line in run.errors) == 5
    assert len(run.errors) == 11
