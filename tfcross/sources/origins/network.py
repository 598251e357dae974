"""Bring a source's tree from an origin on the network: find the archive, download it, unpack it."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

from tfcross.releases.release import Origin, Source
from tfcross.sources.origins import OriginError
from tfcross.sources.origins.debian import AptArchive
from tfcross.sources.origins.download import Downloader, Gone, NoRanges, Remote
from tfcross.sources.origins.progress import Progress
from tfcross.sources.origins.pypi import PipIndex
from tfcross.sources.origins.remotezip import RemoteZips
from tfcross.sources.store import Store
from tfcross.sources.unpack import layout_of, unpack_zip
from tfcross.sources.unpack_process import unpack_in_child


class Network:
    """The network of one run: each host, index and apt suite is asked once. Safe for threads.

    ``sources`` are all that the run may ask for: apt looks them up together.
    """

    def __init__(self, store: Store, progress: Progress, sources: Iterable[Source]) -> None:
        self.store = store
        self.downloader = Downloader(progress)
        self._zips = RemoteZips(self.downloader)
        self._pip = PipIndex()
        wanted = [origin for source in sources for origin in source.origins if origin.kind == "debian"]
        self._apt = AptArchive(store.root / "apt", store.lock, wanted)

    def stop(self) -> None:
        """Make whatever is under way end soon; what is downloaded so far stays, to be resumed."""
        self.downloader.stopped.set()

    def refusal(self, origin: Origin) -> str:
        """Why ``origin`` would bring nothing now, "" if its file is there to be downloaded."""
        try:
            if origin.kind == "local":
                return "you make it yourself"
            if origin.kind == "pypi":
                remote = self._pip.locate(origin)
            elif origin.kind == "debian":
                remote = self._apt.locate(origin)
            else:
                remote = Remote(origin.url)
            self.downloader.touch(remote)
        except OriginError as error:
            return str(error)
        return ""

    def unpack(self, origin: Origin, source: Source, into: Path) -> str:
        """Unpack into the new folder ``into``; the tree's hash. Raises OriginError or TfcrossError."""
        if self.downloader.stopped.is_set():
            raise OriginError("interrupted")
        if origin.kind == "pypi":
            return self._from_wheel(origin, source, into)
        if origin.kind == "debian":
            archive = self._from_debian(origin, source)
        else:
            archive = self._download(Remote(origin.url), origin, source)
        return unpack_in_child(archive, into, layout_of(source, origin))

    def _from_wheel(self, origin: Origin, source: Source, into: Path) -> str:
        """Only the members to keep, by range requests; the whole wheel where the server has none."""
        remote = self._pip.locate(origin)
        layout = layout_of(source, origin)
        if urlsplit(remote.url).scheme != "file":
            try:
                with self._zips.open(remote, origin.size) as opened:
                    return unpack_zip(opened, into, layout)
            except NoRanges:
                shutil.rmtree(into, ignore_errors=True)
        return unpack_in_child(self._download(remote, origin, source), into, layout)

    def _from_debian(self, origin: Origin, source: Source) -> Path:
        """Asks apt again, with new lists, when the lists that it had are out of date."""
        try:
            return self._download(self._apt.locate(origin), origin, source)
        except Gone:
            return self._download(self._apt.locate(origin, refresh=True), origin, source)

    def _download(self, remote: Remote, origin: Origin, source: Source) -> Path:
        """The verified file in the store, brought by this process or, in the meantime, by another."""
        with self.store.lock(f"file-{origin.sha256}"):
            if not self.store.file(origin.sha256).is_file():
                part = self.store.part(origin.sha256)
                label = f"{source} from {remote.host}"
                self.downloader.fetch(remote, part, origin.sha256, origin.size, label)
                self.store.keep_file(part, origin.sha256)
        return self.store.file(origin.sha256)
