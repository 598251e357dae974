"""TensorFlow's own programs and shared libraries, linked as apps are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfcross import environment
from tfcross.releases.coreset import SharedLibrary
from tfcross.releases.recipes import expand_sources
from tfcross.scons.compiling import Compiler
from tfcross.scons.linking import link_program
from tfcross.stages.build import Plan
from tfcross.stages.closing import Closure, Closures
from tfcross.stages.core import Core
from tfcross.stages.java import find_javac, jar_node, shared_flags
from tfcross.stages.selection import Selected
from tfcross.stages.staging import Linked


@dataclass(frozen=True)
class Programs:
    """For each program the ``objects`` that are its own, by source file; and the closure of each."""

    objects: Mapping[str, Mapping[str, Any]]
    closures: tuple[Closure, ...]


def compile_programs(plan: Plan, selected: Selected, core: Core, names: Iterable[str]) -> Programs:
    """Objects of the programs ``names``, and of what the core lacks for them."""
    have = [*core.objects.values(), *(archive for _, archive in core.archives)]
    objects, closures = {}, []
    for name in names:
        helpers = core.closing.helpers(name)
        files = dict.fromkeys([*plan.core.programs[name], *helpers.files])
        own = [file for file in files if file not in core.objects]
        objects[name] = core.build.units(own, selected.selection)
        closures.append(core.closing.close(name, objects[name], have, helpers))
    return Programs(objects, tuple(closures))


def all_closures(core: Core, programs: Programs) -> Closures:
    """What has to be complete before anything is linked."""
    return Closures((core.closure, *programs.closures))


@dataclass(frozen=True)
class LinkedPrograms:
    """Nodes of programs, and of shared libraries with the jars that belong to them."""

    programs: tuple[Any, ...]
    libraries: tuple[Any, ...]


def link_programs(plan: Plan, core: Core, programs: Programs, linked: Linked) -> LinkedPrograms:
    """What an app would start or load, linked with the library."""
    compiler, tree, folder = core.compiler, core.build.folders.tree, f"{core.work}/bin"
    arguments = linked.output.link.link_arguments(linked.output.stage)
    apps, libraries = [], []
    for name, objects in programs.objects.items():
        target, parts, library = f"{folder}/{name}", list(objects.values()), plan.core.shared.get(name)
        if library is None:
            apps.append(link_program(compiler, target, parts, arguments))
            continue
        words = [*shared_flags(name, library, tree), *arguments, *(f"-l{one}" for one in library.libraries)]
        libraries.append(link_program(compiler, target, parts, words, shared=True))
        if library.jar:
            libraries.append(_jar(compiler, library, tree, folder))
    compiler.env.Depends([*apps, *libraries], [*linked.libraries, *all_closures(core, programs).nodes])
    return LinkedPrograms(tuple(apps), tuple(libraries))


def _jar(compiler: Compiler, library: SharedLibrary, tree: str, folder: str) -> Any:
    names = expand_sources(Path(tree), library.java, (), "core.yaml: shared.java")
    javac = find_javac(environment.path())
    return jar_node(compiler.env, compiler.runner, javac, f"{folder}/{library.jar}", tree, names)
