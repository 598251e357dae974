from __future__ import annotations

from pathlib import Path

import pytest

from tfcross.errors import TfcrossError
from tfcross.targets.plan import is_matrix, plan, summary, words

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("target", "release", "archs"),
    [
        pytest.param("ANDROID", "2.14.1", ["arm64-v8a", "armeabi-v7a", "x86", "x86_64"], id="Android"),
        pytest.param(
            "ANDROID", "1.8.0", ["arm64-v8a", "armeabi", "armeabi-v7a", "x86", "x86_64"], id="with ARMv5"
        ),
        pytest.param("IOS", "2.14.1", ["arm64", "simulator-arm64", "simulator-x86_64"], id="iOS"),
        pytest.param(
            "IOS", "1.8.0", ["arm64", "armv7", "simulator-arm64", "simulator-x86_64"], id="with 32 bits"
        ),
    ],
)
def test_arch_all_is_every_arch_that_the_release_has(target: str, release: str, archs: list[str]) -> None:
    assert plan(ROOT, target, "all", release, "LINUX") == [(target, arch) for arch in archs]


@pytest.mark.parametrize(
    ("host", "own"), [pytest.param("LINUX", "LINUX", id="on Linux"), pytest.param("PI", None, id="on a Pi")]
)
def test_target_all_is_every_device_and_this_machine(host: str, own: str | None) -> None:
    pairs = plan(ROOT, "all", "", "2.14.1", host)
    assert {target for target, _ in pairs} == {"ANDROID", "IOS", "PI", *([own] if own else [])}
    assert len(pairs) == 4 + 3 + 3 + bool(own)


def test_an_arch_is_one_targets() -> None:
    with pytest.raises(TfcrossError) as raised:
        plan(ROOT, "all", "armv7", "2.14.1", "LINUX")
    assert str(raised.value) == (
        "TARGET=all ARCH=armv7: an arch is one target's; leave ARCH out, or name the target."
    )


def test_each_build_gets_the_other_words_of_the_command_line() -> None:
    given = {"TARGET": "ANDROID", "ANDROID_ARCH": "all", "API": "24", "MODEL": "a.pb"}
    assert words(given, "ANDROID", "x86") == ["TARGET=ANDROID", "ARCH=x86", "API=24", "MODEL=a.pb"]


def test_a_name_alone_is_no_matrix() -> None:
    assert [is_matrix(*pair) for pair in (("PI", ""), ("PI", "all"), ("all", ""))] == [False, True, True]


def test_the_summary_tells_what_failed() -> None:
    assert summary([("PI-armv7", True), ("IOS-arm64", False)]) == "  built   PI-armv7\n  FAILED  IOS-arm64\n"
