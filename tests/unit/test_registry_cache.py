"""The name under which a registry is kept: it changes with the code that makes one, and with no other."""

from __future__ import annotations

import ast
import shutil
from pathlib import Path

import pytest

from tfcross.registry.cache import PACKAGE, code_files, key
from tfcross.registry.data import load_registry_data

DATA = load_registry_data(PACKAGE.parent / "releases" / "2.14.1")
MODULES = sorted(path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py"))
#: What each has to be in, since it decides what is read, understood or kept.
DECIDING = {
    "graph/datatypes.py",
    "registry/c_interface.py",
    "registry/cache.py",
    "registry/constants.py",
    "registry/cpptext.py",
    "registry/data.py",
    "registry/opdef.py",
    "registry/parser.py",
    "registry/preprocess.py",
    "registry/registry.py",
    "registry/sourcetree.py",
}


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = tmp_path_factory.mktemp("code") / "tfcross"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


def by_python(path: Path, reached: set[Path]) -> set[Path]:
    """``path`` and all that it imports of the package, as Python itself reads it."""
    if path in reached or not path.is_file():
        return reached
    reached.add(path)
    for node in ast.walk(ast.parse(path.read_text())):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            by_python(PACKAGE.parent.joinpath(*name.split(".")).with_suffix(".py"), reached)
    return reached


def test_the_code_of_the_registry_is_what_it_imports() -> None:
    files = code_files()
    assert {path.relative_to(PACKAGE).as_posix() for path in files} >= DECIDING
    assert set(files) == by_python(PACKAGE / "registry" / "registry.py", set())


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_an_edit_changes_the_key_where_the_registry_imports_it(package: Path, module: Path) -> None:
    path = package / module
    text = path.read_text()
    before = key(["g++"], DATA, package)
    path.write_text(f"{text}\n")
    after = key(["g++"], DATA, package)
    path.write_text(text)
    assert (after != before) == (PACKAGE / module in code_files())


def test_a_new_import_counts_as_well(package: Path) -> None:
    path = package / "registry" / "registry.py"
    text = path.read_text()
    path.write_text(text + "\n\nfrom tfcross.graph import (\n    node as graph_node,\n    text,\n)\n")
    added = {path.relative_to(package).as_posix() for path in code_files(package)}
    path.write_text(text)
    assert {"graph/node.py", "graph/text.py"} <= added
    assert "graph/node.py" not in {path.relative_to(package).as_posix() for path in code_files(package)}


def test_other_words_lead_to_another_key() -> None:
    assert key(["g++", "-DA"], DATA) != key(["g++", "-DB"], DATA)
