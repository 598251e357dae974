"""What there is to freeze: a graph, and where the values of its variables are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tfcross.errors import TfcrossError
from tfcross.graph.checkpoints.checkpoint import Place, find_checkpoint, open_checkpoint
from tfcross.graph.checkpoints.stored import StoredTensor
from tfcross.graph.freezing.savedmodel import (
    DEFAULT_SIGNATURE,
    SERVE,
    Signature,
    asset_files,
    init_nodes,
    pick_signature,
    read_graph_file,
    read_meta_file,
    read_meta_graph,
    read_small,
    saved_model_file,
)
from tfcross.graph.messages import MetaGraphDef, SaverDef


@dataclass(frozen=True)
class Source:
    """``where`` is its path, for messages; ``meta`` a MetaGraphDef, of a plain graph with nothing but the
    graph.

    ``tensors`` are those of the checkpoint; ``assets`` files by the tensor that names them; ``init`` what a
    loader runs first; ``files`` all files that it was read from. ``signature`` is None where the outputs
    must be given.
    """

    where: str
    meta: Any
    tensors: Mapping[str, StoredTensor]
    signature: Signature | None
    files: Sequence[Path]
    assets: Mapping[str, Path] = field(default_factory=dict)
    init: Sequence[str] = ()

    @property
    def graph(self) -> Any:
        return self.meta.graph_def


def read_saved_model(folder: Path, signature: str = "", tags: Sequence[str] = SERVE) -> Source:
    """The SavedModel in ``folder``. Raises TfcrossError."""
    path = saved_model_file(folder)
    if path is None:
        raise TfcrossError(f"{folder}: there is no saved_model.pb in it; pass the folder that it is in.")
    meta = read_meta_graph(path, tags)
    place = Place(folder / "variables" / "variables", None)
    has_variables = place.index.is_file()
    assets = asset_files(meta, folder)
    return Source(
        where=str(folder),
        meta=meta,
        tensors=open_checkpoint(place).tensors if has_variables else {},
        signature=pick_signature(str(path), meta, signature),
        files=[path, *(place.files() if has_variables else ()), *assets.values()],
        assets=assets,
        init=init_nodes(meta),
    )


def read_checkpoint(
    path: Path, graph: Path | None = None, signature: str = "", is_meta: bool = False
) -> Source:
    """The checkpoint that ``path`` names, with its .meta or ``graph``; ``is_meta`` whatever that is called.

    Raises TfcrossError.
    """
    place = find_checkpoint(path)
    if place is None:
        raise TfcrossError(f"{path}: there is no checkpoint; pass its prefix, a file of it, or its folder.")
    graph = graph or place.graph
    if graph is None:
        raise TfcrossError(
            f"{place.prefix}: no graph beside the checkpoint ({place.prefix.name}.meta, graph.pb or "
            "graph.pbtxt); pass "
            "the graph that was trained as GRAPH=."
        )
    meta = _training_graph(graph, is_meta or graph.suffix == ".meta")
    return Source(
        where=str(path),
        meta=meta,
        tensors=open_checkpoint(place).tensors,
        signature=_own_signature(str(graph), meta, signature),
        files=[graph, *place.files()],
        assets=asset_files(meta, graph.parent),
        init=init_nodes(meta),
    )


def read_source(
    path: Path, graph: Path | None = None, signature: str = "", tags: Sequence[str] = SERVE
) -> Source | None:
    """What there is to freeze at ``path``; None for what is neither SavedModel nor checkpoint.

    Raises TfcrossError.
    """
    if path.is_dir() and saved_model_file(path):
        return read_saved_model(path, signature, tags)
    return read_checkpoint(path, graph, signature) if find_checkpoint(path) else None


def with_saver(source: Source, path: Path) -> Source:
    """``source`` with the saver in a SaverDef's file in place of its own. Raises TfcrossError."""
    meta = MetaGraphDef()
    meta.CopyFrom(source.meta)
    meta.saver_def.CopyFrom(read_small(path, SaverDef()))
    return replace(source, meta=meta)


def _training_graph(path: Path, is_meta: bool) -> Any:
    """A MetaGraphDef, of a GraphDef's file one with no more than the graph."""
    return read_meta_file(path) if is_meta else MetaGraphDef(graph_def=read_graph_file(path))


def _own_signature(where: str, meta: Any, name: str) -> Signature | None:
    if name or DEFAULT_SIGNATURE in meta.signature_def:
        return pick_signature(where, meta, name)
    return None


def restore_node(meta: Any) -> str:
    """The node that restores all variables, "" if the model does not tell."""
    return str(meta.saver_def.restore_op_name)
