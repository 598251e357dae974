"""All that a finished build has read and made, for the check in front of the next one."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import SCons.Node

from tfcross import environment
from tfcross.scons.actions import OURS
from tfcross.scons.uptodate import Record, project_files
from tfcross.stages.build import Goal
from tfcross.toolchains.driver import identity_files
from tfcross.toolchains.toolchain import Toolchain

DONE = (SCons.Node.up_to_date, SCons.Node.executed)


def remember(goal: Goal | None, record: Record, begun_ns: int) -> None:
    """Keep in ``record`` that the build has made its ``goal``, if it has; ``begun_ns`` is when it began."""
    # an interrupted or failed build has not got there
    if goal is None or not goal.nodes or any(node.get_state() not in DONE for node in goal.nodes):
        return
    plan = goal.plan
    if plan.toolchain.root:  # another SDK may be installed or selected: no list of files tells
        return
    nodes = nodes_below(goal.nodes)
    files = [*nodes, *goal.headers.changeable(), *project_files(plan.root)]
    files += [file for name in plan.options.models for file in model_files(Path(name))]
    files += toolchain_files((plan.toolchain, plan.host), environment.path())
    made = {file for file in files if file.startswith(OURS)} | {str(node) for node in goal.nodes}
    made.update(file for node in nodes for file in goal.made.files(node))
    record.keep(str(goal.nodes[0]), set(files) - made, made, begun_ns)


def model_files(model: Path) -> list[str]:
    """What a model is read from, or would be if it were there."""
    inside = ("saved_model.pb", "saved_model.pbtxt")
    return [str(path) for path in (model, *(model / name for name in inside), model.parent / "proof.yaml")]


def nodes_below(goals: Iterable[Any]) -> list[str]:
    """The paths of all that the nodes ``goals`` were made from, themselves among them."""
    seen, todo = set(), list(goals)
    while todo:
        node = todo.pop()
        if node not in seen:
            seen.add(node)
            todo += node.all_children()
    return [str(node) for node in seen]


def toolchain_files(toolchains: Iterable[Toolchain], search_path: str) -> Iterator[str]:
    """The programs of ``toolchains``, as found and as what that leads to; and where they were looked for."""
    yield from search_path.split(os.pathsep)
    for chain in toolchains:
        programs = [chain.cxx, chain.cc, chain.linker, chain.ar, chain.nm, chain.strip]
        for program in [*programs, *chain.launcher[:1]]:
            yield from (program, str(Path(program).resolve()))
        yield from identity_files(chain.cxx, search_path, chain.flags)
