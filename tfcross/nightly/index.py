"""What a nightly folder holds, as index.json tells it, and the sums of all its files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from tfcross.errors import TfcrossError
from tfcross.nightly.folder import LATEST, RUN, published_days
from tfcross.nightly.result import NAME as RESULT
from tfcross.nightly.result import load_json, load_result
from tfcross.treehash import file_hash

NAME, PAGE, BADGES, SUMS = "index.json", "index.html", "badges", "SHA256SUMS"
FORMAT = 1
NOT_RUN = "not run"


def make_index(folder: Path) -> dict[str, Any]:
    """The index of ``folder``, from its results alone: days, oldest first, and the latest builds."""
    days = []
    for date in published_days(folder):
        run = load_json(folder / date / RUN, "nightly_run")
        cells = [_entry(folder, f"{date}/{cell}", cell, target) for cell, target in run["cells"].items()]
        days.append({**run, "cells": cells})
    latest = {
        path.parent.name: _entry(folder, f"{LATEST}/{path.parent.name}")
        for path in sorted((folder / LATEST).glob(f"*/{RESULT}"))
    }
    return {"format": FORMAT, "days": days, "latest": latest, "targets": _targets(days)}


def index_text(index: Mapping[str, Any]) -> str:
    return json.dumps(index, indent=1, sort_keys=True) + "\n"


def statuses(days: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Each known cell's status in the last of ``days``; one that the day does not have was not run."""
    by_cell: dict[str, str] = {}
    for day in days:
        by_cell = {
            **dict.fromkeys(by_cell, NOT_RUN),
            **{cell["cell"]: cell["status"] for cell in day["cells"]},
        }
    return by_cell


def sums_text(folder: Path, names: Iterable[str]) -> str:
    """What ``sha256sum --check`` reads in ``folder``."""
    return "".join(f"{file_hash(folder / name)}  {name}\n" for name in sorted(names))


def read_sums(path: Path) -> dict[str, str]:
    """Sums by name; TfcrossError where the file is none of ours, or names files elsewhere."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not text"
        raise TfcrossError(
            f"{path}: cannot be read: {reason}; give a folder that nightly.py made."
        ) from error
    pairs = [line.split("  ", 1) for line in lines]
    if any(len(pair) != 2 or not _is_inside(pair[1]) for pair in pairs):
        raise TfcrossError(f"{path}: not a list of sums; publish again.")
    return {name: hash_ for hash_, name in pairs}


def _is_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts


def _entry(folder: Path, path: str, cell: str = "", target: str = "") -> dict[str, Any]:
    if not (folder / path / RESULT).is_file():
        return {"cell": cell, "target": target, "status": NOT_RUN}
    return {**load_result(folder / path / RESULT).document(), "path": path}


def _targets(days: list[dict[str, Any]]) -> dict[str, str]:
    """For each target of the last day: passing, failing, or how many of its builds passed."""
    by_target: dict[str, list[str]] = {}
    for cell in days[-1]["cells"] if days else ():
        by_target.setdefault(cell["target"], []).append(cell["status"])
    return {target: _verdict(statuses) for target, statuses in sorted(by_target.items())}


def _verdict(statuses: list[str]) -> str:
    good = statuses.count("passed")
    if not good:
        return NOT_RUN if set(statuses) == {NOT_RUN} else "failing"
    return "passing" if good == len(statuses) else f"{good} of {len(statuses)} passing"
