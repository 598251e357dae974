"""What SCons compiles again with our nodes, in a small project of its own, with a real compiler."""

from __future__ import annotations

import os
import shutil
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
from tfcross.scons.headerdeps import HeaderDeps
from tfcross.scons.actions import Runner
from tfcross.scons.compiling import CompileFlags, Compiler
from tfcross.targets.profile import load_host_profile
from tfcross.toolchains.families import resolve_toolchain

root = Path({root!r})
profile = load_host_profile(root, "2.14.1")
toolchain = resolve_toolchain(root, ARGUMENTS["TOOLCHAIN"], profile, environment.path(), "")
env = DefaultEnvironment(tools=[], ENV={{}})
env.SConsignFile("build/sconsign")
env.Decider("content")
SetOption("max_drift", 2)
headers = HeaderDeps(Path("build"), {{}})
stale = frozenset(headers.stale())
variables = environment.compiler_environment()
if "NO_PROC" in ARGUMENTS:  # as on a Mac
    variables["PWD"] = environment.working_folder("/no/proc")
compiler = Compiler(env, toolchain, Runner(variables), headers, stale)
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
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def build(self, *words: str) -> list[str]:
        scons = [Path(sys.executable).parent / "scons", "-Q", f"TOOLCHAIN={self.toolchain}", *words]
        said = {"capture_output": True, "text": True, "check": False}
        done = subprocess.run(scons, cwd=self.folder, env={**os.environ, "PWD": str(self.folder)}, **said)
        assert done.returncode == 0, done.stdout + done.stderr
        lines = [line.split() for line in done.stdout.splitlines() if line.startswith("  ")]
        return sorted(Path(words[1]).name for words in lines)

    def three(self) -> int:
        """What the function in three.cc gives in the archive that was built."""
        self.write("main.cc", "int Three();\nint main() { return Three(); }\n")
        command = ["g++-12", "main.cc", "build/libsmall.a", "-o", "main"]
        subprocess.run(command, cwd=self.folder, check=True)
        return subprocess.run([self.folder / "main"], check=False).returncode


ALL = ["libsmall.a", "one.o", "three.o", "two.o"]


@pytest.fixture(params=["gcc-12", "clang-14"])
def project(request, tmp_path) -> Project:
    made = Project(tmp_path / "first", request.param)
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


def made_of(folder: Path) -> dict[str, bytes]:
    """The objects, and clang's precompiled header: GCC's is an image of its memory, another one each time."""
    files = [path for path in (folder / "build").iterdir() if path.suffix in (".o", ".pch")]
    return {path.name: path.read_bytes() for path in files}


def test_in_every_folder_the_same_is_made(project, tmp_path):
    other = Project(tmp_path / "another-name/deeper", project.toolchain)
    for made in (project, other):
        made.build("FLAGS=-O1 -g")
    assert made_of(project.folder) == made_of(other.folder)
    assert len(made_of(project.folder)) == {"gcc-12": 3, "clang-14": 4}[project.toolchain]


@pytest.mark.parametrize("transfer", [shutil.move, shutil.copytree], ids=["moved", "copied"])
def test_nothing_is_made_again_in_another_folder_and_its_own_headers_are_used(project, tmp_path, transfer):
    transfer(project.folder, tmp_path / "second")
    if project.folder.exists():  # what is there is nothing to the other one
        project.write("include/common.h", "inline int Common() { return 99; }\n")
    project.folder = tmp_path / "second"
    assert project.build() == []
    project.write("three.cc", "int Three() { return Common() + 1; }\n")
    assert project.build() == ["libsmall.a", "three.o"]
    assert project.three() == 4
    project.write("include/common.h", "inline int Common() { return 33; }\n")
    assert [name for name in project.build() if name.endswith(".o")] == ["three.o"]
    assert project.three() == 34


def test_a_link_to_the_folder_is_the_folder(project, tmp_path):
    (tmp_path / "link").symlink_to("first")
    project.folder = tmp_path / "link"
    assert project.build() == []
    project.write("include/common.h", "inline int Common() { return 33; }\n")
    assert [name for name in project.build() if name.endswith(".o")] == ["three.o"]
    project.folder = tmp_path / "first"
    assert project.build() == []


@pytest.mark.parametrize("words", [["NO_PROC=1"], []], ids=["on a Mac", "as it is now"])
def test_what_was_precompiled_under_a_folders_own_name_is_made_anew_elsewhere(project, tmp_path, words):
    project.build("NO_PROC=1")
    assert project.build("NO_PROC=1") == []
    shutil.move(project.folder, tmp_path / "second")
    project.folder = tmp_path / "second"
    project.write("three.cc", "int Three() { return Common() + 1; }\n")
    made = [name.partition(".h.")[0] for name in project.build(*words)]
    assert made == ["libsmall.a", "precompiled", "three.o"]
    assert project.three() == 4
    assert project.build(*words) == []
