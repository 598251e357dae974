"""scripts/link_flags.py on the library that is built."""

from __future__ import annotations

import subprocess
import sys

import pytest
from project_build import OUT, ROOT

from tfcross.errors import known
from tfcross.targets.target import known_targets


def printed(*words: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, ROOT / "scripts/link_flags.py", *words]
    return subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", ["flags", "make", "cmake", "pkg-config", "scons", "bazel"])
def test_it_prints_every_format_of_the_pi(built, name):
    done = printed("TARGET=PI", f"FORMAT={name}")
    assert (done.returncode, done.stderr) == (0, "")
    assert "libtensorflow-core.a" in done.stdout
    assert str(OUT) in done.stdout or name == "bazel"


def test_its_help_names_every_format(built):
    assert "\n    podspec     CocoaPods\n" in printed("--help").stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param(
            ("TARGET=PI",),
            "FORMAT is not set; pass FORMAT=. Known: android-mk, bazel, cmake, flags, gradle, make, "
            "pkg-config, podspec, scons, xcconfig.",
            id="no format",
        ),
        pytest.param(
            ("TARGET=PI", "FORMAT=xcode"),
            "FORMAT=xcode: unknown format. Known: bazel, cmake, flags, make, pkg-config, scons.",
            id="unknown format",
        ),
        pytest.param(
            ("FORMAT=make",),
            f"TARGET is not set; pass TARGET=. {known(known_targets(ROOT))}",
            id="no target",
        ),
        pytest.param(
            ("make",), "'make': not NAME=VALUE. See scripts/link_flags.py --help.", id="no variable"
        ),
        pytest.param(
            ("TARGET=PI", "ARCH=armv6", "FORMAT=make", "OUT=nowhere"),
            "nowhere/PI-armv6/manifest.json: cannot be read: No such file or directory; build first "
            "(scons TARGET=… MODEL=…), or give a folder that a build made.",
            id="nothing built",
        ),
    ],
)
def test_bad_input_is_one_line(built, words, message):
    done = printed(*words)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"error: {message}\n")
