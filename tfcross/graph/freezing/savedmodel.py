"""SavedModels and meta graphs whole, with all weights that are in the graph itself."""

from __future__ import annotations

import mmap
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.protobuf import text_format
from google.protobuf.message import DecodeError

from tfcross.errors import TfcrossError, known, quoted
from tfcross.graph.messages import AssetFileDef, GraphDef, MetaGraphDef, SavedModel
from tfcross.graph.wire import LEN, WireError, fields

SERVE = ("serve",)
DEFAULT_SIGNATURE = "serving_default"
INIT_SIGNATURE = "__saved_model_init_op"
_FILES = ("saved_model.pb", "saved_model.pbtxt")
_INIT_COLLECTIONS = ("saved_model_main_op", "legacy_init_op")
_ASSETS = "saved_model_assets"
_HEAD = 1024
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")
_META_GRAPHS, _GRAPH, _NODE = 2, 2, 1  # fields of SavedModel, MetaGraphDef and GraphDef


def saved_model_file(folder: Path) -> Path | None:
    """The file of the SavedModel in ``folder``, None if it has none."""
    return next((folder / name for name in _FILES if (folder / name).is_file()), None)


def read_meta_graph(path: Path, tags: Sequence[str]) -> Any:
    """The MetaGraphDef of a SavedModel's file that has just these ``tags``, else the first that has them.

    Raises TfcrossError.
    """
    if path.suffix == ".pbtxt":
        graphs = list(_parsed_text(path, SavedModel()).meta_graphs)
        return _tagged(path, [(tuple(meta.meta_info_def.tags), meta) for meta in graphs], tags)
    with _mapped(path) as data:
        try:
            spans = [
                (field.start, field.end)
                for field in fields(data, 0, len(data))
                if field.number == _META_GRAPHS and field.wire == LEN
            ]
            partial = [(tuple(_without_graph(data, *span).meta_info_def.tags), span) for span in spans]
            start, end = _tagged(path, partial, tags)
            return _whole(data, start, end)
        except (WireError, DecodeError) as error:
            raise _damaged(path, error) from None


def read_meta_file(path: Path) -> Any:
    """The MetaGraphDef in a .meta file, binary or text. Raises TfcrossError."""
    if _is_text(path):
        return _parsed_text(path, MetaGraphDef())
    with _mapped(path) as data:
        try:
            return _whole(data, 0, len(data))
        except (WireError, DecodeError) as error:
            raise _damaged(path, error) from None


def read_graph_file(path: Path) -> Any:
    """The GraphDef in a file, binary or text. Raises TfcrossError."""
    if _is_text(path):
        return _parsed_text(path, GraphDef())
    with _mapped(path) as data:
        graph = GraphDef()
        try:
            _merge_graph(graph, data, 0, len(data))
        except (WireError, DecodeError) as error:
            raise _damaged(path, error) from None
        return graph


def read_small(path: Path, message: Any) -> Any:
    """``message`` filled from a small file, binary or text. Raises TfcrossError."""
    if _is_text(path):
        return _parsed_text(path, message)
    try:
        message.ParseFromString(path.read_bytes())
    except OSError as error:
        raise TfcrossError(f"{path}: {error.strerror}.") from None
    except DecodeError as error:
        raise _damaged(path, error) from None
    return message


def _is_text(path: Path) -> bool:
    """Messages of graphs have bytes below 32 in their first fields."""
    try:
        with path.open("rb") as stream:
            head = stream.read(_HEAD)
    except OSError as error:
        raise TfcrossError(f"{path}: {error.strerror}; pass a file that can be read.") from None
    return bool(head) and not _CONTROL.search(head)


