"""Where a release defines what a symbol names: an index of its sources, made by Universal Ctags.

Used for one question: kernels leave a symbol undefined; which file has to be compiled beside them?
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from os.path import commonprefix
from pathlib import Path

from .errors import TfcrossError

#: ``scope`` is the innermost class or "", ``name`` the function, operator or variable.
Key = tuple[str, str]

_OF_TYPE = re.compile(r"^(vtable|typeinfo|typeinfo name|VTT|guard variable) for ")
_OPERATOR = re.compile(r"operator\s*(\(\)|\[\]|<<=?|>>=?|<=>|->\*?|[-+*/%^&|~!=<>]=?|&&|\|\||\+\+|--|,|[A-Za-z_][\w: ]*)")


@dataclass(frozen=True)
class Definitions:
    """``by_key`` maps a definition to the files that have one; ``by_class`` a class to those that define members.

    ``sources`` are all files of the index's folders, by path relative to their root, with that root.
    """

    by_key: Mapping[Key, frozenset[str]]
    by_class: Mapping[str, frozenset[str]]
    sources: Mapping[str, Path]

    def files_of(self, symbol: str, user: str) -> list[str]:
        """Files that may define the demangled ``symbol`` that ``user`` needs, the likeliest first."""
        of_type = _OF_TYPE.match(symbol)
        scope, name = symbol_key(_OF_TYPE.sub("", symbol))
        if of_type:
            found = self.by_class.get(name, frozenset())
        else:
            found = self.by_key.get((scope, name), frozenset()) or self._beside_headers(name)
        return sorted(found, key=lambda file: (-len(commonprefix([file, user])), len(file), file))

    def _beside_headers(self, name: str) -> frozenset[str]:
        """Sources beside a header that declares ``name``: a macro can hide a definition from the index."""
        if not name.isidentifier():
            return frozenset()
        declared = re.compile(rf"\b{name}\s*\(")
        headers = (file for file in self.sources if file.endswith(".h"))
        found = (file for file in headers if declared.search(_text(self.sources[file] / file)))
        beside = (file.removesuffix(".h") + ".cc" for file in found)
        return frozenset(file for file in beside if file in self.sources)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def symbol_key(symbol: str) -> Key:
    """``tensorflow::functor::Fill<Device, int>::operator()(int) const`` → ``("Fill", "operator ()")``.

    The scope of a function outside of a class is its namespace: the index does not know which is which.
    """
    operator = _OPERATOR.search(symbol)
    if operator and (operator.start() == 0 or not (symbol[operator.start() - 1].isalnum())):
        scope = _without_brackets(symbol[: operator.start()]).removesuffix("::")
        return _last(scope), f"operator {operator[1].strip()}"
    plain = _without_brackets(symbol).replace("[abi:cxx11]", "")
    plain = plain.split(" ")[-1]
    scope, _, name = plain.rpartition("::")
    return _last(scope), name


def _last(scope: str) -> str:
    return scope.split(" ")[-1].rpartition("::")[2]


def _without_brackets(text: str) -> str:
    """``text`` up to its parameter list, without template arguments."""
    text = text.replace("(anonymous namespace)", "__anon")
    out, depth = [], 0
    for char in text:
        if char == "<":
            depth += 1
        elif char == ">":
            depth -= 1
        elif depth == 0:
            if char == "(":
                break
            out.append(char)
    return "".join(out).strip()


def index_definitions(roots: Sequence[Path], folders: Sequence[str], exclude: str, ctags: str) -> Definitions:
    """Index ``folders`` below each of ``roots``; files whose path matches ``exclude`` are left out.

    Paths in the index are relative to their root. Raises TfcrossError if ctags cannot be run.
    """
    skip = re.compile(exclude)
    by_key: dict[Key, set[str]] = {}
    by_class: dict[str, set[str]] = {}
    for root in roots:
        for file, scopes, name in _tags(root, [f for f in folders if (root / f).exists()], ctags):
            if skip.search(file):
                continue
            for scope in scopes:
                by_key.setdefault((scope, name), set()).add(file)
                by_class.setdefault(scope, set()).add(file)
    return Definitions(_frozen(by_key), _frozen(by_class), _sources(roots, folders, skip))


def _sources(roots: Sequence[Path], folders: Sequence[str], skip: re.Pattern[str]) -> dict[str, Path]:
    found = {}
    for root in roots:
        for folder in folders:
            for path in (root / folder).rglob("*"):
                name = path.relative_to(root).as_posix()
                if path.suffix in (".h", ".cc") and not skip.search(name):
                    found[name] = root
    return found


def _frozen(table: dict[object, set[str]]) -> dict[object, frozenset[str]]:  # type: ignore[misc]
    return {key: frozenset(files) for key, files in table.items()}


def _tags(root: Path, folders: Sequence[str], ctags: str) -> Iterable[tuple[str, list[str], str]]:
    """(file, scopes, name) of every function and variable that a source file defines.

    ``scopes`` are the two innermost: for a member of ``Fill<Eigen::Device, T>`` ctags says ``Fill::Device``.
    """
    command = [ctags, "--quiet=yes", "-R", "--languages=C++,C", "--langmap=C++:.cc,C:.c", "--c++-kinds=fv", "--c-kinds=fv"]
    command += ["--fields=s", "--sort=no", "-f", "-", *folders]
    if not folders:
        return
    try:
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, errors="replace", check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise TfcrossError(f"{ctags}: cannot index the sources: {error}. Install universal-ctags.") from error
    for line in done.stdout.splitlines():
        name, file, rest = line.split("\t", 2)
        found = re.search(r"\t(?:class|struct|namespace):([^\t]+)", rest)
        yield file, _without_brackets(found[1]).split("::")[-2:] if found else [""], name
