"""10,000 damaged models through the check, the summary and the picture: an answer or one line, soon."""

from __future__ import annotations

import random
import resource
import time
from pathlib import Path

import pytest
from mutations import SEEDS, damaged
from small_registry import rule

from tfcross.capacity import peak_kib
from tfcross.check.model import check_model
from tfcross.check.purposes import load_purposes
from tfcross.check.report import json_check, text_check
from tfcross.check.verdicts import Rules
from tfcross.errors import TfcrossError
from tfcross.graph.cutting.cutfile import write_cut
from tfcross.graph.cutting.ends import Ends
from tfcross.graph.drawing import draw
from tfcross.graph.model import load_model
from tfcross.graph.summary import summarize
from tfcross.graph.summarytext import dot_text, summary_text

COUNT = 2_000  # of each of the five seeds; bench/fuzz.py goes on from there
SLOWEST = 2.0  # seconds for one of them
MOST_MEMORY = 300_000  # kB more than before
RULES = Rules(rule({"_Arg": "feeds"}, {"While": ("Switch",)}), load_purposes(Path(__file__).parents[2]))


def examine(path: Path) -> bool:
    """Everything that the scripts do with a model; whether it could be read."""
    try:
        model = load_model(path)
    except TfcrossError as error:
        assert "\n" not in str(error)
        return False
    check = check_model(model, RULES, 1575)
    assert text_check(check, "PI")
    assert len(json_check(check)["nodes"]) == len(check.nodes)
    assert summary_text(model, summarize(model))
    assert dot_text(draw(model.nodes, 20), "m")
    if model.outputs:
        cut_and_read_again(path, model.outputs[0])
    return True


def cut_and_read_again(path: Path, output: str) -> None:
    """What is written of a cut graph is what was read of it; a cut that no session runs is one line."""
    try:
        cut = load_model(path, ends=Ends(outputs=(output,)))
    except TfcrossError as error:
        assert "\n" not in str(error)
        return
    target = path.parent / "cut.pb"
    write_cut(cut, target)
    again = load_model(target)
    assert again.nodes == cut.nodes
    assert again.functions.keys() == {body.name for body in cut.reachable()}


@pytest.mark.parametrize("name", list(SEEDS))
def test_a_damaged_model_gives_an_answer_or_one_line(tmp_path: Path, name: str) -> None:
    chance, seed, path = random.Random(f"check {name}"), SEEDS[name](), tmp_path / name
    path.write_bytes(seed)
    assert examine(path)
    before = peak_kib(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    read = 0
    for number in range(COUNT):
        path.write_bytes(damaged(name, seed, number, chance))
        begun = time.process_time()
        read += examine(path)
        assert time.process_time() - begun < SLOWEST, number
    assert 0.01 * COUNT < read < 0.95 * COUNT
    assert peak_kib(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) - before < MOST_MEMORY
