"""TensorFlow's own programs and shared libraries, linked as apps are, and the Java side of these."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfcross import environment
from tfcross.errors import TfcrossError
from tfcross.files import replacing
from tfcross.output.bundles import TIME
from tfcross.releases.coreset import SharedLibrary
from tfcross.releases.recipes import expand_sources
from tfcross.render import TEMPLATES
from tfcross.scons.actions import Runner, builder
from tfcross.scons.compiling import Compiler
from tfcross.scons.linking import link_program
from tfcross.stages.build import Plan
from tfcross.stages.closing import Closure, Closures
from tfcross.stages.core import Core
from tfcross.stages.selection import Selected
from tfcross.stages.staging import Linked

#: Android has run classes of this version since its build tools 3.
JAVA = "8"


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


def shared_flags(name: str, library: SharedLibrary, tree: str) -> list[str]:
    """What the compiler driver is told for a library that exports just what its version script names."""
    script = f"-Wl,--version-script={tree}/{library.exports}"
    return [f"-Wl,-soname,{name}", script, "-Wl,-z,defs", "-s"]


def find_javac(search_path: str) -> str:
    found = shutil.which("javac", path=search_path)
    if found is None:
        raise TfcrossError("javac is not on PATH; install a JDK (apt-get install default-jdk-headless).")
    return found


def jar_node(env: Any, runner: Runner, javac: str, target: str, tree: str, names: Sequence[str]) -> Any:
    """A jar of the classes of ``names`` below ``tree``, compiled against stubs of Android's own classes."""
    stubs = sorted(path.as_posix() for path in (TEMPLATES / "android").rglob("*.java"))

    def run(targets: list[str], sources: list[str]) -> None:
        classes = Path(f"{targets[0]}.classes")
        shutil.rmtree(classes, ignore_errors=True)
        classes.mkdir(parents=True)
        flags = ["--release", JAVA, "-nowarn", "-encoding", "UTF-8", "-proc:none", "-d", str(classes)]
        runner.run([javac, *flags, *sources], targets[0])
        with replacing(Path(targets[0])) as part:
            write_jar(classes, part, without="android")
        shutil.rmtree(classes)

    made = builder(run, "JAVAC", f"jar 1 {JAVA} {javac}")
    return made(env, target=[target], source=[*(f"{tree}/{name}" for name in names), *stubs])[0]


def write_jar(classes: Path, target: Path, without: str) -> None:
    """All of ``classes`` but the folder ``without``, in sorted order and without times."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(path for path in classes.rglob("*.class")):
            name = path.relative_to(classes).as_posix()
            if not name.startswith(f"{without}/"):
                entry = zipfile.ZipInfo(name, TIME)
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, path.read_bytes())
