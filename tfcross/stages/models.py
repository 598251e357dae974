"""The models of a build: read, cut, and as files that its library loads."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tfcross.app.answers import Answers
from tfcross.app.proof import RUNNER, Proof, own_answers, proof_of
from tfcross.cli.options import Options
from tfcross.errors import TfcrossError
from tfcross.graph.cutting.cutfile import write_cut
from tfcross.graph.cutting.ends import input_word, require_one
from tfcross.graph.cutting.feeds import open_sizes, runner_arguments, unknown_text
from tfcross.graph.model import Model, load_model

#: Below the build folder; the folder of the same name in the output folder has the same files.
FOLDER = "model"


@dataclass(frozen=True)
class BuildModel:
    """``graph`` is the file that runs: the model's own, or what it was cut to, with its ``sha256``.

    ``answers`` are what its user tells that it should answer.
    """

    model: Model
    graph: Path
    sha256: str
    answers: Answers | None = None

    def proof(self) -> Proof:
        words, unknown = runner_arguments(self.model), unknown_text(self.model)
        proof = proof_of(self.model.path, self.graph, words, unknown, self.answers)
        return (
            replace(proof, hint=open_sizes(self.model))
            if proof.source == RUNNER and not self.answers
            else proof
        )

    def facts(self) -> dict[str, Any]:
        """For the manifest."""
        return model_facts(self.model, f"{FOLDER}/{self.graph.name}", self.sha256, self.proof().unknown)


def read_models(options: Options, folder: Path) -> tuple[BuildModel, ...]:
    """The models that ``options`` name; ``folder`` gets those that are cut. Raises TfcrossError.

    What will surprise in them is told.
    """
    require_one(options.ends, len(options.models))
    models = [load_model(Path(name), ends=options.ends) for name in options.models]
    for model in models:
        if model.unfrozen():
            raise TfcrossError(f"{model.path}: {model.unfrozen()}")
    titles = [model.title for model in models]
    names = [
        title if titles.count(title) == 1 else f"{title}-{number}" for number, title in enumerate(titles, 1)
    ]
    written = (_written(model, folder, f"{name}.pb") for model, name in zip(models, names, strict=True))
    built = _with_answers(tuple(written), options.proof)
    for model in models:
        print("".join(f"note: {model.path}: {note}\n" for note in model.notes), end="", flush=True)
    return built


def _with_answers(built: Sequence[BuildModel], proof: str) -> tuple[BuildModel, ...]:
    """What PROOF= or a file beside each tells that it should answer. Raises TfcrossError."""
    if proof and len(built) != 1:
        raise TfcrossError(
            f"PROOF={proof}: holds the answers of one model, and there are {len(built)}; give one, or put a "
            "proof.yaml beside each."
        )
    return tuple(replace(each, answers=own_answers(each.model, proof)) for each in built)


def cut_files(models: Sequence[BuildModel]) -> list[str]:
    """The graphs that go into the output folder."""
    return [str(each.graph) for each in models if each.model.replaced is not None]


def model_facts(model: Model, graph: str = "", sha256: str = "", unproven: str = "") -> dict[str, Any]:
    """What the manifest tells of a model.

    ``graph`` is the file of the output folder that holds the cut graph, with its hash. ``unproven`` is why
    the proof did not run it.
    """
    facts: dict[str, Any] = {"name": model.path.name, "sha256": model.sha256}
    if model.replaced is not None:
        inputs = [input_word(each.name, each.dtype, each.shape) for each in model.placeholders]
        facts |= {"inputs": inputs, "outputs": list(model.outputs)}
        facts |= {"graph": {"name": graph, "sha256": sha256}}
    return {**facts, **({"unproven": unproven} if unproven else {})}


def unproven_lines(manifest: Mapping[str, Any]) -> list[str]:
    """For people: which models of ``manifest`` no proof has run, and why."""
    return [
        f"{model['name']}: the generic proof did not run it: {model['unproven']}"
        for model in manifest["models"]
        if "unproven" in model
    ]


def _written(model: Model, folder: Path, name: str) -> BuildModel:
    if model.replaced is None:
        return BuildModel(model, model.path, model.sha256)
    cut = repr([model.sha256, model.placeholders, model.outputs, sorted(model.replaced)])
    target = folder / hashlib.sha256(cut.encode()).hexdigest()[:16] / FOLDER / name
    return BuildModel(model, target, write_cut(model, target))
