"""Nothing is used that Debian 12's Python, 3.11.2, does not have: later 3.11 releases added a few things."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("tfcross", "scripts", "tests", "examples", "bench")
SOURCES = [ROOT / "SConstruct", *(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))]
#: Arguments, by the functions that take them: 3.11.4 (tarfile, shutil), 3.11.10 (email.utils).
LATE_ARGUMENTS = {
    "extract": {"filter"},
    "extractall": {"filter"},
    "unpack_archive": {"filter"},
    "getaddresses": {"strict"},
    "parseaddr": {"strict"},
}
#: Names: 3.11.4 (tarfile), 3.11.9 (XML parsers), 3.11.10 (email.policy), 3.11.13 (os.path, tarfile).
LATE_NAMES = {
    *("FilterError", "AbsolutePathError", "OutsideDestinationError", "SpecialFileError"),
    *("AbsoluteLinkError", "LinkOutsideDestinationError", "LinkFallbackError", "ALLOW_MISSING"),
    *("data_filter", "tar_filter", "fully_trusted_filter", "extraction_filter", "verify_generated_headers"),
    *("GetReparseDeferralEnabled", "SetReparseDeferralEnabled"),
}


def late(tree: ast.AST) -> Iterator[str]:
    """What the code ``tree`` uses that came later."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func).rpartition(".")[2]
            arguments = {keyword.arg for keyword in node.keywords} & LATE_ARGUMENTS.get(name, set())
            yield from (f"{name}({argument}=)" for argument in arguments)
        elif isinstance(node, ast.Attribute) and node.attr in LATE_NAMES:
            yield node.attr
        elif isinstance(node, ast.alias) and node.name in LATE_NAMES:
            yield node.name


@pytest.mark.parametrize(
    ("text", "names"),
    [
        pytest.param("archive.extractall(folder, filter='data')", ["extractall(filter=)"], id="argument"),
        pytest.param("tarfile.data_filter(member, folder)", ["data_filter"], id="attribute"),
        pytest.param("from tarfile import FilterError", ["FilterError"], id="import"),
        pytest.param("archive.extractall(folder)\nfilter(None, rows)", [], id="nothing"),
    ],
)
def test_what_came_later_is_seen(text: str, names: list[str]) -> None:
    assert list(late(ast.parse(text))) == names


def test_nothing_is_used_that_came_later() -> None:
    used = {str(path.relative_to(ROOT)): list(late(ast.parse(path.read_text()))) for path in SOURCES}
    assert {path: names for path, names in used.items() if names} == {}


def test_ci_takes_the_python_that_debian_has() -> None:
    lines = (ROOT / ".ci/run").read_text().splitlines()
    assert "export PYTHON=/usr/bin/python3" in lines
