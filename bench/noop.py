#!/usr/bin/env python3
"""What runs cost that should do little: the same again, a second model, and back and forth between the two.

    bench/noop.py [--work FOLDER] [MODEL SECOND_MODEL]

default: digits.pb and no second model. FOLDER keeps the clone, so that the next run is quick; in
a clone that has built the second model already, its figure is not that of a first build.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path

from measure import ROOT, Checkout, Run, print_table, verdict

NOOP_SECONDS = 3.0
SECOND_MODEL_MINUTES = 4.0
REPEATS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description="no-op builds and second models")
    parser.add_argument("--work", type=Path, help="folder to keep the clone in")
    parser.add_argument("models", nargs="*", default=[f"{ROOT}/examples/digits/digits.pb"])
    arguments = parser.parse_args()
    models = [str(Path(name).absolute()) for name in arguments.models]
    with tempfile.TemporaryDirectory(prefix="noop-") as folder:
        checkout = Checkout.clone((arguments.work or Path(folder)).absolute() / "tfcross")
        print_table(["run", "wall s", "CPU s", "units compiled"], measure_all(checkout, models))


def measure_all(checkout: Checkout, models: list[str]) -> list[list[object]]:
    first, *others = models
    rows = [row("first model", build(checkout, first)), noop(checkout, first)]
    for other in others:
        run = build(checkout, other)
        minutes = verdict(run.cost.wall / 60, SECOND_MODEL_MINUTES)
        rows.append(row(f"then {Path(other).name}, minutes: {minutes}", run))
        rows.append(row("back to the first", build(checkout, first)))
        rows.append(row("and forth", build(checkout, other)))
    return rows


def build(checkout: Checkout, model: str) -> Run:
    return checkout.scons("TARGET=PI", f"MODEL={model}")


def noop(checkout: Checkout, model: str) -> list[object]:
    """The median of some runs that have nothing to do."""
    runs = sorted((build(checkout, model) for _ in range(REPEATS)), key=lambda run: run.cost.wall)
    wall = verdict(statistics.median(run.cost.wall for run in runs), NOOP_SECONDS)
    return ["the same again", wall, runs[REPEATS // 2].cost.cpu, max(len(run.compiled) for run in runs)]


def row(what: str, run: Run) -> list[object]:
    return [what, run.cost.wall, run.cost.cpu, len(run.compiled)]


if __name__ == "__main__":
    main()