class _mapped:
    """The content of a file, mapped; b"" for an empty one, which cannot be."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> Any:
        try:
            self._stream = self._path.open("rb")
            self._data: Any = mmap.mmap(self._stream.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError:
            raise TfcrossError(f"{self._path}: the file is empty; copy it again.") from None
        except OSError as error:
            raise TfcrossError(f"{self._path}: {error.strerror}; pass a file that can be read.") from None
        return self._data

    def __exit__(self, *error: object) -> None:
        self._data.close()
        self._stream.close()


def _damaged(path: Path, error: Exception) -> TfcrossError:
    return TfcrossError(
        f"{path}: the file is damaged, or in another format ({error}); copy or export it again."
    )


def _parsed_text(path: Path, message: Any) -> Any:
    try:
        return text_format.Parse(path.read_bytes(), message, allow_unknown_field=True)
    except OSError as error:
        raise TfcrossError(f"{path}: {error.strerror}.") from None
    except text_format.ParseError as error:
        reason = str(error).rpartition("': ")[2][:120]
        raise TfcrossError(
            f"{path}:{error.GetLine() or 1}: no text of the format ({reason}); export it again."
        ) from None
    except (ValueError, RecursionError, OverflowError, TypeError, DecodeError) as error:
        raise TfcrossError(f"{path}: no text of the format ({str(error)[:120]}); export it again.") from None


def _without_graph(data: Any, start: int, end: int) -> Any:
    kept = b"".join(
        data[field.tag : field.end] for field in fields(data, start, end) if field.number != _GRAPH
    )
    return MetaGraphDef.FromString(kept)


def _whole(data: Any, start: int, end: int) -> Any:
    """The MetaGraphDef, whose nodes are parsed one at a time: a parser needs all of its input in memory."""
    meta = _without_graph(data, start, end)
    meta.graph_def.SetInParent()
    for field in fields(data, start, end):
        if field.number == _GRAPH and field.wire == LEN:
            _merge_graph(meta.graph_def, data, field.start, field.end)
    return meta


def _merge_graph(graph: Any, data: Any, start: int, end: int) -> None:
    for field in fields(data, start, end):
        if field.number == _NODE and field.wire == LEN:
            graph.node.add().MergeFromString(data[field.start : field.end])
        else:
            graph.MergeFromString(data[field.tag : field.end])


def _tagged(path: Path, graphs: list[tuple[tuple[str, ...], Any]], tags: Sequence[str]) -> Any:
    fitting = [(len(own), number) for number, (own, _) in enumerate(graphs) if set(tags) <= set(own)]
    if not fitting:
        all_tags = known(" and ".join(own) or "no tag" for own, _ in graphs)
        wanted = " and ".join(map(quoted, tags)) or "no tag"
        raise TfcrossError(f"{path}: the SavedModel has no graph with the tag {wanted}. {all_tags}")
    return graphs[min(fitting)[1]][1]


@dataclass(frozen=True)
class Signature:
    """``inputs`` and ``outputs`` are TensorInfos by key."""

    name: str
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]


def pick_signature(where: str, meta: Any, name: str) -> Signature:
    """The signature ``name``; "" is the default one, or the only one. Raises TfcrossError."""
    own = {key: value for key, value in meta.signature_def.items() if key != INIT_SIGNATURE}
    chosen = name or (next(iter(own)) if len(own) == 1 else DEFAULT_SIGNATURE)
    if chosen not in own:
        raise TfcrossError(f"{where}: there is no signature {quoted(chosen)}. {known(own)}")
    message = own[chosen]
    return Signature(chosen, _tensors(where, message.inputs), _tensors(where, message.outputs))


def _tensors(where: str, infos: Mapping[str, Any]) -> dict[str, Any]:
    """The TensorInfos by key, sorted; a sparse tensor is three."""
    tensors = {}
    for key in sorted(infos):
        info = infos[key]
        kind = info.WhichOneof("value")
        if kind == "coo_sparse":
            for part in ("values", "indices", "dense_shape"):
                tensor = type(info)(name=getattr(info.coo_sparse, f"{part}_tensor_name"))
                tensor.dtype = info.dtype if part == "values" else 9
                tensor.tensor_shape.unknown_rank = True
                tensors[f"{key}_{part}"] = tensor
        elif kind != "name" or not info.name:
            raise TfcrossError(
                f"{where}: {quoted(key)} in the signature is no tensor; export one whose tensors are plain."
            )
        else:
            tensors[key] = info
    return tensors


def init_nodes(meta: Any) -> list[str]:
    """The tensors or nodes that a loader of the SavedModel runs first."""
    if INIT_SIGNATURE in meta.signature_def:
        return [info.name for info in meta.signature_def[INIT_SIGNATURE].outputs.values() if info.name]
    for key in _INIT_COLLECTIONS:
        if key in meta.collection_def and meta.collection_def[key].node_list.value:
            return list(meta.collection_def[key].node_list.value)
    return []


def asset_files(meta: Any, folder: Path) -> dict[str, Path]:
    """The files that string tensors of the graph name, by tensor. Raises TfcrossError."""
    messages = list(meta.asset_file_def)
    if not messages and _ASSETS in meta.collection_def:
        collection = meta.collection_def[_ASSETS]
        try:
            messages = [AssetFileDef.FromString(item.value) for item in collection.any_list.value]
        except DecodeError as error:
            raise TfcrossError(
                f"{folder}: its list of assets is damaged ({error}); export it again."
            ) from None
    files = {}
    for message in messages:
        name = Path(message.filename)
        if name.is_absolute() or ".." in name.parts or "\0" in message.filename:
            raise TfcrossError(
                f"{folder}: the asset {quoted(message.filename)} is outside the model; export it again."
            )
        files[message.tensor_info.name] = folder / "assets" / name
    return files
