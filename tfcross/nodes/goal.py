"""All that a finished build has read and made, for the check in front of the next one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import SCons.Node

from .. import environment
from ..compiler import identity_files
from ..toolchain import Toolchain
from ..uptodate import Record, project_files
from .stages import Build

DONE = (SCons.Node.up_to_date, SCons.Node.executed)


def remember(build: Build, record: Record, begun_ns: int) -> None:
    """Keep in ``record`` that ``build`` is done, if it is; ``begun_ns`` is when it began."""
    goal = build.goal
    if goal is None or goal.get_state() not in DONE:  # an interrupted or failed build has not got there
        return
    read, made = files_below(goal)
    assert build.headers
    read += [*build.headers.changeable(), *project_files(build.root)]
    read += [file for name in build.options.models for file in model_files(Path(name))]
    read += toolchain_files((build.toolchain, build.host), environment.path())
    record.keep(str(goal), read, made, begun_ns)


def model_files(model: Path) -> list[str]:
    """What a model is read from, or would be if it were there."""
    inside = ("saved_model.pb", "saved_model.pbtxt")
    return [str(path) for path in (model, *(model / name for name in inside), model.parent / "proof.yaml")]


def files_below(goal: Any) -> tuple[list[str], list[str]]:
    """What the node ``goal`` was made from in the end, and what was made on the way, as paths."""
    read: list[str] = []
    made: list[str] = []
    seen, todo = set(), [goal]
    while todo:
        node = todo.pop()
        if node in seen:
            continue
        seen.add(node)
        children = node.all_children()
        todo += children
        (made if children else read).append(str(node))
    return read, made


def toolchain_files(toolchains: Iterable[Toolchain], search_path: str) -> Iterator[str]:
    """The programs of ``toolchains``, by the names they were found under and as what these lead to."""
    for chain in toolchains:
        programs = [chain.cxx, chain.cc, chain.linker, chain.ar, chain.ranlib, chain.nm, chain.readelf]
        for program in [*programs, chain.strip, *chain.launcher[:1]]:
            yield from (program, str(Path(program).resolve()))
        yield from identity_files(chain.cxx, search_path, chain.flags)
