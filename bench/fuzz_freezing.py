#!/usr/bin/env python3
"""Damaged checkpoints and SavedModels through freezing, for as long as one likes.

    bench/fuzz_freezing.py [--count=10000] [--seed=1]

Each kind of failure leaves the first model that shows it, in the folder that is named, and the traceback.
CI does some hundred of them with fixed seeds (tests/unit/test_freezing_fuzz.py).
"""

from __future__ import annotations

import argparse
import random
import resource
import shutil
import sys
import tempfile
import time
import traceback
from pathlib import Path

from measure import ROOT

sys.path.insert(0, str(ROOT / "tests" / "unit"))
from freezing_mutations import DAMAGES, SEEDS, examine, seed  # noqa: E402

from tfcross.capacity import peak_kib  # noqa: E402
from tfcross.graph.freezing.frozen import Frozen  # noqa: E402


def place_of(error: Exception) -> str:
    """The last line of ours, which tells one kind of failure from another."""
    frames = traceback.extract_tb(error.__traceback__)
    own = next((frame for frame in reversed(frames) if "tfcross" in frame.filename), frames[-1])
    return f"{type(error).__name__} in {Path(own.filename).name}:{own.lineno}"


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args(words)
    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
    chance, slowest, frozen = random.Random(chosen.seed), 0.0, 0
    kinds: dict[str, int] = {}
    for number in range(chosen.count):
        model = folder / "model"
        shutil.rmtree(model, ignore_errors=True)
        model.mkdir()
        path = seed(SEEDS[number % len(SEEDS)], model)
        chance.choice(DAMAGES)(model, chance)
        begun = time.process_time()
        try:
            frozen += isinstance(examine(path, folder / "out.pb"), Frozen)
        except Exception as error:  # noqa: BLE001 (whatever it is, it is a defect)
            kind = place_of(error)
            if kind not in kinds:
                traceback.print_exc()
                shutil.copytree(model, folder / f"failure{len(kinds)}")
            kinds[kind] = kinds.get(kind, 0) + 1
        slowest = max(slowest, time.process_time() - begun)
    peak = peak_kib(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) / 1024
    print(f"{chosen.count} models, {frozen} freeze; slowest {slowest:.2f} CPU s, at most {peak:.0f} MB")
    for kind, count in kinds.items():
        print(f"{count:6} {kind}")
    print(f"failures in {folder}" if kinds else "no failure")
    return 1 if kinds else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
