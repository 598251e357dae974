"""Files that are written whole or not at all."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from tfcross.errors import TfcrossError


def write_if_changed(path: Path, text: str) -> bool:
    """Put ``text`` into ``path`` whole; a file that holds it already keeps its time. True if written."""
    content = text.encode()
    if path.is_file() and path.read_bytes() == content:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_bytes(content)
    part.replace(path)
    return True


def write_json(path: Path, data: Mapping[str, object]) -> None:
    """Write whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}.", delete=False) as stream:
        json.dump(data, stream, indent=1, sort_keys=True)
        stream.write("\n")
    Path(stream.name).chmod(0o644)
    Path(stream.name).replace(path)


@contextmanager
def written_whole(path: Path) -> Iterator[BinaryIO]:
    """A stream into a file that has its name only when all is written. Raises TfcrossError."""
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as stream:
            yield stream
        part.replace(path)
    except OSError as error:
        raise TfcrossError(f"{path}: {error.strerror}; make room, or write elsewhere.") from None
    finally:
        part.unlink(missing_ok=True)
