"""fetch_sources: the order of origins, what is refused, offline, and two processes at once."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from file_server import FileServer

from tfcross.errors import TfcrossError
from tfcross.releases.release import Origin, Release, Source
from tfcross.sources.fetch import fetch_sources
from tfcross.sources.store import Tree
from tfcross.treehash import FileSet, tree_hash

ROOT = Path(__file__).parents[2]
TEXTS = {"include/a.h": "one\n", "LICENSE": "MIT\n"}
TREE = tree_hash({name: hashlib.sha256(text.encode()).hexdigest() for name, text in TEXTS.items()})


def _tar(top: str, texts: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:xz") as archive:
        for name, text in texts.items():
            member = tarfile.TarInfo(f"{top}/{name}")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    return buffer.getvalue()


UPSTREAM = _tar("x-1.0", TEXTS | {"tests/t.cc": "test\n"})
REPACKED = _tar("x-1.0.orig", TEXTS)


def _origin(url: str, content: bytes, file: str) -> Origin:
    return Origin("url", file, hashlib.sha256(content).hexdigest(), len(content), url=url)


def _source(url: str, name: str = "x", patches: tuple[Path, ...] = ()) -> Source:
    origins = (
        _origin(f"{url}/v1.0.tar.gz", UPSTREAM, f"{name}-1.0.tar.gz"),
        _origin(f"{url}/x_1.0.orig.tar.gz", REPACKED, f"{name}_1.0.orig.tar.gz"),
    )
    return Source(name, "1.0", "MIT", TREE, FileSet(("include/**", "LICENSE")), origins, patches)


def _release(*sources: Source) -> Release:
    return Release("1", Path("releases/1"), {source.name: source for source in sources}, {})


@pytest.fixture
def server() -> Iterator[FileServer]:
    with FileServer({"/v1.0.tar.gz": UPSTREAM, "/x_1.0.orig.tar.gz": REPACKED}) as running:
        yield running


def _fetch(source: Source, store: Path, **how: object) -> Tree:
    return fetch_sources(_release(source), store=store, **how)[source.name]  # type: ignore[arg-type]


def test_the_first_origin_brings_the_tree(server: FileServer, tmp_path: Path) -> None:
    tree = _fetch(_source(server.url), tmp_path)
    assert (tree.path / "include/a.h").read_text() == "one\n"
    assert not (tree.path / "tests").exists()
    assert (tree.sha256, tree.version, tree.origin) == (TREE, "1.0", f"{server.url}/v1.0.tar.gz")
    assert json.loads(tree.stamp.read_text())["tree"] == TREE
    assert [path for path, _ in server.seen] == ["/v1.0.tar.gz"]


def test_a_failing_origin_falls_through_to_the_next(server: FileServer, tmp_path: Path) -> None:
    del server.files["/v1.0.tar.gz"]
    assert _fetch(_source(server.url), tmp_path).origin == f"{server.url}/x_1.0.orig.tar.gz"


def test_a_wrong_hash_falls_through_to_the_next(server: FileServer, tmp_path: Path) -> None:
    server.files["/v1.0.tar.gz"] = bytes(len(UPSTREAM))
    assert _fetch(_source(server.url), tmp_path).origin == f"{server.url}/x_1.0.orig.tar.gz"


def test_when_every_origin_fails_each_is_told(server: FileServer, tmp_path: Path) -> None:
    server.files["/v1.0.tar.gz"] = bytes(len(UPSTREAM))
    del server.files["/x_1.0.orig.tar.gz"]
    source = _source(server.url)
    pinned = source.origins[0].sha256[:8]
    found = hashlib.sha256(bytes(len(UPSTREAM))).hexdigest()[:8]
    host = server.url.removeprefix("http://")
    with pytest.raises(TfcrossError) as caught:
        _fetch(source, tmp_path)
    assert str(caught.value) == (
        f"x 1.0: no origin brought it. {server.url}/v1.0.tar.gz: sha256 of the file from {host} is {found}…, "
        f"the release pins {pinned}…. Not used. "
        f"{server.url}/x_1.0.orig.tar.gz: {server.url}/x_1.0.orig.tar.gz: HTTP 404. "
        "Check the network, or put one of its files into a folder and pass SOURCE_DIR=<folder>."
    )
    assert list((tmp_path / "trees").iterdir()) == []


def test_a_tree_other_than_pinned_is_refused(server: FileServer, tmp_path: Path) -> None:
    content = _tar("x", {"include/a.h": "two\n"})
    server.files["/v1.0.tar.gz"] = content
    source = _source(server.url)
    one = Source("x", "1.0", "MIT", TREE, source.files, (_origin(source.origins[0].url, content, "x"),))
    with pytest.raises(
        TfcrossError, match=f"sha256 of the tree in it is [0-9a-f]{{64}}, the release pins {TREE[:8]}…"
    ):
        _fetch(one, tmp_path)


def test_one_missing_source_does_not_keep_the_others_away(server: FileServer, tmp_path: Path) -> None:
    nowhere = (_origin("http://127.0.0.1:1/gone.tar.gz", b"gone", "gone.tar.gz"),)
    gone = Source("gone", "1.0", "MIT", TREE, FileSet(), nowhere)
    with pytest.raises(TfcrossError, match=r"^gone 1\.0: no origin brought it\."):
        fetch_sources(_release(gone, _source(server.url)), store=tmp_path)
    assert fetch_sources(_release(gone, _source(server.url)), ["x"], store=tmp_path, offline=True)


def test_a_second_call_asks_nobody_and_takes_no_time(server: FileServer, tmp_path: Path) -> None:
    sources = [_source(server.url, name) for name in "abcdefghijkl"]
    first = fetch_sources(_release(*sources), store=tmp_path)
    asked = len(server.seen)
    began = time.perf_counter()
    second = fetch_sources(_release(*sources), store=tmp_path)
    assert time.perf_counter() - began < 0.05
    assert {name: tree.path for name, tree in second.items()} == {name: t.path for name, t in first.items()}
    assert len(server.seen) == asked


def test_a_folder_of_files_is_asked_before_the_network(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files/x_1.0.orig.tar.gz").write_bytes(REPACKED)
    tree = _fetch(_source(server.url), tmp_path / "store", source_dir=tmp_path / "files")
    assert tree.origin == "SOURCE_DIR x_1.0.orig.tar.gz"
    assert server.seen == []


def test_a_folder_may_hold_a_file_under_the_name_in_its_url(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "v1.0.tar.gz").write_bytes(UPSTREAM)
    tree = _fetch(_source(server.url), tmp_path / "store", source_dir=tmp_path, offline=True)
    assert tree.origin == "SOURCE_DIR v1.0.tar.gz"


def test_a_wrong_file_in_the_folder_is_not_used(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "x-1.0.tar.gz").write_bytes(b"other")
    assert _fetch(_source(server.url), tmp_path / "s", source_dir=tmp_path).origin.startswith(server.url)
    with pytest.raises(
        TfcrossError, match="SOURCE_DIR x-1.0.tar.gz: its sha256 is d9298a10…, the release pins"
    ):
        _fetch(_source(server.url), tmp_path / "t", source_dir=tmp_path, offline=True)


def test_an_override_is_used_as_it_is(server: FileServer, tmp_path: Path) -> None:
    local = tmp_path / "local"
    (local / "include").mkdir(parents=True)
    (local / "include/a.h").write_text("mine\n")
    tree = _fetch(_source(server.url), tmp_path / "store", overrides={"x": local})
    assert (tree.path, tree.origin, tree.pinned) == (local, f"local {local}", False)
    (local / "include/a.h").write_text("changed\n")
    assert _fetch(_source(server.url), tmp_path / "store", overrides={"x": local}).stamp != tree.stamp
    assert server.seen == []


WRONG = [
    pytest.param({"names": ["y"]}, "release 1: unknown source 'y'. Known: x.", id="name"),
    pytest.param(
        {"overrides": {"y": Path()}}, "release 1: unknown source 'y'. Known: x.", id="override's name"
    ),
    pytest.param(
        {"overrides": {"x": Path("/none")}},
        "SOURCE_x: there is no folder '/none'. Give the folder of its sources.",
        id="override's folder",
    ),
    pytest.param(
        {"source_dir": Path("/none")},
        "SOURCE_DIR: there is no folder '/none'. Give a folder of archives.",
        id="folder",
    ),
]


@pytest.mark.parametrize(("how", "message"), WRONG)
def test_wrong_arguments_are_told(tmp_path: Path, how: dict[str, object], message: str) -> None:
    with pytest.raises(TfcrossError) as caught:
        fetch_sources(_release(_source("http://127.0.0.1:1")), store=tmp_path, **how)  # type: ignore[arg-type]
    assert str(caught.value) == message


def test_offline_lists_all_that_is_missing(server: FileServer, tmp_path: Path) -> None:
    release = _release(_source(server.url, "x"), _source(server.url, "y"))
    with pytest.raises(TfcrossError) as caught:
        fetch_sources(release, store=tmp_path, offline=True)
    assert str(caught.value) == (
        "OFFLINE=1: of what the build needs, 2 are neither in the store nor in SOURCE_DIR: "
        "x 1.0 (x-1.0.tar.gz), y 1.0 (y-1.0.tar.gz). Fetch once with the network, or put these files into a "
        "folder and pass SOURCE_DIR=<folder>."
    )
    assert server.seen == []


def test_a_file_in_the_store_is_enough_offline(server: FileServer, tmp_path: Path) -> None:
    first = _fetch(_source(server.url), tmp_path)
    (tmp_path / "trees").rename(tmp_path / "moved")
    assert _fetch(_source(server.url), tmp_path, offline=True).stamp == first.stamp


def test_a_file_that_went_bad_in_the_store_is_downloaded_anew(server: FileServer, tmp_path: Path) -> None:
    source = _source(server.url)
    bad = tmp_path / "files" / source.origins[0].sha256
    bad.parent.mkdir()
    bad.write_bytes(b"bad")
    assert _fetch(source, tmp_path).origin == f"{server.url}/v1.0.tar.gz"
    assert bad.read_bytes() == UPSTREAM


def test_patches_are_applied_and_make_another_tree(server: FileServer, tmp_path: Path) -> None:
    patch = tmp_path / "x-two.patch"
    patch.write_text("--- a/include/a.h\n+++ b/include/a.h\n@@ -1 +1 @@\n-one\n+two\n")
    plain = _fetch(_source(server.url), tmp_path)
    patched = _fetch(_source(server.url, patches=(patch,)), tmp_path)
    assert (plain.path / "include/a.h").read_text() == "one\n"
    assert (patched.path / "include/a.h").read_text() == "two\n"
    assert patched.sha256 == plain.sha256
    assert (patched.path / "include/a.h").stat().st_mode & 0o222 == 0


def test_a_patch_that_fails_is_told_and_leaves_nothing(server: FileServer, tmp_path: Path) -> None:
    patch = tmp_path / "x-two.patch"
    patch.write_text("--- a/include/a.h\n+++ b/include/a.h\n@@ -1 +1 @@\n-three\n+two\n")
    with pytest.raises(TfcrossError, match=r"^x-two\.patch: include/a\.h: hunk 1, line 1, does not apply\."):
        _fetch(_source(server.url, patches=(patch,)), tmp_path / "store")
    assert list((tmp_path / "store/trees").iterdir()) == []


def test_a_store_that_cannot_be_written_is_one_line(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(
        TfcrossError, match=r"file/store/locks: Not a directory\. Make room or give access there,"
    ):
        _fetch(_source(server.url), tmp_path / "file" / "store")


PROCESS = """
import sys, test_fetch
from pathlib import Path
print(test_fetch._fetch(test_fetch._source(sys.argv[1]), Path(sys.argv[2])).path)
"""


def test_processes_share_one_store(server: FileServer, tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-c",
        f"import sys; sys.path[:0] = {[str(ROOT), str(Path(__file__).parent)]!r}{PROCESS}",
    ]
    running = [
        subprocess.Popen([*command, server.url, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    printed = {process.communicate()[0] for process in running}
    assert [process.returncode for process in running] == [0, 0, 0]
    assert len(printed) == 1
    assert [path for path, _ in server.seen] == ["/v1.0.tar.gz"]
    assert [path.name for path in (tmp_path / "trees").iterdir()] == [f"x-1.0-{TREE[:16]}"]
