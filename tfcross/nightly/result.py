"""How one build of a night ended, as result.json tells it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tfcross.documents import validate
from tfcross.errors import TfcrossError
from tfcross.treehash import file_hash

NAME = "result.json"
PASSED = "passed"


@dataclass(frozen=True)
class Result:
    """The keys of ``schemas/nightly_result.json``, which says what they are."""

    cell: str
    target: str
    arch: str
    release: str
    model: str
    date: str
    revision: str
    key: str
    words: tuple[str, ...]
    status: str
    attempts: int
    seconds: float
    compiled: int
    error: str = ""
    sizes: Mapping[str, int] = field(default_factory=dict)
    package: Mapping[str, str] = field(default_factory=dict)

    @property
    def good(self) -> bool:
        return self.status == PASSED

    def document(self) -> dict[str, Any]:
        return {**asdict(self), "words": list(self.words)}

    def text(self) -> str:
        return json.dumps(self.document(), indent=1, sort_keys=True) + "\n"


def load_result(path: Path) -> Result:
    """The result in ``path``; TfcrossError if it is not one."""
    document = load_json(path, "nightly_result")
    return Result(**{**document, "words": tuple(document["words"])})


def load_json(path: Path, schema: str) -> dict[str, Any]:
    """The JSON mapping in ``path``, valid under the schema; TfcrossError if it is not."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise TfcrossError(f"{path}: cannot be read: {error.strerror}; publish again.") from error
    except (ValueError, RecursionError) as error:
        raise TfcrossError(f"{path}: not JSON: {error}; publish again.") from error
    validate(document, schema, str(path))
    return dict(document)


def build_key(words: Sequence[str], root: Path, models: Sequence[str], state: str) -> str:
    """Changes with anything that a build is made of; "" where ``state``, the checkout's, is not known."""
    if not state:
        return ""
    paths = [root / model for model in models]
    files = [p for path in paths for p in (sorted(path.rglob("*")) if path.is_dir() else [path])]
    hashes = [file_hash(path) for path in files if path.is_file()]
    return hashlib.sha256(json.dumps([list(words), hashes, state]).encode()).hexdigest()
