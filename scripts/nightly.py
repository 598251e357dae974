#!/usr/bin/env python3
"""Build the matrix of nightly.yaml and publish it into a folder for a static server.

Usage: scripts/nightly.py [--matrix FILE] [--folder FOLDER] [--date YYYY-MM-DD] [BUILD…]
       scripts/nightly.py --list [--matrix FILE]
       scripts/nightly.py --verify FOLDER
       scripts/nightly.py --workflow github|gitlab [--matrix FILE]

BUILD: names of builds, as --list shows them (default: all). FILE: nightly.yaml. FOLDER: out/nightly.
A build that passed on that date, from the same checkout, is not repeated.
--verify checks a published folder against its sums. --workflow prints a file for a CI service.

Exit status: 0 if all is good, 1 if a build failed or a file is wrong, 2 for wrong usage.
"""

from __future__ import annotations

import datetime
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tfcross.cli import script  # noqa: E402

script.start(ROOT)

from tfcross.checkout import checkout_state, revision  # noqa: E402
from tfcross.cli.words import CommandLine, split_words  # noqa: E402
from tfcross.errors import TfcrossError  # noqa: E402
from tfcross.nightly.audit import check_folder  # noqa: E402
from tfcross.nightly.folder import opened  # noqa: E402
from tfcross.nightly.matrix import FLAGS, NAME, OPTIONS, Cell, choose, load_matrix  # noqa: E402
from tfcross.nightly.night import Night, run_night  # noqa: E402
from tfcross.nightly.page import duration, megabytes  # noqa: E402
from tfcross.nightly.result import Result  # noqa: E402
from tfcross.nightly.workflows import workflow  # noqa: E402


def main(words: list[str]) -> int:
    return _command(split_words(words, FLAGS, OPTIONS))


def _command(line: CommandLine) -> int:
    if line.variables:
        name = next(iter(line.variables))
        raise TfcrossError(f"{name}=: variables of builds stand in {NAME}. See scripts/nightly.py --help.")
    if "--verify" in line.values:
        return _verify(Path(line.values["--verify"]))
    matrix = load_matrix(ROOT, Path(line.values.get("--matrix", ROOT / NAME)))
    if "--workflow" in line.values:
        print(workflow(line.values["--workflow"], matrix), end="")
        return 0
    cells = choose(matrix, line.names)
    if "--list" in line.flags:
        print("".join(f"{cell.name}: scons {' '.join(cell.words('OUT')[:-3])}\n" for cell in cells), end="")
        return 0
    scons = Path(sys.executable).with_name("scons")
    if not scons.is_file():
        raise TfcrossError(f"{scons}: not there; run ./bootstrap scripts/nightly.py.")
    night = Night(
        root=ROOT,
        folder=Path(line.values.get("--folder", ROOT / "out" / "nightly")),
        date=_date(line.values.get("--date", "")),
        matrix=matrix,
        scons=(sys.executable, str(scons)),
        revision=revision(ROOT),
        state=checkout_state(ROOT),
    )
    return _run(night, cells)


def _run(night: Night, cells: tuple[Cell, ...]) -> int:
    results: list[tuple[Result, bool]] = []
    with opened(night.folder):
        for result, before in run_night(night, cells, lambda cell: print(f"== {cell.name}", flush=True)):
            print(f"   {_told(result, before)}", flush=True)
            results.append((result, before))
    print()
    width = max(len(result.cell) for result, _ in results)
    for result, before in results:
        print(f"{result.cell:<{width}}  {_told(result, before)}")
    print(f"published in {night.folder}")
    return int(any(not result.good for result, _ in results))


def _told(result: Result, before: bool) -> str:
    if not result.good:
        times = "once" if result.attempts == 1 else f"{result.attempts} times"
        return f"{result.status.upper()} {times}: {result.error}"
    took = "done before" if before else duration(result.seconds)
    sizes = f"stripped {megabytes(result.sizes['stripped'])}, archive {megabytes(result.sizes['archive'])}"
    return f"passed   {took}, {sizes}"


def _verify(folder: Path) -> int:
    wrong = check_folder(folder)
    print("\n".join(wrong) or f"{folder}: all files are as they were published")
    return int(bool(wrong))


def _date(given: str) -> str:
    if not given:
        return datetime.datetime.now(datetime.UTC).date().isoformat()
    try:
        return datetime.datetime.strptime(given, "%Y-%m-%d").date().isoformat()
    except ValueError as error:
        raise TfcrossError(f"--date {given}: not a date; give one as 2026-11-25.") from error


if __name__ == "__main__":
    sys.exit(script.run(main, __doc__))
