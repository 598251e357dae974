"""SCons actions whose signatures are cheap and exact.

SCons' own command actions substitute their whole command line for every node on every run; with 700 objects
and 2 kB of flags that is most of a no-op build. Here a command's flags are hashed once, and its files are
known to SCons as nodes anyway.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import SCons.Action
import SCons.Builder

from tfcross.capacity import peak_kib
from tfcross.errors import TfcrossError
from tfcross.programs import ending
from tfcross.scons.made import Made, clear_way
from tfcross.systemerrors import system_problem

#: Where nobody but the build itself writes.
OURS = "build/"
#: The construction variable with what the build has made.
MADE = "MADE"
Run = Callable[[list[str], list[str]], None]
Stands = Callable[[str], bool]


class SignedAction(SCons.Action.FunctionAction):  # type: ignore[misc]
    """Calls ``run(targets, sources)`` with paths; rebuilt when ``signature`` or a node changes.

    Where ``stands(target)`` is true and no other program has changed what was made, the target is right as
    it is, whatever SCons believes: nothing is run. All of ``folder`` is the action's own, too.
    """

    def __init__(self, run: Run, shown: str, signature: str, stands: Stands, folder: str = "") -> None:
        self._run, self._shown, self._signature, self._stands = run, shown, signature.encode(), stands
        self._folder = folder
        super().__init__(self._execute, {"strfunction": self._show})

    def get_presig(self, target: Any, source: Any, env: Any) -> bytes:
        return self._signature

    def _show(self, target: Any, source: Any, env: Any) -> str:
        silent = not self._shown or self._is_right(str(target[0]), made_of(env))
        return "" if silent else f"  {self._shown:<5} {target[0]}"

    def _is_right(self, target: str, made: Made) -> bool:
        return self._stands(target) and not made.wrong(target)

    def _execute(self, target: Any, source: Any, env: Any) -> int:
        made, targets = made_of(env), [str(node) for node in target]
        try:
            stands = self._is_right(targets[0], made)
            if not stands:
                self._run(targets, [str(node) for node in source])
            if not (stands and made.knows(targets[0])):
                made.keep(targets, self._folder)
        except TfcrossError as error:
            print(f"error: {error}", file=sys.stderr)
            return 2
        except OSError as error:
            print(f"error: {system_problem(error, targets[0])}", file=sys.stderr)
            return 2
        return 0


def made_of(env: Any) -> Made:
    """What the build of ``env`` has made; an Environment of no build keeps nothing."""
    made: Made = env.get(MADE) or Made()
    return made


def never(target: str) -> bool:
    """The usual ``stands``: SCons knows."""
    return False


def builder(run: Run, shown: str, signature: str, stands: Stands = never, folder: str = "") -> Any:
    """An SCons builder around one SignedAction: ``builder(...)(env, target=[…], source=[…])``.

    What it made before and something else has changed since is made anew.
    """
    action = SignedAction(run, shown, signature, stands, folder)
    build = SCons.Builder.Builder(action=action)

    def make(env: Any, target: list[str], source: Any) -> Any:
        made = made_of(env)
        for path in target:
            clear_way(path, OURS, *filter(None, [folder]))
        nodes = build(env, target=_literal(target), source=_literal(source))
        names = [str(node) for node in nodes]
        known = made.knows(names[0])
        if made.wrong(names[0]) or (folder and not known):
            env.AlwaysBuild(nodes)
        elif not known and Path(names[0]).is_file():  # the record is lost: SCons has to know
            made.keep(names)
        return nodes

    return make


def _literal(nodes: Sequence[Any]) -> list[Any]:
    """``nodes``, the paths among them spelled so that SCons reads no ``$name`` and no first ``#`` in them."""
    return [_escaped(node) if isinstance(node, str) else node for node in nodes]


def _escaped(path: str) -> str:
    return ("./" if path.startswith("#") else "") + path.replace("$", "$$")


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
                    f"{what}: {Path(argv[0]).name} {ending(process.returncode)}: {shlex.join(argv)}"
                )
        return Usage(used.ru_utime + used.ru_stime, peak_kib(used.ru_maxrss))
