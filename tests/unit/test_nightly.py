"""The matrix of nightly builds: nightly.yaml, and files that no build could be made of."""

from __future__ import annotations

from pathlib import Path

import pytest

from tfcross.errors import TfcrossError
from tfcross.nightly.matrix import choose, load_matrix
from tfcross.targets.target import this_machine

ROOT = Path(__file__).parents[2]
FILES = ROOT / "tests" / "fixtures" / "nightly"


def refused(path: Path) -> str:
    with pytest.raises(TfcrossError) as raised:
        load_matrix(ROOT, path)
    return str(raised.value)


def test_the_projects_own_matrix_is_the_pi_and_this_machine() -> None:
    matrix = load_matrix(ROOT, ROOT / "nightly.yaml")
    assert (matrix.keep_days, matrix.timeout, matrix.retries) == (14, 3600, 1)
    assert [cell.name for cell in matrix.cells] == [
        "PI-armv7-2.14.1-digits",
        "PI-armv6-2.14.1-digits",
        f"LINUX-{this_machine()}-2.14.1-digits",
    ]
    assert matrix.cells[0].words("out") == [
        "TARGET=PI",
        "ARCH=armv7",
        "RELEASE=2.14.1",
        "MODEL=examples/digits/digits.pb",
        "OUT=out",
        "package",
        "sizes",
    ]


def test_a_cell_is_made_for_each_arch_release_and_model() -> None:
    matrix = load_matrix(ROOT, FILES / "whole.yaml")
    assert (matrix.keep_days, matrix.timeout, matrix.retries) == (3, 90, 2)
    assert [cell.name for cell in matrix.cells] == [
        "PI-armv6-2.14.1-digits",
        "PI-armv6-2.14.1-two",
        "PI-armv7-2.14.1-digits",
        "PI-armv7-2.14.1-two",
        "ANDROID-arm64-v8a-1.8.0-whole",
        "ANDROID-armeabi-1.8.0-whole",
        "ANDROID-armeabi-v7a-1.8.0-whole",
        "ANDROID-x86-1.8.0-whole",
        "ANDROID-x86_64-1.8.0-whole",
        "PI-armv7-2.14.1-digits-o3",
    ]


def test_models_are_found_beside_the_file_and_named_as_scons_finds_them() -> None:
    cells = {cell.name: cell for cell in load_matrix(ROOT, FILES / "whole.yaml").cells}
    assert "MODEL=tests/fixtures/nightly/graph.pb,examples/digits/digits.pb" in cells[
        "PI-armv6-2.14.1-two"
    ].words("out")
    assert not [word for word in cells["ANDROID-x86-1.8.0-whole"].words("out") if word.startswith("MODEL")]


def test_a_model_elsewhere_keeps_its_whole_path(tmp_path: Path) -> None:
    (tmp_path / "a.pb").touch()
    (tmp_path / "n.yaml").write_text("builds: [{target: PI, models: {a: [a.pb]}}]\n")
    assert load_matrix(ROOT, tmp_path / "n.yaml").cells[0].models == (str(tmp_path / "a.pb"),)


def test_builds_are_chosen_by_name_in_the_order_of_the_matrix() -> None:
    matrix = load_matrix(ROOT, ROOT / "nightly.yaml")
    names = ["PI-armv6-2.14.1-digits", "PI-armv7-2.14.1-digits"]
    assert [cell.name for cell in choose(matrix, names)] == names[::-1]
    assert choose(matrix, []) == matrix.cells


@pytest.mark.parametrize(
    ("name", "message"),
    [
        pytest.param(
            "unknown_key", "unknown key 'keep'. Known: builds, keep_days, retries, timeout.", id="key"
        ),
        pytest.param(
            "unknown_build_key",
            "builds.0: unknown key 'model'. Known: archs, models, releases, suffix, target, variables.",
            id="key of a build",
        ),
        pytest.param("no_builds", "builds: [] should be non-empty.", id="no builds"),
        pytest.param("keep", "keep_days: 0 is less than the minimum of 1.", id="no day kept"),
        pytest.param(
            "unknown_target",
            "builds.0: TARGET=PIE: unknown target (did you mean PI?). Known: ANDROID, DARWIN, IOS, LINUX, "
            "PI.",
            id="target",
        ),
        pytest.param(
            "unknown_arch",
            "builds.0: targets/PI.yaml: unknown arch 'mips'. Known: aarch64, armv6, armv7.",
            id="arch",
        ),
        pytest.param(
            "unknown_release",
            "builds.0: RELEASE: unknown release '1.0.0'. Known: 1.8.0, 2.14.1.",
            id="release",
        ),
        pytest.param(
            "missing_model",
            f"builds.0: models.digits: {FILES}/nowhere.pb: no such file; "
            "give a frozen graph or a SavedModel folder.",
            id="model that is not there",
        ),
        pytest.param(
            "model_name",
            "builds.0.models: '../digits' does not match '^[A-Za-z0-9][A-Za-z0-9._-]*$'.",
            id="a model's name",
        ),
        pytest.param(
            "variable_value",
            "builds.0: TYPES=all: unknown value. Known: full, slim.",
            id="value",
        ),
        pytest.param(
            "taken_variable",
            "builds.0: variables.OUT: --folder says that; leave it out.",
            id="variable with a key of its own",
        ),
        pytest.param(
            "twice",
            "two builds are named PI-armv7-2.14.1-digits; give one of them a suffix.",
            id="two of a name",
        ),
    ],
)
def test_a_matrix_is_refused_with_what_is_known(name: str, message: str) -> None:
    assert refused(FILES / f"invalid_{name}.yaml") == f"invalid_{name}.yaml: {message}"


def test_an_unknown_variable_is_refused_with_the_likely_one() -> None:
    begin = "invalid_unknown_variable.yaml: builds.0: OPTFLAG: unknown variable (did you mean OPTFLAGS?). "
    assert refused(FILES / "invalid_unknown_variable.yaml").startswith(begin)


def test_every_invalid_file_is_tested() -> None:
    text = Path(__file__).read_text()
    names = [path.stem.removeprefix("invalid_") for path in FILES.glob("invalid_*.yaml")]
    assert [name for name in names if name not in text] == []


def test_an_unknown_build_is_refused_with_those_there_are() -> None:
    matrix = load_matrix(ROOT, FILES / "whole.yaml")
    with pytest.raises(TfcrossError) as raised:
        choose(matrix, ["PI"])
    assert str(raised.value).startswith(
        "PI: no such build in the matrix. Known: ANDROID-arm64-v8a-1.8.0-whole,"
    )
