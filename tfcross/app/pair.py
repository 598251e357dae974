"""Two models that should answer alike, as one that was transformed and what it came from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from tfcross.app.answers import Answers, Stored, Tolerance
from tfcross.app.comparison import EXPECTED, compare, feed_words
from tfcross.app.runner import Runner
from tfcross.app.tensorfiles import load_stored, read_saved
from tfcross.errors import TfcrossError, quoted, quoted_list
from tfcross.graph.cutting.cutfile import write_cut
from tfcross.graph.cutting.ends import Ends, input_word
from tfcross.graph.cutting.feeds import fed_shape, unknown_text
from tfcross.graph.model import Model, load_model
from tfcross.graph.structure import producer
from tfcross.output.manifest import NAME, load_manifest


@dataclass(frozen=True)
class Pair:
    """``graphs`` are the files that run, of ``before`` and of ``after``."""

    before: Model
    after: Model
    graphs: tuple[Path, Path]


def load_pair(before: Path, after: Path, ends: Ends, folder: Path) -> Pair:
    """Both, cut to ``ends`` in ``folder`` where those say something. Raises TfcrossError."""
    models = [load_model(path, ends=ends) for path in (before, after)]
    for model in models:
        if model.unfrozen():
            raise TfcrossError(f"{model.path}: {model.unfrozen()}")
    graphs = [model.path for model in models]
    for number, model in enumerate(models):
        if model.replaced is not None:
            graphs[number] = folder / f"{number}.pb"
            write_cut(model, graphs[number])
    return Pair(models[0], models[1], (graphs[0], graphs[1]))


def lacking_ops(pair: Pair, library: Path) -> str:
    """What the library in ``library`` lacks of the models, a clause; "" for nothing. Raises TfcrossError."""
    registered = load_manifest(library / NAME)["ops"]
    for model in (pair.before, pair.after):
        lacks = sorted(model.ops().keys() - registered.keys())
        if lacks:
            return f"{library} lacks {quoted_list(lacks)}, which {model.path} needs"
    return ""


def wanted_answers(pair: Pair, told: Answers, tolerance: Tolerance) -> Answers:
    """``told`` with outputs to compare: those of the first model where it names none. Raises TfcrossError."""
    answers = replace(told, tolerance=tolerance)
    if not told.expected:
        answers = replace(answers, expected=tuple(Stored(name, "") for name in pair.before.outputs))
    nodes = {node.name for node in pair.after.nodes}
    absent = [stored.tensor for stored in answers.expected if producer(stored.tensor) not in nodes]
    if absent or not answers.expected:
        lacks = f"has no node {quoted(absent[0])}" if absent else "has no node that looks like an output"
        raise TfcrossError(
            f"{pair.after.path if absent else pair.before.path}: {lacks}; name the --outputs of both."
        )
    if not told.feeds and unknown_text(pair.before):
        raise TfcrossError(
            f"{pair.before.path}: {unknown_text(pair.before).partition('. ')[0]}; pass --inputs."
        )
    return answers


def compare_pair(
    pair: Pair, runner: Runner, answers: Answers, seed: str, folder: Path
) -> tuple[list[str], bool]:
    """A line for each output, and whether all agree. Raises TfcrossError if a model does not run."""
    saved = [folder / name for name in ("before", "after")]
    for graph, place in zip(pair.graphs, saved, strict=True):
        place.mkdir()
        runner.run([str(graph), "--seed", seed, *_words(pair.before, answers, place)])
    lines, agree = [], True
    for number, stored in enumerate(answers.expected):
        arrays = [read_saved(place, number) for place in saved]
        others = [(arrays[0], arrays[1], ("before", "after"), f"output {stored.tensor}")]
        if stored.path:
            told = load_stored(stored)
            others += [
                (told, array, EXPECTED, f"  {name} and {stored.key}")
                for array, name in zip(arrays, ("before", "after"), strict=True)
            ]
        for one, other, words, shown in others:
            difference = compare(one, other, answers.tolerance, words)
            lines.append(f"{shown}: {difference.text}; {difference.limit}")
            agree = agree and not difference.wrong
    return lines, agree


def _words(model: Model, answers: Answers, place: Path) -> list[str]:
    """Those that give both the same: from the files, or made up from the first one's placeholders."""
    words = feed_words(answers, place)
    if answers.feeds:
        return words
    used = [
        input_word(each.name, each.dtype, tuple(abs(size) for size in fed_shape(model, each) or ()))
        for each in model.placeholders
    ]
    return [*(("--inputs", ",".join(used)) if used else ()), *words]
