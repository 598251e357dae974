#!/usr/bin/env python3
"""Damaged models through everything that the scripts do with one, for as long as one likes.

    bench/fuzz.py [--seconds=60] [--seed=N]

A failure leaves the damaged file, in the folder that is named, and the traceback. CI does 10,000 of them with
fixed seeds (tests/unit/test_check_fuzz.py).
"""

from __future__ import annotations

import argparse
import random
import resource
import sys
import tempfile
import time
from pathlib import Path

from measure import ROOT

sys.path.insert(0, str(ROOT / "tests" / "unit"))
from mutations import SEEDS, damaged  # noqa: E402
from test_check_fuzz import examine  # noqa: E402

from tfcross.capacity import peak_kib  # noqa: E402


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    chosen = parser.parse_args(words)
    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
    print(f"seed {chosen.seed}; files in {folder}")
    chance, count, slowest, end = random.Random(chosen.seed), 0, 0.0, time.monotonic() + chosen.seconds
    while time.monotonic() < end:
        name = chance.choice(list(SEEDS))
        path = folder / name
        path.write_bytes(damaged(name, SEEDS[name](), chance.randrange(1 << 16), chance))
        begun = time.process_time()
        examine(path)
        slowest, count = max(slowest, time.process_time() - begun), count + 1
    peak = peak_kib(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) / 1024
    print(f"{count} models, slowest {slowest:.2f} CPU s, at most {peak:.0f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
