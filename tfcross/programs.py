"""Programs that have to succeed: what they print, or one line that tells why they did not."""

from __future__ import annotations

import shlex
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tfcross.errors import TfcrossError


def run(
    argv: Sequence[str],
    *,
    install: str,
    remedy: str,
    environment: Mapping[str, str] | None = None,
    given: str = "",
    folder: Path | None = None,
) -> str:
    """What ``argv`` prints, with ``given`` on its stdin; None as its ``environment`` is ours.

    Raises TfcrossError, with its last line where it fails: ``remedy`` is the sentence that says what to do
    then, ``install`` what to do where it cannot be started.
    """
    try:
        done = subprocess.run(
            argv,
            cwd=folder,
            env=None if environment is None else dict(environment),
            input=given,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise TfcrossError(f"{argv[0]}: cannot be run: {error.strerror}. {install}") from error
    if done.returncode:
        raise TfcrossError(f"{failure(argv, done.returncode, done.stderr or done.stdout)} {remedy}")
    return done.stdout


def failure(argv: Sequence[str], status: int, said: str) -> str:
    """In a sentence: how ``argv`` ended, and the last line that it ``said``."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    last = f": {lines[-1].rstrip('.')}" if lines else ""
    return f"{shlex.join(argv[:1])} {ending(status)}{last}."


def ending(status: int) -> str:
    """How a program ended, by what Python says of it."""
    if status == -signal.SIGKILL:
        return "was killed, as when memory runs out (fewer jobs: -j1)"
    return f"ended with signal {-status}" if status < 0 else f"ended with status {status}"
