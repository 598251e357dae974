"""Real origins: a Debian source package through apt, members of a wheel through pip."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tfcross.releases.release import Release, Source, load_release
from tfcross.sources.fetch import fetch_sources
from tfcross.sources.origins.debian import AptArchive
from tfcross.sources.store import Store
from tfcross.treehash import FileSet, hash_folder

ROOT = Path(__file__).parents[2]


def _only(kind: str, name: str) -> Release:
    """Release 2.14.1 with one source, unpatched, and of its origins those of one kind."""
    release = load_release(ROOT, "2.14.1")
    source = release.source(name)
    origins = tuple(origin for origin in source.origins if origin.kind == kind)
    return replace(release, sources={name: replace(source, origins=origins, patches=())})


def _source(release: Release) -> Source:
    return next(iter(release.sources.values()))


@pytest.mark.parametrize("name", ["nsync", "farmhash"])
def test_a_debian_source_package_brings_the_pinned_tree(tmp_path: Path, name: str) -> None:
    release = _only("debian", name)
    tree = fetch_sources(release, store=tmp_path)[name]
    assert tree.origin.startswith("Debian ")
    assert hash_folder(tree.path, FileSet()) == _source(release).tree_sha256
    assert fetch_sources(release, store=tmp_path, offline=True)[name].path == tree.path


def test_apts_lists_of_an_earlier_run_are_used_again(tmp_path: Path) -> None:
    origin = _source(_only("debian", "farmhash")).origins[0]
    store = Store(tmp_path)
    first = AptArchive(tmp_path / "apt", store.lock, [origin]).locate(origin)
    lists = tmp_path / "apt" / origin.suite / "lists"
    times = {path: path.stat().st_mtime_ns for path in lists.iterdir()}
    assert AptArchive(tmp_path / "apt", store.lock, [origin]).locate(origin) == first
    assert {path: path.stat().st_mtime_ns for path in lists.iterdir()} == times


def test_members_of_a_wheel_bring_the_pinned_tree(tmp_path: Path) -> None:
    release = _only("pypi", "ml_dtypes")
    tree = fetch_sources(release, store=tmp_path)["ml_dtypes"]
    assert tree.origin == "PyPI tensorflow_cpu 2.14.1"
    assert sorted(path.name for path in tree.path.rglob("*")) == ["LICENSE", "float8.h", "include"]
    assert hash_folder(tree.path, FileSet()) == _source(release).tree_sha256
    stored = sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())
    assert stored < 200_000, "the wheel has 198 MB; only its members are to be kept"


def _download(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "scripts/download_dependencies.py", *words],
        cwd=ROOT,
        env={**os.environ, "TFCROSS_CACHE": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_script_lists_what_is_missing_offline(tmp_path: Path) -> None:
    answer = _download(tmp_path, "OFFLINE=1", "RELEASE=2.14.1", "TARGET=PI")
    assert answer.returncode == 2
    assert answer.stdout == ""
    assert answer.stderr.startswith(
        "error: OFFLINE=1: of what the build needs, 12 are neither in the store nor"
    )
    assert answer.stderr.count("\n") == 1


def test_the_script_prints_a_line_per_source(tmp_path: Path) -> None:
    sources = load_release(ROOT, "2.14.1").sources
    (tmp_path / "local").mkdir()
    local = [f"SOURCE_{name}={tmp_path / 'local'}" for name in sources]
    answer = _download(tmp_path / "store", "OFFLINE=1", *local)
    assert (answer.returncode, answer.stderr) == (0, "")
    lines = answer.stdout.splitlines()
    assert lines[1] == f"protobuf 3.21.12  local {tmp_path / 'local'}  0.0 s"
    assert [line.split()[0] for line in lines[:-1]] == list(sources)
    assert lines[-1].startswith("12 sources in ")


def test_the_script_refuses_an_unknown_release_in_one_line(tmp_path: Path) -> None:
    answer = _download(tmp_path, "RELEASE=1.9.9")
    assert answer.returncode == 2
    assert answer.stderr.startswith("error: RELEASE: unknown release '1.9.9'. Known: ")
    assert answer.stderr.count("\n") == 1
