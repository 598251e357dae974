"""Bring a release's source trees into the store: verified, patched, one stamp each.

Per source: an override folder as it is; else the tree in the store; else its archive from the store,
the user's folder of files, upstream, Debian, PyPI, in this order, until one brings the pinned tree.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tfcross.environment import expanded
from tfcross.errors import TfcrossError
from tfcross.releases.release import Origin, Release, Source
from tfcross.sources.origins import OriginError
from tfcross.sources.patching import apply_patches
from tfcross.sources.store import Store, Tree, write_stamps
from tfcross.sources.unpack import layout_of
from tfcross.sources.unpack_process import unpack_in_child
from tfcross.treehash import file_hash, hash_folder

if TYPE_CHECKING:
    from tfcross.sources.origins.network import Network

WORKERS = 6

Attempt = Callable[[Path], str]
"""Unpacks into a new folder and tells the tree's hash; raises OriginError or TfcrossError."""


@dataclass(frozen=True)
class _Run:
    """What the sources of one call share; no network when offline."""

    store: Store
    source_dir: Path | None
    network: Network | None


def fetch_sources(
    release: Release,
    names: Iterable[str] | None = None,
    *,
    store: Path,
    source_dir: Path | None = None,
    overrides: Mapping[str, Path] | None = None,
    offline: bool = False,
    progress: bool = False,
) -> dict[str, Tree]:
    """The trees of ``names`` (default: every source of the release), by name, in the release's order.

    ``overrides`` maps names to folders that are used as they are. With ``offline`` nothing touches the
    network, and one error lists all that is missing. Raises TfcrossError.
    """
    chosen = _chosen(release, names)
    folders = {release.source(name).name: folder for name, folder in (overrides or {}).items()}
    home = Store(expanded(store).absolute())
    try:
        trees = {source.name: _ready(source, home, folders) for source in chosen}
        missing = [source for source in chosen if trees[source.name] is None]
        if missing:
            network = None if offline else _network(home, progress, missing)
            trees.update(_bring_all(missing, _Run(home, _checked(source_dir), network)))
    except OSError as error:
        where = error.filename or home.root
        raise TfcrossError(
            f"{where}: {error.strerror or error}. Make room or give access there, or set TFCROSS_CACHE to"
            " another folder; what is downloaded stays."
        ) from error
    return {name: tree for name, tree in trees.items() if tree is not None}


def _network(store: Store, progress: bool, missing: list[Source]) -> Network:
    """Loaded only where something is missing: its libraries take longer than all the rest of a run."""
    from tfcross.sources.origins.network import Network
    from tfcross.sources.origins.progress import Progress

    return Network(store, Progress(progress), missing)


def _chosen(release: Release, names: Iterable[str] | None) -> list[Source]:
    if names is None:
        return list(release.sources.values())
    wanted = {release.source(name).name for name in names}
    return [source for source in release.sources.values() if source.name in wanted]


def _checked(source_dir: Path | None) -> Path | None:
    if source_dir is not None and not source_dir.is_dir():
        raise TfcrossError(f"SOURCE_DIR: there is no folder '{source_dir}'. Give a folder of archives.")
    return source_dir


def _ready(source: Source, store: Store, overrides: Mapping[str, Path]) -> Tree | None:
    """What needs no work: an override, or the tree in the store."""
    if source.name not in overrides:
        return store.tree(source)
    folder = expanded(overrides[source.name]).absolute()
    if not folder.is_dir():
        raise TfcrossError(
            f"SOURCE_{source.name}: there is no folder '{folder}'. Give the folder of its sources."
        )
    return store.override(source, folder, hash_folder(folder, source.files))


def _bring_all(missing: list[Source], run: _Run) -> dict[str, Tree]:
    """All of them, largest first; when some fail, the others still arrive and one error tells of all."""
    if run.network is None:
        _check_offline(missing, run)
    largest_first = sorted(missing, key=lambda source: -max(origin.size for origin in source.origins))
    trees: dict[str, Tree] = {}
    failed: list[str] = []
    pool = ThreadPoolExecutor(WORKERS)
    try:
        for source, job in [(source, pool.submit(_bring, source, run)) for source in largest_first]:
            try:
                trees[source.name] = job.result()
            except TfcrossError as error:
                failed.append(str(error))
    except BaseException:
        if run.network is not None:
            run.network.stop()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
    if failed:
        raise TfcrossError(" ".join(failed))
    return trees


