"""Programs that have to succeed, and what is said where one does not."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tfcross import programs
from tfcross.errors import TfcrossError

INSTALL, REMEDY = "Install it.", "Try again."


def python(code: str, **more: object) -> str:
    argv = [sys.executable, "-c", code]
    return programs.run(argv, install=INSTALL, remedy=REMEDY, **more)  # type: ignore[arg-type]


def test_what_a_program_prints_is_given(tmp_path: Path) -> None:
    code = "import os, sys; print(os.getcwd(), os.environ.get('A'), sys.stdin.read())"
    said = python(code, environment={"A": "b"}, given="in", folder=tmp_path)
    assert said == f"{tmp_path} b in\n"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        pytest.param(
            "import sys; sys.exit('first\\nx.o: no object.\\n\\n')",
            "ended with status 1: x.o: no object. Try again.",
            id="its last line",
        ),
        pytest.param(
            "import sys; print('only here'); sys.exit(3)",
            "ended with status 3: only here. Try again.",
            id="on its stdout",
        ),
        pytest.param("raise SystemExit(2)", "ended with status 2. Try again.", id="without a word"),
        pytest.param(
            "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
            "ended with signal 11. Try again.",
            id="a signal",
        ),
        pytest.param(
            "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
            "was killed, as when memory runs out (fewer jobs: -j1). Try again.",
            id="killed",
        ),
    ],
)
def test_a_program_that_fails_is_one_line(code: str, message: str) -> None:
    with pytest.raises(TfcrossError) as raised:
        python(code)
    assert str(raised.value) == f"{sys.executable} {message}"


def test_a_program_that_is_not_there_is_one_line() -> None:
    with pytest.raises(TfcrossError) as raised:
        programs.run(["no-such-program"], install=INSTALL, remedy=REMEDY)
    assert str(raised.value) == "no-such-program: cannot be run: No such file or directory. Install it."
