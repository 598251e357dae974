"""What the registry could not read, per op: a missing registration may be the one that is needed."""

from __future__ import annotations

import re

from tfcross.registry import Registry

REMEDY = "Correct that source (SOURCE_tensorflow=…), or report it."
_NAMED = re.compile(r': (?:kernel|op) (\w+)\b|\bName\("(\w+)"\)')
_TWICE = re.compile(r": op \w+ is defined in \S+ already$")


def problems_of(registry: Registry, op: str) -> list[str]:
    """The registry's problems that concern ``op``: they name it, or no op at all, in a file of its own."""
    files = {kernel.file for kernel in registry.kernels_of(op)}
    found = []
    for problem in registry.problems:
        names = {name for pair in _NAMED.findall(problem) for name in pair if name}
        if op in names or (not names and problem.partition(": ")[0] in files):
            found.append(problem)
    return found


def second_definitions(registry: Registry, op: str) -> list[str]:
    """Those that say that ``op`` is defined again."""
    return [problem for problem in problems_of(registry, op) if _TWICE.search(problem)]
