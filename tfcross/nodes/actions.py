"""SCons actions whose signatures are cheap and exact.

SCons' own command actions substitute their whole command line for every node on every run; with 700 objects
and 2 kB of flags that is most of a no-op build. Here a command's flags are hashed once, and its files are
known to SCons as nodes anyway.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import SCons.Action
import SCons.Builder

from ..capacity import peak_kib
from ..errors import TfcrossError

Run = Callable[[list[str], list[str]], None]
Stands = Callable[[str], bool]


class SignedAction(SCons.Action.FunctionAction):  # type: ignore[misc]
    """Calls ``run(targets, sources)`` with paths; rebuilt when ``signature`` or a node changes.

    Where ``stands(target)`` is true the target is right as it is, whatever SCons believes: nothing is run.
    """

    def __init__(self, run: Run, shown: str, signature: str, stands: Stands) -> None:
        self._run, self._shown, self._signature, self._stands = run, shown, signature.encode(), stands
        super().__init__(self._execute, {"strfunction": self._show})

    def get_presig(self, target: Any, source: Any, env: Any) -> bytes:
        return self._signature

    def _show(self, target: Any, source: Any, env: Any) -> str:
        silent = not self._shown or self._stands(str(target[0]))
        return "" if silent else f"  {self._shown:<5} {target[0]}"

    def _execute(self, target: Any, source: Any, env: Any) -> int:
        try:
            if not self._stands(str(target[0])):
                self._run([str(node) for node in target], [str(node) for node in source])
        except TfcrossError as error:
            print(f"error: {error}", file=sys.stderr)
            return 2
        except OSError as error:  # a full disk; shutil.Error holds a list of (from, to, why)
            why = error.strerror or (error.args[0][0][2] if isinstance(error, shutil.Error) else error)
            print(f"error: {target[0]}: {why}; make room and run again.", file=sys.stderr)
            return 2
        return 0


def never(target: str) -> bool:
    """The usual ``stands``: SCons knows."""
    return False


def builder(run: Run, shown: str, signature: str, stands: Stands = never) -> Any:
    """An SCons builder around one SignedAction: ``builder(...)(env, target=[…], source=[…])``."""
    return SCons.Builder.Builder(action=SignedAction(run, shown, signature, stands))


@dataclass(frozen=True)
class Usage:
    """What a program cost: CPU seconds (user and system) and the largest resident set in KiB."""

    cpu_seconds: float
    max_rss_kib: int


@dataclass(frozen=True)
class Runner:
    """Starts programs for actions: a fixed environment, no shell, quoted command lines when verbose."""

    environment: Mapping[str, str]
    verbose: bool = False

    def run(self, argv: Sequence[str], what: str) -> Usage:
        """Run ``argv``. A non-zero status raises TfcrossError after showing what it said."""
        if self.verbose:
            print(shlex.join(argv), flush=True)
        with tempfile.TemporaryFile() as said:
            process = subprocess.Popen(
                argv,
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
            )
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode:
                said.seek(0)
                print(said.read().decode(errors="replace").strip(), file=sys.stderr, flush=True)
                raise TfcrossError(
                    f"{what}: {Path(argv[0]).name} {_ending(process.returncode)}: {shlex.join(argv)}"
                )
        return Usage(used.ru_utime + used.ru_stime, peak_kib(used.ru_maxrss))


def _ending(status: int) -> str:
    if status == -signal.SIGKILL:
        return "was killed, as when memory runs out (fewer jobs: -j1)"
    return f"ended with signal {-status}" if status < 0 else f"ended with status {status}"
