"""All scripts begin and end alike, whichever Python a user's PATH has."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from project_build import ROOT

SCRIPTS = sorted(path.name for path in (ROOT / "scripts").glob("*.py"))
#: No virtual environment, and so no package of the project's.
BARE = {"PATH": "/usr/bin:/bin", "HOME": str(Path.home())}
BEGINNING = """
ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tfcross.cli import script  # noqa: E402

script.start(ROOT)
"""
ENDING = re.compile(r'\n\n\nif __name__ == "__main__":\n    sys\.exit\(script\.run\(main, .+\)\)\n\Z')

each_script = pytest.mark.parametrize("name", SCRIPTS)


def bare(program: Path, *words: str, **options: object) -> subprocess.CompletedProcess[str]:
    more = {"env": BARE, "cwd": "/", **options}
    return subprocess.run([program, *words], capture_output=True, text=True, check=False, **more)  # type: ignore[call-overload, no-any-return]


@each_script
def test_a_script_begins_and_ends_as_the_others(name: str) -> None:
    text = (ROOT / "scripts" / name).read_text()
    assert BEGINNING in text
    assert ENDING.search(text)


@each_script
def test_a_script_finds_its_packages_from_any_folder(name: str) -> None:
    run = bare(ROOT / "scripts" / name, "--help")
    assert (run.returncode, run.stderr) == (0, "")
    assert f"scripts/{name}" in run.stdout


@each_script
def test_what_it_does_not_know_is_one_line(name: str) -> None:
    wrong = "--no-such-option" if name != "system_packages.py" else "TARGET=NONE"
    run = bare(ROOT / "scripts" / name, wrong)
    assert (run.returncode, run.stdout) == (2, "")
    assert re.fullmatch(r"error: .+\n", run.stderr)


@each_script
def test_a_pipe_that_is_closed_ends_it_quietly(name: str) -> None:
    read, write = os.pipe()
    os.close(read)
    argv = [ROOT / "scripts" / name, "--help"]
    run = subprocess.run(argv, env=BARE, stdout=write, stderr=subprocess.PIPE, check=False)
    os.close(write)
    assert (run.returncode, run.stderr) == (141, b"")


@pytest.mark.parametrize("closed", [">&-", ">&- 2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("command", ["doctor.py TARGET=PI", "list_ops.py --help"])
def test_a_closed_output_is_one_that_nobody_reads(command: str, closed: str) -> None:
    open_streams = bare(Path("/bin/sh"), "-c", f"{ROOT}/scripts/{command}")
    run = bare(Path("/bin/sh"), "-c", f"{ROOT}/scripts/{command} {closed}")
    assert (run.returncode, run.stdout, run.stderr) == (open_streams.returncode, "", "")


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_a_name_that_is_no_text_is_shown_all_the_same(tmp_path: Path, encoding: str) -> None:
    model = os.fsencode(tmp_path) + b"/m\xff\xc3\xa9.pb"
    shutil.copy(ROOT / "examples/digits/digits.pb", model)
    environment = {**BARE, "PYTHONIOENCODING": f"{encoding}:strict"}
    argv = [ROOT / "scripts/summarize_graph.py", model]
    run = subprocess.run(argv, env=environment, capture_output=True, check=False)
    assert (run.returncode, run.stderr) == (0, b"")
    name = b"m\\udcff\xc3\xa9.pb" if encoding == "utf-8" else b"m\\udcff\\xe9.pb"
    assert run.stdout.startswith(os.fsencode(tmp_path) + b"/" + name)


def test_a_full_disk_behind_its_output_is_one_line() -> None:
    with Path("/dev/full").open("w") as full:
        argv = [ROOT / "scripts/list_ops.py", "--help"]
        run = subprocess.run(argv, env=BARE, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert run.returncode == 2
    assert run.stderr == "error: standard output: No space left on device; mend that and run again.\n"


def test_what_stands_behind_a_pipe_is_explained_by_way_of_a_link(tmp_path: Path) -> None:
    (tmp_path / "explain").symlink_to(ROOT / "scripts/explain_error.py")
    command = "echo 'No session factory registered for the given session options' 2>&1 | ./explain"
    run = bare(Path("/bin/sh"), "-c", command, cwd=tmp_path)
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.startswith("line 1: No session factory registered\n")


@pytest.mark.parametrize(
    ("number", "status", "message"),
    [
        pytest.param(signal.SIGINT, 130, "error: interrupted.\n", id="interrupted"),
        pytest.param(signal.SIGTERM, 143, "error: terminated.\n", id="terminated"),
    ],
)
def test_a_signal_ends_it_with_one_line(number: int, status: int, message: str) -> None:
    """It waits for what its stdin will say."""
    argv = [sys.executable, ROOT / "scripts/explain_error.py"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen(argv, text=True, **pipes)  # type: ignore[call-overload]
    deadline = time.monotonic() + 30
    while not catches_sigterm(process.pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(number)
    assert process.wait(timeout=10) == status
    assert process.communicate() == ("", message)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_the_environments_python_starts_is_one_line(number: int) -> None:
    for _ in range(5):
        argv = [ROOT / "scripts/explain_error.py"]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        process = subprocess.Popen(argv, text=True, env=BARE, **pipes)  # type: ignore[call-overload]
        begun = time.monotonic()
        while not runs_in_venv(process.pid) and time.monotonic() < begun + 30:
            time.sleep(0.001)
        process.send_signal(number)
        assert process.wait(timeout=10) == 128 + number
        assert process.communicate()[1] in ("error: interrupted.\n", "error: terminated.\n")


def runs_in_venv(pid: int) -> bool:
    return Path(f"/proc/{pid}/cmdline").read_bytes().startswith(os.fsencode(ROOT / ".venv"))


def catches_sigterm(pid: int) -> bool:
    caught = re.search(r"^SigCgt:\s*(\w+)$", Path(f"/proc/{pid}/status").read_text(), re.M)
    return bool(caught and int(caught[1], 16) >> signal.SIGTERM - 1 & 1)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """One in which bootstrap has never run."""
    for name in ("tfcross", "pyproject.toml"):
        (tmp_path / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts")
    return tmp_path


def test_without_an_environment_it_says_what_to_type(checkout: Path) -> None:
    program = checkout / "scripts/check_graph.py"
    says = r"/usr/bin/python3 lacks (\S+, )*\S+( and \d+ more packages)?; type `{}` once, then this again\.\n"
    here = bare(Path("scripts/check_graph.py"), "model.pb", cwd=checkout)
    assert (here.returncode, here.stdout) == (2, "")
    assert re.fullmatch("error: scripts/check_graph.py: " + says.format(r"\./bootstrap true"), here.stderr)
    there = bare(program, "model.pb")
    assert re.fullmatch(f"error: {program}: " + says.format(f"{checkout}/bootstrap true"), there.stderr)


def test_an_environment_that_has_lost_its_python_is_as_good_as_none(checkout: Path) -> None:
    (checkout / ".venv").mkdir()
    (checkout / ".venv/pyvenv.cfg").touch()
    run = bare(Path("scripts/check_graph.py"), "model.pb", cwd=checkout)
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.endswith("; type `./bootstrap true` once, then this again.\n")
