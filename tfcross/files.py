"""Files that are written whole or not at all."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from tfcross.errors import TfcrossError


@contextmanager
def replacing(path: Path, shared: bool = False) -> Iterator[Path]:
    """A name beside ``path``: what is there at the end becomes ``path``, and after an error it is gone.

    ``shared``: other builds may write the same file at this time.
    """
    own = f".{os.getpid()}-{threading.get_ident()}" if shared else ""
    part = path.with_name(f"{path.name}{own}.part")
    part.unlink(missing_ok=True)
    try:
        yield part
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


@contextmanager
def written_whole(path: Path) -> Iterator[BinaryIO]:
    """A stream into what is to be ``path``. Raises TfcrossError."""
    try:
        with replacing(path) as part, part.open("wb") as stream:
            yield stream
    except OSError as error:
        raise TfcrossError(f"{path}: {error.strerror}; make room, or write elsewhere.") from None


def write_whole(path: Path, content: str | bytes, shared: bool = False) -> None:
    """Put ``content`` into ``path``, text as UTF-8; makes its folder. ``shared`` as for ``replacing``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path, shared) as part:
        part.write_bytes(content.encode() if isinstance(content, str) else content)


def write_if_changed(path: Path, text: str) -> bool:
    """Put ``text`` into ``path`` whole; a file that holds it already keeps its time. True if written."""
    content = text.encode()
    if path.is_file() and path.read_bytes() == content:
        return False
    write_whole(path, content)
    return True


def write_json(path: Path, data: Mapping[str, object]) -> None:
    """Put ``data`` into ``path`` whole, where several builds may do so."""
    write_whole(path, json.dumps(data, indent=1, sort_keys=True) + "\n", shared=True)
