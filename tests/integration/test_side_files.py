"""An action writes just the files that it declares: two that wrote one could do so at the same time."""

from __future__ import annotations

import fnmatch
import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from classic_project import WORDS, Built, Project, make_project

HERE = Path(__file__).parent
#: What an action may leave undeclared: kind of action, pattern of the file, why.
UNDECLARED = (
    ("C++", "*.o.d", "the compiler's list of headers; beside its object"),
    ("C++", "*.o.key", "what the object was made from; beside it"),
    ("PCH", "*.gch.d", "the same of a precompiled header"),
    ("PCH", "*.gch.key", "the same"),
    ("HDRS", "*.headers/all.cc.d", "the compiler's list of the public headers"),
    ("HDRS", "*/out/include/*", "the folder that is all the action's own"),
    ("OUT", "out/PI-armv7/*", "the folder that is all the action's own"),
)
#: All that the stand-in has, beside copies, which say nothing.
KINDS = "AR C++ CHECK HDRS LINK NM OUT PACK PCH PROTO PROVE SIZES STRIP"
#: What all actions add a line to.
RECORDS = ("build/made.jsonl",)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return make_project(tmp_path_factory.mktemp("observed"))


@pytest.fixture(scope="module")
def warm(project: Project) -> Built:
    return project.build("out", "benchmark")


@pytest.fixture(scope="module")
def log(project: Project, warm: Built) -> list[dict[str, Any]]:
    """What each action changed, in a run where SCons knows nothing and some objects of each kind are gone."""
    build = project.folder / "build"
    (build / "sconsign.dblite").unlink()
    for pattern in ("deps/nsync/**/common.c.o", "core/**/direct_session.cc.o", "precompiled.h.gch"):
        for path in build.glob(f"PI-armv7/*/{pattern}"):
            path.unlink()
    path = project.folder / "observed"
    words = [*WORDS, f"SOURCE_tensorflow={project.tree}", "benchmark", "package", "sizes", "-j1"]
    argv = [sys.executable, HERE / "observed_scons.py", path, *words]
    done = subprocess.run(argv, cwd=project.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_actions_of_every_kind_were_looked_at(log: list[dict[str, Any]]) -> None:
    kinds = {line["shown"] for line in log if line["changed"]}
    assert kinds == {"", *KINDS.split()}


def test_no_action_writes_what_it_does_not_declare(log: list[dict[str, Any]]) -> None:
    wrong = [
        (line["shown"], line["targets"][0], path)
        for line in log
        for path in line["changed"]
        if path not in (*line["targets"], *RECORDS) and not excepted(line["shown"], path)
    ]
    assert wrong == []


def excepted(shown: str, path: str) -> bool:
    return any(shown == kind and fnmatch.fnmatch(path, pattern) for kind, pattern, _ in UNDECLARED)


def test_no_two_actions_write_one_file(log: list[dict[str, Any]]) -> None:
    writers: dict[str, set[str]] = defaultdict(set)
    for line in log:
        for path in {*line["changed"], *line["targets"]} - {*RECORDS}:
            writers[path].add(line["targets"][0])
    assert {path: names for path, names in writers.items() if len(names) > 1} == {}


def test_every_exception_is_one(log: list[dict[str, Any]]) -> None:
    changed = [(line["shown"], path) for line in log for path in line["changed"]]
    used = {
        (kind, pattern)
        for kind, pattern, _ in UNDECLARED
        if any(kind == shown and fnmatch.fnmatch(path, pattern) for shown, path in changed)
    }
    assert used == {(kind, pattern) for kind, pattern, _ in UNDECLARED}


def test_the_stripped_app_is_there_before_it_is_measured_and_proven(log: list[dict[str, Any]]) -> None:
    kinds = [line["shown"] for line in log]
    assert kinds.index("STRIP") < min(kinds.index("SIZES"), kinds.index("PROVE"))


def test_many_jobs_at_once_make_the_same_folder(project: Project, warm: Built) -> None:
    """PROVE, SIZES and CHECK all read the app at the same time."""
    before = (warm.out / "manifest.json").read_bytes()
    for path in (project.folder / "build").glob("PI-armv7/*/models/*/proof0/*"):
        if path.is_file() and path.suffix != ".o":
            path.unlink()
    run = project.scons(*WORDS, "OUT=out", "-j8")
    assert (run.status, run.errors) == (0, [])
    assert len(run.made("STRIP")) == 1
    manifest = json.loads((warm.out / "manifest.json").read_text())
    assert manifest["sizes"] == json.loads(before)["sizes"]
