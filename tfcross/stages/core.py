"""Nodes of TensorFlow's core: the runtime, the selected kernels and ops, and the helpers that these need."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tfcross.files import write_if_changed
from tfcross.registry.ownops import is_own
from tfcross.releases.coreset import CoreSet
from tfcross.releases.recipes import Recipe, expand_sources
from tfcross.render import render
from tfcross.scons.compiling import CompileFlags, Compiler
from tfcross.selection.header import ops_header
from tfcross.selection.selection import FileSelection, Selection, plain_files
from tfcross.stages.build import Plan
from tfcross.stages.closing import Closing, Closure, ClosureTools
from tfcross.stages.codegen import GeneratedCode, proto_unit
from tfcross.stages.dependencies import target_archives
from tfcross.stages.selection import Selected
from tfcross.stages.sources import Sources


@dataclass(frozen=True)
class CoreFolders:
    """``tree``: TensorFlow's sources; ``gen``: generated ones; ``work``: the profile's build folder; ``own``:
    where the user's sources are, as ``ownops`` lays them."""

    tree: str
    gen: str
    work: str
    own: str = ""

    def root(self, name: str, generated: bool) -> str:
        """Where the file ``name`` is below."""
        return self.own if is_own(name) else self.gen if generated else self.tree


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
        if compiler.toolchain.precompiles:
            text = render("precompiled.h.j2", defines=core.pch_defines, headers=core.pch_headers)
            self.usual, pch = compiler.precompiled(f"{folders.work}/precompiled.h", flags, text)
            compiler.env.Depends(pch, self.order)
        else:  # a unit's own `#define` of the name then says the same
            self.usual = flags.more(defines=[f"{name}=" for name in core.pch_defines])

    def _unit(self, target: str, name: str, forced: tuple[str, ...] = ()) -> Any:
        generated = name.endswith(".pb.cc") or name in self.core.generated
        root = self.folders.root(name, generated)
        flags = self.plain if name in self.core.pch_without else self.usual
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


@dataclass(frozen=True)
class Core:
    """``objects`` by source file, with the ``archives`` of dependencies in link order, each with its recipe.

    ``work`` is the folder of what no other selection shares. ``build`` makes further units with ``flags`` as
    the core's were, and ``closing`` closes them.
    """

    work: str
    flags: CompileFlags
    build: CoreBuild
    closing: Closing
    objects: Mapping[str, Any]
    archives: tuple[tuple[Recipe, Any], ...]
    closure: Closure

    @property
    def compiler(self) -> Compiler:
        return self.build.compiler


def compile_core(plan: Plan, sources: Sources, generated: GeneratedCode, selected: Selected) -> Core:
    """Objects of runtime, selection and helpers, the dependencies' archives, what is missing."""
    flags, compiler = _target_flags(plan, sources, generated), generated.compiler
    folders = CoreFolders(sources.links[plan.core.tree], generated.folder, plan.work, selected.own_folder)
    build = CoreBuild(compiler, plan.core, flags, folders, [generated.protos])
    work = f"{plan.work}/models/{selected.selection.key}"
    inputs = [vars(plan.core), asdict(flags), plan.toolchain.identity, sources.key(plan.core.tree)]
    digest = hashlib.sha256(repr(inputs).encode()).hexdigest()[:16]
    closing = Closing(compiler, work, digest, _closure_tools(plan, folders))
    helpers = closing.helpers("helpers")
    names = dict.fromkeys([*_files(plan, folders, selected), *helpers.files])
    objects = build.units(names, selected.selection)
    archives = target_archives(plan, sources, compiler, flags, _written_texts(plan.core, folders, objects))
    closure = closing.close("core", objects, [archive for _, archive in archives], helpers)
    return Core(work, flags, build, closing, objects, archives, closure)


def _files(plan: Plan, folders: CoreFolders, selected: Selected) -> list[str]:
    """What the library is compiled from, as far as that is known without looking at symbols."""
    own = plain_files(selected.own, selected.selection) if selected.own else ()
    runtime = (*plan.core.runtime, *map(proto_unit, plan.core.proto_units))
    whole = () if selected.models else _whole_set(plan.core, Path(folders.tree))
    return [*selected.selection.files, *own, *runtime, *whole]


def _whole_set(core: CoreSet, tree: Path) -> list[str]:
    files = expand_sources(tree, core.whole_sources, core.whole_exclude, "core.yaml: whole")
    return [*files, *map(proto_unit, core.whole_protos)]


def _target_flags(plan: Plan, sources: Sources, generated: GeneratedCode) -> CompileFlags:
    core = plan.core
    third = [f"{sources.links[name]}/{part}" for name in core.include for part in plan.recipes[name].include]
    return CompileFlags(
        ccflags=(f"-std={core.cxx_standard}", *core.ccflags, *plan.options.optflags),
        defines=(*core.defines, *plan.profile.defines, *core.type_defines(plan.options.types)),
        include=(generated.folder, sources.links[core.tree]),
        system_include=tuple(os.path.normpath(folder) for folder in third),
    )


def _written_texts(core: CoreSet, folders: CoreFolders, names: Iterable[str]) -> list[str]:
    """The texts of those files that nothing generates."""
    made = (".pb.cc", *core.generated)
    written = (name for name in names if not name.endswith(made))
    return [Path(folders.root(name, False), name).read_text(errors="replace") for name in written]


def _closure_tools(plan: Plan, folders: CoreFolders) -> ClosureTools:
    return ClosureTools(
        nm=plan.toolchain.nm,
        symbol_prefix=plan.toolchain.symbol_prefix,
        demangler="c++filt",
        ctags="ctags",
        roots=(Path(folders.tree), Path(folders.gen)),
        folders=plan.core.definer_folders,
        exclude=plan.core.definer_exclude,
        symbols=plan.core.definer_symbols,
    )


def write_compile_commands(plan: Plan, core: Core) -> None:
    """``build/compile_commands.json``, for editors: how the target's objects are compiled."""
    path, entries = Path("build/compile_commands.json"), core.compiler.database(plan.root)
    write_if_changed(path, json.dumps(entries, indent=1) + "\n")
    print(f"        {path}: {len(entries)} units", flush=True)
