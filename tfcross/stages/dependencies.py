"""Nodes for the release's dependencies, and the host tools made from the same trees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tfcross.releases.recipes import HostTool, Recipe, expand_sources
from tfcross.render import TEMPLATES, render
from tfcross.scons.actions import Runner, builder
from tfcross.scons.compiling import CompileFlags, Compiler
from tfcross.scons.linking import link_program
from tfcross.stages.codegen import proto_files, run_protoc


def host_flags(cxx_standard: str) -> CompileFlags:
    """Flags of host tools, which run for seconds: what counts is the time to compile them."""
    return CompileFlags((f"-std={cxx_standard}", "-O0", "-pthread", "-w", "-DNDEBUG"))


class Dependency:
    """One recipe, compiled from the tree in the folder ``tree`` into ``folder``."""

    def __init__(
        self, compiler: Compiler, recipe: Recipe, tree: str, flags: CompileFlags, folder: str, cpu: str
    ) -> None:
        self.compiler, self.recipe, self.tree, self.folder = compiler, recipe, tree, folder
        folders = (*recipe.include, *(part.replace("{cpu}", cpu) for part in recipe.private_include))
        self.plain = flags.more(
            include=[f"{tree}/{part}" for part in folders], defines=recipe.defines, ccflags=recipe.ccflags
        )
        precompiles = recipe.precompiled and compiler.toolchain.precompiles
        self.flags = self._precompiled() if precompiles else self.plain

    def _precompiled(self) -> CompileFlags:
        text = render("precompiled.h.j2", defines=[], headers=self.recipe.precompiled)
        header = f"{self.folder}/{self.recipe.name}/precompiled.h"
        return self.compiler.precompiled(header, self.plain, text)[0]

    def archive(self) -> Any:
        """The archive's node."""
        return self.compiler.archive(
            f"{self.folder}/{self.recipe.archive}",
            self._objects(self.recipe.sources, self.recipe.exclude, self.recipe.name),
        )

    def host_tool(self, tool: HostTool) -> Any:
        """The program node of ``tool``: its sources and those of the library that it needs."""
        objects = self._objects(tool.sources, tool.exclude, tool.name)
        main = self.compiler.unit(
            f"{self.folder}/{tool.name}/main.o", f"{TEMPLATES.name}/{tool.main}", self.flags
        )
        return link_program(self.compiler, f"{self.folder}/{tool.name}.exe", [main, *objects], ["-pthread"])

    def _objects(self, sources: Sequence[str], exclude: Sequence[str], name: str) -> list[Any]:
        names = expand_sources(Path(self.tree), sources, exclude, f"recipes.yaml: {name}")
        return [self._unit(name) for name in names]

    def _unit(self, name: str) -> Any:
        target, source = f"{self.folder}/{self.recipe.name}/{name}.o", f"{self.tree}/{name}"
        if not name.endswith(".c"):
            return self.compiler.unit(target, source, self.flags)
        if self.recipe.language:
            return self.compiler.unit(target, source, self.plain, self.recipe.language)
        only_c = (flag for flag in self.plain.ccflags if not flag.startswith(("-std=c++", "-ftemplate")))
        return self.compiler.unit(target, source, replace(self.plain, ccflags=tuple(only_c)))


def generate_protos(
    env: Any,
    runner: Runner,
    protoc: Any,
    names: Sequence[str],
    roots: Mapping[str, str],
    stamp: str,
    folder: str,
) -> Any:
    """A stamp node: every one of ``names`` (relative to a root) has its C++ in ``folder``.

    ``roots`` maps each import folder to the hash of its tree; the stamp holds the hash of all that was made.
    """

    def run(targets: list[str], sources: list[str]) -> None:
        run_protoc(runner, sources[0], names, list(roots), Path(folder), Path(targets[0]))

    signature = "\0".join([*names, *roots, *roots.values(), folder])
    files = [f"{folder}/{file}" for name in names for file in proto_files(name)]
    made = builder(run, "PROTO", signature)(env, target=[stamp, *files], source=[protoc])
    env.Precious(made)  # what comes out as it was must keep its time
    return made[0]


def proto_unit(name: str) -> str:
    """``a/b.proto`` → ``a/b.pb.cc``."""
    return name.removesuffix(".proto") + ".pb.cc"
