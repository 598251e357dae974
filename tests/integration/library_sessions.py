"""Asks a built library what it says of graphs: sessions.cc, linked with its own flags and run."""

from __future__ import annotations

import shlex
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path


def build_sessions(out: Path, cxx: str, app: Path) -> Path:
    """``app``, linked by ``cxx`` with the library in the output folder ``out``."""
    flags = subprocess.run(
        ["make", "-s", "-f", "-", "show"],
        input=f"include {out}/link/flags.mk\nshow: ; @echo '$(TFCROSS_CXXFLAGS)|$(TFCROSS_LDLIBS)'\n",
        cwd=out,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    compile_flags, _, libraries = flags.partition("|")
    source = Path(__file__).with_name("sessions.cc")
    argv = [cxx, "-O1", *shlex.split(compile_flags), source, *shlex.split(libraries), "-o", app]
    subprocess.run(argv, check=True)
    return app


def ask_library(
    app: Path, paths: Sequence[str], run: Callable[[Path, str], subprocess.CompletedProcess[str]]
) -> dict[str, str | None]:
    """What the library says of each graph: "" if it runs it, None where that ended the process.

    ``run`` runs ``app`` with one word; after a process that ended, another goes on.
    """
    said: dict[str, str | None] = {}
    while len(said) < len(paths):
        with tempfile.NamedTemporaryFile("w") as names:
            names.writelines(f"{path}\n" for path in paths if path not in said)
            names.flush()
            done = run(app, names.name)
        new = dict(line.split("\t", 1) for line in done.stdout.splitlines() if "\t" in line)
        assert new, done.stderr[-2000:]
        said |= {path: None if text == "died" else text for path, text in new.items()}
    return said
