"""What a model is fed and should answer, as files of its user tell it."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfcross.errors import TfcrossError, known, quoted
from tfcross.graph.cutting.cut import FED, needed
from tfcross.graph.cutting.ends import tensor_name, type_word
from tfcross.graph.model import Model
from tfcross.graph.node import Shape
from tfcross.graph.structure import producer
from tfcross.nearest import nearest

INPUT, OUTPUT = "in_", "out_"
#: Of the largest expected number: what is left of a float's seven digits after some thousand additions.
RELATIVE = 1e-5


@dataclass(frozen=True)
class Tolerance:
    """How far a float may be from the expected one: the larger of ``absolute`` and of ``relative`` times the
    largest number that is expected of the output."""

    absolute: float = 0.0
    relative: float = RELATIVE


@dataclass(frozen=True)
class Stored:
    """A tensor in a file: in an .npz the one of that ``key``, "" for a file of its own.

    ``tensor`` as Session::Run takes it; ``dtype`` "" and ``shape`` None where the graph does not tell.
    """

    tensor: str
    path: str
    key: str = ""
    dtype: str = ""
    shape: Shape = None

    @property
    def where(self) -> str:
        return f"{self.path}: {self.key}" if self.key else self.path


@dataclass(frozen=True)
class Answers:
    """``feeds`` are what the model gets, ``expected`` what it should then answer."""

    feeds: tuple[Stored, ...]
    expected: tuple[Stored, ...] = ()
    tolerance: Tolerance = Tolerance()

    @property
    def files(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(stored.path for stored in (*self.feeds, *self.expected)))


def answers_in(model: Model, path: Path) -> Answers:
    """Those of the .npz file ``path``, as PROOF= names it. Raises TfcrossError."""
    return find_answers(model, {"answers": path.name}, path.parent, str(path))


def find_answers(model: Model, data: Mapping[str, Any], folder: Path, where: str) -> Answers:
    """Those that ``data`` of a proof.yaml in ``folder`` names; ``where`` is for messages.

    Raises TfcrossError for names that are not the model's, and for inputs that have no value.
    """
    files = {INPUT: dict(data.get("inputs", {})), OUTPUT: dict(data.get("outputs", {}))}
    told = [(side, name, folder / file, "") for side, named in files.items() for name, file in named.items()]
    if "answers" in data:
        told += [
            (side, name, folder / data["answers"], key) for side, name, key in _keys(folder / data["answers"])
        ]
    if not told:
        raise TfcrossError(f"{where}: names no tensor; give `answers`, or `inputs` and `outputs`.")
    absent = next((path for _, _, path, _ in told if not path.is_file()), None)
    if absent:
        raise TfcrossError(f"{where}: there is no file {absent}; correct its name.")
    feeds = [_feed(model, name, str(path), key, where) for side, name, path, key in told if side == INPUT]
    expected = [
        _output(model, name, str(path), key, where) for side, name, path, key in told if side == OUTPUT
    ]
    for stored in (feeds, expected):
        _check_once([each.tensor for each in stored], where)
    if expected:
        _check_fed(model, feeds, expected, where)
    return Answers(
        tuple(feeds), tuple(expected), parse_tolerance(data.get("tolerance", {}), f"{where}: tolerance.")
    )


def _keys(path: Path) -> Iterator[tuple[str, str, str]]:
    """The side, the name and the key of each array in an .npz file."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except OSError as error:
        raise TfcrossError(f"{path}: cannot be read: {error.strerror}; correct its name.") from error
    except (zipfile.BadZipFile, ValueError, RuntimeError) as error:  # a damaged directory
        raise TfcrossError(
            f"{path}: is no .npz file; write it with numpy.savez(path, in_x=…, out_y=…)."
        ) from error
    for key in (name.removesuffix(".npy") for name in names):
        side = next((side for side in (INPUT, OUTPUT) if key.startswith(side)), None)
        if side is None:
            raise TfcrossError(
                f"{path}: {quoted(key)} is no key of answers; call inputs {INPUT}<name> and "
                f"outputs {OUTPUT}<name>."
            )
        yield side, key.removeprefix(side), key


def _feed(model: Model, name: str, path: str, key: str, where: str) -> Stored:
    placeholders = {each.name: each for each in model.placeholders}
    tensor = _meant(name, model.input_keys, placeholders)
    if tensor is None:
        names = model.input_keys or placeholders
        raise TfcrossError(f"{where}: the model has no input {quoted(name)}. {known(names)}")
    return Stored(tensor, path, key, placeholders[tensor].dtype, placeholders[tensor].shape)


def _output(model: Model, name: str, path: str, key: str, where: str) -> Stored:
    """An output of the model, or any other tensor that it computes."""
    nodes = [node.name for node in model.nodes]
    tensor = _meant(name, model.output_keys, [*model.outputs, *nodes])
    number = name.rpartition(":")[2]
    if tensor is None and producer(name) in nodes and number.isdecimal():
        tensor = name
    if tensor is None:
        names = [*model.output_keys, *model.outputs]
        near = nearest(name, nodes) if not nearest(name, names) else ""
        raise TfcrossError(f"{where}: the model has no output {quoted(name)}{near}. {known(set(names))}")
    return Stored(tensor, path, key)


def _meant(name: str, keys: Mapping[str, str], tensors: Iterable[str]) -> str | None:
    """The tensor that a signature's key, its own name, or that with "_" for "/" and ":" stands for."""
    tensors = list(tensors)
    if name in keys:
        return keys[name]
    if tensor_name(name) in tensors:
        return tensor_name(name)
    spelled = {tensor for tensor in tensors if tensor.replace("/", "_").replace(":", "_") == name}
    return spelled.pop() if len(spelled) == 1 else None


def _check_once(tensors: list[str], where: str) -> None:
    twice = next((tensor for tensor in tensors if tensors.count(tensor) > 1), None)
    if twice:
        raise TfcrossError(f"{where}: {quoted(twice)} is there twice; give it once.")


def _check_fed(model: Model, feeds: list[Stored], expected: list[Stored], where: str) -> None:
    """Answers to values that are made up would prove nothing."""
    nodes = {node.name: node for node in model.nodes}
    fed = {each.tensor for each in feeds}
    used = needed(nodes, [each.tensor for each in expected], fed & nodes.keys())
    for each in model.placeholders:
        node = nodes.get(producer(each.name))
        if each.name not in fed and node and node.name in used and node.op in FED:
            kind = type_word(each.dtype)
            raise TfcrossError(
                f"{where}: no value for the input {quoted(each.name)} ({kind}), which the answers depend on; "
                f"add {INPUT}{each.name}."
            )


def parse_tolerance(data: Mapping[str, Any], where: str) -> Tolerance:
    """YAML reads ``1e-5`` as a text. With one of the two given, only that one counts."""
    given: dict[str, float] = {}
    for name, value in data.items():
        try:
            given[name] = float(value)
        except ValueError:
            given[name] = math.nan
        if not 0 <= given[name] < math.inf:
            raise TfcrossError(f"{where}{name}: {value} is no tolerance; give a number as 1e-5.")
    return Tolerance(given.get("absolute", 0.0), given.get("relative", 0.0)) if given else Tolerance()
