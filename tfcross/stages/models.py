"""The models of a build: frozen, cut and transformed, as files that its library loads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tfcross.app.answers import Answers
from tfcross.app.proof import RUNNER, Proof, own_answers, proof_of
from tfcross.cli.models import op_definitions, wanted_of
from tfcross.cli.options import Options
from tfcross.errors import TfcrossError
from tfcross.graph.cutting.ends import input_word
from tfcross.graph.cutting.feeds import open_sizes, runner_arguments, unknown_text
from tfcross.graph.model import Model
from tfcross.graph.preparing.kept import FOLDER
from tfcross.graph.preparing.prepare import prepare_models
from tfcross.graph.preparing.wanted import Prepared
from tfcross.output.manifest import run_first


@dataclass(frozen=True)
class BuildModel:
    """``prepared`` is the model with the file that runs, ``answers`` what its user says it should give."""

    prepared: Prepared
    answers: Answers | None = None

    @property
    def model(self) -> Model:
        return self.prepared.model

    @property
    def graph(self) -> Path:
        return self.prepared.graph

    def proof(self) -> Proof:
        words, unknown = runner_arguments(self.model), unknown_text(self.model)
        proof = proof_of(self.model.path, self.graph, words, unknown, self.answers)
        if proof.source != RUNNER or self.answers:
            return proof
        return replace(proof, hint=open_sizes(self.model))

    def facts(self) -> dict[str, Any]:
        """For the manifest."""
        facts = model_facts(
            self.model, f"{FOLDER}/{self.graph.name}", self.prepared.sha256, self.proof().unknown
        )
        told = {"initializer": self.model.initializer, "transforms": self.prepared.transforms}
        return {**facts, **{name: text for name, text in told.items() if text}}

    def read(self) -> list[str]:
        """The files that it was made from, and the folders in which another one may appear."""
        return [*map(str, self.prepared.files), *{str(file.parent) for file in self.prepared.files[1:]}]


def read_models(options: Options, folder: Path) -> tuple[BuildModel, ...]:
    """The models that ``options`` name; ``folder`` gets the graphs that are made of them.

    It is called in the project's folder, and tells what will surprise in the models. Raises TfcrossError.
    """
    definitions = op_definitions(Path(), options)
    wanted = prepare_models(options.models, wanted_of(options), folder, definitions)
    built = tuple(map(BuildModel, wanted))
    for model in (each.model for each in built):
        if model.unfrozen():
            raise TfcrossError(f"{model.path}: {model.unfrozen()}")
    built = _with_answers(built, options.proof)
    for model in (each.model for each in built):
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
    return [str(each.graph) for each in models if each.prepared.description]


def descriptions(models: Sequence[BuildModel]) -> dict[str, str]:
    """What goes beside the graphs in the output folder, by path: how an app calls each, as JSON."""
    return {
        f"{FOLDER}/{each.graph.stem}.json": each.prepared.description
        for each in models
        if each.prepared.description
    }


def model_facts(model: Model, graph: str = "", sha256: str = "", unproven: str = "") -> dict[str, Any]:
    """What the manifest tells of a model.

    ``graph`` is the file of the output folder that holds the graph that was made, with its hash. ``unproven``
    is why the proof did not run it.
    """
    facts: dict[str, Any] = {"name": model.path.name, "sha256": model.sha256}
    if model.replaced is not None:
        inputs = [input_word(each.name, each.dtype, each.shape) for each in model.placeholders]
        facts |= {"inputs": inputs, "outputs": list(model.outputs)}
        facts |= {"graph": {"name": graph, "sha256": sha256}}
    return {**facts, **({"unproven": unproven} if unproven else {})}


def model_lines(manifest: Mapping[str, Any]) -> list[str]:
    """For people: what an app has to run first for models of ``manifest``, and why no proof has run some."""
    unproven = [
        f"{model['name']}: the generic proof did not run it: {model['unproven']}"
        for model in manifest["models"]
        if "unproven" in model
    ]
    return [*run_first(manifest), *unproven]
