from __future__ import annotations

from pathlib import Path

import pytest

from tfcross.documents import load_document, validate
from tfcross.errors import TfcrossError


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "None is not of type object.", id="empty"),
        pytest.param("- a", "['a'] is not of type object.", id="a list"),
        pytest.param("archs: {}", "'description' is a required property.", id="a key that must be there"),
        pytest.param(
            "description: a\nextends: 1.1",
            'extends: 1.1 is not of type string; quote versions, as in "9.0".',
            id="a version without quotes",
        ),
        pytest.param(
            "description: a\ntoolchain: {on: b}",
            'line 2: key on is no string; quote it, as in "9.0".',
            id="a word that YAML takes for true",
        ),
        pytest.param(
            "description: a\nccflags: [-O]\nccflags: [-g]", "line 3: key ccflags is given twice.", id="twice"
        ),
    ],
)
def test_the_first_broken_rule_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "targets/X.yaml"
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(TfcrossError) as raised:
        load_document(path, "target")
    assert str(raised.value) == f"targets/X.yaml: {message}"


def test_a_document_makes_no_objects(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("description: !!python/object/apply:os.getcwd []")
    with pytest.raises(TfcrossError, match="^x: not YAML: could not determine a constructor for the tag "):
        load_document(tmp_path / "x.yaml", "target", "x")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(TfcrossError, match=r"^targets/X\.yaml: cannot be read: No such file or directory\.$"):
        load_document(tmp_path / "targets/X.yaml", "target")


def test_merge_keys_may_be_overridden(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text(
        "description: &d a\nnames: &n {a: b}\narchs: {c: {names: {<<: *n, a: d}}}"
    )
    assert load_document(tmp_path / "x.yaml", "target")["archs"] == {"c": {"names": {"a": "d"}}}


def test_a_valid_document_raises_nothing() -> None:
    validate({"description": "a"}, "target", "x")
