"""SCons actions whose signatures are cheap and exact.

SCons' own command actions substitute their whole command line for every node on every run; with 700 objects
and 2 kB of flags that is most of a no-op build. Here a command's flags are hashed once, and its files are
known to SCons as nodes anyway.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import SCons.Action
import SCons.Builder

from ..errors import TfcrossError

Run = Callable[[list[str], list[str]], None]


class SignedAction(SCons.Action.FunctionAction):  # type: ignore[misc]
    """Calls ``run(targets, sources)`` with paths; rebuilt when ``signature`` or a node changes."""

    def __init__(self, run: Run, shown: str, signature: str) -> None:
        self._run, self._shown, self._signature = run, shown, signature.encode()
        super().__init__(self._execute, {"strfunction": self._show})

    def get_presig(self, target: Any, source: Any, env: Any) -> bytes:
        return self._signature

    def _show(self, target: Any, source: Any, env: Any) -> str:
        return f"  {self._shown:<5} {target[0]}" if self._shown else ""

    def _execute(self, target: Any, source: Any, env: Any) -> int:
        try:
            self._run([str(node) for node in target], [str(node) for node in source])
        except TfcrossError as error:
            print(f"error: {error}", file=sys.stderr)
            return 2
        return 0


def builder(run: Run, shown: str, signature: str) -> Any:
    """An SCons builder around one SignedAction: ``builder(...)(env, target=[…], source=[…])``."""
    return SCons.Builder.Builder(action=SignedAction(run, shown, signature))


@dataclass(frozen=True)
class Runner:
    """Starts programs for actions: a fixed environment, no shell, quoted command lines when verbose."""

    environment: Mapping[str, str]
    verbose: bool = False
    log: list[str] = field(default_factory=list, compare=False)

    def run(self, argv: Sequence[str], what: str) -> str:
        """Standard output of ``argv``. A non-zero status raises TfcrossError after showing what it said."""
        if self.verbose:
            print(shlex.join(argv), flush=True)
        done = subprocess.run(
            argv, env=dict(self.environment), stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace"
        )
        if done.returncode:
            said = (done.stderr or done.stdout).strip()
            if said:
                print(said, file=sys.stderr, flush=True)
            how = f"signal {-done.returncode}" if done.returncode < 0 else f"status {done.returncode}"
            raise TfcrossError(f"{what}: {Path(argv[0]).name} ended with {how}. Its command line: {shlex.join(argv)}")
        return done.stdout
