"""Nodes of TensorFlow's core: the runtime, the selected kernels and ops, and the helpers that these need."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ..closure import Missing, Symbols, demangle, find_missing, read_symbols
from ..coreset import CoreSet
from ..definitions import Definitions, index_definitions
from ..errors import TfcrossError
from ..opsheader import ops_header
from ..render import render, write_if_changed
from ..selection import FileSelection, Selection
from .actions import builder
from .compiling import CompileFlags, Compiler


@dataclass(frozen=True)
class CoreFolders:
    """``tree``: TensorFlow's sources; ``gen``: generated ones; ``work``: the profile's build folder."""

    tree: str
    gen: str
    work: str


class CoreBuild:
    """Makes the objects of one profile. ``order`` are nodes that every unit waits for (generated headers)."""

    def __init__(
        self,
        compiler: Compiler,
        core: CoreSet,
        flags: CompileFlags,
        folders: CoreFolders,
        order: Sequence[Any],
    ) -> None:
        self.compiler, self.core, self.folders, self.order = compiler, core, folders, list(order)
        self.plain = flags
        text = render("precompiled.h.j2", defines=core.pch_defines, headers=core.pch_headers)
        self.with_pch, pch = compiler.precompiled(f"{folders.work}/precompiled.h", flags, text)
        compiler.env.Depends(pch, self.order)

    def _unit(self, target: str, name: str, forced: tuple[str, ...] = ()) -> Any:
        generated = name.endswith(".pb.cc") or name in self.core.generated
        root = self.folders.gen if generated else self.folders.tree
        flags = self.plain if name in self.core.pch_without else self.with_pch
        node = self.compiler.unit(target, f"{root}/{name}", flags.more(forced=forced))
        self.compiler.env.Depends(node, self.order)
        return node

    def units(self, names: Iterable[str], selection: Selection) -> dict[str, Any]:
        """Objects by source path; those of files that register something are for ``selection``."""
        registering = frozenset(selection.registry.files)
        return {
            name: self.registering(name, selection.of_file(name))
            if name in registering
            else self._unit(f"{self.folders.work}/core/{name}.o", name)
            for name in names
        }

    def registering(self, name: str, selection: FileSelection) -> Any:
        """The object of a file that registers ops or kernels, for what ``selection`` keeps of it.

        Models that keep the same of a file share its object: the folder is named after the selection.
        """
        header = f"{self.folders.work}/selections/{selection.key}/ops_to_register.h"
        text = ops_header(selection, self.core.registration_template, self.core.registration_headers)
        write_if_changed(Path(header), text)
        target = f"{self.folders.work}/registering/{name}.{selection.key}.o"
        return self._unit(target, name, (header,))


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
        found = read_symbols([*objects.values(), *libraries], self.nm)
        by_file: dict[str, Symbols] = {file: found[path] for file, path in objects.items()}
        return find_missing(
            by_file,
            [found[path] for path in libraries],
            self.definitions,
            self.ours,
            lambda names: demangle(names, self.demangler),
        )


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
            print(f"        needed beside the selected kernels: {' '.join(sorted(wanted))}", flush=True)
        write_if_changed(Path(targets[0]), f"{len(missing)} undefined\n")

    made = builder(run, "NM", "closure 1 " + tools.exclude)
    return made(compiler.env, target=[target], source=[*objects.values(), *libraries])[0]


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
