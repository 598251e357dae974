"""Where a release defines what a symbol names: an index of its sources, made by Universal Ctags.

Used for one question: kernels leave a symbol undefined; which file has to be compiled beside them?
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from os.path import commonprefix
from pathlib import Path
from typing import TypeVar

from tfcross import programs
from tfcross.binary.cppnames import Key, operator_name, symbol_key, without_brackets

K = TypeVar("K")

_OF_TYPE = re.compile(r"^(?:vtable|typeinfo|typeinfo name|VTT) for ")


#: What protoc generates beside classes is named after the proto: ``descriptor_table_a_2fb_5fc_2eproto``.
_OF_PROTO = re.compile(r"(?:^|_)((?:[A-Za-z0-9]+_2f)+\w+?)_2eproto\b")
_ENCODED = re.compile(r"_([0-9a-f]{2})")


@dataclass(frozen=True)
class Definitions:
    """``by_key`` maps a definition to the files that have one, ``by_class`` a class to those of its members.

    ``sources`` are all files of the index's folders, by path relative to their root, with that root.
    """

    by_key: Mapping[Key, frozenset[str]]
    by_class: Mapping[str, frozenset[str]]
    sources: Mapping[str, Path]

    def files_of(self, symbol: str, user: str) -> list[str]:
        """Files that may define the demangled ``symbol`` that ``user`` needs, the likeliest first."""
        of_type = _OF_TYPE.match(symbol)
        proto = _OF_PROTO.search(symbol)
        if proto:
            name = _ENCODED.sub(lambda code: chr(int(code[1], 16)), proto[1])
            files = frozenset({f"{name}.pb.cc"} & self.sources.keys())
        elif of_type:
            _, name = symbol_key(symbol[of_type.end() :])
            files = self.by_class.get(name, frozenset())
        else:
            scope, name = symbol_key(symbol)
            files = self.by_key.get((scope, name), frozenset()) or self._beside_headers(name)
        return sorted(files, key=lambda file: (-len(commonprefix([file, user])), len(file), file))

    def family_of(self, symbol: str) -> list[str]:
        """Files that instantiate what a header defines: ``x_op_1.cc``, … that include ``x_op_impl.h``.

        Each has its part of the instances, so all are needed; the last resort where no file has a definition.
        """
        scope, name = symbol_key(symbol)
        family = set()
        for header in self._declaring(name) or self._with_class(scope):
            stem = re.sub(r"(_cpu|_impl)*\.h$", "", header)
            include = re.compile(rf'"{re.escape(stem)}\w*\.h"')
            beside = (file for file in self.sources if file.startswith(stem) and file.endswith(".cc"))
            family |= {file for file in beside if include.search(self._text(file))}
        return sorted(family)

    def _with_class(self, name: str) -> list[str]:
        """Headers that define the class ``name``; none for the scope of a function that is in no class."""
        if not name:
            return []
        defined = re.compile(rf"\b(?:struct|class)\s+{re.escape(name)}\b[^;(){{]*\{{")
        return [file for file, text in self._headers.items() if name in text and defined.search(text)]

    def _beside_headers(self, name: str) -> frozenset[str]:
        """Sources beside a header that declares ``name``: a macro can hide a definition from the index."""
        beside = (file.removesuffix(".h") + ".cc" for file in self._declaring(name))
        return frozenset(file for file in beside if file in self.sources)

    def _declaring(self, name: str) -> list[str]:
        """Headers that declare or define the function ``name``."""
        if not name.isidentifier():
            return []
        # A declaration: only types before the name. An expression has an operator or a bracket there.
        declared = re.compile(rf"^[ \t]*(?!return\b)(?:[\w:<>,*&]+[ \t]+)+[*&]*{name}\s*\(", re.MULTILINE)
        return [file for file, text in self._headers.items() if name in text and declared.search(text)]

    def _text(self, file: str) -> str:
        return (self.sources[file] / file).read_text(encoding="utf-8", errors="replace")

    @cached_property
    def _headers(self) -> Mapping[str, str]:
        return {file: self._text(file) for file in self.sources if file.endswith(".h")}


def index_definitions(roots: Sequence[Path], folders: Sequence[str], exclude: str, ctags: str) -> Definitions:
    """Index ``folders`` (or files) below each of ``roots``, but for files whose path matches ``exclude``.

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
    root_of = {}
    for root in roots:
        for folder in folders:
            for path in ((root / folder), *(root / folder).rglob("*")):
                name = path.relative_to(root).as_posix()
                if path.suffix in (".h", ".cc") and path.is_file() and not skip.search(name):
                    root_of[name] = root
    return root_of


def _frozen(table: Mapping[K, set[str]]) -> dict[K, frozenset[str]]:
    return {key: frozenset(files) for key, files in table.items()}


def _tags(root: Path, folders: Sequence[str], ctags: str) -> Iterator[tuple[str, Iterable[str], str]]:
    """(file, scopes, name) of every function, variable and static member that a source file defines.

    ``scopes`` are the two innermost: for a member of ``Fill<Eigen::Device, T>`` ctags says ``Fill::Device``.
    """
    if not folders:
        return
    command = [ctags, "--quiet=yes", "-R", "--languages=C++,C", "--langmap=C++:.cc,C:.c"]
    # C's kinds before C++'s: they are one table to ctags, and the last word counts.
    command += ["--c-kinds=fv", "--c++-kinds=fvm", "--fields=sk", "--excmd=number", "--sort=no", "-f", "-"]
    install = "Install universal-ctags."
    said = programs.run([*command, *folders], install=install, remedy=install, folder=root)
    for line in said.splitlines():
        name, file, rest = line.split("\t", 2)
        name = operator_name(name.removeprefix("operator ")) if name.startswith("operator ") else name
        scope = re.search(r"\t(?:class|struct|namespace|union):([^\t]+)", rest)
        yield file, without_brackets(scope[1]).split("::")[-2:] if scope else [""], name
