"""An open model file: which form of graph it has, and what to tell when it has none."""

from __future__ import annotations

import hashlib
import mmap
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from tfcross.errors import TfcrossError, known, quoted
from tfcross.graph import filekind, text, wire
from tfcross.graph.node import BadNode
from tfcross.graph.structure import BadGraph
from tfcross.graph.text import TextError
from tfcross.graph.wire import MetaGraph, WireError

_SAVED_MODEL_FILES = ("saved_model.pb", "saved_model.pbtxt")
_TEXT_SAVED_MODEL = (b"saved_model_schema_version", b"meta_graphs")
_DEFAULT_SIGNATURE = "serving_default"
_ALLOWED = "pass a frozen graph (.pb, .pbtxt), a SavedModel folder or a checkpoint"


class Graph(NamedTuple):
    """``parts`` are the messages of the GraphDef; ``signature`` a SignatureDef, None for a plain graph.

    ``name`` is the signature's, "" for none. ``saved``: whether a SavedModel holds the graph.
    """

    parts: Iterator[Any]
    signature: Any
    name: str = ""
    saved: bool = False


class Piece(NamedTuple):
    """A part of a GraphDef: the message, which may lack what large tensors hold, and all of its bytes."""

    message: Any
    content: bytes


@dataclass(frozen=True)
class ModelFile:
    """``data`` is the file's content, mapped; ``head`` and ``tail`` its ends."""

    path: Path
    data: Any
    head: bytes
    tail: bytes

    def sha256(self) -> str:
        """Read, not mapped: the pages of a map count as this process's memory."""
        with self.path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()

    def graph(self, tag: str, signature: str = "") -> Graph:
        """``signature`` is a SavedModel's, "" for the default or only one.

        Raises TfcrossError for another format, and lets the parts raise what they find.
        """
        if filekind.foreign_kind(self.head, self.tail):
            raise self._not_a_graph("")
        data = self.data
        if self._is_text():
            if not self._is_text_saved_model():
                return self._plain(text.text_graph_parts(data), signature)
            data = text.saved_model_bytes(data)
        elif not filekind.is_saved_model(self.path.name, self.head):
            return self._plain(wire.graph_parts(data, 0, len(data)), signature)
        meta = self._tagged(wire.meta_graphs(data, 0, len(data)), tag)
        name = self._signature_name(meta, signature)
        return Graph(wire.graph_parts(data, meta.start, meta.end), meta.signatures.get(name), name, True)

    def pieces(self, tag: str) -> Iterator[Piece]:
        """The parts of the graph that ``graph`` gives, one at a time, with their bytes."""
        data, start, end = self.data, 0, len(self.data)
        if self._is_text() and not self._is_text_saved_model():
            for message in text.text_graph_parts(data, payload=True):
                yield Piece(message, message.SerializeToString())
            return
        if self._is_text():
            data = text.saved_model_bytes(data, payload=True)
        if self._is_text() or filekind.is_saved_model(self.path.name, self.head):
            meta = self._tagged(wire.meta_graphs(data, 0, len(data)), tag)
            start, end = meta.start, meta.end
        for part in wire.part_places(data, start, end):
            yield Piece(wire.parse(data, part.start, part.end, part.message), data[part.start : part.end])

    def _is_text(self) -> bool:
        return filekind.is_text_graph(self.path.name, self.head)

    def _is_text_saved_model(self) -> bool:
        return self.head.lstrip().startswith(_TEXT_SAVED_MODEL)

    def _plain(self, parts: Iterator[Any], signature: str) -> Graph:
        if signature:
            raise TfcrossError(
                f"{self.path}: SIGNATURE={signature}: a plain graph has no signatures; name its OUTPUTS=."
            )
        return Graph(parts, None)

    def _tagged(self, graphs: list[MetaGraph], tag: str) -> MetaGraph:
        """The graph with just that tag, else the first that has it among others."""
        tagged = sorted((meta for meta in graphs if tag in meta.tags), key=lambda meta: len(meta.tags))
        if tagged:
            return tagged[0]
        tags = known(" and ".join(meta.tags) or "no tag" for meta in graphs)
        raise TfcrossError(f"{self.path}: the SavedModel has no graph with the tag {quoted(tag)}. {tags}")

    def _signature_name(self, meta: MetaGraph, wanted: str) -> str:
        """``wanted``, else the default, else the only one with outputs; "__…" are TensorFlow's own."""
        names = [name for name in sorted(meta.signatures) if meta.signatures[name].outputs or name == wanted]
        names = [name for name in names if not name.startswith("__") or name == wanted]
        if wanted and wanted not in names:
            raise TfcrossError(f"{self.path}: SIGNATURE={wanted}: there is no such signature. {known(names)}")
        if wanted or _DEFAULT_SIGNATURE in names:
            return wanted or _DEFAULT_SIGNATURE
        if len(names) > 1:
            raise TfcrossError(f"{self.path}: it has several signatures; pass SIGNATURE=. {known(names)}")
        return names[0] if names else ""

    def _not_a_graph(self, detail: str) -> TfcrossError:
        return filekind.not_a_graph(str(self.path), self.path.name, self.head, self.tail, detail)

    def _explain(self, error: WireError | TextError | BadNode | BadGraph) -> TfcrossError:
        where = f"{self.path}: "
        if isinstance(error, TextError):
            return TfcrossError(
                f"{where}line {error.line}: {error}; mend the text, or pass the binary graph."
            )
        if isinstance(error, WireError):
            return self._explain_bytes(error)
        if isinstance(error, BadNode) and not self._starts_like_a_graph():
            return self._not_a_graph(str(error))
        return TfcrossError(f"{where}{error}; no runtime would load it, so freeze the model again.")

    def _explain_bytes(self, error: WireError) -> TfcrossError:
        """Truncated or damaged when the file starts as a graph does, else something that is no graph."""
        if not self._starts_like_a_graph():
            return self._not_a_graph(f"byte {error.offset}: {error}")
        if error.truncated:
            return TfcrossError(
                f"{self.path}: truncated: it ends at byte {len(self.data)}, and {error}; copy it again."
            )
        return TfcrossError(
            f"{self.path}: damaged: at byte {error.offset} is {error}; copy or freeze it again."
        )

    def _starts_like_a_graph(self) -> bool:
        return filekind.starts_like_a_graph(self.head) or self._is_text()

    @contextmanager
    def explained_errors(self) -> Iterator[None]:
        """Turns what the parts of a graph raise into TfcrossErrors that name the file."""
        try:
            yield
        except (WireError, TextError, BadNode, BadGraph) as error:
            raise self._explain(error) from None


def _model_path(path: Path) -> Path:
    """The file to read: a SavedModel folder stands for its graph. Raises TfcrossError."""
    if not path.is_dir():
        return path
    for name in _SAVED_MODEL_FILES:
        if (path / name).exists():
            return path / name
    raise TfcrossError(f"{path}: a folder without saved_model.pb or checkpoint; {_ALLOWED}.")


@contextmanager
def open_model(path: Path) -> Iterator[ModelFile]:
    """Raises TfcrossError for a file that is missing, unreadable, empty or no regular file."""
    try:
        path = _model_path(path)
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            raise TfcrossError(f"{path}: not a regular file; {_ALLOWED}.")
        stream = path.open("rb")
    except (OSError, ValueError) as error:
        reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
        raise TfcrossError(f"{path}: the model cannot be read ({reason}); {_ALLOWED}.") from None
    with stream:
        if not os.fstat(stream.fileno()).st_size:
            raise TfcrossError(f"{path}: the model is empty (0 bytes); copy or freeze it again.")
        # Not closed but let go: an error on its way may hold a regular expression that still looks at it.
        data = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        yield ModelFile(path, data, data[: filekind.HEAD], data[-filekind.TAIL :])
