"""./bootstrap in a copy of the project without Python dependencies, with fake apt, dpkg and id on PATH."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sysconfig
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PYPROJECT = """
[project]
dependencies = []
[project.optional-dependencies]
test = ["pip"]
[tool.tfcross]
build_packages = []
test_packages = ["a-test-package"]
"""
PI_PACKAGES = (
    "clang-14 g++-12 g++-12-arm-linux-gnueabihf libatomic1-armhf-cross libstdc++6-armhf-cross "
    "qemu-user-static"
)
INSTALL = f"-y -o DPkg::Lock::Timeout=600 install --no-install-recommends {PI_PACKAGES}"


class Project:
    """A project folder, and the programs that its bootstrap finds first on PATH."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "a project"
        self.fakes = folder / "fakes"
        self.fakes.mkdir()
        for name in ("tfcross", "targets", "releases", "toolchains", "scripts"):
            shutil.copytree(ROOT / name, self.root / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("bootstrap", "nightly.yaml"):
            shutil.copy(ROOT / name, self.root)
        (self.root / "pyproject.toml").write_text(PYPROJECT)

    def fake(self, name: str, script: str) -> None:
        (self.fakes / name).write_text(f"#!/bin/sh\n{script}\n")
        (self.fakes / name).chmod(0o755)

    def environ(self, **more: str) -> dict[str, str]:
        # What the scripts import comes from where these tests run; the project's own list is empty.
        path = f"{self.fakes}:{os.environ['PATH']}"
        own = {name: value for name, value in os.environ.items() if name != "PYTHON"}  # as CI gives it
        return {**own, "PYTHONPATH": sysconfig.get_path("purelib"), "PATH": path, **more}

    def start(self, *words: str, **environ: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(self.root / "bootstrap"), *words],
            cwd="/",
            env=self.environ(**environ),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, *words: str, **environ: str) -> tuple[int, str, str]:
        """Status, output and errors of ``bootstrap WORDS...`` started in another folder."""
        process = self.start(*words, **environ)
        output, errors = process.communicate(timeout=300)
        return process.returncode, output, errors


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project that was set up, with no package installed and no way to install one."""
    project = Project(tmp_path_factory.mktemp("bootstrap"))
    status, _, errors = project.run("true")
    assert (status, errors.count("making .venv"), errors.count("installing")) == (0, 1, 1)
    return project


@pytest.fixture
def project(ready: Project) -> Iterator[Project]:
    (ready.root / ".venv/.packages").unlink(missing_ok=True)
    yield ready
    for fake in ready.fakes.iterdir():
        fake.unlink()


def test_without_a_command_the_usage_is_shown(project: Project) -> None:
    status, output, errors = project.run()
    assert (status, output) == (2, "")
    assert errors.startswith("usage: ./bootstrap COMMAND [ARGUMENT...]\n")


def test_help_is_no_error(project: Project) -> None:
    status, output, errors = project.run("--help")
    assert (status, errors) == (0, "")
    assert output.startswith("usage: ./bootstrap COMMAND [ARGUMENT...]\n")


def test_the_command_runs_in_the_project_with_its_venv_its_arguments_and_its_status(project: Project) -> None:
    script = 'command -v python; pwd -P; printf "%s|" "$@"; exit 7'
    status, output, errors = project.run("sh", "-c", script, "name", "a b", "", "*")
    assert (status, errors) == (7, "")
    assert output == f"{project.root}/.venv/bin/python\n{project.root}\na b||*|"


def test_the_second_run_costs_less_than_a_second(project: Project) -> None:
    project.run("true", "TARGET=LINUX")
    start = time.monotonic()
    assert project.run("true", "TARGET=LINUX") == (0, "", "")
    assert time.monotonic() - start < 1


def test_an_unknown_target_is_one_line(project: Project) -> None:
    expected = (2, "", "error: TARGET=NOPE: unknown target. Known: ANDROID, DARWIN, IOS, LINUX, PI.\n")
    assert project.run("scons", "TARGET=NOPE") == expected


def test_an_ordinary_user_is_told_the_one_line_to_run(project: Project) -> None:
    project.fake("id", "echo 1000")
    project.fake("dpkg-query", "")
    project.fake("apt-get", "echo must not run >&2")
    assert project.run("echo", "ran", "TARGET=PI") == (
        3,
        "",
        "error: Debian packages are missing; run: "
        f"sudo apt-get install --no-install-recommends {PI_PACKAGES}\n",
    )


def test_root_gets_the_packages_installed_without_reading_the_lists_anew(project: Project) -> None:
    project.fake("id", "echo 0")
    project.fake("dpkg-query", "")
    project.fake("apt-get", 'echo "$*" >>"${0%/*}/calls"')
    expected = (0, "TARGET=PI\n", f"bootstrap: installing Debian packages: {PI_PACKAGES}\n")
    assert project.run("echo", "TARGET=PI") == expected
    assert (project.fakes / "calls").read_text() == f"{INSTALL}\n"


def test_the_package_lists_are_read_anew_when_a_package_is_not_found(project: Project) -> None:
    project.fake("id", "echo 0")
    project.fake("dpkg-query", "")
    project.fake("dpkg", "")
    project.fake("apt-get", 'echo "$*" >>"${0%/*}/calls"; grep -q update "${0%/*}/calls"')
    assert project.run("true", "TARGET=PI")[0] == 0
    update = "-y -o DPkg::Lock::Timeout=600 update"
    assert (project.fakes / "calls").read_text() == f"{INSTALL}\n{update}\n{INSTALL}\n"


def test_a_package_that_cannot_be_installed_ends_with_apts_last_words(project: Project) -> None:
    project.fake("id", "echo 0")
    project.fake("dpkg-query", "")
    project.fake("dpkg", "")
    project.fake("sleep", "")
    project.fake("apt-get", 'echo "E: no $*"; exit 100')
    status, output, errors = project.run("echo", "TARGET=PI")
    assert (status, output) == (1, "")
    assert f"E: no {INSTALL}\n" in errors
    assert errors.endswith(f" failed; all of its output is in {project.root}/build/bootstrap.log\n")


def test_tests_need_the_packages_of_every_target_and_their_own(project: Project) -> None:
    project.fake("id", "echo 1000")
    project.fake("dpkg-query", "")
    status, _, errors = project.run("pytest")
    assert status == 3
    assert errors.endswith(
        "--no-install-recommends a-test-package clang-14 g++-12 g++-12-aarch64-linux-gnu "
        "g++-12-arm-linux-gnueabihf libatomic1-armhf-cross libstdc++6-armhf-cross qemu-user-static\n"
    )


@pytest.mark.parametrize(
    ("words", "packages"),
    [
        pytest.param([], PI_PACKAGES, id="all builds"),
        pytest.param(["--list"], "", id="a list"),
        pytest.param(["--verify", "/nowhere"], "", id="a check"),
    ],
)
def test_nightly_builds_need_the_packages_of_their_matrix(
    project: Project, words: list[str], packages: str
) -> None:
    for name in ("releases", "examples"):
        if not (project.root / name).exists():
            (project.root / name).symlink_to(ROOT / name)
    project.fake("id", "echo 1000")
    project.fake("dpkg-query", "")
    _, _, errors = project.run("scripts/nightly.py", *words)
    asked = "error: Debian packages are missing; run: sudo apt-get install --no-install-recommends "
    assert [line for line in errors.splitlines() if line.startswith(asked)] == (
        [asked + packages] if packages else []
    )


def test_packages_that_are_there_are_not_asked_for(project: Project) -> None:
    project.fake("id", "echo 1000")
    project.fake(
        "dpkg-query", f"for p in {PI_PACKAGES}; do echo installed $p; done; echo config-files ccache"
    )
    assert project.run("echo", "TARGET=PI") == (0, "TARGET=PI\n", "")


def test_a_python_that_is_too_old_is_one_line(project: Project, tmp_path: Path) -> None:
    (project.root / ".venv/.ready").rename(tmp_path / "ready")
    project.fake("python3", 'case "$*" in --version) echo Python 3.9.2 ;; *) exit 1 ;; esac')
    expected = (1, "", "error: Python 3.9.2 is too old; install Python 3.11 or later, or set PYTHON=\n")
    assert project.run("true") == expected
    (tmp_path / "ready").rename(project.root / ".venv/.ready")


def test_a_python_that_is_missing_is_one_line(project: Project, tmp_path: Path) -> None:
    (project.root / ".venv/.ready").rename(tmp_path / "ready")
    expected = (1, "", "error: python9 is not on PATH; install Python 3.11 or later, or set PYTHON=\n")
    assert project.run("true", PYTHON="python9") == expected
    (tmp_path / "ready").rename(project.root / ".venv/.ready")


def test_a_changed_list_of_packages_is_installed_once_by_two_at_once(project: Project) -> None:
    with (project.root / "pyproject.toml").open("a") as stream:
        stream.write("# changed\n")
    both = [project.start("true"), project.start("true")]
    errors = [process.communicate(timeout=300)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sorted(errors) == ["", "bootstrap: installing Python packages\n"]


def test_a_set_up_that_was_killed_is_made_anew(tmp_path: Path) -> None:
    project = Project(tmp_path)
    process = project.start("true")
    while not (project.root / ".venv/bin/python").exists():
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    status, _, errors = project.run("python", "-c", "import pip")
    assert (status, errors.count("making .venv")) == (0, 1)


def test_a_moved_project_gets_a_new_venv(ready: Project, tmp_path: Path) -> None:
    project = Project(tmp_path)
    shutil.rmtree(project.root)
    shutil.copytree(ready.root, project.root, symlinks=True)
    status, output, errors = project.run("python", "-P", "-c", "import tfcross; print(tfcross.__file__)")
    assert (status, output) == (0, f"{project.root}/tfcross/__init__.py\n")
    assert errors.count("making .venv") == 1
