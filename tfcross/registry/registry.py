"""Every op and kernel that TensorFlow's sources register, as the target's own compiler sees them.

The compiler only preprocesses: helper macros expand by themselves, and the class texts are those that
``ops_to_register.h`` must repeat. Another compiler, flag or define is another registry, so the cache
keeps one file for each.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from tfcross.errors import TfcrossError
from tfcross.registry import cache as registry_cache
from tfcross.registry.c_interface import C_FUNCTIONS
from tfcross.registry.constants import Constants
from tfcross.registry.data import RegistryData
from tfcross.registry.opdef import OpDef, TypeSets
from tfcross.registry.parser import SETS, Found, Kernel, Problem, RegistrationParser, type_sets
from tfcross.registry.preprocess import Preprocessor, TargetCompiler
from tfcross.registry.sourcetree import (
    SourceTree,
    files_that_use,
    names_that_expand_to,
    read_tree,
    write_shadow,
)

__all__ = ["Kernel", "OpDef", "Problem", "Registry", "build_registry", "registering_candidates"]

T = TypeVar("T")


@dataclass(frozen=True)
class Registry:
    """``ops`` by name; ``kernels`` in the order of files and of lines; ``gradients`` are op names.

    ``sets`` are the types that op definitions mean by "numbertype" and the like under the defines.
    ``problems`` are the registrations that could not be understood and are missing here.
    """

    ops: Mapping[str, OpDef]
    kernels: tuple[Kernel, ...]
    gradients: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    sets: TypeSets = field(default_factory=dict)

    def kernels_of(self, op: str) -> tuple[Kernel, ...]:
        """All kernels of that op, for every device; () for an unknown op."""
        return self._kernels_by_op.get(op, ())

    def problems_of(self, op: str) -> tuple[Problem, ...]:
        """Those of ``op``, and those of no op that could be told in the files of its kernels."""
        if not self.problems:
            return ()
        files = {kernel.file for kernel in self.kernels_of(op)}
        return tuple(p for p in self.problems if p.op == op or (not p.op and p.file in files))

    @cached_property
    def _kernels_by_op(self) -> Mapping[str, tuple[Kernel, ...]]:
        return _grouped(self.kernels, lambda kernel: kernel.op)

    @cached_property
    def kernels_in(self) -> Mapping[str, tuple[Kernel, ...]]:
        """The kernels of each file that registers some."""
        return _grouped(self.kernels, lambda kernel: kernel.file)

    @cached_property
    def ops_in(self) -> Mapping[str, tuple[OpDef, ...]]:
        """The op definitions of each file that has some."""
        return _grouped(self.ops.values(), lambda op: op.file)

    @cached_property
    def files(self) -> tuple[str, ...]:
        """The files that register an op or a kernel, sorted."""
        return tuple(sorted({*self.kernels_in, *self.ops_in}))


def _grouped(items: Iterable[T], key: Callable[[T], str]) -> dict[str, tuple[T, ...]]:
    groups: dict[str, list[T]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return {name: tuple(members) for name, members in groups.items()}


def build_registry(
    *,
    data: RegistryData,
    include_root: Path,
    tree_id: str,
    compiler: TargetCompiler,
    jobs: int,
    files: Sequence[str] | None = None,
    cache: Path | None = None,
) -> Registry:
    """What ``files`` (default: all of ``registering_candidates``) register.

    ``data`` is the release's, whose tree is ``include_root``; ``tree_id`` changes whenever the sources do.
    With it, the compiler, ``data`` and this code as its key, the registry is kept as one file in the folder
    ``cache``.
    Raises TfcrossError if a file is missing or the compiler does not accept it.
    """
    parts = [list(files) if files is not None else None, compiler.command, tree_id, compiler.identity]
    kept = cache / f"registry-{registry_cache.key(parts, data)}.json" if cache else None
    registrations = registry_cache.load(kept) if kept else None
    if registrations is None:
        registrations = _find(include_root, data, files, compiler.command, jobs, cache)
        if kept:
            registry_cache.store(kept, registrations)
    return _registry(registrations)


def _registry(registrations: Found) -> Registry:
    ops: dict[str, OpDef] = {}
    problems = list(registrations.problems)
    for op in registrations.ops:
        if op.name in ops:
            what = f"op {op.name} is defined in {ops[op.name].file} already"
            problems.append(Problem(op.file, op.name, what, twice=True))
        ops.setdefault(op.name, op)
    return Registry(
        ops, tuple(registrations.kernels), tuple(registrations.gradients), tuple(problems), registrations.sets
    )


def registering_candidates(include_root: Path, data: RegistryData) -> list[str]:
    """The release's sources, sorted, that use a registering macro, at any remove, or C function."""
    files = _sources(include_root, data)
    return _candidates(read_tree(include_root, files, data.stubs), files, data)


def _candidates(tree: SourceTree, files: Sequence[str], data: RegistryData) -> list[str]:
    return files_that_use(tree, files, _macros(tree, data) | frozenset(C_FUNCTIONS))


def _macros(tree: SourceTree, data: RegistryData) -> frozenset[str]:
    """Every macro that leads to a registration."""
    return names_that_expand_to(tree.macros, data.macros)


def _sources(include_root: Path, data: RegistryData) -> list[str]:
    for folder in data.sources:
        if not (include_root / folder).is_dir():
            raise TfcrossError(f"{include_root}: no folder {folder} in it; give TensorFlow's root folder.")
    candidates = (path for folder in data.sources for path in (include_root / folder).rglob("*.cc"))
    paths = [path.relative_to(include_root) for path in candidates]
    return sorted(
        path.as_posix()
        for path in paths
        if data.exclude_folders.isdisjoint(path.parts) and not path.name.endswith(data.exclude_endings)
    )


def _find(
    include_root: Path,
    data: RegistryData,
    files: Sequence[str] | None,
    command: tuple[str, ...],
    jobs: int,
    cache: Path | None,
) -> Found:
    chosen = list(files) if files is not None else _sources(include_root, data)
    missing = [file for file in (*chosen, data.types) if not (include_root / file).is_file()]
    if missing:
        raise TfcrossError(
            f"{include_root}: {missing[0]} is not there; {len(missing)} listed files are missing."
        )
    tree = read_tree(include_root, [*chosen, data.types], data.stubs)
    if files is None:
        chosen = _candidates(tree, chosen, data)
        tree = tree.part([*chosen, data.types])
    if cache:
        cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="registry-", dir=cache) as shadow:
        return _read(tree, chosen, Preprocessor(command, Path(shadow)), data, jobs)


def _read(
    tree: SourceTree, files: Sequence[str], preprocessor: Preprocessor, data: RegistryData, jobs: int
) -> Found:
    shadow = preprocessor.shadow
    macros = write_shadow(tree, shadow, _macros(tree, data))
    preprocessor.write_reset(macros)
    whole_types = "tfcross_types.h"
    (shadow / whole_types).write_text(tree.texts[data.types], encoding="utf-8", errors="surrogateescape")
    expanded = preprocessor.expand([whole_types, *files], jobs)
    registrations = Found(sets=type_sets(next(expanded)[1]))
    if len(registrations.sets) < len(SETS):
        raise TfcrossError(
            f"registry: {data.types} defines only {sorted(registrations.sets)} of {sorted(SETS)}."
        )
    parser = RegistrationParser(Constants(tree), registrations.sets)
    for file, text in expanded:
        parser.parse(file, text, registrations)
    return registrations
