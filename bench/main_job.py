#!/usr/bin/env python3
"""What the main job costs: sources fetched, nothing compiled, one clean build for each model.

    bench/main_job.py [MODEL...]           default: examples/digits/digits.pb

It builds the last commit in a temporary clone, and tells whether the archive is the checkout's own, bit for
bit. The registry comes from the store where it is in there: bench/registry.py tells what it costs.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from measure import GIB, MB, ROOT, Checkout, print_table, verdict

from tfcross.cli import script

#: Minutes of wall time on two idle cores, by model.
MINUTES = {"mobilenet_v1_0.25_224_frozen.pb": 16.0}
OTHER_MODELS = 12.0
UNIT_GIB = 2.0
OUT = "out/PI-armv7"
STRIP = "arm-linux-gnueabihf-strip"


def main(models: list[str]) -> None:
    chosen = [Path(name).absolute() for name in models or [f"{ROOT}/examples/digits/digits.pb"]]
    with tempfile.TemporaryDirectory(prefix="main-job-") as folder:
        checkout = Checkout.clone(Path(folder) / "tfcross")
        checkout.scons("fetch")
        for model in chosen:
            measure_model(checkout, model)


def measure_model(checkout: Checkout, model: Path) -> None:
    for name in ("build", "out"):
        shutil.rmtree(checkout.folder / name, ignore_errors=True)
    run = checkout.scons("TARGET=PI", f"MODEL={model}")
    minutes = run.cost.wall / 60
    print(f"\n## {model.name}\n")
    print_table(
        ["figure", "value"],
        [
            ["wall, minutes", verdict(minutes, MINUTES.get(model.name, OTHER_MODELS))],
            ["CPU, seconds", run.cost.cpu],
            ["largest process, GiB", verdict(run.cost.peak_bytes / GIB, UNIT_GIB)],
            ["units compiled", len(run.compiled)],
            *sizes(checkout),
            ["archive like the checkout's own", same_archive(checkout)],
        ],
    )
    print("\nThe dearest units:\n")
    rows = [[unit.name, unit.cpu, unit.peak_bytes / GIB] for unit in checkout.units()[:10]]
    print_table(["object", "CPU s", "GiB"], rows)


def sizes(checkout: Checkout) -> list[list[object]]:
    libraries = sorted((checkout.folder / OUT / "lib").glob("*.a"))
    core = checkout.folder / OUT / "lib/libtensorflow-core.a"
    others = sum(path.stat().st_size for path in libraries if path != core)
    app = next(p for p in checkout.folder.glob("build/PI-armv7/*/models/*/proof0/*") if not p.suffix)
    with tempfile.NamedTemporaryFile() as stripped:
        subprocess.run([STRIP, "-o", stripped.name, app], check=True)
        bare = Path(stripped.name).stat().st_size
    return [
        ["libtensorflow-core.a, MB", core.stat().st_size / MB],
        ["the other archives, MB", others / MB],
        ["app, MB", app.stat().st_size / MB],
        ["app stripped, MB", bare / MB],
    ]


def same_archive(checkout: Checkout) -> str:
    """Compared with the project's own output folder, where that was built for the same model."""
    here, there = (folder / OUT for folder in (ROOT, checkout.folder))
    try:
        models = [json.loads((folder / "manifest.json").read_text())["models"] for folder in (here, there)]
    except OSError:
        return "not built there"
    if models[0] != models[1]:
        return "built for another model there"
    archives = [folder / "lib/libtensorflow-core.a" for folder in (here, there)]
    digests = {hashlib.sha256(path.read_bytes()).hexdigest() for path in archives}
    return "yes" if len(digests) == 1 else "NO"


if __name__ == "__main__":
    sys.exit(script.run(main, __doc__))
