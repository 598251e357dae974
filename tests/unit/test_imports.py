"""Imports go down only, floor by floor, and what touches the outside stands in few places."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "tfcross"
MODULES = sorted(path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py"))

#: The floor of each folder of the package; modules beside the folders are on floor 1.
FLOORS = {
    "stages": 8,
    "check": 8,
    "nightly": 8,
    "selection": 7,
    "cli": 7,
    "app": 7,
    "registry": 6,
    "scons": 6,
    "output": 6,
    "toolchains": 5,
    "sources": 4,
    "releases": 3,
    "targets": 3,
    "graph": 2,
    "binary": 2,
}
#: Packages of others, and the folders (or modules) that may import them.
OUTSIDE = {
    "SCons": {"scons", "stages"},
    "requests": {"sources"},
    "urllib3": {"sources"},
    "tqdm": {"sources"},
    "patch_ng": {"sources"},
    "jinja2": {"render.py"},
    "yaml": {"documents.py"},
    "jsonschema": {"documents.py"},
    "google": {"graph"},
    "google_crc32c": {"graph"},
    "cramjam": {"graph"},
    "numpy": {"graph", "app/comparison.py", "app/tensorfiles.py"},
    "elftools": {"binary"},
    "macholib": {"binary"},
    "squarify": {"binary"},
    "cyclonedx": {"output"},
    "pygal": {"nightly"},
    "pygaljs": {"nightly"},
}
#: Folders that run builds: their modules start programs and write files as they need.
BUILDING = {"scons", "stages", "nightly"}
#: All others that start programs.
STARTING = {
    "app/proof.py",
    "app/runner.py",
    "binary/executable.py",
    "checkout.py",
    "cli/interruption.py",
    "programs.py",
    "registry/preprocess.py",
    "sources/origins/debian.py",
    "sources/origins/pypi.py",
    "sources/unpack_process.py",
    "toolchains/driver.py",
    "toolchains/xcode.py",
}
#: All others that write files, or make and remove them.
WRITING = {
    "app/pair.py",
    "app/proof.py",
    "app/runner.py",
    "app/tensorfiles.py",
    "cli/doctor.py",
    "files.py",
    "cli/models.py",
    "graph/cutting/cutfile.py",
    "graph/freezing/frozen.py",
    "graph/preparing/kept.py",
    "graph/preparing/prepare.py",
    "graph/rewriting/graphfiles.py",
    "output/bundles.py",
    "output/package.py",
    "registry/cache.py",
    "registry/ownops.py",
    "registry/preprocess.py",
    "registry/registry.py",
    "registry/sources.py",
    "registry/sourcetree.py",
    "sources/fetch.py",
    "sources/origins/debian.py",
    "sources/origins/download.py",
    "sources/origins/network.py",
    "sources/origins/pypi.py",
    "sources/patching.py",
    "sources/store.py",
    "sources/unpack.py",
}
#: Methods and functions of the standard library that change what is on the disk.
CHANGES = {
    "NamedTemporaryFile",
    "TemporaryDirectory",
    "TemporaryFile",
    "chmod",
    "copyfile",
    "copytree",
    "hardlink_to",
    "makedirs",
    "mkdir",
    "mkdtemp",
    "rmdir",
    "rmtree",
    "symlink_to",
    "touch",
    "unlink",
    "write_bytes",
    "write_if_changed",
    "replacing",
    "write_json",
    "write_text",
    "write_whole",
    "written_whole",
}
MOST_MODULES = 18
MOST_LINES = 300
MOST_PARAMETERS = 7


def folder(path: Path) -> str:
    """The folder of the package that the file is in, at any depth; "" for one beside the folders."""
    return path.parts[0] if len(path.parts) > 1 else ""


def floor(path: Path) -> int:
    return FLOORS.get(folder(path), 1)


def dotted(path: Path) -> str:
    parts = ("tfcross", *path.with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


BY_NAME = {dotted(path): path for path in MODULES}


def tree(path: Path) -> ast.Module:
    return ast.parse((PACKAGE / path).read_text())


def imported(path: Path) -> Iterator[str]:
    """Dotted names of all that the file imports, wherever in it; ruff sees to it that all are absolute."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def own_imports(path: Path) -> set[Path]:
    """The modules of the package that the file imports; folders alone hold nothing."""
    paths = {BY_NAME[name] for name in imported(path) if name in BY_NAME}
    return {other for other in paths if other != path and not is_empty(other)}


def is_empty(path: Path) -> bool:
    return path.name == "__init__.py" and len(tree(path).body) < 2


def called(path: Path) -> set[str]:
    """The functions that the file calls, as it spells them."""
    return {ast.unparse(node.func) for node in ast.walk(tree(path)) if isinstance(node, ast.Call)}


each_module = pytest.mark.parametrize("path", MODULES, ids=str)


def test_every_folder_has_a_floor() -> None:
    assert {folder(path) for path in MODULES} - {""} == FLOORS.keys()


@each_module
def test_a_module_imports_only_its_own_folder_and_lower_floors(path: Path) -> None:
    wrong = {
        str(other)
        for other in own_imports(path)
        if folder(other) != folder(path) and floor(other) >= floor(path)
    }
    assert wrong == set()


