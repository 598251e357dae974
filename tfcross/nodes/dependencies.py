"""Nodes for the release's dependencies, and the host tools made from the same trees."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..recipes import HostTool, Recipe, expand_sources
from ..render import TEMPLATES
from .actions import Runner, builder
from .codegen import run_protoc
from .compiling import CompileFlags, Compiler


def build_archive(
    compiler: Compiler, recipe: Recipe, tree: str, flags: CompileFlags, folder: str, cpu: str
) -> Any:
    """The archive node of one dependency, in ``folder``; its tree is the folder ``tree``."""
    private = [f"{tree}/{part.replace('{cpu}', cpu)}" for part in recipe.private_include]
    flags = flags.more(
        include=[*(f"{tree}/{part}" for part in recipe.include), *private],
        defines=recipe.defines,
        ccflags=recipe.ccflags,
    )
    names = expand_sources(Path(tree), recipe.sources, recipe.exclude, f"recipes.yaml: {recipe.name}")
    objects = [_unit(compiler, recipe, f"{folder}/{recipe.name}", tree, name, flags) for name in names]
    return compiler.archive(f"{folder}/{recipe.archive}", objects)


def _unit(compiler: Compiler, recipe: Recipe, folder: str, tree: str, name: str, flags: CompileFlags) -> Any:
    language = recipe.language if name.endswith(".c") else ""
    if name.endswith(".c") and not language:  # C takes no C++ standard
        flags = CompileFlags(
            tuple(flag for flag in flags.ccflags if not flag.startswith(("-std=c++", "-ftemplate"))),
            flags.defines,
            flags.include,
            flags.system_include,
        )
    return compiler.unit(f"{folder}/{name}.o", f"{tree}/{name}", flags, language)


def build_host_tool(
    compiler: Compiler, recipe: Recipe, tool: HostTool, tree: str, library: Any, folder: str
) -> Any:
    """The program node of ``tool``, linked against the host's own ``library`` of the same recipe."""
    flags = CompileFlags(
        ccflags=HOST_FLAGS, include=tuple(f"{tree}/{part}" for part in recipe.include), defines=recipe.defines
    )
    names = expand_sources(Path(tree), tool.sources, tool.exclude, f"recipes.yaml: {recipe.name}.host_tool")
    objects = [compiler.unit(f"{folder}/{tool.name}/{name}.o", f"{tree}/{name}", flags) for name in names]
    main = compiler.unit(f"{folder}/{tool.name}/main.o", f"{TEMPLATES.name}/{tool.main}", flags)
    return link_program(compiler, f"{folder}/{tool.name}.exe", [main, *objects, library], ["-pthread"])


#: Host tools run for seconds: what counts is the time to compile them.
HOST_FLAGS = ("-std=c++17", "-O0", "-pthread", "-w", "-DNDEBUG")


def link_program(
    compiler: Compiler, target: str, inputs: Sequence[Any], arguments: Iterable[str], shown: str = "LINK"
) -> Any:
    """A program linked from nodes in their order, then ``arguments`` (whole-archive groups, libraries)."""
    toolchain, runner = compiler.toolchain, compiler.runner
    tail = list(arguments)

    def run(targets: list[str], sources: list[str]) -> None:
        part = Path(f"{targets[0]}.part")
        runner.run([toolchain.linker, *toolchain.link_flags, *sources, *tail, "-o", str(part)], targets[0])
        part.replace(targets[0])

    signature = shlex.join([toolchain.identity, *toolchain.link_flags, *tail])
    return builder(run, shown, signature)(compiler.env, target=[target], source=list(inputs))[0]


def generate_protos(
    env: Any,
    runner: Runner,
    protoc: Any,
    names: Sequence[str],
    roots: Mapping[str, str],
    stamp: str,
    folder: str,
) -> Any:
    """A stamp node: every one of ``names`` (relative to a root) has its ``.pb.h`` and ``.pb.cc`` in ``folder``.

    ``roots`` maps each import folder to the hash of its tree; the stamp holds the hash of all that was made.
    """

    def run(targets: list[str], sources: list[str]) -> None:
        run_protoc(runner, sources[0], names, list(roots), Path(folder), Path(targets[0]))

    signature = "\0".join([*names, *roots, *roots.values(), folder])
    sources = [f"{folder}/{proto_unit(name)}" for name in names]
    made = builder(run, "PROTO", signature)(env, target=[stamp, *sources], source=[protoc])
    env.Precious(made)  # what comes out as it was must keep its time
    return made[0]


def proto_unit(name: str) -> str:
    """``a/b.proto`` → ``a/b.pb.cc``."""
    return name.removesuffix(".proto") + ".pb.cc"
