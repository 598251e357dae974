"""Imports go one way, and what touches the outside stands in few places."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "tfcross"
MODULES = sorted(path.relative_to(ROOT) for path in PACKAGE.rglob("*.py"))

#: First word below ``tfcross``: its layer. All others are pure modules, layer 1.
LAYERS = {
    "errors": 0,
    "fetch": 2,
    "origins": 2,
    "store": 2,
    "toolfetch": 2,
    "render": 2,
    "opsheader": 2,
    "selectiveheader": 2,
    "snippets": 2,
    "families": 3,
    "bundles": 3,
    "completion": 3,
    "doctor": 3,
    "manifest": 3,
    "nightlycheck": 3,
    "nightlyfolder": 3,
    "nightlyindex": 3,
    "nightlypage": 3,
    "package": 3,
    "publish": 3,
    "sbom": 3,
    "treemap": 3,
    "recipes": 3,
    "releaseregistry": 3,
    "requested": 3,
    "script": 3,
    "summarytext": 2,
    "toolchain": 3,
    "workflows": 2,
    "nodes": 3,
}
#: Packages that only some layers may import.
OUTSIDE = {
    "requests": {2},
    "tqdm": {2},
    "jinja2": {2},
    "SCons": {3},
    "cyclonedx": {3},
    "pygal": {3},
    "pygaljs": {3},
}


def layer(module: str) -> int:
    return LAYERS.get(module.split(".")[1] if "." in module else "", 1)


def dotted(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(path: Path) -> Iterator[str]:
    """Absolute dotted names of all that the file imports, wherever in it."""
    package = path.parent.parts
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            source = ".".join([*above, *([node.module] if node.module else [])])
            yield source
            yield from (f"{source}.{alias.name}" for alias in node.names)


def own_imports(path: Path) -> set[str]:
    modules = {dotted(module) for module in MODULES}
    return {name for name in imported(path) if name in modules} - {"tfcross", dotted(path)}


def each_module(function: object) -> object:
    return pytest.mark.parametrize("path", MODULES, ids=dotted)(function)


@each_module
def test_a_module_imports_only_its_own_layer_and_those_below(path: Path) -> None:
    own = layer(dotted(path))
    assert {name for name in own_imports(path) if layer(name) > own} == set()


@each_module
def test_only_the_layer_it_is_for_imports_an_outside_package(path: Path) -> None:
    names = {name.split(".")[0] for name in imported(path)}
    own = layer(dotted(path))
    assert {name for name in names if name in OUTSIDE and own not in OUTSIDE[name]} == set()


def test_the_error_module_imports_nothing() -> None:
    assert set(imported(Path("tfcross/errors.py"))) - {"__future__", "__future__.annotations"} == set()


def test_no_module_imports_itself_by_way_of_others() -> None:
    graph = {dotted(path): own_imports(path) for path in MODULES}
    while leaves := {module for module, names in graph.items() if not names & graph.keys()}:
        graph = {module: names for module, names in graph.items() if module not in leaves}
    # What is left stands on a circle or above one. A package's __init__ may be needed by its own modules.
    assert sorted(graph) == []


@each_module
def test_only_one_module_reads_the_environment(path: Path) -> None:
    tree = ast.parse((ROOT / path).read_text())
    read = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)} | set(imported(path))
    mentioned = read & {"environ", "environb", "getenv", "putenv", "os.environ", "os.getenv", "expandvars"}
    assert mentioned == ({"environ"} if path == Path("tfcross/environment.py") else set())


@each_module
def test_only_the_command_line_layer_exits_or_changes_folder(path: Path) -> None:
    ends = called(path) & {"exit", "quit", "sys.exit", "os._exit", "os.chdir", "input", "breakpoint"}
    assert ends == ({"os._exit"} if path == Path("tfcross/interruption.py") else set())


@each_module
def test_only_what_scons_runs_prints(path: Path) -> None:
    assert layer(dotted(path)) == 3 or "print" not in called(path)


def called(path: Path) -> set[str]:
    """The functions that the file calls, as it spells them."""
    tree = ast.parse((ROOT / path).read_text())
    return {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
