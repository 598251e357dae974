"""Keep what the registry found as a JSON file: fast to read, written whole or not at all."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tfcross.files import write_whole
from tfcross.registry.data import RegistryData
from tfcross.registry.opdef import ArgDef, AttrDef, OpDef
from tfcross.registry.parser import Found, Kernel, Problem
from tfcross.registry.sourcetree import stub_files

PACKAGE = Path(__file__).parents[1]
_IMPORT = re.compile(r"^[ \t]*from (tfcross[\w.]*) import (\([^)]*\)|[^\n(]*)", re.M)
_NAME = re.compile(r"\b(\w+)(?: as \w+)?")


def key(parts: Iterable[Any], data: RegistryData, package: Path = PACKAGE) -> str:
    """A name for what ``parts`` (anything that JSON can hold), ``data`` and the registry's code lead to."""
    said = [data.sources, sorted(data.exclude_folders), data.exclude_endings, data.macros, data.types]
    stubs = stub_files(data.stubs)
    digest = hashlib.sha256(json.dumps([*parts, *said, stubs]).encode())
    for path in [*code_files(package), *(data.stubs / name for name in stubs)]:
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:32]


def code_files(package: Path = PACKAGE) -> list[Path]:
    """The modules of ``package`` that make a registry, sorted: registry.py and what its imports lead to."""
    reached: set[Path] = set()
    waiting = [package / "registry" / "registry.py"]
    while waiting:
        path = waiting.pop()
        if path not in reached and path.is_file():
            reached.add(path)
            waiting += _imported(path.read_text(encoding="utf-8"), package)
    return sorted(reached)


def _imported(text: str, package: Path) -> Iterator[Path]:
    """The files that the imports of ``text`` may name: a name behind "import" can be a module, too."""
    for module, names in _IMPORT.findall(text):
        for dotted in (module, *(f"{module}.{name}" for name in _NAME.findall(names))):
            yield package.parent.joinpath(*dotted.split(".")).with_suffix(".py")


def load(path: Path) -> Found | None:
    """What ``store`` kept there; None if there is no such file or it is damaged."""
    try:
        document = json.loads(path.read_bytes())
        return Found(
            [_op(row) for row in document["ops"]],
            [Kernel(*_frozen(row)) for row in document["kernels"]],
            list(document["gradients"]),
            [Problem(*row) for row in document["problems"]],
            {name: tuple(numbers) for name, numbers in document["sets"].items()},
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def store(path: Path, found: Found) -> None:
    """Keep ``found`` under ``path``."""
    document = {
        "ops": [_row(op) for op in found.ops],
        "kernels": [_row(kernel) for kernel in found.kernels],
        "gradients": found.gradients,
        "problems": [_row(problem) for problem in found.problems],
        "sets": dict(found.sets),
    }
    write_whole(path, json.dumps(document, separators=(",", ":")), shared=True)


def _row(item: Any) -> list[Any]:
    """The fields in their order; those that are dataclasses themselves as rows, too."""
    return [_plain(getattr(item, field.name)) for field in dataclasses.fields(item)]


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return _row(value) if dataclasses.is_dataclass(value) else value


def _frozen(value: Any) -> Any:
    return tuple([_frozen(item) for item in value]) if isinstance(value, list) else value


def _op(row: list[Any]) -> OpDef:
    name, file, attrs, inputs, outputs, *rest = _frozen(row)
    return OpDef(
        name,
        file,
        tuple(AttrDef(*attr) for attr in attrs),
        tuple(ArgDef(*argument) for argument in inputs),
        tuple(ArgDef(*argument) for argument in outputs),
        *rest,
    )