def _bring(source: Source, run: _Run) -> Tree:
    """The tree of one source, made by this process or, in the meantime, by another."""
    folder = run.store.folder(source)
    began = time.monotonic()
    with run.store.lock(folder.name):
        if run.store.tree(source) is None:
            _make(source, folder, run)
        tree = run.store.tree(source)
    if tree is None:
        raise TfcrossError(f"{source}: its tree vanished from {folder}. Run again.")
    return replace(tree, seconds=time.monotonic() - began)


def _make(source: Source, folder: Path, run: _Run) -> None:
    told: list[str] = []
    for label, attempt in _attempts(source, run):
        with run.store.temporary(folder) as temporary:
            tree = temporary / source.name
            try:
                _check_tree(attempt(tree), source)
            except (OriginError, TfcrossError) as error:
                told.append(f"{label}: {str(error).rstrip('.')}.")
                continue
            apply_patches(tree, source.patches)
            write_stamps(temporary, source, label)
            shutil.rmtree(folder, ignore_errors=True)
            temporary.rename(folder)
            return
    hint = "put one of its files into a folder and pass SOURCE_DIR=<folder>"
    tried = " ".join(told) or "OFFLINE=1."
    raise TfcrossError(f"{source}: no origin brought it. {tried} Check the network, or {hint}.")


def _check_tree(digest: str, source: Source) -> None:
    if source.tree_sha256 and digest != source.tree_sha256:
        pinned = source.tree_sha256
        raise OriginError(f"sha256 of the tree in it is {digest}, the release pins {pinned[:8]}…. Not used")


def _attempts(source: Source, run: _Run) -> Iterable[tuple[str, Attempt]]:
    """What to try in turn, with the name to give it in messages and beside the tree."""
    remote = [origin for origin in source.origins if origin.kind != "local"]
    for origin in remote:
        if run.store.file(origin.sha256).is_file():
            yield str(origin), _from_store(run.store.file(origin.sha256), origin, source)
    for origin, path in _in_folder(source, run.source_dir):
        yield f"SOURCE_DIR {path.name}", _from_file(path, origin, source)
    for origin in remote if run.network is not None else ():
        yield str(origin), _from_network(origin, source, run.network)


def _from_file(path: Path, origin: Origin, source: Source) -> Attempt:
    def attempt(into: Path) -> str:
        digest = file_hash(path) if origin.kind != "local" else ""
        if digest != origin.sha256:
            raise OriginError(f"its sha256 is {digest[:8]}…, the release pins {origin.sha256[:8]}…. Not used")
        return unpack_in_child(path, into, layout_of(source, origin))

    return attempt


def _from_store(path: Path, origin: Origin, source: Source) -> Attempt:
    """A file that went bad on the disk is removed, so that it is downloaded anew."""

    def attempt(into: Path) -> str:
        try:
            return _from_file(path, origin, source)(into)
        except OriginError:
            path.unlink(missing_ok=True)
            raise

    return attempt


def _from_network(origin: Origin, source: Source, network: Network | None) -> Attempt:
    def attempt(into: Path) -> str:
        if network is None:
            raise OriginError("no network with OFFLINE=1")
        return network.unpack(origin, source, into)

    return attempt


def _in_folder(source: Source, folder: Path | None) -> Iterable[tuple[Origin, Path]]:
    """The files of ``folder`` with an origin's name: as pinned, as in its URL, or quoted for a URL."""
    if folder is None:
        return
    for origin in source.origins:
        quoted = origin.file.replace("~", "%7e").replace("+", "%2b")
        for name in dict.fromkeys((origin.file, Path(urlsplit(origin.url).path).name, quoted)):
            if name and (folder / name).is_file():
                yield origin, folder / name


def _check_offline(missing: list[Source], run: _Run) -> None:
    absent = [source for source in missing if not any(True for _ in _attempts(source, run))]
    if absent:
        files = ", ".join(f"{source} ({source.origins[0].file})" for source in absent)
        raise TfcrossError(
            f"OFFLINE=1: of what the build needs, {len(absent)} are neither in the store nor in SOURCE_DIR:"
            f" {files}. Fetch once with the network, or put these files into a folder and pass"
            " SOURCE_DIR=<folder>."
        )
