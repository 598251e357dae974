"""What the benches share: what a command costs, a checkout to measure in, and a table to print.

A bench prints figures, it is not part of any build. Run it on an idle machine.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tfcross.cli import script  # noqa: E402

script.start(ROOT)

from tfcross.capacity import peak_kib  # noqa: E402

MB = 1_000_000
GIB = 2**30


@dataclass(frozen=True)
class Cost:
    """Wall and CPU seconds of a command and all that it started, and the largest resident set among them."""

    wall: float
    cpu: float
    peak_bytes: int


@dataclass(frozen=True)
class Run:
    """A run of scons; ``compiled`` are the objects that it made."""

    cost: Cost
    compiled: tuple[str, ...]


@dataclass(frozen=True)
class Unit:
    """What one compile cost."""

    name: str
    cpu: float
    peak_bytes: int


def measure(argv: Sequence[str], folder: Path, log: Path) -> Cost:
    """Run ``argv``, which must succeed; what it says goes to ``log``."""
    begun = time.monotonic()
    with log.open("wb") as said:
        process = subprocess.Popen(argv, cwd=folder, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        tail = log.read_text(errors="replace")[-2000:]
        raise SystemExit(f"{' '.join(argv)}: status {process.returncode}\n{tail}")
    wall = time.monotonic() - begun
    return Cost(wall, used.ru_utime + used.ru_stime, peak_kib(used.ru_maxrss) * 1024)


@dataclass(frozen=True)
class Checkout:
    """A clone of the project in ``folder``. Sources come from the store that all checkouts share."""

    folder: Path

    @classmethod
    def clone(cls, folder: Path) -> Checkout:
        """The last commit of the project, in ``folder``; a clone that is there already is taken as it is."""
        if not (folder / "SConstruct").is_file():
            subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
        return cls(folder)

    def scons(self, *words: str, log: Path | None = None) -> Run:
        """What scons says goes to ``log``, by default beside the checkout."""
        log = log or self.folder.with_name(f"{self.folder.name}.log")
        program = str(Path(sys.executable).parent / "scons")
        cost = measure([program, *words], self.folder, log)
        lines = (line.split() for line in log.read_text(errors="replace").splitlines())
        compiled = [words[1] for words in lines if len(words) == 2 and words[0] in ("C", "C++", "PCH")]
        return Run(cost, tuple(compiled))

    def units(self) -> list[Unit]:
        """Every compile that the build folder remembers, the dearest first."""
        usage = json.loads((self.folder / "build/usage.json").read_text())
        units = [Unit(name, used["cpu_seconds"], used["max_rss_kib"] * 1024) for name, used in usage.items()]
        return sorted(units, key=lambda unit: -unit.cpu)


def print_table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """As Markdown; floats with one decimal."""
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for row in rows:
        print(f"| {' | '.join(f'{cell:.1f}' if isinstance(cell, float) else str(cell) for cell in row)} |")


def verdict(value: float, limit: float) -> str:
    """How a figure stands to the most that it may be."""
    return f"{value:.1f} ({'within' if value <= limit else 'OVER'} {limit:g})"