def test_no_module_imports_itself_by_way_of_others() -> None:
    graph = {path: own_imports(path) for path in MODULES}
    while leaves := {module for module, others in graph.items() if not others & graph.keys()}:
        graph = {module: others for module, others in graph.items() if module not in leaves}
    # What is left stands on a circle or above one.
    assert sorted(map(str, graph)) == []


@each_module
def test_only_the_folder_it_is_for_imports_an_outside_package(path: Path) -> None:
    names = {name.split(".")[0] for name in imported(path)} & OUTSIDE.keys()
    assert {name for name in names if not {folder(path), str(path)} & OUTSIDE[name]} == set()


def test_the_files_of_folders_import_nothing() -> None:
    inits = [path for path in MODULES if path.name == "__init__.py"]
    assert len(inits) > len(FLOORS)
    names = {
        str(path): [name for name in imported(path) if not name.startswith("__future__")] for path in inits
    }
    assert {path: imports for path, imports in names.items() if imports} == {}


def test_the_error_module_imports_nothing_of_the_project() -> None:
    assert own_imports(Path("errors.py")) == set()


@each_module
def test_only_one_module_reads_the_environment(path: Path) -> None:
    read = {node.attr for node in ast.walk(tree(path)) if isinstance(node, ast.Attribute)} | set(
        imported(path)
    )
    mentioned = read & {"environ", "environb", "getenv", "putenv", "os.environ", "os.getenv", "expandvars"}
    assert mentioned == ({"environ"} if path == Path("environment.py") else set())


@each_module
def test_only_the_command_line_layer_exits_or_changes_folder(path: Path) -> None:
    ends = called(path) & {"exit", "quit", "sys.exit", "os._exit", "os.chdir", "input", "breakpoint"}
    assert ends == ({"os._exit"} if path == Path("cli/interruption.py") else set())


@each_module
def test_only_what_scons_or_a_script_runs_prints(path: Path) -> None:
    printing = folder(path) in ("scons", "stages") or path == Path("cli/script.py")
    assert printing or "print" not in called(path)


def test_few_modules_start_programs_but_where_builds_are_run() -> None:
    starting = {str(path) for path in MODULES if {"subprocess", "os.spawn", "os.exec"} & set(imported(path))}
    assert {path for path in starting if folder(Path(path)) not in BUILDING} == STARTING


def test_few_modules_write_files_but_where_builds_are_run() -> None:
    writing = {str(path) for path in MODULES if changes_files(path)}
    assert {path for path in writing if folder(Path(path)) not in BUILDING} == WRITING


def changes_files(path: Path) -> bool:
    calls = [node for node in ast.walk(tree(path)) if isinstance(node, ast.Call)]
    names = {ast.unparse(call.func).rpartition(".")[2] for call in calls}
    return bool(names & CHANGES) or any(map(opens_to_write, calls))


def opens_to_write(call: ast.Call) -> bool:
    words = [*call.args, *(keyword.value for keyword in call.keywords if keyword.arg == "mode")]
    modes = {word.value for word in words if isinstance(word, ast.Constant) and isinstance(word.value, str)}
    is_open = ast.unparse(call.func).rpartition(".")[2] == "open"
    return is_open and any(set(mode) & set("wax+") and set(mode) <= set("wax+bt") for mode in modes)


def test_what_a_stage_gives_is_frozen() -> None:
    stages = [path for path in MODULES if folder(path) == "stages"]
    classes = [node for path in stages for node in ast.walk(tree(path)) if isinstance(node, ast.ClassDef)]
    decorated = {node.name: [ast.unparse(word) for word in node.decorator_list] for node in classes}
    values = {name: words for name, words in decorated.items() if "dataclass" in str(words)}
    assert {"Sources", "GeneratedCode", "Selected", "Core", "Linked", "Proven"} <= values.keys()
    assert {name: words for name, words in values.items() if words != ["dataclass(frozen=True)"]} == {}


def test_no_folder_is_too_full() -> None:
    folders = {path.parent for path in MODULES}
    sizes = {str(place): len(list((PACKAGE / place).glob("[!_]*.py"))) for place in folders}
    assert {place: size for place, size in sizes.items() if size > MOST_MODULES} == {}


@each_module
def test_no_module_is_too_long(path: Path) -> None:
    assert len((PACKAGE / path).read_text().splitlines()) <= MOST_LINES


def test_no_function_takes_too_much() -> None:
    paths = [*PACKAGE.rglob("*.py"), *(ROOT / "scripts").glob("*.py")]
    functions = [(path, node) for path in paths for node in functions_of(path)]
    assert len(functions) > 1000
    long = [(path.name, node.name) for path, node in functions if len(parameters(node)) > MOST_PARAMETERS]
    assert long == []


def functions_of(path: Path) -> list[ast.FunctionDef]:
    return [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)]


def parameters(function: ast.FunctionDef) -> list[ast.arg]:
    arguments = function.args
    more = [word for word in (arguments.vararg, arguments.kwarg) if word]
    return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, *more]
