"""scons, one action after the other: ``observed_scons.py LOG WORD…`` logs what each has changed on the disk.

A line of JSON in ``LOG`` for each action that ran: ``{"shown", "targets", "changed"}``, where ``changed`` are
the files and links below the current folder's ``build`` and ``out`` that are other ones than before, or gone.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path.cwd()))

import SCons.Script.Main  # noqa: E402

from tfcross.scons.actions import SignedAction  # noqa: E402

Snapshot = dict[str, tuple[int, int, int, int]]
LOG = Path(sys.argv[1])
execute = SignedAction._execute


def snapshot() -> Snapshot:
    """The stats of all files; a hard link to a file changes neither of them."""
    found = {}
    for top in ("build", "out"):
        for parent, folders, files in os.walk(top):
            links = [name for name in folders if Path(parent, name).is_symlink()]
            for path in (f"{parent}/{name}" for name in (*files, *links)):
                was = os.lstat(path)
                found[path] = (was.st_mode, was.st_size, was.st_mtime_ns, was.st_ino)
    return found


def observe(self: Any, target: Any, source: Any, env: Any) -> Any:
    before = snapshot()
    status = execute(self, target, source, env)
    after = snapshot()
    changed = sorted(path for path in {*before, *after} if before.get(path) != after.get(path))
    line = {"shown": self._shown, "targets": [str(node) for node in target], "changed": changed}
    with LOG.open("a") as stream:
        stream.write(json.dumps(line) + "\n")
    return status


SignedAction._execute = observe  # type: ignore[method-assign]
# a build that is read again starts the same program with the same words
words, sys.argv[1:] = sys.argv[1:], sys.argv[2:]
os_execv = os.execv
os.execv = lambda program, argv: os_execv(program, [argv[0], argv[1], words[0], *argv[2:]])
SCons.Script.Main.main()
