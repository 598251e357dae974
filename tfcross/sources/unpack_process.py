"""Unpack in a process of its own: large archives take seconds of CPU.

This module is that process, too: several archives unpack at once, beside the downloads.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tfcross.errors import TfcrossError
from tfcross.sources.unpack import Layout, unpack
from tfcross.treehash import FileSet


def unpack_in_child(archive: Path, into: Path, layout: Layout) -> str:
    """``unpack`` in a process of its own; OSError as there (a full disk)."""
    job = {
        "archive": str(archive),
        "into": str(into),
        "keep": layout.files.keep,
        "drop": layout.files.drop,
        "root": layout.root,
        "moves": layout.moves,
    }
    child = subprocess.run(
        [sys.executable, "-m", "tfcross.sources.unpack_process"],
        input=json.dumps(job),
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    if child.returncode != 0:
        last = child.stderr.strip().splitlines()[-1:] or ["no message"]
        raise TfcrossError(f"{archive.name}: unpacking ended with status {child.returncode}: {last[0]}")
    answer = json.loads(child.stdout)
    if "errno" in answer:
        raise OSError(answer["errno"], answer["error"], answer["filename"])
    if "error" in answer:
        raise TfcrossError(answer["error"])
    return str(answer["tree"])


def _child() -> None:
    job = json.load(sys.stdin)
    files = FileSet(tuple(job["keep"]), tuple(job["drop"]))
    layout = Layout(files, job["root"], tuple((a, b) for a, b in job["moves"]))
    try:
        answer: dict[str, object] = {"tree": unpack(Path(job["archive"]), Path(job["into"]), layout)}
    except TfcrossError as error:
        answer = {"error": str(error)}
    except OSError as error:
        answer = {
            "errno": error.errno,
            "error": error.strerror,
            "filename": str(error.filename or job["into"]),
        }
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    _child()
