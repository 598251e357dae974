"""Nodes for the release's dependencies, and the host tools made from the same trees."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tfcross.releases.recipes import HostTool, Recipe, expand_sources, wanted_recipes
from tfcross.render import TEMPLATES, render
from tfcross.scons.compiling import CompileFlags, Compiler
from tfcross.scons.linking import link_program
from tfcross.stages.build import Plan
from tfcross.stages.sources import Sources


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


def host_protoc(plan: Plan, sources: Sources, compiler: Compiler) -> Any:
    """The node of the program that the release's protos need, made by this machine's ``compiler``."""
    recipe = protobuf(plan)
    folder, flags = f"build/host/{plan.release.version}-{plan.host.name}", host_flags(plan.core.cxx_standard)
    tree = sources.links[recipe.name]
    assert recipe.host_tool
    return Dependency(compiler, recipe, tree, flags, folder, plan.profile.cpu).host_tool(recipe.host_tool)


def protobuf(plan: Plan) -> Recipe:
    """The recipe with a tool for the host."""
    return next(recipe for recipe in plan.recipes.values() if recipe.host_tool)


def target_archives(
    plan: Plan, sources: Sources, compiler: Compiler, flags: CompileFlags, texts: Iterable[str]
) -> tuple[tuple[Recipe, Any], ...]:
    """In link order the archives of what files with these ``texts`` need, each with its recipe.

    ``flags`` are TensorFlow's own.
    """
    plain = CompileFlags(ccflags=flags.ccflags, defines=("NDEBUG",))
    folder, cpu = f"{plan.base}/deps", plan.profile.cpu  # types are TensorFlow's own
    return tuple(
        (recipe, Dependency(compiler, recipe, sources.links[name], plain, folder, cpu).archive())
        for name, recipe in wanted_recipes(plan.recipes, texts).items()
        if recipe.archive
    )
