"""Data files that are too much: refused in one line, at once."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from tfcross.documents import load_document, validate
from tfcross.errors import TfcrossError
from tfcross.output.manifest import load_manifest

SEED = 20261128
BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n"
    for before, name in zip("abcdefghijklmnopqrstuv", "bcdefghijklmnopqrstuvw", strict=True)
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(BOMB, "more than 200 aliases", id="a bomb"),
        pytest.param("[" * 100_000, "nested more than 50 deep", id="depth"),
        pytest.param("a: " * 100_000, "mapping values are not allowed", id="depth of mappings"),
        pytest.param("#" * 5_000_000, "5000000 characters; at most 4000000 are allowed", id="length"),
    ],
)
def test_a_data_file_that_is_too_much_is_refused_at_once(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "x.yaml").write_text(text)
    begun = time.process_time()
    with pytest.raises(TfcrossError) as caught:
        load_document(tmp_path / "x.yaml", "target", "x.yaml")
    assert str(caught.value).startswith("x.yaml: not YAML: ")
    assert message in str(caught.value)
    assert time.process_time() - begun < 5


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        pytest.param("2001-99-99", "'2001-99-99' is no timestamp", id="a month"),
        pytest.param("2001-01-01 99:00:00", "'2001-01-01 99:00:00' is no timestamp", id="an hour"),
        pytest.param("0x_", "'0x_' is no int", id="no digit"),
        pytest.param("9" * 5000, f"'{'9' * 77}...' is no int", id="too many digits"),
        pytest.param("!!int x", "'x' is no int", id="no number"),
        pytest.param("!!int ''", "'' is no int", id="nothing"),
        pytest.param("!!bool x", "'x' is no bool", id="no truth value"),
        pytest.param("!!float x", "'x' is no float", id="no float"),
        pytest.param("!!timestamp x", "'x' is no timestamp", id="no time"),
    ],
)
@pytest.mark.parametrize("text", ["description: x\ntriple: {}", "\narchs: {{armv7: {}}}"])
def test_a_scalar_that_is_none_of_its_type_is_refused_with_its_line(
    tmp_path: Path, text: str, value: str, problem: str
) -> None:
    (tmp_path / "x.yaml").write_text(text.format(value))
    with pytest.raises(TfcrossError) as caught:
        load_document(tmp_path / "x.yaml", "target", "x.yaml")
    assert str(caught.value) == f"x.yaml: line 2: {problem}; quote it if it is a text."


def test_damaged_data_files_are_read_or_refused_in_one_line(tmp_path: Path) -> None:
    whole = (Path(__file__).parents[2] / "targets/PI.yaml").read_text()
    chance = random.Random(SEED)
    for _ in range(200):
        text = list(whole)
        for _ in range(chance.randint(1, 8)):
            text[chance.randrange(len(text))] = chance.choice("{}[]&*!|>'\"%@`:-#,?\n\t\0x9")
        (tmp_path / "x.yaml").write_text("".join(text))
        try:
            load_document(tmp_path / "x.yaml", "target", "x.yaml")
        except TfcrossError as error:
            assert str(error).startswith("x.yaml: ")


def test_a_name_does_not_end_in_a_line_break() -> None:
    matrix = {"builds": [{"target": "PI", "models": {"night\n": ["m.pb"]}, "suffix": "o3\n"}]}
    with pytest.raises(TfcrossError, match=r"does not match"):
        validate(matrix, "nightly", "nightly.yaml")


def test_a_manifest_that_is_nested_too_deep_is_refused(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("[" * 100_000)
    with pytest.raises(TfcrossError, match=r"manifest\.json: not JSON: .*; build again\."):
        load_manifest(tmp_path / "manifest.json")
