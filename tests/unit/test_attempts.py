"""Commands with a log, a time limit and further attempts: real ones, of a shell."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tfcross.nightly.attempts import Outcome, attempt, last_error


def run(tmp_path: Path, script: str, timeout: float = 60, retries: int = 0) -> Outcome:
    return attempt(["sh", "-c", script], tmp_path, tmp_path / "log", timeout, retries, "a script")


def alive(pid: int) -> bool:
    """Whether the process still runs after a while; one that only waits for its parent does not."""
    for _ in range(100):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return False
        if state in "ZX":
            return False
        time.sleep(0.05)  # a signal was sent, which takes its time
    return True


def test_what_is_said_goes_into_the_log(tmp_path: Path) -> None:
    outcome = run(tmp_path, "echo out; echo err >&2; pwd")
    assert (outcome.status, outcome.attempts) == ("passed", 1)
    assert (tmp_path / "log").read_text() == f"== attempt 1 of 1: a script\nout\nerr\n{tmp_path}\n"


def test_a_command_that_fails_is_tried_again_and_the_log_has_both(tmp_path: Path) -> None:
    outcome = run(tmp_path, "echo '  C++   x.o'; mkdir there || { echo second; true; } && ! [ -e once ] && "
                            "{ touch once; exit 3; }; exit 0", retries=2)  # fmt: skip
    assert (outcome.status, outcome.attempts, outcome.compiled) == ("passed", 2, 2)
    log = (tmp_path / "log").read_text()
    assert log.index("== attempt 1 of 3") < log.index("== attempt 2 of 3") < log.index("second")
    assert "attempt 1" not in outcome.text


def test_a_command_that_always_fails_is_given_up(tmp_path: Path) -> None:
    outcome = run(tmp_path, "echo again >>count; exit 1", retries=2)
    assert (outcome.status, outcome.attempts) == ("failed", 3)
    assert (tmp_path / "count").read_text() == "again\n" * 3


def test_a_time_out_ends_all_that_the_command_started(tmp_path: Path) -> None:
    begun = time.monotonic()
    script = "trap '' TERM; sleep 600 & echo $! >child; echo $$ >own; wait; wait; sleep 600"
    outcome = attempt(["sh", "-c", f"({script}) & wait"], tmp_path, tmp_path / "log", 1, 0)
    assert (outcome.status, outcome.attempts) == ("timeout", 1)
    assert time.monotonic() - begun < 30
    pids = [int((tmp_path / name).read_text()) for name in ("child", "own")]
    assert [pid for pid in pids if alive(pid)] == []


def test_the_last_words_of_a_time_out_are_those_before_it(tmp_path: Path) -> None:
    script = "echo working; trap 'echo error: told to end; exit 1' TERM; while :; do sleep 0.1; done"
    outcome = run(tmp_path, script, timeout=1)
    assert (outcome.status, outcome.text) == ("timeout", "working\n")
    assert "error: told to end\n" in (tmp_path / "log").read_text()


def test_what_a_command_leaves_behind_is_ended(tmp_path: Path) -> None:
    assert run(tmp_path, "sleep 600 & echo $! >child").status == "passed"
    pid = int((tmp_path / "child").read_text())
    assert pid != os.getpid()
    assert not alive(pid)


@pytest.mark.parametrize(
    ("log", "line"),
    [
        pytest.param("a\nerror: no model\nscons: done\n", "no model", id="ours"),
        pytest.param("x.cc:1: error: bad\nscons: *** [x.o] Error 1\n", "x.cc:1: error: bad", id="compiler"),
        pytest.param("a\nscons: *** [x.o] Error 1\nb\n", "scons: *** [x.o] Error 1", id="scons"),
        pytest.param("first\nlast words\n\n", "last words", id="none"),
        pytest.param("", "it said nothing", id="empty"),
    ],
)  # fmt: skip
def test_the_line_that_says_what_went_wrong_is_found(log: str, line: str) -> None:
    assert last_error(log) == line
