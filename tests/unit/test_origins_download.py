"""Downloads over a bad line: resumed, retried, bounded, checked."""

from __future__ import annotations

import hashlib
import io
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from file_server import FileServer

from tfcross.sources.origins import OriginError
from tfcross.sources.origins.download import Downloader, Gone, NoRanges, Remote
from tfcross.sources.origins.progress import Progress
from tfcross.sources.origins.remotezip import RemoteZips

CONTENT = bytes(range(256)) * 4096
SHA = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def server() -> Iterator[FileServer]:
    with FileServer({"/x.tar.gz": CONTENT}) as running:
        yield running


def _downloader(**settings: float) -> Downloader:
    return Downloader(Progress(False), backoff=0.01, **settings)  # type: ignore[arg-type]


def _fetch(server: FileServer, part: Path, *, sha256: str = SHA, size: int = len(CONTENT)) -> None:
    _downloader().fetch(Remote(f"{server.url}/x.tar.gz"), part, sha256, size, "x")


def test_a_file_arrives_whole(server: FileServer, tmp_path: Path) -> None:
    _fetch(server, tmp_path / "part")
    assert (tmp_path / "part").read_bytes() == CONTENT
    assert server.seen == [("/x.tar.gz", "")]


def test_a_file_of_unknown_size_arrives_whole(server: FileServer, tmp_path: Path) -> None:
    _fetch(server, tmp_path / "part", size=0)
    assert (tmp_path / "part").read_bytes() == CONTENT


def test_a_partial_download_is_resumed(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "part").write_bytes(CONTENT[:1000])
    _fetch(server, tmp_path / "part")
    assert (tmp_path / "part").read_bytes() == CONTENT
    assert server.seen == [("/x.tar.gz", "bytes=1000-")]


def test_a_complete_partial_download_needs_no_request(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "part").write_bytes(CONTENT)
    _fetch(server, tmp_path / "part")
    assert server.seen == []


def test_without_ranges_a_download_starts_over(tmp_path: Path) -> None:
    (tmp_path / "part").write_bytes(CONTENT[:1000])
    with FileServer({"/x.tar.gz": CONTENT}, ranges=False) as server:
        _fetch(server, tmp_path / "part")
    assert (tmp_path / "part").read_bytes() == CONTENT


def test_a_longer_leftover_is_thrown_away(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "part").write_bytes(CONTENT + b"more")
    _fetch(server, tmp_path / "part")
    assert (tmp_path / "part").read_bytes() == CONTENT


def test_a_broken_connection_goes_on_where_it_broke(server: FileServer, tmp_path: Path) -> None:
    server.cuts = [300_000, 200_000]
    _fetch(server, tmp_path / "part")
    assert (tmp_path / "part").read_bytes() == CONTENT
    assert server.seen == [("/x.tar.gz", ""), ("/x.tar.gz", "bytes=300000-"), ("/x.tar.gz", "bytes=500000-")]


def test_a_passing_failure_is_tried_again(server: FileServer, tmp_path: Path) -> None:
    server.statuses = [503, 429, 500]
    _fetch(server, tmp_path / "part")
    assert len(server.seen) == 4


def test_attempts_end(server: FileServer, tmp_path: Path) -> None:
    server.statuses = [503] * 9
    with pytest.raises(OriginError, match=r"/x\.tar\.gz: HTTP 503; 5 attempts"):
        _fetch(server, tmp_path / "part")
    assert len(server.seen) == 5


def test_what_arrived_before_the_attempts_ended_stays(server: FileServer, tmp_path: Path) -> None:
    server.cuts = [1000] * 5
    with pytest.raises(OriginError, match="the connection broke"):
        _fetch(server, tmp_path / "part")
    assert (tmp_path / "part").read_bytes() == CONTENT[:5000]


@pytest.mark.parametrize(("status", "kind"), [(404, Gone), (403, OriginError)])
def test_a_lasting_failure_is_not_tried_again(
    server: FileServer, tmp_path: Path, status: int, kind: type[OriginError]
) -> None:
    server.statuses = [status]
    with pytest.raises(kind, match=f"HTTP {status}"):
        _fetch(server, tmp_path / "part")
    assert len(server.seen) == 1


def test_a_wrong_hash_is_told_and_nothing_is_kept(server: FileServer, tmp_path: Path) -> None:
    server.files["/x.tar.gz"] = bytes(len(CONTENT))
    with pytest.raises(OriginError) as caught:
        _fetch(server, tmp_path / "part")
    host = server.url.removeprefix("http://")
    assert str(caught.value) == (
        f"sha256 of the file from {host} is 30e14955…, the release pins {SHA[:8]}…. Not used"
    )
    assert not (tmp_path / "part").exists()


