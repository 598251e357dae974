"""A library that registers as TensorFlow's core does, and nsync, built as the build does with a toolchain."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from tfcross import environment
from tfcross.output.linkflags import whole_archive_flags
from tfcross.releases.recipes import expand_sources, load_recipes
from tfcross.releases.release import load_release
from tfcross.sources.fetch import fetch_sources
from tfcross.targets.profile import Profile
from tfcross.toolchains.toolchain import Toolchain

ROOT = Path(__file__).parents[2]
REGISTRY = """
#include "registry.h"
std::vector<std::string>& Registered() { static std::vector<std::string> names; return names; }
Registrar::Registrar(const char* name) { Registered().push_back(name); }
"""
KERNEL = """
#include "registry.h"
static Registrar kernel("kernel");
"""
HEADER = """
#pragma once
#include <string>
#include <vector>
struct Registrar { explicit Registrar(const char* name); };
std::vector<std::string>& Registered();
"""
APP = """
#include <cstdio>
#include "registry.h"
int main() {
#ifdef __ANDROID__
  std::printf("Android %d\\n", __ANDROID_API__);
#endif
  for (const auto& name : Registered()) std::printf("%s\\n", name.c_str());
}
"""


def run(argv: Sequence[object], folder: Path) -> str:
    words = [str(word) for word in argv]
    done = subprocess.run(
        words, cwd=folder, env=environment.compiler_environment(), capture_output=True, text=True
    )
    assert done.returncode == 0, f"{words}\n{done.stdout}{done.stderr}"
    return done.stdout


def compile_unit(toolchain: Toolchain, folder: Path, name: str, text: str) -> Path:
    (folder / "registry.h").write_text(HEADER)
    (folder / name).write_text(text)
    target = folder / f"{name}.o"
    run([toolchain.cxx, *toolchain.flags, "-std=c++11", "-Os", "-fPIC", "-c", name, "-o", target], folder)
    return target


def archive(toolchain: Toolchain, target: Path, objects: Sequence[Path]) -> Path:
    style = ["-static", "-o", target] if toolchain.archiver == "libtool" else ["rcsD", target]
    run([toolchain.ar, *style, *objects], target.parent)
    return target


def link(toolchain: Toolchain, folder: Path, app: Path, arguments: Sequence[object], name: str) -> Path:
    flags = [*toolchain.program_flags, *toolchain.link_flags]
    libraries = [f"-l{library}" for library in toolchain.libraries]
    tail = [*libraries, *toolchain.link_tail, "-o", name]
    run([toolchain.linker, *flags, app, *arguments, *tail], folder)
    return folder / name


def build(toolchain: Toolchain, profile: Profile, folder: Path) -> tuple[Path, Path]:
    """An app linked with the flags that apps are told, and one linked without keeping every object."""
    core = [compile_unit(toolchain, folder, "registry.cc", REGISTRY)]
    core += [compile_unit(toolchain, folder, "kernel.cc", KERNEL)]
    library = archive(toolchain, folder / "libcore.a", core)
    app = compile_unit(toolchain, folder, "app.cc", APP)
    whole = whole_archive_flags([str(library)], profile.whole_archive)
    return link(toolchain, folder, app, whole, "whole"), link(toolchain, folder, app, [library], "plain")


def build_nsync(toolchain: Toolchain, profile: Profile, folder: Path) -> Path:
    """nsync's archive, from the release's recipe for the profile's platform."""
    release = load_release(ROOT, profile.release)
    tree = fetch_sources(release, ["nsync"], store=environment.cache_folder())["nsync"].path
    recipe = load_recipes(release.folder, profile.platform)["nsync"]
    include = [*recipe.include, *(name.replace("{cpu}", profile.cpu) for name in recipe.private_include)]
    flags = [
        *recipe.ccflags,
        *(f"-D{name}" for name in recipe.defines),
        *(f"-I{tree / name}" for name in include),
    ]
    objects = []
    for name in expand_sources(tree, recipe.sources, recipe.exclude, "nsync"):
        objects.append(folder / f"{name.replace('/', '-')}.o")
        source = ["-x", recipe.language, "-c", tree / name, "-o", objects[-1]]
        run([toolchain.cxx, *toolchain.flags, *flags, "-Os", "-fPIC", *source], folder)
    return archive(toolchain, folder / "libnsync.a", objects)
