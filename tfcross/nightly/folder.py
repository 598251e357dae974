"""The folder that nightly builds are published in: dated folders, the last good build of each, retention.

<folder>/2026-11-25/run.json        which builds the day has
<folder>/2026-11-25/<cell>/         one build: package, manifest, sizes, log, result, sums
<folder>/latest/<cell>/             a copy of the last one that passed
<folder>/.incoming/                 what is being made; each folder is renamed when it is whole
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from tfcross.errors import TfcrossError
from tfcross.files import write_if_changed
from tfcross.nightly.result import NAME as RESULT
from tfcross.nightly.result import Result, load_json, load_result

LATEST, INCOMING, RUN = "latest", ".incoming", "run.json"
DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


@contextlib.contextmanager
def opened(folder: Path) -> Iterator[None]:
    """Make ``folder``, keep it to this process, and leave nothing half-made in it."""
    incoming = folder / INCOMING
    try:
        incoming.mkdir(parents=True, exist_ok=True)
        (incoming / "writable").touch()
    except OSError as error:
        raise TfcrossError(
            f"{folder}: cannot be written: {error.strerror}; mend its rights, or pass another --folder."
        ) from error
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise TfcrossError(f"{folder}: another run publishes into it; wait for its end.") from error
        _mend_latest(folder)
        _remove(incoming, keep=True)
        yield
        shutil.rmtree(incoming)
    finally:
        os.close(handle)


def begin_cell(folder: Path, date: str, cell: str) -> Path:
    """An empty folder to put a build's files into."""
    staged = folder / INCOMING / date / cell
    _remove(staged)
    staged.mkdir(parents=True)
    return staged


def put_cell(folder: Path, staged: Path, result: Result) -> None:
    """Publish ``staged`` as the day's build."""
    _replace(folder, staged, folder / result.date / result.cell)


def promote(folder: Path, result: Result) -> bool:
    """Make the day's build the latest one, if it is good and newer than that; True if it was done."""
    final = folder / LATEST / result.cell
    before = load_result(final / RESULT) if (final / RESULT).is_file() else None
    if not result.good or (before and (before.date > result.date or before == result)):
        return False
    copy = folder / INCOMING / LATEST / result.cell
    _remove(copy)  # links, for a package takes its room once; and no symlinks, which static servers lack
    shutil.copytree(folder / result.date / result.cell, copy, copy_function=_link)
    _replace(folder, copy, final)
    return True


def begin_run(folder: Path, date: str, revision: str, cells: Mapping[str, str]) -> None:
    """Say which builds the day has: ``cells``, names with targets, and those of its earlier runs."""
    path = folder / date / RUN
    before = load_json(path, "nightly_run")["cells"] if path.is_file() else {}
    document = {"date": date, "revision": revision, "cells": {**before, **cells}}
    write_if_changed(path, json.dumps(document, indent=1) + "\n")


def published_days(folder: Path) -> list[str]:
    """The dates of the folders that runs have made, oldest first."""
    days = sorted(path.parent for path in folder.glob(f"*/{RUN}"))
    return [day.name for day in days if DATE.fullmatch(day.name) and not day.is_symlink()]


def done_before(folder: Path, date: str, cell: str, key: str) -> Result | None:
    """The day's build of the same inputs, if it passed."""
    path = folder / date / cell / RESULT
    if not key or not path.is_file():
        return None
    result = load_result(path)
    return result if result.good and result.key == key else None


def remove_old(folder: Path, keep: int) -> list[str]:
    """Delete all but the newest ``keep`` days, and say which; ``latest`` needs none: it has copies."""
    old = published_days(folder)[:-keep]
    for day in old:
        gone = folder / INCOMING / "old" / day
        gone.parent.mkdir(parents=True, exist_ok=True)
        (folder / day).rename(gone)  # at once: a day is there as a whole or not at all
        shutil.rmtree(gone)
    return old


def _replace(folder: Path, made: Path, final: Path) -> None:
    """Rename ``made`` to ``final``; what was there is away for no longer than a second rename takes."""
    final.parent.mkdir(parents=True, exist_ok=True)
    old = folder / INCOMING / "replaced" / final.parent.name / final.name
    _remove(old)
    if final.exists():
        old.parent.mkdir(parents=True, exist_ok=True)
        final.rename(old)
    made.rename(final)
    _remove(old)


def _mend_latest(folder: Path) -> None:
    """Put back what a run that was killed between its two renames took away."""
    for old in (folder / INCOMING / "replaced").glob("*/*"):
        final = folder / old.parent.name / old.name
        if not final.exists() and (old / RESULT).is_file():
            final.parent.mkdir(exist_ok=True)
            old.rename(final)


def _remove(path: Path, keep: bool = False) -> None:
    shutil.rmtree(path, ignore_errors=True)
    if keep:
        path.mkdir()


def _link(source: str, target: str) -> None:
    try:
        Path(target).hardlink_to(source)
    except OSError:  # a file system without links
        shutil.copyfile(source, target)
