"""A folder of nightly builds whose results are made up, published as scripts/nightly.py does it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tfcross.nightly.folder import begin_cell, begin_run, opened, promote, put_cell
from tfcross.nightly.index import SUMS, sums_text
from tfcross.nightly.night import publish_index
from tfcross.nightly.result import NAME, Result
from tfcross.treehash import file_hash

V7, V6 = "PI-armv7-2.14.1-digits", "PI-armv6-2.14.1-digits"
REVISION = "0123456789abcdef0123456789abcdef01234567"


def result(cell: str, date: str, status: str = "passed", **more: Any) -> Result:
    target, arch, release, model = cell.split("-", 3)
    stripped = more.pop("stripped", 4_300_000)
    good = status == "passed"
    sizes = {"app": 8_100_000, "stripped": stripped, "archive": 22_800_000, "package": 9} if good else {}
    error = "" if good else "a line of the log"
    fields = {"revision": REVISION, "key": "k", "words": ("TARGET=PI",), "attempts": 1, "seconds": 242.0,
              "compiled": 600, "sizes": sizes, "error": error, **more}  # fmt: skip
    return Result(
        cell=cell, target=target, arch=arch, release=release, model=model, date=date, status=status, **fields
    )


def publish(folder: Path, *results: Result) -> None:
    """The builds, in order, as those of one run for each of their days."""
    with opened(folder):
        for one in results:
            begin_run(folder, one.date, REVISION, {one.cell: one.target})
            staged = begin_cell(folder, one.date, one.cell)
            (staged / "log.txt").write_text(f"the log of {one.cell}\n")
            made = one
            if one.good:
                name = f"tensorflow-core-{one.release}-{one.target}-{one.arch}.tar.gz"
                for file in (name, f"{name}.sha256", "manifest.json", "sizes.html", "sizes.json"):
                    (staged / file).write_text(f"{file} of {one.date}\n")
                package = {"name": name, "sha256": file_hash(staged / name)}
                made = Result(**{**one.document(), "words": one.words, "package": package})
            (staged / NAME).write_text(made.text())
            (staged / SUMS).write_text(sums_text(staged, [path.name for path in staged.iterdir()]))
            put_cell(folder, staged, made)
            promote(folder, made)
        publish_index(folder, 14)
