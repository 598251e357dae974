#!/usr/bin/env python3
"""What the same units of the runtime cost with two toolchains, each as the build runs it.

    bench/toolchains.py [--units N] [--work FOLDER] [TOOLCHAIN TOOLCHAIN]     default: 20, clang-14 gcc-12

FOLDER keeps the clone. Both use a precompiled header, which has a line of its own. The host's protoc is built
first, and is in no figure.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from measure import MB, ROOT, Checkout, Unit, print_table

from tfcross.releases.coreset import load_core

RELEASE = "2.14.1"


def main() -> None:
    parser = argparse.ArgumentParser(description="two toolchains on the same units")
    parser.add_argument("--units", type=int, default=20, help="how many, evenly spread over the runtime")
    parser.add_argument("--work", type=Path, help="folder to keep the clone in")
    parser.add_argument("toolchains", nargs="*", default=["clang-14", "gcc-12"])
    arguments = parser.parse_args()
    files = sample(load_core(ROOT / "releases" / RELEASE).runtime, arguments.units)
    with tempfile.TemporaryDirectory(prefix="toolchains-") as folder:
        checkout = Checkout.clone((arguments.work or Path(folder)).absolute() / "tfcross")
        runs = [compile_with(checkout, name, files) for name in arguments.toolchains]
    report(arguments.toolchains, files, runs)


def sample(names: Sequence[str], count: int) -> list[str]:
    count = min(count, len(names))
    return [names[number * len(names) // count] for number in range(count)]


def compile_with(checkout: Checkout, toolchain: str, files: Sequence[str]) -> dict[str, Unit]:
    """The cost of each file, and of the precompiled header as ``precompiled``; one compile at a time."""
    work = f"build/PI-armv7/{RELEASE}-{toolchain}"
    objects = {f"{work}/core/{name}.o": name for name in files}
    words = ("TARGET=PI", "MODEL=examples/digits/digits.pb", f"TOOLCHAIN={toolchain}", "-j1")
    checkout.scons(*words, *objects)
    costs = {unit.name: unit for unit in checkout.units()}
    header = next(name for name in costs if name.startswith(f"{work}/precompiled.h."))
    return {"precompiled": costs[header]} | {name: costs[path] for path, name in objects.items()}


def report(names: Sequence[str], files: Sequence[str], runs: Sequence[dict[str, Unit]]) -> None:
    rows = [[name, *figures(name, runs)] for name in ("precompiled", *files)]
    totals = [sum(units[name].cpu for name in files) for units in runs]
    peaks = [max(units[name].peak_bytes for name in files) / MB for units in runs]
    rows.append(["all units", *(figure for pair in zip(totals, peaks, strict=True) for figure in pair)])
    print_table(["unit", *(f"{name} {what}" for name in names for what in ("CPU s", "peak MB"))], rows)
    if len(names) == 2:
        cpu, memory = totals[1] / totals[0], peaks[1] / peaks[0]
        print(f"\n{names[1]} : {names[0]} = {cpu:.2f} in CPU time, {memory:.2f} in peak memory")


def figures(name: str, runs: Sequence[dict[str, Unit]]) -> list[object]:
    return [figure for units in runs for figure in (units[name].cpu, units[name].peak_bytes / MB)]


if __name__ == "__main__":
    main()
