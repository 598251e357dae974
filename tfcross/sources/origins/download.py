"""Bring one URL's bytes into a file: resumed, retried, bounded, and checked by sha256."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote, urlsplit

import requests
import urllib3

from tfcross.sources.origins import OriginError
from tfcross.sources.origins.progress import Bar, Progress
from tfcross.treehash import file_hash

Result = TypeVar("Result")
CAP = 1 << 30  # bytes of a download of unknown size
AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})


class Gone(OriginError):
    """The host answers, and has no such file."""


class NoRanges(Exception):
    """The server answers range requests with the whole file."""


class _Passing(Exception):
    """A failure that may pass: worth another attempt."""


@dataclass(frozen=True)
class Remote:
    """A URL and how to reach it; empty ``proxies`` and ``certificates`` leave requests' own settings."""

    url: str
    proxies: Mapping[str, str] = field(default_factory=dict)
    certificates: str = ""

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc.rpartition("@")[2] or "a local file"

    @property
    def shown(self) -> str:
        """The URL without a user name or password."""
        parts = urlsplit(self.url)
        return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl()


class Downloader:
    """HTTP for one run. A host that could not be reached once is not waited for again.

    Timeouts are in seconds; ``backoff`` is the first pause between attempts, doubled each time.
    """

    def __init__(
        self,
        progress: Progress,
        connect_timeout: float = 5.0,
        read_timeout: float = 60.0,
        attempts: int = 5,
        backoff: float = 0.5,
    ) -> None:
        self.progress = progress
        self.timeouts = (connect_timeout, read_timeout)
        self.attempts, self.backoff = attempts, backoff
        self.unreachable: dict[str, str] = {}
        self.stopped = threading.Event()
        self._local = threading.local()

    def fetch(self, remote: Remote, part: Path, sha256: str, size: int, label: str) -> None:
        """Complete ``part`` so that it has ``sha256``; ``size`` in bytes is exact, 0 for unknown.

        Raises OriginError; then ``part`` holds what may still be resumed, and nothing that is wrong.
        """
        bar = self.progress.bar(label, size)
        done = False
        try:
            if urlsplit(remote.url).scheme == "file":
                _copy_local(remote.url, part)
            else:
                self._transfer(remote, part, size, bar)
            _check(part, sha256, remote.host)
            done = True
        finally:
            bar.close(done)

    def touch(self, remote: Remote) -> None:
        """Ask for one byte of the file; OriginError if the host does not have it, or is not there."""
        if urlsplit(remote.url).scheme != "file":
            self._patiently(lambda: self.open(remote, {"Range": "bytes=0-0"})).close()

    def fetch_range(self, remote: Remote, first: int, last: int, size: int) -> bytes:
        """Bytes ``first`` to ``last`` of a file of ``size`` bytes; NoRanges if the server has no ranges."""
        return self._patiently(lambda: self._range(remote, first, last, size))

    def _range(self, remote: Remote, first: int, last: int, size: int) -> bytes:
        with self.open(remote, {"Range": f"bytes={first}-{last}"}) as response:
            if response.status_code != 206:
                raise NoRanges(f"{remote.shown}: no range requests")
            if response.headers.get("Content-Range") != f"bytes {first}-{last}/{size}":
                raise OriginError(f"{remote.shown}: its size is not the {size} bytes that the release pins")
            try:
                body = bytes(response.raw.read(last - first + 2, decode_content=False))
            except (urllib3.exceptions.HTTPError, OSError) as error:
                raise _Passing(f"the connection broke ({_short(error)})") from error
        if len(body) != last - first + 1:
            raise _Passing(f"{remote.shown}: a range of {last - first + 1} bytes came as {len(body)}")
        return body

    def _transfer(self, remote: Remote, part: Path, size: int, bar: Bar) -> None:
        if part.exists() and part.stat().st_size > (size or CAP):
            part.unlink()
        bar.update(part.stat().st_size if part.exists() else 0)
        self._patiently(lambda: self._attempt(remote, part, size, bar))

    def _patiently(self, attempt: Callable[[], Result]) -> Result:
        pause = self.backoff
        for _ in range(1, self.attempts):
            try:
                return attempt()
            except _Passing:
                self.stopped.wait(pause)
                pause *= 2
        try:
            return attempt()
        except _Passing as error:
            raise OriginError(f"{error}; {self.attempts} attempts") from error

    def _attempt(self, remote: Remote, part: Path, size: int, bar: Bar) -> None:
        have = part.stat().st_size if part.exists() else 0
        if have and have == size:
            return
        with self.open(remote, {"Range": f"bytes={have}-"} if have else {}) as response:
            if have and not _continues(response, have):
                bar.update(-have)
                have = 0
                part.unlink()
                if response.status_code != 200:
                    raise _Passing(f"HTTP {response.status_code} for the rest of a partial download")
            told = int(response.headers.get("Content-Length", 0))
            room = size - have if size else told or CAP - have
            self._append(response, part, room, bool(size or told), bar)

    def _append(self, response: requests.Response, part: Path, room: int, exact: bool, bar: Bar) -> None:
        """Append the body; more than ``room`` bytes is an error and nothing is kept. Where ``room`` is
        exact, fewer are another attempt's work."""
        with part.open("ab") as out:
            for block in _blocks(response):
                if self.stopped.is_set():
                    raise OriginError("interrupted")
                if len(block) > room:
                    out.truncate(0)
                    raise OriginError("it sends more bytes than the release pins. Not used")
                out.write(block)
                room -= len(block)
                bar.update(len(block))
        if room and exact:
            raise _Passing(f"the answer ended {room} bytes early")

    def open(self, remote: Remote, headers: Mapping[str, str]) -> requests.Response:
        """The answer to a GET, its body unread and undecoded."""
        if remote.host in self.unreachable:
            raise OriginError(self.unreachable[remote.host])
        try:
            response = self._session().get(
                remote.url,
                headers={"Accept-Encoding": "identity", **headers},
                timeout=self.timeouts,
                stream=True,
                proxies=dict(remote.proxies) or None,
                verify=remote.certificates or None,
            )
        except requests.ConnectionError as error:
            raise self._no_connection(remote, error) from error
        except requests.RequestException as error:
            raise _Passing(f"{remote.shown}: {_short(error)}") from error
        if response.status_code in AGAIN:
            raise _Passing(f"{remote.shown}: HTTP {response.status_code}")
        if response.status_code >= 400 and response.status_code != 416:
            raise (Gone if response.status_code in (404, 410) else OriginError)(
                f"{remote.shown}: HTTP {response.status_code}"
            )
        return response

    def _no_connection(self, remote: Remote, error: requests.ConnectionError) -> Exception:
        """A host without name, route or listener stays so; a connection cut in the middle may not."""
        reason = error.args[0] if error.args else None
        cause = getattr(reason, "reason", reason)
        if isinstance(cause, urllib3.exceptions.ProtocolError):
            return _Passing(f"{remote.shown}: {_short(error)}")
        message = f"host {remote.host} is not reachable ({_short(error)})"
        self.unreachable.setdefault(remote.host, message)
        return OriginError(message)

    def _session(self) -> requests.Session:
        if not hasattr(self._local, "session"):
            self._local.session = requests.Session()
        session: requests.Session = self._local.session
        return session


def _continues(response: requests.Response, have: int) -> bool:
    told = response.headers.get("Content-Range", "")
    return response.status_code == 206 and told.startswith(f"bytes {have}-")


def _blocks(response: requests.Response) -> Iterator[bytes]:
    try:
        yield from response.raw.stream(1 << 16, decode_content=False)
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise _Passing(f"the connection broke ({_short(error)})") from error


def _copy_local(url: str, part: Path) -> None:
    try:
        shutil.copyfile(unquote(urlsplit(url).path), part)
    except OSError as error:
        raise OriginError(f"{url}: {error.strerror}") from error


def _check(part: Path, sha256: str, host: str) -> None:
    digest = file_hash(part)
    if digest != sha256:
        part.unlink()
        raise OriginError(
            f"sha256 of the file from {host} is {digest[:8]}…, the release pins {sha256[:8]}…. Not used"
        )


def _short(error: Exception) -> str:
    """The innermost words of requests' nested messages, on one line."""
    text = " ".join(str(error).split())
    for mark in ("Failed to establish a new connection: ", "Failed to resolve ", "Caused by "):
        if mark in text:
            return (mark if mark.startswith("Failed to r") else "") + text.rsplit(mark, 1)[1].rstrip(")'\"")
    return text[:160]
