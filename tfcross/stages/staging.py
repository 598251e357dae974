"""The output folder in the making: archives, headers and link files, assembled aside."""

from __future__ import annotations

import contextlib
import shlex
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfcross.files import write_if_changed
from tfcross.output.linkflags import LinkFlags
from tfcross.output.snippets import Library, snippet_files
from tfcross.scons.actions import builder
from tfcross.scons.compiling import CompileFlags, Compiler
from tfcross.scons.headerdeps import read_depfile
from tfcross.scons.made import remove
from tfcross.targets.profile import Profile


@dataclass(frozen=True)
class Output:
    """``stage`` is where the folder is assembled, ``final`` where it ends up."""

    stage: str
    final: str
    link: LinkFlags
    profile: Profile
    release: str


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
    part = Path(f"{targets[0]}.part")
    part.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        part.hardlink_to(sources[0])
    if not part.exists():
        shutil.copyfile(sources[0], part)
    part.replace(targets[0])


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
