"""Nodes that find which further files a set of objects needs, and remember it between runs."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tfcross.binary.closure import Missing, find_missing
from tfcross.binary.definitions import Definitions, index_definitions
from tfcross.binary.symbols import Symbols, demangle, read_symbols
from tfcross.errors import TfcrossError
from tfcross.files import write_if_changed
from tfcross.scons.actions import builder
from tfcross.scons.compiling import Compiler

#: As many files are named in one line.
NAMED = 40


class Helpers:
    """The helper files of one selection, found from undefined symbols and remembered between runs.

    A pass compiles what is known and looks what is still missing; the build is read again with that, as ninja
    does when its own build files change. ``complete``: the last look found nothing missing. What was found
    with other ``inputs`` (a digest of flags, lists, sources) is not used: it may be too much.
    """

    def __init__(self, path: Path, inputs: str) -> None:
        self.path, self.inputs, self.changed = path, inputs, False
        self.files: tuple[str, ...] = ()
        self.complete = False
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            data = json.loads(path.read_text())
            if data["inputs"] == inputs:
                self.files, self.complete = tuple(data["files"]), bool(data["complete"])

    def learn(self, files: Iterable[str]) -> None:
        """Add ``files``; none makes the set complete."""
        files = set(files)
        self.changed = bool(files) or not self.complete
        self.files, self.complete = tuple(sorted({*self.files, *files})), not files
        data = {"files": self.files, "complete": self.complete, "inputs": self.inputs}
        write_if_changed(self.path, json.dumps(data, indent=1) + "\n")


@dataclass(frozen=True)
class ClosureTools:
    """What the search for helpers runs and looks through."""

    nm: str
    symbol_prefix: str
    demangler: str
    ctags: str
    roots: tuple[Path, ...]
    folders: tuple[str, ...]
    exclude: str
    symbols: str

    @cached_property
    def definitions(self) -> Definitions:
        return index_definitions(self.roots, self.folders, self.exclude, self.ctags)

    def ours(self, name: str) -> bool:
        """Whether the release itself has to define the mangled ``name``."""
        return re.search(self.symbols, name) is not None

    def missing(self, objects: Mapping[str, str], libraries: Sequence[str]) -> list[Missing]:
        """Undefined symbols of ``objects`` (source file → object) that nothing here defines."""
        found = read_symbols([*objects.values(), *libraries], self.nm, self.symbol_prefix)
        by_file: dict[str, Symbols] = {file: found[path] for file, path in objects.items()}
        return find_missing(
            by_file,
            [found[path] for path in libraries],
            self.definitions,
            self.ours,
            lambda names: demangle(names, self.demangler),
        )


@dataclass(frozen=True)
class Closure:
    """``node`` is the stamp of a set of objects that lack nothing, or whose ``helpers`` have learned what."""

    node: Any
    helpers: Helpers


@dataclass(frozen=True)
class Closing:
    """Closes sets of objects. ``folder`` keeps what was found, ``inputs`` is the digest of what that depends
    on."""

    compiler: Compiler
    folder: str
    inputs: str
    tools: ClosureTools

    def helpers(self, name: str) -> Helpers:
        """What earlier runs found for the closure ``name``."""
        return Helpers(Path(f"{self.folder}/{name}.json"), self.inputs)

    def close(self, name: str, objects: Mapping[str, Any], have: Sequence[Any], helpers: Helpers) -> Closure:
        """``objects`` (source file → node), closed over what the nodes ``have`` lack."""
        node = closure_node(
            self.compiler, f"{self.folder}/{name}.closure", objects, have, helpers, self.tools
        )
        if not helpers.complete:
            self.compiler.env.AlwaysBuild(node)
        return Closure(node, helpers)


@dataclass(frozen=True)
class Closures:
    """The closures of one build: the library's own, and one for each program."""

    members: tuple[Closure, ...]

    @property
    def nodes(self) -> list[Any]:
        return [closure.node for closure in self.members]

    @property
    def complete(self) -> bool:
        """Whether every file that the library and the programs need is known."""
        return all(closure.helpers.complete for closure in self.members)

    @property
    def changed(self) -> bool:
        """Whether this run has found what the next one has to build."""
        return any(closure.helpers.changed for closure in self.members)


def closure_node(
    compiler: Compiler,
    target: str,
    objects: Mapping[str, Any],
    libraries: Sequence[Any],
    helpers: Helpers,
    tools: ClosureTools,
) -> Any:
    """A stamp node: ``helpers`` has learned what ``objects`` and ``libraries`` leave undefined of ours."""

    def run(targets: list[str], sources: list[str]) -> None:
        missing = tools.missing(
            {file: str(node) for file, node in objects.items()}, [str(library) for library in libraries]
        )
        wanted = next_helpers(missing) if missing else set()
        helpers.learn(wanted)
        if wanted:
            print(f"        needed beside the selected kernels: {_shown(wanted)}", flush=True)
        write_if_changed(Path(targets[0]), f"{len(missing)} undefined\n")

    make = builder(run, "NM", "closure 1 " + tools.exclude)
    needed = [*objects.values(), *libraries]
    made = make(compiler.env, target=[target, str(helpers.path)], source=needed)
    compiler.env.Precious(made)  # the next run reads what was found, should this one fail
    return made[0]


def _shown(files: Collection[str]) -> str:
    """A handful by name; a whole set needs hundreds, which would hide all else (the manifest has them)."""
    return " ".join(sorted(files)) if len(files) <= NAMED else f"{len(files)} files"


def next_helpers(missing: Sequence[Missing]) -> set[str]:
    """For each missing symbol the likeliest file, or a whole family. TfcrossError where there is none."""
    wanted: set[str] = set()
    for symbol in missing:
        if wanted.isdisjoint(symbol.candidates):
            wanted.update(symbol.candidates[:1] or symbol.family)
    if not wanted:
        first = missing[0]
        raise TfcrossError(
            f"{first.user} needs {first.symbol}, which no file of the release defines for this platform "
            f"({len(missing)} such symbols); add the file to `runtime` in core.yaml."
        )
    return wanted