@pytest.mark.parametrize("extra", [1, 5 << 20])
def test_more_bytes_than_pinned_are_refused(server: FileServer, tmp_path: Path, extra: int) -> None:
    server.files["/x.tar.gz"] = CONTENT + bytes(extra)
    with pytest.raises(OriginError, match="it sends more bytes than the release pins"):
        _fetch(server, tmp_path / "part")
    assert (tmp_path / "part").read_bytes() == b""


def test_fewer_bytes_than_pinned_are_refused(server: FileServer, tmp_path: Path) -> None:
    server.files["/x.tar.gz"] = CONTENT[:-1]
    with pytest.raises(OriginError, match="1 bytes early|HTTP 416"):
        _fetch(server, tmp_path / "part")


def test_a_host_that_refuses_is_not_asked_again(tmp_path: Path) -> None:
    downloader = _downloader()
    remote = Remote("http://127.0.0.1:1/x.tar.gz")
    for _ in range(2):
        with pytest.raises(OriginError, match=r"host 127\.0\.0\.1:1 is not reachable"):
            downloader.fetch(remote, tmp_path / "part", SHA, 1, "x")
    assert list(downloader.unreachable) == ["127.0.0.1:1"]


def test_a_host_without_a_name_is_told_at_once(tmp_path: Path) -> None:
    began = time.monotonic()
    with pytest.raises(OriginError, match=r"host no-such-host\.invalid is not reachable"):
        _downloader().fetch(Remote("https://no-such-host.invalid/x"), tmp_path / "part", SHA, 1, "x")
    assert time.monotonic() - began < 5


def test_a_local_file_url_is_copied_and_checked(tmp_path: Path) -> None:
    (tmp_path / "a b.whl").write_bytes(CONTENT)
    url = (tmp_path / "a b.whl").as_uri()
    _downloader().fetch(Remote(url), tmp_path / "part", SHA, len(CONTENT), "x")
    assert (tmp_path / "part").read_bytes() == CONTENT


def test_stopping_ends_a_download_and_keeps_its_part(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "part").write_bytes(CONTENT[:1000])
    downloader = _downloader()
    downloader.stopped.set()
    with pytest.raises(OriginError, match="interrupted"):
        downloader.fetch(Remote(f"{server.url}/x.tar.gz"), tmp_path / "part", SHA, len(CONTENT), "x")
    assert (tmp_path / "part").read_bytes() == CONTENT[:1000]


def test_passwords_are_not_shown() -> None:
    remote = Remote("https://user:secret@example.org:8443/x?token=1")
    assert (remote.host, remote.shown) == ("example.org:8443", "https://example.org:8443/x")


def _zip_bytes() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("large.so", bytes(20 << 20))
        archive.writestr("include/a.h", "one\n")
    return buffer.getvalue()


def test_a_member_of_a_remote_zip_costs_its_own_blocks() -> None:
    content = _zip_bytes()
    with FileServer({"/x.whl": content}) as server:
        zips = RemoteZips(_downloader())
        for _ in range(2):
            with zips.open(Remote(f"{server.url}/x.whl"), len(content)) as archive:
                assert archive.read("include/a.h") == b"one\n"
        assert len(server.seen) == 1


def test_a_range_that_breaks_off_is_tried_again() -> None:
    content = _zip_bytes()
    with FileServer({"/x.whl": content}) as server:
        server.cuts, server.statuses = [100], [503]
        with RemoteZips(_downloader()).open(Remote(f"{server.url}/x.whl"), len(content)) as archive:
            assert archive.read("include/a.h") == b"one\n"
        assert len(server.seen) == 3


def test_a_server_without_ranges_is_told_apart() -> None:
    content = _zip_bytes()
    zips = RemoteZips(_downloader())
    with (
        FileServer({"/x.whl": content}, ranges=False) as server,
        pytest.raises(NoRanges),
        zips.open(Remote(f"{server.url}/x.whl"), len(content)),
    ):
        pass


def test_a_zip_of_another_size_is_refused() -> None:
    content = _zip_bytes()
    zips = RemoteZips(_downloader())
    with (
        FileServer({"/x.whl": content}) as server,
        pytest.raises(OriginError, match="its size is not the 999 bytes that the release pins"),
        zips.open(Remote(f"{server.url}/x.whl"), 999),
    ):
        pass


def test_progress_is_one_line_per_file_where_there_is_no_terminal(server: FileServer, tmp_path: Path) -> None:
    stream = io.StringIO()
    downloader = Downloader(Progress(True, stream))
    downloader.fetch(Remote(f"{server.url}/x.tar.gz"), tmp_path / "part", SHA, len(CONTENT), "x 1 from here")
    assert stream.getvalue().startswith("x 1 from here: 1.0 MB in ")
    assert stream.getvalue().count("\n") == 1
