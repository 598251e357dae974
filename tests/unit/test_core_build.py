"""How the core's units are compiled, where a toolchain has precompiled headers and where it has none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tfcross.releases.coreset import load_core
from tfcross.scons.compiling import CompileFlags
from tfcross.stages.core import CoreBuild, CoreFolders

ROOT = Path(__file__).parents[2]
FLAGS = CompileFlags(ccflags=("-Os",), defines=("NDEBUG",))


class Recorder:
    """Stands in for the nodes' compiler: ``compiled`` is the flags by object."""

    def __init__(self, precompiles: bool) -> None:
        self.toolchain = SimpleNamespace(precompiles=precompiles)
        self.env = SimpleNamespace(Depends=lambda node, order: None)
        self.compiled: dict[str, CompileFlags] = {}

    def unit(self, target: str, source: str, flags: CompileFlags) -> str:
        self.compiled[target] = flags
        return target

    def precompiled(self, header: str, flags: CompileFlags, text: str) -> tuple[CompileFlags, str]:
        return replace(flags, pch=header), header


@pytest.mark.parametrize(
    ("precompiles", "most"),
    [
        pytest.param(True, replace(FLAGS, pch="w/precompiled.h"), id="in the precompiled header"),
        pytest.param(False, replace(FLAGS, defines=("NDEBUG", "EIGEN_USE_THREADS=")), id="by a flag"),
    ],
)
def test_the_defines_of_the_precompiled_header_hold_without_it_too(
    precompiles: bool, most: CompileFlags
) -> None:
    selection: Any = SimpleNamespace(registry=SimpleNamespace(files=()))
    compiler: Any = Recorder(precompiles)
    build = CoreBuild(
        compiler, load_core(ROOT / "releases/1.8.0"), FLAGS, CoreFolders("tree", "gen", "w"), ()
    )
    alone = "tensorflow/core/util/device_name_utils.cc"
    build.units(["tensorflow/core/graph/graph.cc", alone], selection)
    assert compiler.compiled == {"w/core/tensorflow/core/graph/graph.cc.o": most, f"w/core/{alone}.o": FLAGS}
