"""Nothing that only Linux has is used where docs/macos.md does not say what stands for it on a Mac."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import mypy
import pytest

ROOT = Path(__file__).parents[2]
STUBS = Path(mypy.__file__).parent / "typeshed/stdlib"
MODULES = {
    name: STUBS / file
    for name, file in {
        "errno": "errno.pyi",
        "fcntl": "fcntl.pyi",
        "mmap": "mmap.pyi",
        "os": "os/__init__.pyi",
        "resource": "resource.pyi",
        "select": "select.pyi",
        "signal": "signal.pyi",
        "socket": "socket.pyi",
        "time": "time.pyi",
    }.items()
}
SOURCES = sorted(
    [*(p for f in ("tfcross", "scripts", "bench") for p in (ROOT / f).rglob("*.py")), ROOT / "SConstruct"]
)
#: What is otherwise on a Mac, or is not there: files, units, programs and what GNU's take and others do not.
WORDS = re.compile(
    r"/proc/\w[\w/]*|/dev/shm|/sys/\w+|/etc/\w+|/var/lib/[\w/]+|/var/cache|ru_maxrss|SC_PHYS_PAGES|LD_LIBRARY_PATH"
    r"|PT_INTERP|rcsD|--reflink|-printf|(?<![\w-])(?:apt-get|apt-cache|apt-config|dpkg-query|dpkg|fallocate|ldconfig|ldd"
    r"|c\+\+filt|ctags|sha256sum|nproc|setsid|taskset|ionice|systemctl|readlink -f|sed -i|stat -c|cp -a"
    r"|sort -z|xargs -r)(?![\w-])"
)


def names(stub: Path, platform: str) -> set[str]:
    """What a module of Python's own has on ``platform``, as the type checker's stubs say."""
    return set(_names(ast.parse(stub.read_text()).body, platform))


def _names(body: list[ast.stmt], platform: str) -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.If):
            test = compile(ast.Expression(node.test), "<stub>", "eval")
            system = type("sys", (), {"platform": platform, "version_info": sys.version_info})
            yield from _names(node.body if eval(test, {"sys": system}) else node.orelse, platform)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.AnnAssign):
            yield ast.unparse(node.target)
        elif isinstance(node, ast.Assign):
            yield from map(ast.unparse, node.targets)


@pytest.fixture(scope="module")
def only_linux() -> set[str]:
    return {
        f"{module}.{name}"
        for module, stub in MODULES.items()
        for name in names(stub, "linux") - names(stub, "darwin")
    }


def test_the_stubs_tell_what_only_linux_has(only_linux: set[str]) -> None:
    known = {"os.sched_getaffinity", "os.memfd_create", "resource.prlimit", "signal.SIGPWR", "select.epoll"}
    assert known <= only_linux
    assert not {"os.fork", "os.wait4", "os.killpg", "fcntl.flock", "os.sysconf"} & only_linux


def uses(path: Path, only_linux: set[str]) -> Iterator[str]:
    """What of Linux the file names: attributes, names that are looked up by their text, words in strings."""
    tree = ast.parse(path.read_text())
    said = {node.body[0].value for node in ast.walk(tree) if _has_docstring(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield from {ast.unparse(node)} & only_linux
            yield from {node.attr} & {"ru_maxrss"}
        elif isinstance(node, ast.ImportFrom):
            yield from {f"{node.module}.{alias.name}" for alias in node.names} & only_linux
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("getattr", "hasattr"):
            yield from {".".join(ast.literal_eval(a) if isinstance(a, ast.Constant) else ast.unparse(a)
                                 for a in node.args[:2])} & only_linux  # fmt: skip
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in said:
            yield from WORDS.findall(node.value)


def _has_docstring(node: ast.AST) -> bool:
    documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    return isinstance(node, documented) and ast.get_docstring(node) is not None


def test_what_only_linux_has_is_in_the_table_of_its_substitutes(only_linux: set[str]) -> None:
    found = {(word, str(path.relative_to(ROOT))) for path in SOURCES for word in uses(path, only_linux)}
    script = re.sub(r"(?m)#.*$", "", (ROOT / "bootstrap").read_text())
    found |= {(word, "bootstrap") for word in WORDS.findall(script)}
    assert found == set(table())


def table() -> Iterator[tuple[str, str]]:
    """(what Linux has, file) of each row of the page's table."""
    text = (ROOT / "docs/macos.md").read_text()
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if line.startswith("| `") and len(cells) == 3:
            for word in re.findall(r"`([^`]+)`", cells[0]):
                yield from ((word, file) for file in re.findall(r"`([^`]+)`", cells[1]))


def test_for_the_type_checker_the_code_is_good_on_a_mac() -> None:
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--platform",
        "darwin",
        "--cache-dir=.mypy_cache/darwin",
        "tfcross",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
