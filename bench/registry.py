#!/usr/bin/env python3
"""How long the registry takes, cold and warm, and what it finds, with each toolchain that is given.

bench/registry.py [TOOLCHAIN...]       default: clang-14 gcc-12
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from measure import ROOT, print_table, verdict

from tfcross import environment
from tfcross.capacity import core_count
from tfcross.registry.data import load_registry_data
from tfcross.registry.preprocess import TargetCompiler
from tfcross.registry.registry import Registry, build_registry
from tfcross.releases.coreset import load_core
from tfcross.releases.release import load_release
from tfcross.sources.fetch import fetch_sources
from tfcross.targets.profile import load_profile
from tfcross.toolchains.families import resolve_toolchain

COLD_SECONDS, WARM_SECONDS = 20.0, 1.0
RELEASE = "2.14.1"


def main(toolchains: list[str]) -> None:
    rows = [measure_toolchain(name) for name in toolchains or ["clang-14", "gcc-12"]]
    head = ["toolchain", "cold s", "cold CPU s", "warm s", "files", "ops", "kernels", "not understood"]
    print_table(head, rows)


def measure_toolchain(name: str) -> list[object]:
    with tempfile.TemporaryDirectory(prefix="registry-") as cache:
        arguments = arguments_for(name, Path(cache))
        before = cpu_seconds()
        cold, registry = timed(arguments)
        cpu = cpu_seconds() - before
        warm, _ = timed(arguments)
    counts = (registry.files, registry.ops, registry.kernels, registry.problems)
    return [name, verdict(cold, COLD_SECONDS), cpu, verdict(warm, WARM_SECONDS), *map(len, counts)]


def arguments_for(name: str, cache: Path) -> dict[str, Any]:
    """What a build for the Pi gives ``build_registry``."""
    release = load_release(ROOT, RELEASE)
    core = load_core(release.folder)
    profile = load_profile(ROOT, "PI", None, RELEASE)
    toolchain = resolve_toolchain(ROOT, name, profile, environment.path(), "")
    tree = fetch_sources(release, [core.tree], store=environment.cache_folder(), progress=True)[core.tree]
    argv = (toolchain.cxx, *toolchain.flags, f"-std={core.cxx_standard}")
    defines = (*core.defines, *profile.defines, *core.type_defines("full"))
    return {
        "data": load_registry_data(release.folder),
        "include_root": tree.path,
        "tree_id": tree.stamp.read_text(),
        "compiler": TargetCompiler(argv, defines, toolchain.identity),
        "jobs": core_count(),
        "cache": cache,
    }


def timed(arguments: dict[str, Any]) -> tuple[float, Registry]:
    begun = time.monotonic()
    registry = build_registry(**arguments)
    return time.monotonic() - begun, registry


def cpu_seconds() -> float:
    """Of this process and its finished children."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


if __name__ == "__main__":
    main(sys.argv[1:])
