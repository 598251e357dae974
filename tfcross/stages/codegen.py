"""Generated sources: protos by protoc, small headers from templates."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfcross.files import write_if_changed
from tfcross.releases.coreset import Generated
from tfcross.releases.recipes import expand_sources
from tfcross.render import render
from tfcross.scons.actions import Runner, builder
from tfcross.scons.compiling import Compiler
from tfcross.scons.folder import save_usage
from tfcross.scons.headerdeps import HeaderDeps
from tfcross.stages.build import Plan, Workshop
from tfcross.stages.dependencies import host_protoc, protobuf
from tfcross.stages.sources import Sources, tree_keys


@dataclass(frozen=True)
class GeneratedCode:
    """``folder`` has what no target changes; ``protos`` is the stamp node of what protoc writes there.

    ``compiler`` is the target's, ``host`` this machine's: they look at headers, and now all are there.
    """

    folder: str
    protos: Any
    compiler: Compiler
    host: Compiler

    @property
    def headers(self) -> HeaderDeps:
        """The record of what every object was compiled with."""
        return self.compiler.headers

    def save(self) -> None:
        """Keep what this pass learned: each object's headers, what each compile cost."""
        self.headers.save()
        save_usage(Path("build/usage.json"), {**self.compiler.usage, **self.host.usage})


def generate_sources(workshop: Workshop, plan: Plan, sources: Sources) -> GeneratedCode:
    """Host protoc; the protos' C++ and the small generated headers."""
    folder = f"build/gen/{plan.release.version}"
    write_generated(plan.core.generated, Path(folder))
    headers = HeaderDeps(Path("build"), tree_keys(sources))
    stale = frozenset(headers.stale())
    compiler = Compiler(workshop.env, plan.toolchain, workshop.runner, headers, stale)
    host = Compiler(workshop.env, plan.host, workshop.runner, headers, stale)
    protoc, recipe, tree = host_protoc(plan, sources, host), protobuf(plan), sources.links[plan.core.tree]
    names = expand_sources(Path(tree), plan.core.proto_sources, plan.core.proto_exclude, "core.yaml: protos")
    own = f"{sources.links[recipe.name]}/{recipe.include[0]}"
    roots = {tree: sources.key(plan.core.tree), own: sources.key(recipe.name)}
    stamp = f"{folder}.stamp"
    protos = generate_protos(workshop.env, workshop.runner, protoc, names, roots, stamp, folder)
    return GeneratedCode(folder, protos, compiler, host)


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


def run_protoc(
    runner: Runner, protoc: str, names: Sequence[str], roots: Sequence[str], folder: Path, stamp: Path
) -> None:
    """Generate C++ for ``names`` into ``folder``; files that come out as they were keep their time."""
    fresh = folder.with_name(folder.name + ".part")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    imports = [f"-I{root}" for root in roots]
    runner.run([protoc, *imports, f"--cpp_out={fresh}", *names], f"{len(names)} protos")
    digest = hashlib.sha256()
    for name in names:
        for made in proto_files(name):
            text = (fresh / made).read_text(encoding="utf-8")
            write_if_changed(folder / made, text)
            digest.update(text.encode())
    shutil.rmtree(fresh)
    write_if_changed(stamp, digest.hexdigest() + "\n")


def proto_files(name: str) -> tuple[str, str]:
    """``a/b.proto`` → ``a/b.pb.h``, ``a/b.pb.cc``."""
    return name.removesuffix(".proto") + ".pb.h", name.removesuffix(".proto") + ".pb.cc"


def proto_unit(name: str) -> str:
    """``a/b.proto`` → ``a/b.pb.cc``."""
    return name.removesuffix(".proto") + ".pb.cc"


def write_generated(headers: Mapping[str, Generated], folder: Path) -> None:
    """The release's generated headers, below ``folder``."""
    for name, header in headers.items():
        write_if_changed(folder / name, render(header.template, **header.values))
