"""A command in a process group of its own, with a log, a time limit, and further attempts."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

#: Seconds that a command has to end by itself when it is told to.
GRACE = 10.0
_COMPILED = re.compile(r"^  (?:C|C\+\+|PCH) +\S", re.M)


@dataclass(frozen=True)
class Outcome:
    """``status`` is passed, failed or timeout, and ``text`` the log of the last attempt.

    ``seconds`` and ``compiled``, the number of compiles, are those of all attempts.
    """

    status: str
    attempts: int
    seconds: float
    compiled: int
    text: str


def attempt(
    argv: Sequence[str], folder: Path, log: Path, timeout: float, retries: int, shown: str = ""
) -> Outcome:
    """Run ``argv`` in ``folder`` until it succeeds, at most 1 + ``retries`` times; ``log`` gets what is said.

    ``timeout`` is in seconds, for each time; ``shown`` is how the log names the command.
    """
    begun, compiled = time.monotonic(), 0
    for number in range(1, retries + 2):
        with log.open("ab") as stream:
            stream.write(f"== attempt {number} of {retries + 1}: {shown or shlex.join(argv)}\n".encode())
            stream.flush()
            before = stream.tell()
            status, end = _run(argv, folder, stream.fileno(), timeout)
        with log.open("rb") as written:
            written.seek(before)
            text = written.read(end - before).decode(errors="replace")
        compiled += len(_COMPILED.findall(text))
        if status == "passed":
            break
    return Outcome(status, number, time.monotonic() - begun, compiled, text)


def last_error(text: str) -> str:
    """The line of a log that says what went wrong: the last that begins as an error, or else the last."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    for pattern in (r"error: ", r".*\berror: ", r"scons: \*\*\* "):
        errors = [line for line in lines if re.match(pattern, line)]
        if errors:
            return errors[-1].removeprefix("error: ")
    return lines[-1] if lines else "it said nothing"


def _run(argv: Sequence[str], folder: Path, output: int, timeout: float) -> tuple[str, int]:
    """How it ended, and where in ``output`` its own words end: those of being ended are behind."""
    process = subprocess.Popen(
        argv,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        status = "passed" if process.wait(timeout) == 0 else "failed"
        return status, os.fstat(output).st_size
    except subprocess.TimeoutExpired:
        end = os.fstat(output).st_size
        _signal(process, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(GRACE)
        return "timeout", end
    finally:  # also when this process is told to end: nothing goes on without it
        _signal(process, signal.SIGKILL)
        process.wait()


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """To the process and all that it started; its group outlives it."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)
