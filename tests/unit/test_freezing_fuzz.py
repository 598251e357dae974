"""Damaged checkpoints and SavedModels: they freeze, or one line tells why not, soon."""

from __future__ import annotations

import random
import resource
import shutil
import time
from pathlib import Path

import pytest
from freezing_mutations import DAMAGES, SEEDS, examine, seed

from tfcross.errors import TfcrossError
from tfcross.graph.freezing.frozen import Frozen

MUTATIONS = 90  # of each seed; bench/fuzz_freezing.py does any number
SLOWEST = 2.0  # CPU seconds for one model
MOST_MEMORY = 200_000  # kB more than before


@pytest.mark.parametrize("name", SEEDS)
def test_a_damaged_model_freezes_or_tells_why_not(tmp_path: Path, name: str) -> None:
    chance = random.Random(name)
    folder, out = tmp_path / "model", tmp_path / "out.pb"
    folder.mkdir()
    assert isinstance(examine(seed(name, folder), out), Frozen)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refused = 0
    for number in range(MUTATIONS):
        shutil.rmtree(folder)
        folder.mkdir()
        path = seed(name, folder)
        DAMAGES[number % len(DAMAGES)](folder, chance)
        begun = time.process_time()
        refused += isinstance(examine(path, out), TfcrossError)
        assert time.process_time() - begun < SLOWEST
    assert refused > MUTATIONS // 4
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MOST_MEMORY
