"""A night's builds, one after the other, into the folder that a server shows."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tfcross.errors import TfcrossError
from tfcross.files import write_if_changed
from tfcross.nightly.attempts import Outcome, attempt, last_error
from tfcross.nightly.audit import check_build
from tfcross.nightly.folder import begin_cell, begin_run, done_before, promote, put_cell, remove_old
from tfcross.nightly.index import BADGES, NAME, PAGE, SUMS, index_text, make_index, read_sums, sums_text
from tfcross.nightly.matrix import Cell, Matrix
from tfcross.nightly.page import badges, page
from tfcross.nightly.result import NAME as RESULT
from tfcross.nightly.result import PASSED, Result, build_key
from tfcross.output.manifest import NAME as MANIFEST
from tfcross.output.manifest import load_manifest
from tfcross.output.package import packed_file
from tfcross.scons.uptodate import NIGHTS
from tfcross.treehash import file_hash

LOG = "log.txt"
#: Where in the checkout builds leave their results; kept, so that a budget can tell what grew since.
WORK = Path(NIGHTS)


@dataclass(frozen=True)
class Night:
    """``scons`` are the words that start it in ``root``; ``state`` changes with the checkout's files."""

    root: Path
    folder: Path
    date: str
    matrix: Matrix
    scons: tuple[str, ...]
    revision: str
    state: str


def run_night(
    night: Night, cells: Sequence[Cell], begin: Callable[[Cell], None]
) -> Iterator[tuple[Result, bool]]:
    """Build each of ``cells`` and publish it; its result, and True if it was done before.

    ``begin`` is called before each. After each the folder is as a server may show it.
    """
    begin_run(night.folder, night.date, night.revision, {cell.name: cell.target for cell in cells})
    for cell in cells:
        begin(cell)
        words = cell.words(str(WORK / cell.name))
        key = build_key(words, night.root, cell.models, night.state)
        before = _done_before(night, cell, key)
        result = before or _build(night, cell, words, key)
        promote(night.folder, result)
        publish_index(night.folder, night.matrix.keep_days)
        yield result, before is not None
    remove_old(night.folder, night.matrix.keep_days)
    publish_index(night.folder, night.matrix.keep_days)


def _done_before(night: Night, cell: Cell, key: str) -> Result | None:
    """The day's build of the same inputs, if it passed and its files are still what they were."""
    result = done_before(night.folder, night.date, cell.name, key)
    if result is None:
        return None
    build = night.folder / night.date / cell.name
    try:
        return None if [*check_build(build, cell.name)] else result
    except TfcrossError:
        return None


def publish_index(folder: Path, keep_days: int) -> None:
    """Write the index, the page, badges and sums for what is in ``folder``, each whole."""
    index = make_index(folder)
    files = {f"{BADGES}/{name}": text for name, text in badges(index).items()}
    files |= {NAME: index_text(index), PAGE: page(index, keep_days)}
    for name, text in files.items():
        write_if_changed(folder / name, text)
    for path in (folder / BADGES).iterdir():
        if f"{BADGES}/{path.name}" not in files:  # of a build that no kept day has
            path.unlink()
    days = [day["date"] for day in index["days"]]
    builds = [*(f"{day}/*" for day in days), "latest/*"]
    names = {path.relative_to(folder).as_posix() for glob in builds for path in folder.glob(f"{glob}/{SUMS}")}
    write_if_changed(folder / SUMS, sums_text(folder, {*files, *names, *(f"{day}/run.json" for day in days)}))


def _build(night: Night, cell: Cell, words: Sequence[str], key: str) -> Result:
    staged = begin_cell(night.folder, night.date, cell.name)
    matrix = night.matrix
    outcome = attempt(
        [*night.scons, *words],
        night.root,
        staged / LOG,
        matrix.timeout,
        matrix.retries,
        " ".join(["scons", *words]),
    )
    result = _result(night, cell, words, key, outcome)
    if result.good:
        try:
            result = _collect(night.root / WORK / cell.name, staged, result)
        except (TfcrossError, OSError) as error:
            reason = f"the build ended well, but: {error}"
            result = dataclasses.replace(result, status="failed", error=reason)
    (staged / RESULT).write_text(result.text(), encoding="utf-8")
    names = [path.name for path in staged.iterdir()]
    (staged / SUMS).write_text(sums_text(staged, names), encoding="utf-8")
    put_cell(night.folder, staged, result)
    return result


def _result(night: Night, cell: Cell, words: Sequence[str], key: str, outcome: Outcome) -> Result:
    error = "" if outcome.status == PASSED else last_error(outcome.text)
    if outcome.status == "timeout":
        error = f"not done after {night.matrix.timeout / 60:g} min; it was at: {error}"
    return Result(
        cell=cell.name,
        target=cell.target,
        arch=cell.arch,
        release=cell.release,
        model=cell.model,
        date=night.date,
        revision=night.revision,
        key=key,
        words=tuple(words),
        status=outcome.status,
        attempts=outcome.attempts,
        seconds=round(outcome.seconds, 1),
        compiled=outcome.compiled,
        error=error,
    )


def _collect(out: Path, staged: Path, result: Result) -> Result:
    """Copy what a good build left into ``staged``, and check that the copies are what it made."""
    build = f"{result.target}-{result.arch}"
    package = f"tensorflow-core-{result.release}-{build}.tar.gz"
    sums = f"{package}.sha256"
    for source, name in (
        (package, package),
        (sums, sums),
        (f"sizes-{build}.json", "sizes.json"),
        (f"sizes-{build}.html", "sizes.html"),
    ):
        shutil.copyfile(out / source, staged / name)
    digest = file_hash(staged / package)
    if read_sums(staged / sums) != {package: digest}:
        raise TfcrossError(f"{sums}: is not of {package} ({digest})")
    (staged / MANIFEST).write_bytes(packed_file(staged / package, MANIFEST))
    manifest = load_manifest(staged / MANIFEST)
    sizes = _sizes(manifest) | {"package": (staged / package).stat().st_size}
    return dataclasses.replace(result, sizes=sizes, package={"name": package, "sha256": digest})


def _sizes(manifest: Mapping[str, object]) -> dict[str, int]:
    """Bytes of the proof's app and of the core's archive."""
    sizes, archives, link = (manifest[key] for key in ("sizes", "archives", "link"))
    assert isinstance(sizes, Mapping) and isinstance(archives, Mapping) and isinstance(link, Mapping)
    return {
        "app": sizes["app"],
        "stripped": sizes["stripped"],
        "archive": archives[link["core"]]["size"],
    }
