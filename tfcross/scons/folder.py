"""The build folder's own records: who builds in it, and what its objects cost."""

from __future__ import annotations

import contextlib
import fcntl
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from tfcross.errors import TfcrossError
from tfcross.files import write_if_changed
from tfcross.scons.actions import Usage


def save_usage(path: Path, usage: Mapping[str, Usage]) -> None:
    """Add what compiles cost to the record ``path``: {object: {cpu_seconds, max_rss_kib}}."""
    known: dict[str, Any] = {}
    with contextlib.suppress(OSError, ValueError):
        known = json.loads(path.read_text())
    known |= {target: asdict(cost) for target, cost in usage.items()}
    write_if_changed(path, json.dumps(known, indent=1, sort_keys=True) + "\n")


def lock_folder(folder: Path) -> IO[bytes]:
    """Hold ``folder`` for this process; TfcrossError if another one builds in it."""
    folder.mkdir(parents=True, exist_ok=True)
    held = (folder / ".lock").open("wb")
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise TfcrossError(f"{folder}: another scons builds here; wait for it.") from error
    return held
