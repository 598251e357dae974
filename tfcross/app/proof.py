"""Proof that a model runs: which program, with which arguments, under which emulator."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfcross.app.answers import Answers, answers_in, find_answers
from tfcross.app.comparison import compare_saved, feed_words
from tfcross.documents import load_document
from tfcross.errors import TfcrossError, quoted
from tfcross.graph.model import Model
from tfcross.programs import ending
from tfcross.targets.profile import Profile

RUNNER = "templates/run_graph.cc"
#: What a library that was built without a model has to run: it also shows that the library links.
EXAMPLE = Path("examples/digits/digits.pb")


@dataclass(frozen=True)
class Proof:
    """``source`` is the app's one C++ file; ``inputs`` are the files among its ``arguments``.

    ``unknown`` says what the app would have to know to run; "" where it knows all. ``hint`` is a sentence for
    when it fails. With ``answers``, the runner is fed from files, and what it answers is compared.
    """

    name: str
    source: str
    arguments: tuple[str, ...]
    inputs: tuple[str, ...]
    unknown: str = ""
    hint: str = ""
    answers: Answers | None = None


def proof_of(
    model: Path,
    graph: Path | None = None,
    words: Sequence[str] = (),
    unknown: str = "",
    answers: Answers | None = None,
) -> Proof:
    """The proof of ``model``: what a ``proof.yaml`` beside it says, the generic runner if none names it.

    ``graph`` is the file that runs, if that is not the model's own. ``words`` are what the generic runner
    gets beside it, ``unknown`` what that would have to know. It is given relative to the project's folder.
    """
    graph = graph or model
    if answers:
        return Proof("run_graph", RUNNER, (str(graph), *words), (str(graph), *answers.files), answers=answers)
    data = own_proof(model)
    if data:
        return _custom(model, graph, data["source"], data["arguments"])
    return Proof("run_graph", RUNNER, (str(graph), *words), (str(graph),), unknown)


def own_proof(model: Path) -> Mapping[str, Any] | None:
    """The ``proof.yaml`` beside ``model``, if there is one and it names the model."""
    custom = model.parent / "proof.yaml"
    data = load_document(custom, "proof", str(custom)) if custom.is_file() else None
    if data:
        _check_kind(data, custom)
    return data if data and model.name in (data.get("model"), *data.get("arguments", ())) else None


def own_answers(model: Model, proof: str = "") -> Answers | None:
    """What ``model`` should answer, as PROOF= names it in ``proof``, else as a ``proof.yaml`` beside it.

    None where neither does. Raises TfcrossError.
    """
    if proof:
        return answers_in(model, Path(proof))
    data, beside = own_proof(model.path), model.path.parent
    return find_answers(model, data, beside, str(beside / "proof.yaml")) if data and "model" in data else None


def run_and_compare(
    profile: Profile, app: str, proof: Proof, environment: Mapping[str, str], folder: Path
) -> str:
    """What the program of ``proof`` prints, and how far its answers are from those that are expected.

    ``folder`` is where the tensors are exchanged. Raises TfcrossError if the program fails or an answer is
    wrong.
    """
    if not proof.answers:
        return run_here(profile, app, proof.arguments, environment)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    said = run_here(profile, app, (*proof.arguments, *feed_words(proof.answers, folder)), environment)
    compared = compare_saved(proof.answers, folder)
    shutil.rmtree(folder)
    return said + compared


def _check_kind(data: Mapping[str, Any], path: Path) -> None:
    """It is either a program or what a model answers."""
    program = sorted({"source", "arguments"} & data.keys())
    others = sorted(data.keys() - {"source", "arguments"})
    if program and others:
        raise TfcrossError(
            f"{path}: {quoted(program[0])} is of a program, {quoted(others[0])} of answers without one; "
            "leave one of them out."
        )
    for name in ("source", "arguments") if program or not others else ("model",):
        if name not in data:
            raise TfcrossError(f"{path}: {quoted(name)} is a required property.")


def _custom(model: Path, graph: Path, source: str, words: Sequence[str]) -> Proof:
    """Words that name a file beside the model become its path, the model's name that of ``graph``."""
    if not (model.parent / source).is_file():
        raise TfcrossError(
            f"{model.parent / 'proof.yaml'}: there is no {source} beside it; correct `source`."
        )
    beside = {word: str(model.parent / word) for word in words if (model.parent / word).is_file()}
    beside[model.name] = str(graph)
    arguments = tuple(beside.get(word, word) for word in words)
    return Proof(Path(source).stem, str(model.parent / source), arguments, tuple(beside.values()))


def loading(libraries: Sequence[str], folder: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """``environment`` in which programs load ``libraries`` before others; ``folder`` gets links to them.

    Not from their own folder: where a C library is beside them, no other's loader can take it.
    """
    if not libraries:
        return dict(environment)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for library in libraries:
        (folder / Path(library).name).symlink_to(Path(library).resolve())
    return {**environment, "LD_LIBRARY_PATH": str(folder.absolute())}


def run_here(profile: Profile, app: str, arguments: Sequence[str], environment: Mapping[str, str]) -> str:
    """What the target's program ``app`` prints, run here, or under the emulator if it is not native.

    Raises TfcrossError with the program's last line if it fails.
    """
    emulator = None if profile.native else profile.emulator
    prefix = (emulator.program, *emulator.arguments) if emulator else ()
    argv = [*prefix, str(Path(app).absolute()), *arguments]
    try:
        done = subprocess.run(
            argv,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
    except OSError as error:
        raise TfcrossError(f"proof: {argv[0]}: {error.strerror}. Install it, or build without it.") from error
    if done.returncode:
        said = [line for line in done.stdout.splitlines() if line.strip()]
        own = [line for line in said if not line.startswith("qemu: uncaught target signal")]
        lines = own or said or ["it printed nothing"]
        raise TfcrossError(f"proof: {shlex.join(argv)} {ending(done.returncode)}: {lines[-1]}")
    return done.stdout


def not_run(profile: Profile, proof: Proof) -> str:
    """What a proof says where nothing runs it."""
    if proof.unknown:
        return f"{proof.name}: linked, not run: {proof.unknown}\n"
    return (
        f"{proof.name}: linked, not run: nothing here runs programs for {profile.triple}; pass EMULATOR= "
        "with a command that does, or run it on a device\n"
    )
