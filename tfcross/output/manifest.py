"""Manifests as files: written with a digest of their own, read back only as they were written."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfcross.documents import validate
from tfcross.errors import TfcrossError, quoted
from tfcross.output.linkflags import LinkFlags

NAME = "manifest.json"
#: What manifests look like: another number whenever a reader of before would misread one.
FORMAT = 1
#: The key of the digest over all the others.
DIGEST = "sha256"


def manifest_text(manifest: Mapping[str, Any]) -> str:
    """The file's text, of our format; whatever digest was in ``manifest`` is made anew."""
    whole = {**manifest, "format": FORMAT}
    sealed = {**whole, DIGEST: _digest(whole)}
    return json.dumps(sealed, indent=1, sort_keys=True) + "\n"


def load_manifest(path: Path) -> dict[str, Any]:
    """The manifest ``path``; TfcrossError if there is none of our format, or it is not as it was written."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise TfcrossError(
            f"{path}: cannot be read: {error.strerror}; build first (scons TARGET=… MODEL=…), or give a "
            "folder that a build made."
        ) from error
    except (ValueError, RecursionError) as error:
        raise TfcrossError(f"{path}: not JSON: {error}; build again.") from error
    written = (
        document.get("format") if isinstance(document, dict) else FORMAT
    )  # the schema tells of no mapping
    if written != FORMAT:
        what = "has no format number" if written is None else f"is of format {written}"
        raise TfcrossError(
            f"{path}: {what}, not of format {FORMAT}: made by another version of tfcross; build again."
        )
    validate(document, "manifest", str(path))
    if document[DIGEST] != _digest(document):
        raise TfcrossError(f"{path}: was edited: it is not what its {DIGEST} was made of; build again.")
    return dict(document)


def contents(hashes: Mapping[str, str], sizes: Mapping[str, int]) -> dict[str, Any]:
    """The manifest's part about what its folder holds: of each other file in it the sha256, and the size."""
    libraries = {name.removeprefix("lib/"): name for name in hashes if name.startswith("lib/")}
    archives = {short: {"size": sizes[name], "sha256": hashes[name]} for short, name in libraries.items()}
    return {"files": dict(hashes), "archives": archives}


def check_contents(folder: Path, hashes: Mapping[str, str], manifest: Mapping[str, Any]) -> None:
    """TfcrossError if the other files in the folder of ``manifest`` are not just those that it tells.

    ``hashes`` are the sha256 of the files that are there, by their paths in ``folder``.
    """
    told: Mapping[str, str] = manifest["files"]
    for name in sorted({*hashes, *told}):
        if hashes.get(name) == told.get(name):
            continue
        known = f"has another sha256 than {NAME} tells" if name in hashes else "is missing"
        what = known if name in told else f"is not in {NAME}"
        raise TfcrossError(f"{folder / name}: {what}; delete {folder} and run again.")


def link_flags(manifest: Mapping[str, Any]) -> LinkFlags:
    """What apps link the library of ``manifest`` with."""
    link: Mapping[str, Any] = manifest["link"]
    fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in link.items()}
    return LinkFlags(**fields)


def run_first(manifest: Mapping[str, Any]) -> tuple[str, ...]:
    """For people: what an app has to run first for models of ``manifest``."""
    return tuple(
        f"{quoted(model.get('graph', model)['name'])}: an app runs the node {quoted(model['initializer'])} "
        "once before others"
        for model in manifest["models"]
        if "initializer" in model
    )


def _digest(manifest: Mapping[str, Any]) -> str:
    rest = {key: value for key, value in manifest.items() if key != DIGEST}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Library:
    """An output folder by its manifest.

    ``registered`` has (op, class text) for each kernel and (op, "") for each op; ``variables`` are TARGET=
    and so on.
    """

    types: str
    registered: frozenset[tuple[str, str]]
    variables: Mapping[str, str]


def registered(manifest: Mapping[str, Any]) -> frozenset[tuple[str, str]]:
    """What the library of ``manifest`` registers, as Library has it."""
    kernels = {(op, text) for op, text in manifest["kernels"]}
    return frozenset({*kernels, *((op, "") for op in manifest["ops"])})


def read_library(folder: Path) -> Library:
    """What the library in ``folder`` was built from. Raises TfcrossError if no build made it."""
    manifest = load_manifest(folder / NAME)
    variables = {"TARGET": "target", "ARCH": "arch", "RELEASE": "release", "API": "api"}
    return Library(
        types=manifest["flags"]["types"],
        registered=registered(manifest),
        variables={name: str(manifest[key]) for name, key in variables.items() if key in manifest}
        | {"TOOLCHAIN": str(manifest["toolchain"]["name"])},
    )
