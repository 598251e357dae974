"""How a command ends when a signal tells it to: at once, with one line, and with all that it has started.

A thread hears of the signal whatever the main one does, and whoever handles signals there (SCons waits for
each compile that runs). All files are written under another name first, so every moment is a good one to end.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

#: What is said of a signal that ends a command; its status is 128 and the signal's number.
ENDINGS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated", signal.SIGHUP: "its terminal is gone"}
#: Seconds that children have to end when they are told to, and after that this process.
CHILDREN_GRACE, OWN_GRACE = 2.0, 5.0
POLL = 0.02
_PROC = Path("/proc")


class Interruption:
    """Waits for one of ENDINGS; ``status`` is 0 until then.

    ``speaks`` is False while a child that gets the same signal has the word.
    """

    def __init__(self) -> None:
        self.status, self.speaks = 0, True
        self._children_ended = threading.Event()
        self._read, self._write = os.pipe()
        os.set_blocking(self._write, False)
        signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(number) is not signal.SIG_IGN:  # as for a job behind `&`
                signal.signal(number, self._unwind)
        threading.Thread(target=self._listen, daemon=True).start()
        atexit.register(self._leave)

    def _listen(self) -> None:
        while True:
            for number in os.read(self._read, 64):
                if number in ENDINGS:
                    self._end(signal.Signals(number))

    def _end(self, number: signal.Signals) -> None:
        if not self.status:
            self.status = 128 + number
            if self.speaks:
                say(f"error: {ENDINGS[number]}.")
            drop_output()  # nobody wants to read what follows from it
        deadline = time.monotonic() + CHILDREN_GRACE
        end_all(lambda: descendants(os.getpid()), deadline)
        self._children_ended.set()
        last = threading.Timer(OWN_GRACE, os._exit, [self.status])
        last.daemon = True
        last.start()

    def _unwind(self, number: int, frame: FrameType | None) -> None:
        """In the main thread, where nobody else handles signals: by way of what is to be cleaned up."""
        self._children_ended.wait(CHILDREN_GRACE + 1)
        raise SystemExit(128 + number)

    def _leave(self) -> None:
        if self.status:
            os._exit(self.status)


def say(line: str) -> None:
    """``line`` on stderr, as far as there is one."""
    with contextlib.suppress(OSError):
        os.write(2, f"{line}\n".encode(errors="replace"))


def drop_output() -> None:
    """What is still to be written has nobody who reads it; the interpreter's own last flush must not fail."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    for output in (1, 2):
        os.dup2(nothing, output)
    os.close(nothing)


def end_all(processes: Callable[[], list[int]], deadline: float) -> None:
    """Tell ``processes``, and those that they still start, to end; at the ``deadline`` they are killed."""
    told: set[int] = set()
    while alive := processes():
        late = time.monotonic() > deadline
        for pid in alive if late else [pid for pid in alive if pid not in told]:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL if late else signal.SIGTERM)
        told.update(alive)
        if late:
            return
        time.sleep(POLL)


def descendants(pid: int) -> list[int]:
    """The processes that ``pid`` and its children have started and that run, parents first."""
    children: dict[int, list[int]] = {}
    for process, parent in _parents():
        children.setdefault(parent, []).append(process)
    below = children.get(pid, [])
    for process in below:
        below += children.get(process, [])
    return below


def _parents() -> list[tuple[int, int]]:
    """Every process that runs, with its parent."""
    if not _PROC.is_dir():  # macOS
        listing = subprocess.run(["/bin/ps", "-A", "-o", "pid=,ppid=,stat="], capture_output=True, text=True)
        rows = [line.split() for line in listing.stdout.splitlines()]
        return [(int(pid), int(parent)) for pid, parent, state in rows if not state.startswith("Z")]
    parents = []
    for folder in _PROC.iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):  # it has just ended
                state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
                if state not in "ZX":
                    parents.append((int(folder.name), int(parent)))
    return parents
