"""What bench/makefile.py runs of TensorFlow's contrib/makefile, in a scratch copy of the release's tree.

The dependencies are put in place without its download script, and built as the recipes list them, which is
less than upstream's configure would build.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from measure import ROOT, Cost, measure

from tfcross import environment
from tfcross.releases.coreset import load_core
from tfcross.releases.recipes import Recipe, expand_sources, load_recipes
from tfcross.releases.release import load_release
from tfcross.sources.fetch import fetch_sources
from tfcross.targets.profile import load_host_profile, load_profile
from tfcross.toolchains.families import resolve_toolchain
from tfcross.toolchains.toolchain import Toolchain

RELEASE = "1.8.0"
OPTFLAGS = ("-Os", "-funsafe-math-optimizations", "-ftree-vectorize")
#: What this project compiles with beside those; the makefile has -fno-exceptions and -DNDEBUG of its own.
MORE_FLAGS = ("-fPIC", "-ffunction-sections", "-fdata-sections", "-w")
HEADER = "tensorflow/core/framework/ops_to_register.h"
VERSION_SCRIPT = "tensorflow/tools/git/gen_git_source.sh"
MAKEFILE = "tensorflow/contrib/makefile"
DOWNLOADS = ("eigen", "gemmlowp", "nsync", "fft2d", "protobuf")
JOBS = "-j2"


@dataclass(frozen=True)
class Options:
    """``model`` and ``source_dir`` are absolute paths, or "" for none; ``work`` takes all that is made."""

    model: str
    types: str
    toolchain: str
    source_dir: str
    work: Path


@dataclass(frozen=True)
class Side:
    """What the dependencies are compiled with, for the host or the target, into ``folder``."""

    toolchain: Toolchain
    flags: tuple[str, ...]
    cpu: str
    folder: Path


def target_toolchain(options: Options) -> Toolchain:
    profile = load_profile(ROOT, "PI", None, RELEASE)
    return resolve_toolchain(ROOT, options.toolchain, profile, environment.path(), "")


def copy_tree(source: Path, into: Path) -> Path:
    """A copy whose files can be edited; one that is there already is taken as it is."""
    if not into.is_dir():
        part = into.with_name(f"{into.name}.part")
        shutil.rmtree(part, ignore_errors=True)
        shutil.copytree(source, part, copy_function=shutil.copyfile)
        part.rename(into)
    return into


def make_tree(options: Options) -> Path:
    """TensorFlow's tree with the downloads where the makefile looks for them, and the model's header."""
    release = load_release(ROOT, RELEASE)
    folder = Path(options.source_dir) if options.source_dir else None
    sources = fetch_sources(release, store=environment.cache_folder(), source_dir=folder, progress=True)
    tree = copy_tree(sources[load_core(release.folder).tree].path, options.work / "make")
    (tree / VERSION_SCRIPT).chmod(0o755)
    for name in DOWNLOADS:
        copy_tree(sources[name].path, tree / MAKEFILE / "downloads" / name)
    if options.model:
        write_header(options, tree / HEADER)
    return tree


def write_header(options: Options, header: Path) -> None:
    script = ROOT / "scripts/print_selective_registration_header.py"
    words = [f"--graphs={options.model}", f"--release={RELEASE}", "--target=PI", f"--types={options.types}"]
    words += [f"--toolchain={options.toolchain}", f"--source_dir={options.source_dir}"]
    said = subprocess.run([sys.executable, script, *words], check=True, stdout=subprocess.PIPE)
    header.write_bytes(said.stdout)


def make_sides(options: Options, tree: Path) -> tuple[Side, Side]:
    """The target's and the host's."""
    here, target = load_host_profile(ROOT, RELEASE), target_toolchain(options)
    host = resolve_toolchain(ROOT, "", here, environment.path(), "")
    common = ("--std=c++11", "-DNDEBUG", "-pthread")
    flags = (*common, *target.flags, *OPTFLAGS, *MORE_FLAGS, "-fno-exceptions")
    gen = tree / MAKEFILE / "gen"
    return (
        Side(target, flags, load_profile(ROOT, "PI", None, RELEASE).cpu, gen / "protobuf_pi"),
        Side(host, (*common, "-w"), here.cpu, gen / "protobuf-host"),
    )


def build_dependencies(tree: Path, target: Side, host: Side) -> Cost:
    """protoc, and protobuf's and nsync's archives for host and target, by a makefile of our own."""
    recipes = load_recipes(ROOT / "releases" / RELEASE)
    protobuf, nsync = recipes["protobuf"], recipes["nsync"]
    tool = protobuf.host_tool
    assert tool
    with_tool = replace(
        protobuf, sources=(*protobuf.sources, *tool.sources), exclude=(*protobuf.exclude, *tool.exclude)
    )
    downloads = tree / MAKEFILE / "downloads"
    lines = ["all:"]
    for side, recipe in ((host, with_tool), (host, nsync), (target, protobuf), (target, nsync)):
        lines += archive_rules(side, recipe, downloads / recipe.name)
    lines += protoc_rules(host, f"{ROOT}/templates/{tool.main}", downloads / "protobuf/src")
    written = tree / "dependencies.mk"
    written.write_text("\n".join([*lines, ""]))
    include = host.folder / "include"
    if not include.is_symlink():
        include.parent.mkdir(parents=True, exist_ok=True)
        include.symlink_to(downloads / "protobuf/src")
    return measure(["make", JOBS, "-f", str(written)], tree, tree.with_name("make-dependencies.log"))


def archive_rules(side: Side, recipe: Recipe, tree: Path) -> list[str]:
    names = expand_sources(tree, recipe.sources, recipe.exclude, recipe.name)
    folders = [part.replace("{cpu}", side.cpu) for part in (*recipe.include, *recipe.private_include)]
    words = [side.toolchain.cxx, *side.flags, *recipe.ccflags, *(f"-D{define}" for define in recipe.defines)]
    command = " ".join([*words, *(f"-I{tree}/{part}" for part in folders), "-x c++ -c $< -o $@"])
    objects = {f"{side.folder}/obj/{recipe.name}/{name}.o": f"{tree}/{name}" for name in names}
    archive = library(side, recipe.name)
    lines = [f"all: {archive}", f"{archive}: {' '.join(objects)}", "\t@mkdir -p $(@D) && rm -f $@"]
    lines.append(f"\t@{side.toolchain.ar} rcs $@ $^")
    for name, source in objects.items():
        lines += [f"{name}: {source}", f"\t@mkdir -p $(@D) && {command}"]
    return lines


def protoc_rules(host: Side, main: str, include: Path) -> list[str]:
    program, archive = host.folder / "bin/protoc", library(host, "protobuf")
    command = " ".join([host.toolchain.cxx, *host.flags, f"-I{include}", main, archive, "-o $@"])
    return [f"all: {program}", f"{program}: {archive}", f"\t@mkdir -p $(@D) && {command}"]


def library(side: Side, name: str) -> str:
    return f"{side.folder}/lib/lib{name}.a"


def build_core(options: Options, tree: Path, target: Side, host: Side, *goals: str) -> Cost:
    """The makefile itself, with the variables that a cross build needs of it.

    LIBS and LDFLAGS leave the target's zlib out, which nothing uses, add the folder of its protobuf and drop
    unused sections. proto_text, on the host, does need zlib and its headers (Debian: zlib1g-dev).
    """
    flags = [*target.toolchain.ccflags, *OPTFLAGS, *MORE_FLAGS]  # links get them too: no --sysroot
    flags += ["-DSELECTIVE_REGISTRATION"] if options.model else []
    common = "-lstdc++ -lprotobuf -lpthread -ldl -lm"
    variables = {
        "TARGET": "PI",
        "CXX": target.toolchain.cxx,
        "AR": target.toolchain.ar,
        "OPTFLAGS": " ".join(flags),
        "ANDROID_TYPES": f"-D__ANDROID_TYPES_{options.types.upper()}__",
        "HOST_CXX": host.toolchain.cxx,
        "HOST_CXXFLAGS": "--std=c++11 -w",
        "HOST_LIBS": f"{library(host, 'nsync')} {common} -lz",
        "LIBS": f"{library(target, 'nsync')} {common} -latomic",
        "LDFLAGS": f"-L{target.folder}/lib -Wl,--no-whole-archive -Wl,--gc-sections",
    }
    words = [f"{name}={value}" for name, value in variables.items()]
    log = tree.with_name("make.log")
    return measure(["make", JOBS, "-f", f"{MAKEFILE}/Makefile", *words, *goals], tree, log)
