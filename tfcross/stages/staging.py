"""The output folder in the making: archives, headers and link files, assembled aside."""

from __future__ import annotations

import contextlib
import shlex
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfcross.files import replacing, write_if_changed
from tfcross.output.linkflags import LinkFlags
from tfcross.output.manifest import run_first
from tfcross.output.snippets import Library, snippet_files
from tfcross.scons.actions import builder
from tfcross.scons.compiling import CompileFlags, Compiler, member_names
from tfcross.scons.headerdeps import read_depfile
from tfcross.scons.made import remove
from tfcross.stages.build import Plan
from tfcross.stages.core import Core
from tfcross.stages.manifest import make_manifest
from tfcross.stages.selection import Selected
from tfcross.stages.sources import Sources
from tfcross.targets.profile import Profile


@dataclass(frozen=True)
class Output:
    """``stage`` is where the folder is assembled, ``final`` where it ends up."""

    stage: str
    final: str
    link: LinkFlags
    profile: Profile
    release: str


@dataclass(frozen=True)
class Linked:
    """What an app needs to link: nodes of ``libraries`` and ``headers``, texts of link ``snippets``.

    ``members`` maps the core archive's members to their sources; ``manifest`` is what is known of all that
    before it is built.
    """

    output: Output
    libraries: tuple[Any, ...]
    headers: Any
    snippets: Mapping[str, str]
    members: Mapping[str, str]
    manifest: Mapping[str, Any]


def link_library(plan: Plan, sources: Sources, selected: Selected, core: Core) -> Linked:
    """The core archive, and the output folder's libraries, headers and link files."""
    compiler = core.compiler
    members = [core.objects[name] for name in sorted(core.objects)]
    archive = compiler.archive(f"{core.work}/libtensorflow-core.a", members)
    compiler.env.Depends(archive, core.closure.node)  # not on the programs', which need not be asked for
    output = Output(
        stage=f"{core.work}/out",
        final=str(plan.final),
        link=_link_flags(plan, core),
        profile=plan.profile,
        release=plan.release.version,
    )
    archives = [archive, *(node for _, node in core.archives)]
    manifest = make_manifest(plan, sources.trees, selected, core.objects, output.link)
    return Linked(
        output=output,
        libraries=tuple(stage_libraries(compiler.env, output, archives)),
        headers=stage_headers(compiler, output, plan.core.public_headers, core.flags, core.build.order),
        snippets=link_files(output, run_first(manifest)),
        members=_members(core),
        manifest=manifest,
    )


def _link_flags(plan: Plan, core: Core) -> LinkFlags:
    return LinkFlags(
        cxx_standard=plan.core.cxx_standard,
        defines=core.flags.defines,
        ccflags=plan.profile.ccflags,
        core="libtensorflow-core.a",
        dependencies=tuple(recipe.archive for recipe, _ in core.archives),
        libraries=plan.profile.libraries,
        link_flags=plan.profile.ldflags,
        whole_archive=plan.profile.whole_archive,
    )


def _members(core: Core) -> dict[str, str]:
    """The source of each member of the core's archive."""
    sources = {str(node): name for name, node in core.objects.items()}
    return {member: sources[name] for name, member in member_names(list(sources)).items()}


def stage_headers(
    compiler: Compiler, output: Output, headers: Sequence[str], flags: CompileFlags, order: Any
) -> Any:
    """A stamp node: ``stage/include`` holds what ``headers`` include from the trees, and nothing else.

    The compiler says what that is (``-M``); a file keeps its path below the include folder it was found in.
    """
    roots = sorted((*flags.include, *flags.system_include), key=len, reverse=True)
    folder = Path(output.stage) / "include"
    everything = f"{output.stage}.headers/all.cc"
    write_if_changed(Path(everything), "".join(f'#include "{header}"\n' for header in headers))
    argv = [compiler.toolchain.cxx, *flags.arguments(compiler.toolchain), "-M", "-MF"]

    def run(targets: list[str], sources: list[str]) -> None:
        depfile = Path(f"{sources[0]}.d")
        compiler.runner.run([*argv, str(depfile), sources[0]], "public headers")
        compiler.headers.record(targets[0], depfile)
        part = folder.with_name("include.part")
        remove(part)
        for name in read_depfile(depfile):
            root = next((root for root in roots if name.startswith(f"{root}/")), None)
            if root:
                target = part / name.removeprefix(f"{root}/")
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(name, target)
        remove(folder)
        part.rename(folder)
        write_if_changed(Path(targets[0]), "\n".join(sorted(p.as_posix() for p in folder.rglob("*"))) + "\n")

    made = builder(run, "HDRS", shlex.join(argv), folder=str(folder))(
        compiler.env, target=[f"{output.stage}.headers/stamp"], source=[everything]
    )
    compiler.env.Depends(made, order)
    if str(made[0]) in compiler.stale:
        compiler.env.AlwaysBuild(made)
    return made[0]


def stage_libraries(env: Any, output: Output, archives: Sequence[Any]) -> list[Any]:
    """The archives' nodes below ``stage/lib``."""
    made = builder(_copy, "", "copy")
    return [made(env, target=[f"{output.stage}/lib/{Path(str(a)).name}"], source=[a])[0] for a in archives]


def _copy(targets: list[str], sources: list[str]) -> None:
    with replacing(Path(targets[0])) as part:
        with contextlib.suppress(OSError):
            part.hardlink_to(sources[0])
        if not part.exists():
            shutil.copyfile(sources[0], part)


def link_files(output: Output, first: tuple[str, ...] = ()) -> dict[str, str]:
    """The texts of the link snippets by path: relocatable, each with the core whole.

    ``first`` are sentences that say what an app has to run first.
    """
    profile = output.profile
    library = Library(profile.name, profile.arch, profile.triple, output.release, output.link, first)
    return snippet_files(library)


def megabytes(path: Path) -> str:
    """The size of ``path`` for people, in millions of bytes."""
    return f"{path.stat().st_size / 1e6:.1f} MB"
