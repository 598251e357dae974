"""What all scripts share: the Python that they run in, and how they end.

Until ``start`` is through, nothing but the standard library is imported, and nothing that an old Python
could not read: it may be any ``python3`` that a user's PATH has.
"""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from tfcross.cli.interruption import ENDINGS, Interruption, drop_output, say
from tfcross.errors import TfcrossError

WRONG, CLOSED_PIPE = 2, 128 + signal.SIGPIPE
OLDEST = (3, 11)
MOST_NAMED = 3

#: What is called with the words of the command line; no status is 0.
Main = Callable[[list[str]], "int | None"]


def start(root: Path) -> None:
    """Called before anything that is not in the standard library is imported.

    From here on SIGINT and SIGTERM end the script with one line, by way of what is to be cleaned up. Where
    packages are missing, the script starts again in the checkout's ``.venv``; SystemExit if that has none.
    """
    _open_standard_streams()
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:  # a bench may take in another script
        Interruption()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDINGS)
    venv = root / ".venv"
    lacking = lacking_packages(root, venv)
    if not lacking:
        return
    if not _runs_in(venv) and (venv / "pyvenv.cfg").is_file():
        # Python itself would answer with a traceback while it starts: the new one hears of it in this place.
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDINGS)
        with contextlib.suppress(OSError):
            os.execv(venv / "bin" / "python", [str(venv / "bin" / "python"), *sys.argv])
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDINGS)
    bootstrap = "./bootstrap" if root == Path.cwd() else str(root / "bootstrap")
    remedy = f"type `{bootstrap} true` once, then this again"
    say(f"error: {sys.argv[0]}: {sys.executable} lacks {lacking}; {remedy}.")
    raise SystemExit(WRONG)


def _open_standard_streams() -> None:
    """What was closed (``>&-``) leads nowhere: no file that is opened later takes its place."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.dup2(os.open(os.devnull, os.O_RDWR), number)
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, "w" if number else "r", closefd=False))
    if isinstance(sys.stdout, io.TextIOWrapper):  # a file's name may be no text in the user's encoding
        sys.stdout.reconfigure(errors="backslashreplace")


def lacking_packages(root: Path, venv: Path) -> str:
    """What this Python lacks of the project's dependencies, for a message; "" for nothing."""
    if sys.version_info < OLDEST:
        return "what Python has from " + ".".join(map(str, OLDEST)) + " on"
    if _runs_in(venv) and (venv / ".ready").is_file():  # bootstrap's own word
        return ""
    import tomllib  # noqa: PLC0415 (not needed where bootstrap was)
    from importlib import metadata  # noqa: PLC0415

    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    names = [requirement.partition("==")[0] for requirement in project["dependencies"]]
    absent = [name for name in names if not any(metadata.Distribution.discover(name=name))]
    more = f" and {len(absent) - MOST_NAMED} more packages" if len(absent) > MOST_NAMED else ""
    return ", ".join(absent[:MOST_NAMED]) + more


def run(main: Main, usage: str | Callable[[], str] | None) -> int:
    """The status of ``main`` with the words of the command line, once all that it printed is out.

    ``usage`` is shown for -h and --help; None: ``main`` does so. What a user can mend is one line and
    status 2; a pipe that is closed, as by ``| head``, ends the script without a word.
    """
    try:
        status = _told(main, usage)
        _flush()
    except BrokenPipeError:
        drop_output()
        return CLOSED_PIPE
    except OSError as error:
        say(f"error: standard output: {error.strerror}; mend that and run again.")
        drop_output()
        return WRONG
    return status


def _told(main: Main, usage: str | Callable[[], str] | None) -> int:
    """The status of ``main``; its errors are told."""
    words = sys.argv[1:]
    if usage is not None and {"-h", "--help"} & set(words):
        print((usage() if callable(usage) else usage).strip("\n"))
        return 0
    try:
        return main(words) or 0
    except TfcrossError as error:
        say(f"error: {error}")
    except BrokenPipeError:
        raise
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        say(f"error: {where}{error.strerror or error}; mend that and run again.")
    return WRONG


def _runs_in(venv: Path) -> bool:
    return Path(sys.prefix).resolve() == venv.resolve()


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
