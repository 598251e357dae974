"""Ctrl-C and SIGTERM while a compiler runs that would not end for ten minutes: the host's, for protoc."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from classic_project import WORDS, Project, make_project
from project_build import start_scons

#: Writes half an object, and goes on in a process of its own, as compilers do.
SLOW = """#!/bin/sh
case "$*" in *" -c "*".cc -o "*)
    for output; do :; done
    printf half >"$output"
    echo "$output" >>"{started}"
    sleep {seconds}
esac
exec {compiler} "$@"
"""
PROGRAMS = [f"{prefix}{name}" for prefix in ("", "x86_64-linux-gnu-") for name in ("gcc-12", "g++-12")]
SECONDS = 641  # tells the process from others' sleep


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return make_project(tmp_path_factory.mktemp("interrupted"))


def slow_compilers(folder: Path, started: Path) -> dict[str, str]:
    """An environment in which no compile comes to an end; each is told in the file ``started``."""
    folder.mkdir()
    for program in PROGRAMS:
        wrapper = folder / program
        wrapper.write_text(SLOW.format(started=started, seconds=SECONDS, compiler=f"/usr/bin/{program}"))
        wrapper.chmod(0o755)
    return {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}


def sleeping() -> list[str]:
    lines = subprocess.run(
        ["ps", "-A", "-o", "stat=,args="], capture_output=True, text=True, check=True
    ).stdout
    return [line for line in lines.splitlines() if f"sleep {SECONDS}" in line and line[0] != "Z"]


def wait_for_compiles(process: subprocess.Popen[str], started: Path, count: int) -> None:
    deadline = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline:
        if started.is_file() and len(started.read_text().split()) >= count and len(sleeping()) >= count:
            return
        time.sleep(0.05)
    process.kill()
    raise AssertionError("no compile has begun", process.communicate())


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize(
    ("number", "status", "message"),
    [
        pytest.param(signal.SIGINT, 130, "error: interrupted.\n", id="interrupted"),
        pytest.param(signal.SIGTERM, 143, "error: terminated.\n", id="terminated"),
    ],
)
def test_a_signal_ends_the_build_and_its_compilers_at_once(
    project: Project, tmp_path: Path, jobs: int, number: int, status: int, message: str
) -> None:
    environment = slow_compilers(tmp_path / "bin", tmp_path / "started")
    words = (*WORDS, f"SOURCE_tensorflow={project.tree}", f"-j{jobs}")
    process = start_scons(*words, cwd=project.folder, env=environment)
    wait_for_compiles(process, tmp_path / "started", jobs)
    begun = time.monotonic()
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert time.monotonic() - begun < 3
    assert (process.returncode, err) == (status, message)
    assert "Error" not in out and "terminated" not in out
    assert sleeping() == []
    outputs = [project.folder / name for name in (tmp_path / "started").read_text().split()]
    assert [path.suffix for path in outputs] == [".part"] * jobs
    assert [path for path in outputs if path.exists() or path.with_suffix("").exists()] == []
