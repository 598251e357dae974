"""What SCons compiles again with our nodes, in a small project of its own, with a real compiler."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

SCONSTRUCT = """
import atexit, sys
from pathlib import Path
sys.path.insert(0, {root!r})
from tfcross import environment
from tfcross.headerdeps import HeaderDeps
from tfcross.nodes.actions import Runner
from tfcross.nodes.compiling import CompileFlags, Compiler
from tfcross.profile import load_host_profile
from tfcross.toolchain import resolve_toolchain

root = Path({root!r})
profile = load_host_profile(root, "2.14.1")
toolchain = resolve_toolchain(root, ARGUMENTS["TOOLCHAIN"], profile, environment.path(), "")
env = DefaultEnvironment(tools=[], ENV={{}})
env.SConsignFile("build/sconsign")
env.Decider("content")
SetOption("max_drift", 2)
headers = HeaderDeps(Path("build"), {{}})
stale = frozenset(headers.stale())
compiler = Compiler(env, toolchain, Runner(environment.compiler_environment()), headers, stale)
flags = CompileFlags(ccflags=tuple(ARGUMENTS.get("FLAGS", "-O0").split()), include=("include",))
with_pch, _ = compiler.precompiled("build/precompiled.h", flags, '#include "common.h"\\n')
objects = [
    compiler.unit("build/one.o", "one.cc", flags),
    compiler.unit("build/two.o", "two.cc", flags),
    compiler.unit("build/three.o", "three.cc", with_pch),
]
Default(compiler.archive("build/libsmall.a", objects))
atexit.register(headers.save)
"""

FILES = {
    "include/first.h": "inline int First() { return 1; }\n",
    "include/second.h": "inline int Second() { return 2; }\n",
    "include/common.h": "inline int Common() { return 3; }\n",
    "one.cc": '#include "first.h"\nint One() { return First(); }\n',
    "two.cc": '#include "first.h"\n#include "second.h"\nint Two() { return First() + Second(); }\n',
    "three.cc": "int Three() { return Common(); }\n",
}


class Project:
    """``build`` names the objects that a run of SCons made, without folder and in order."""

    def __init__(self, folder: Path, toolchain: str) -> None:
        self.folder, self.toolchain = folder, toolchain
        for name, text in {**FILES, "SConstruct": SCONSTRUCT.format(root=str(ROOT))}.items():
            self.write(name, text)

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)

    def build(self, *words: str) -> list[str]:
        scons = [Path(sys.executable).parent / "scons", "-Q", f"TOOLCHAIN={self.toolchain}", *words]
        done = subprocess.run(scons, cwd=self.folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        lines = [line.split() for line in done.stdout.splitlines() if line.startswith("  ")]
        return sorted(Path(words[1]).name for words in lines)


ALL = ["libsmall.a", "one.o", "three.o", "two.o"]


@pytest.fixture(params=["gcc-12", "clang-14"])
def project(request, tmp_path) -> Project:
    made = Project(tmp_path, request.param)
    assert [name for name in made.build() if not name.startswith("precompiled.h")] == ALL
    return made


def test_nothing_is_made_twice(project):
    assert project.build() == []


def test_a_touched_header_with_the_same_text_makes_nothing_stale(project):
    os.utime(project.folder / "include/first.h")
    assert project.build() == []


def test_a_changed_header_compiles_what_includes_it_and_nothing_else(project):
    project.write("include/second.h", "inline int Second() { return 22; }\n")
    assert project.build() == ["libsmall.a", "two.o"]
    assert project.build() == []


def test_a_header_of_the_precompiled_one_compiles_what_uses_it(project):
    project.write("include/common.h", "inline int Common() { return 33; }\n")
    made = project.build()
    assert [name for name in made if not name.startswith("precompiled.h")] == ["libsmall.a", "three.o"]
    assert project.build() == []


def test_a_changed_source_compiles_that_source(project):
    project.write("one.cc", FILES["one.cc"].replace("First()", "First() + 1"))
    assert project.build() == ["libsmall.a", "one.o"]


def test_a_changed_flag_compiles_everything(project):
    made = project.build("FLAGS=-O1")
    assert [name for name in made if not name.startswith("precompiled.h")] == ALL
    assert project.build("FLAGS=-O1") == []


@pytest.mark.parametrize("lost", ["sconsign.dblite", "headers.pickle"])
def test_a_lost_record_makes_nothing_anew_but_what_cannot_be_known(project, lost):
    (project.folder / "build" / lost).unlink()
    assert [name for name in project.build() if name.endswith(".o")] == []
    project.write("include/second.h", "inline int Second() { return 222; }\n")
    assert project.build() == ["libsmall.a", "two.o"]


def test_objects_of_another_compiler_are_not_mixed(project):
    project.toolchain = {"gcc-12": "clang-14", "clang-14": "gcc-12"}[project.toolchain]
    made = project.build()
    assert [name for name in made if not name.startswith("precompiled.h")] == ALL
