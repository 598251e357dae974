"""Is a published folder what was published? Every file against its sum, the index against the results."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from tfcross.errors import TfcrossError
from tfcross.nightly.folder import LATEST, published_days
from tfcross.nightly.index import BADGES, NAME, SUMS, make_index, read_sums
from tfcross.nightly.result import NAME as RESULT
from tfcross.nightly.result import load_result
from tfcross.treehash import file_hash


def check_folder(folder: Path) -> list[str]:
    """A line for each file of ``folder`` that is wrong, missing or in no list; sorted, each once.

    TfcrossError where there are no sums to go by.
    """
    listed = read_sums(folder / SUMS)
    wrong = [*_check_sums(folder, listed, "")]
    parts = [*published_days(folder), LATEST]
    for build in (path for part in parts for path in sorted((folder / part).glob("*"))):
        name = build.relative_to(folder).as_posix()
        if (build / SUMS).is_file():
            try:
                wrong += check_build(build, name)
            except TfcrossError as error:
                wrong.append(str(error))
    return sorted({*wrong, *_unlisted(folder, listed), *_check_index(folder)})


def check_build(build: Path, name: str) -> Iterator[str]:
    """What is wrong in the folder of one build, which lines call ``name``."""
    sums = read_sums(build / SUMS)
    yield from _check_sums(build, sums, f"{name}/")
    result = load_result(build / RESULT)
    package = result.package
    if package and sums.get(package["name"]) != package["sha256"]:
        yield f"{name}/{RESULT}: tells another sha256 of {package['name']} than {SUMS}"


def _check_sums(folder: Path, sums: dict[str, str], prefix: str) -> Iterator[str]:
    for name, expected in sums.items():
        path = folder / name
        if not path.is_file():
            yield f"{prefix}{name}: missing"
            continue
        actual = file_hash(path)
        if actual != expected:
            yield f"{prefix}{name}: sha256 is {actual}, {prefix}{SUMS} has {expected}"


def _unlisted(folder: Path, listed: dict[str, str]) -> Iterator[str]:
    """Files in folders of ours that no list has; others, as a server's own files, are not looked at."""
    names = {SUMS, *listed}
    for sums in (name for name in listed if name.endswith(f"/{SUMS}") and (folder / name).is_file()):
        try:
            names |= {f"{sums.removesuffix(SUMS)}{name}" for name in read_sums(folder / sums)}
        except TfcrossError:
            continue  # told already: its own sum is wrong
    ours = [*published_days(folder), LATEST, BADGES]
    for path in (path for part in ours for path in (folder / part).rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        if name not in names:
            yield f"{name}: in no {SUMS}"


def _check_index(folder: Path) -> Iterator[str]:
    try:
        told = json.loads((folder / NAME).read_text(encoding="utf-8"))
        actual = make_index(folder)
    except (OSError, ValueError, RecursionError):
        yield f"{NAME}: cannot be read as JSON"
        return
    except TfcrossError as error:
        yield str(error)
        return
    wrong = [key for key in actual if not isinstance(told, dict) or told.get(key) != actual[key]]
    if wrong:
        yield f"{NAME}: its {', '.join(wrong)} are not what the results in the folder tell"
