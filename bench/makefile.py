#!/usr/bin/env python3
"""TensorFlow 1.8.0 for the Pi by its own contrib/makefile and by this project: same tree, compiler, flags.

    bench/makefile.py [--model GRAPH] [--types slim|full] [--toolchain NAME] [--work FOLDER] [SOURCE_DIR]

SOURCE_DIR holds archives of the release's sources, as for a build. FOLDER keeps both trees, the logs and each
side's figures, make.json and tfcross.json: a run that was stopped goes on with the other side, and a side
without figures is compiled anew. All that the makefile lists takes an hour and a half of CPU. With a model,
make gets the header of scripts/print_selective_registration_header.py, and compiles all that it lists.
tfcross also runs the app of a model, under an emulator: that is in its figures.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from contrib_makefile import (
    JOBS,
    MAKEFILE,
    OPTFLAGS,
    RELEASE,
    Options,
    build_core,
    build_dependencies,
    copy_tree,
    make_sides,
    make_tree,
    target_toolchain,
)
from measure import MB, Checkout, Cost, print_table

EDITED = "tensorflow/core/common_runtime/direct_session.cc"
REPEATS = 3


@dataclass(frozen=True)
class Figures:
    """One side's: the first build and what it made, the same again (wall seconds), after an edit."""

    build: Cost
    again: float
    edit: Cost
    archive_bytes: int
    app_bytes: int


def main() -> None:
    parser = argparse.ArgumentParser(description="contrib/makefile and tfcross, side by side")
    parser.add_argument("--model", default="", help="graph to select ops and kernels for")
    parser.add_argument("--types", default="slim", choices=["slim", "full"])
    parser.add_argument("--toolchain", default="gcc-12")
    parser.add_argument("--work", type=Path, help="folder to keep both trees in")
    parser.add_argument("source_dir", nargs="?", default="", help="folder of the sources' archives")
    given = parser.parse_args()
    paths = [str(Path(name).absolute()) if name else "" for name in (given.model, given.source_dir)]
    with tempfile.TemporaryDirectory(prefix="makefile-") as folder:
        work = (given.work or Path(folder)).absolute()
        work.mkdir(parents=True, exist_ok=True)
        options = Options(paths[0], given.types, given.toolchain, paths[1], work)
        sides = [kept(work / f"{name}.json", run, options) for name, run in SIDES.items()]
        report(options, *sides)


def kept(file: Path, run: Callable[[Options], Figures], options: Options) -> Figures:
    """The figures in ``file``; if there are none, those of ``run``."""
    if file.is_file():
        known = json.loads(file.read_text())
        costs = {name: Cost(**known.pop(name)) for name in ("build", "edit")}
        return Figures(**costs, **known)
    figures = run(options)
    file.write_text(json.dumps(asdict(figures), indent=1))
    return figures


def report(options: Options, make: Figures, ours: Figures) -> None:
    rows = [
        row("build, CPU s", make.build.cpu, ours.build.cpu),
        row("build, wall s", make.build.wall, ours.build.wall),
        row("largest process, MB", make.build.peak_bytes / MB, ours.build.peak_bytes / MB),
        row("libtensorflow-core.a, MB", make.archive_bytes / MB, ours.archive_bytes / MB),
        row("benchmark, stripped, MB", make.app_bytes / MB, ours.app_bytes / MB),
        row("the same again, wall s", make.again, ours.again),
        row("one file edited, CPU s", make.edit.cpu, ours.edit.cpu),
        row("one file edited, wall s", make.edit.wall, ours.edit.wall),
    ]
    what = Path(options.model).name if options.model else "all that the makefile lists"
    print(f"\n## {what}, types {options.types}, {options.toolchain}, {JOBS}\n")
    print_table(["figure", "make", "tfcross", "tfcross : make"], rows)


def row(what: str, make: float, ours: float) -> list[object]:
    return [what, make, ours, f"{ours / make:.2f}"]


def edit(file: Path) -> None:
    with file.open("a") as stream:
        stream.write("// edited\n")


def stripped_size(strip: str, program: Path) -> int:
    with tempfile.NamedTemporaryFile() as bare:
        subprocess.run([strip, "-o", bare.name, program], check=True)
        return Path(bare.name).stat().st_size


def run_make(options: Options) -> Figures:
    tree = make_tree(options)
    gen = tree / MAKEFILE / "gen"
    shutil.rmtree(gen, ignore_errors=True)
    target, host = make_sides(options, tree)
    first = [build_dependencies(tree, target, host), build_core(options, tree, target, host)]
    archive, app = gen / "lib/libtensorflow-core.a", gen / "bin/benchmark"
    sizes = archive.stat().st_size, stripped_size(target.toolchain.strip, app)
    again = [build_core(options, tree, target, host).wall for _ in range(REPEATS)]
    edit(tree / EDITED)
    edited = build_core(options, tree, target, host)
    return Figures(added(first), statistics.median(again), edited, *sizes)


def added(costs: Sequence[Cost]) -> Cost:
    peak = max(cost.peak_bytes for cost in costs)
    return Cost(sum(cost.wall for cost in costs), sum(cost.cpu for cost in costs), peak)


def run_tfcross(options: Options) -> Figures:
    checkout = Checkout.clone(options.work / "tfcross")
    words = scons_words(options)
    checkout.scons("fetch", *words)
    for name in ("build", "out"):
        shutil.rmtree(checkout.folder / name, ignore_errors=True)
    first = checkout.scons("benchmark", *words, JOBS).cost
    archive = checkout.folder / "out/PI-armv7/lib/libtensorflow-core.a"
    sizes = archive.stat().st_size, stripped_size(target_toolchain(options).strip, benchmark_of(checkout))
    again = [checkout.scons("benchmark", *words, JOBS).cost.wall for _ in range(REPEATS)]
    return Figures(first, statistics.median(again), edited_build(checkout, words), *sizes)


def scons_words(options: Options) -> list[str]:
    words = ["TARGET=PI", f"RELEASE={RELEASE}", f"TOOLCHAIN={options.toolchain}", f"TYPES={options.types}"]
    words += [f"OPTFLAGS={' '.join(OPTFLAGS)}", f"SOURCE_DIR={options.source_dir}", f"MODEL={options.model}"]
    return [word for word in words if not word.endswith("=")]


def edited_build(checkout: Checkout, words: Sequence[str]) -> Cost:
    """The store's tree is read-only, so a copy is built first, which compiles nothing."""
    link = next((checkout.folder / "build/src" / RELEASE).glob("tensorflow"))
    copy = copy_tree(Path(os.path.realpath(link)), checkout.folder.with_name("edited"))
    words = [*words, f"SOURCE_tensorflow={copy}", JOBS]
    checkout.scons("benchmark", *words)
    edit(copy / EDITED)
    return checkout.scons("benchmark", *words).cost


def benchmark_of(checkout: Checkout) -> Path:
    programs = [path for path in checkout.folder.glob("*/PI-armv7/**/benchmark") if path.is_file()]
    if not programs:
        raise SystemExit(f"{checkout.folder}: scons benchmark made no file of that name")
    return programs[0]


SIDES: dict[str, Callable[[Options], Figures]] = {"make": run_make, "tfcross": run_tfcross}

if __name__ == "__main__":
    main()
