"""Read members of a zip that lies behind HTTP, by range requests, in blocks that are kept."""

from __future__ import annotations

import io
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager

from tfcross.sources.origins import OriginError
from tfcross.sources.origins.download import Downloader, Remote
from tfcross.treehash import BLOCK


class RemoteFile(io.RawIOBase):
    """A seekable file over HTTP ranges; ``size`` in bytes must be the server's. Not for two threads."""

    def __init__(self, downloader: Downloader, remote: Remote, size: int) -> None:
        self.downloader, self.remote, self.size = downloader, remote, size
        self.position = 0
        self.blocks: dict[int, bytes] = {}

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self.position = max(0, offset + (0, self.position, self.size)[whence])
        return self.position

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        if self.position >= self.size:
            return 0
        number, start = divmod(self.position, BLOCK)
        piece = self._block(number)[start : start + len(buffer)]
        buffer[: len(piece)] = piece
        self.position += len(piece)
        return len(piece)

    def _block(self, number: int) -> bytes:
        if number not in self.blocks:
            start = number * BLOCK
            self.blocks[number] = self.downloader.fetch_range(
                self.remote, start, min(start + BLOCK, self.size) - 1, self.size
            )
        return self.blocks[number]


class RemoteZips:
    """The zips opened in one run, each once, each for one thread at a time."""

    def __init__(self, downloader: Downloader) -> None:
        self.downloader = downloader
        self._lock = threading.Lock()
        self._open: dict[str, zipfile.ZipFile] = {}

    @contextmanager
    def open(self, remote: Remote, size: int) -> Iterator[zipfile.ZipFile]:
        """Raises NoRanges before anything large was read; OriginError for the rest."""
        with self._lock:
            if remote.url not in self._open:
                try:
                    file = RemoteFile(self.downloader, remote, size)
                    self._open[remote.url] = zipfile.ZipFile(io.BufferedReader(file, BLOCK))
                except zipfile.BadZipFile as error:
                    raise OriginError(f"{remote.shown}: not a zip ({error})") from error
            yield self._open[remote.url]
