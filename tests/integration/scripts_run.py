"""Runs the project's scripts as users do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from project_build import ROOT


def run_script(
    name: str, *words: str | Path, cwd: Path = ROOT, **more: str
) -> subprocess.CompletedProcess[str]:
    """``scripts/<name>``; ``more`` may hold ``input``, what stands on its stdin."""
    argv = [sys.executable, ROOT / "scripts" / name, *words]
    return subprocess.run(argv, cwd=cwd, capture_output=True, text=True, check=False, **more)  # type: ignore[call-overload, no-any-return]


def refused(name: str, *words: str | Path, cwd: Path = ROOT) -> str:
    """The one line that the script says to ``words``, without ``error: ``."""
    run = run_script(name, *words, cwd=cwd)
    assert (run.returncode, run.stdout) == (2, ""), run.stdout + run.stderr
    lines = run.stderr.splitlines()
    assert len(lines) == 1, run.stderr
    return lines[0].removeprefix("error: ")
