"""A checkpoint by any of the names that users have for it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from google.protobuf import text_format
from google.protobuf.message import DecodeError

from tfcross.errors import TfcrossError, quoted, quoted_list
from tfcross.graph.checkpoints.bundle import Bundle
from tfcross.graph.checkpoints.slicetable import SliceTables
from tfcross.graph.checkpoints.sstable import MAGIC
from tfcross.graph.checkpoints.stored import StoredTensor
from tfcross.graph.messages import CheckpointState

STATE = "checkpoint"
_LARGEST_STATE = 1 << 24
_PART = re.compile(r"(?P<prefix>.*?)(\.index|\.meta|\.data-\d{5}-of-\d{5}|-\d{5}-of-\d{5})", re.DOTALL)
_GRAPHS = ("graph.pb", "graph.pbtxt")


class Checkpoint(Protocol):
    """``prefix`` is what its files' names begin with."""

    @property
    def tensors(self) -> Mapping[str, StoredTensor]: ...


@dataclass(frozen=True)
class Place:
    """Where a checkpoint is; ``graph`` is the .meta beside it, or the folder's graph.pb or graph.pbtxt."""

    prefix: Path
    graph: Path | None

    @property
    def index(self) -> Path:
        return self.prefix.with_name(self.prefix.name + ".index")

    def files(self) -> list[Path]:
        """All files of the checkpoint, sorted; without the graph."""
        if self.index.is_file():
            return sorted([self.index, *_glob(self.prefix, ".data-?????-of-?????")])
        return [self.prefix] if self.prefix.is_file() else _glob(self.prefix, "-?????-of-?????")


def find_checkpoint(path: Path) -> Place | None:
    """The checkpoint that ``path`` names: a prefix, one of its files, a folder or file ``checkpoint``.

    None if it names none. Raises TfcrossError for a ``checkpoint`` file that names none.
    """
    if path.is_dir():
        return _in_folder(path)
    if path.name == STATE and path.is_file():
        return _of_state(path)
    part = _PART.fullmatch(path.name)
    names = [*([part["prefix"]] if part else []), path.name]
    places = [_place(path.with_name(name)) for name in names if name]
    return next((place for place in places if _is_there(place)), None)


def open_checkpoint(place: Place) -> Checkpoint:
    """Raises TfcrossError for a checkpoint that is not whole."""
    if place.index.is_file():
        return Bundle(place.prefix)
    files = place.files()
    if not files:
        raise TfcrossError(f"{place.prefix}: there is no checkpoint of that name{_others(place.prefix)}")
    _require_all(files)
    return SliceTables(files)


def _glob(prefix: Path, pattern: str) -> list[Path]:
    expression = re.compile(re.escape(prefix.name) + pattern.replace("?????", r"\d{5}").replace(".", r"\."))
    return sorted(path for path in prefix.parent.iterdir() if expression.fullmatch(path.name))


def _place(prefix: Path) -> Place:
    meta = prefix.with_name(prefix.name + ".meta")
    graphs = [meta, *(prefix.with_name(name) for name in _GRAPHS)]
    return Place(prefix, next((graph for graph in graphs if graph.is_file()), None))


def _is_there(place: Place) -> bool:
    return place.prefix.parent.is_dir() and bool(place.files()) and _is_table(place.files()[0], place)


def _is_table(path: Path, place: Place) -> bool:
    """A file of V1 has the bare name of the checkpoint, so what it holds decides."""
    if place.index.is_file():
        return True
    with path.open("rb") as stream:
        stream.seek(max(path.stat().st_size - len(MAGIC), 0))
        return stream.read() == MAGIC


def _in_folder(folder: Path) -> Place | None:
    state = folder / STATE
    if state.is_file():
        return _of_state(state)
    indexes = sorted(folder.glob("*.index"))
    return _place(indexes[0].with_suffix("")) if len(indexes) == 1 else None


def _of_state(path: Path) -> Place:
    try:
        content = path.read_bytes()[:_LARGEST_STATE]
        state = text_format.Parse(content, CheckpointState(), allow_unknown_field=True)
    except (text_format.ParseError, DecodeError, ValueError, RecursionError):
        raise TfcrossError(f"{path}: no list of checkpoints; pass a checkpoint's own name.") from None
    name = state.model_checkpoint_path
    # A folder that was moved still has the old, absolute path.
    beside = path.parent / Path(name).name
    places = [_place(path.parent / name), _place(beside)] if name else []
    place = next((place for place in places if _is_there(place)), None)
    if place is None:
        raise TfcrossError(
            f"{path}: it names the checkpoint {quoted(name)}, which is not there{_others(beside)}"
        )
    return place


def _others(prefix: Path) -> str:
    folder = prefix.parent
    names = [path.stem for path in sorted(folder.glob("*.index"))] if folder.is_dir() else []
    return f". In that folder: {quoted_list(names)}." if names else "; pass the name of one."


def _require_all(files: list[Path]) -> None:
    """TfcrossError unless the shards of a V1 checkpoint are all there."""
    match = re.fullmatch(r".*-(\d{5})-of-(\d{5})", files[0].name, re.DOTALL)
    if match and len(files) != int(match[2]):
        raise TfcrossError(
            f"{files[0]}: {len(files)} of its {int(match[2])} files are there; copy all of them."
        )
