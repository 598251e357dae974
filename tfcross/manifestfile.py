"""Manifests as files: written with a digest of their own, read back only as they were written."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .errors import TfcrossError
from .linkflags import LinkFlags
from .schema import validate

NAME = "manifest.json"
#: The key of the digest over all the others.
DIGEST = "sha256"


def manifest_text(manifest: Mapping[str, Any]) -> str:
    """The file's text; whatever digest was in ``manifest`` is made anew."""
    sealed = {**manifest, DIGEST: _digest(manifest)}
    return json.dumps(sealed, indent=1, sort_keys=True) + "\n"


def load_manifest(path: Path) -> dict[str, Any]:
    """The manifest ``path``; TfcrossError if there is none, or it is not as it was written."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise TfcrossError(
            f"{path}: cannot be read: {error.strerror}; build first (scons TARGET=… MODEL=…), or give a "
            "folder that a build made."
        ) from error
    except (ValueError, RecursionError) as error:
        raise TfcrossError(f"{path}: not JSON: {error}; build again.") from error
    validate(document, "manifest", str(path))
    if document[DIGEST] != _digest(document):
        raise TfcrossError(f"{path}: was edited: it is not what its {DIGEST} was made of; build again.")
    return dict(document)


def link_flags(manifest: Mapping[str, Any]) -> LinkFlags:
    """What apps link the library of ``manifest`` with."""
    link: Mapping[str, Any] = manifest["link"]
    fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in link.items()}
    return LinkFlags(**fields)


def _digest(manifest: Mapping[str, Any]) -> str:
    rest = {key: value for key, value in manifest.items() if key != DIGEST}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()
