"""Whole graphs from files and to files: with all weights, unlike what the model stage reads."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from google.protobuf import text_format
from google.protobuf.message import DecodeError, EncodeError

from tfcross.errors import TfcrossError
from tfcross.files import replacing
from tfcross.graph import filekind
from tfcross.graph.messages import GraphDef
from tfcross.graph.modelfile import ModelFile, open_model


def read_graph(path: Path) -> Any:
    """The GraphDef in ``path``, binary or text. Raises TfcrossError for anything else."""
    with open_model(path) as file:
        with file.explained_errors():
            graph = file.graph("serve")
            for _ in graph.parts:  # tells where a damaged file is damaged
                pass
        if graph.saved:
            raise TfcrossError(f"{path}: a SavedModel; freeze it first, with scripts/freeze_graph.py.")
        return _parsed(file)


def _parsed(file: ModelFile) -> Any:
    graph = GraphDef()
    try:
        if filekind.is_text_graph(file.path.name, file.head):
            text_format.Parse(bytes(file.data), graph, allow_unknown_field=True)
        else:
            graph.MergeFromString(file.data[:])
    except (DecodeError, text_format.ParseError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())[:200]
        raise TfcrossError(f"{file.path}: no valid GraphDef ({reason}); copy or freeze it again.") from None
    return graph


def write_graph(path: Path, graph: Any, as_text: bool) -> int:
    """Whole or not at all; the bytes written. Raises TfcrossError."""
    try:
        if as_text:
            content = text_format.MessageToString(graph).encode()
        else:
            content = graph.SerializeToString(deterministic=True)
    except (EncodeError, ValueError) as error:
        raise TfcrossError(f"{path}: the graph cannot be written ({error}).") from None
    try:
        with replacing(path) as part:
            part.write_bytes(content)
    except OSError as error:
        raise TfcrossError(f"{path}: cannot be written ({os.strerror(error.errno or 0)}).") from None
    return len(content)
