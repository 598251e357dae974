"""``scons … package``: what is in it, and that another folder, time and number of jobs make the same."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import tarfile
from pathlib import Path

import pytest
from project_build import OUT, Run, copied_checkout, readme_words, run_scons

NAME = "tensorflow-core-2.14.1-PI-armv7"
#: What is made anew in the second folder: units of every kind and whole dependencies. With the precompiled
#: header of the core among them it would be all of the core: minutes, with the same outcome.
ANEW = (
    "core/tensorflow/core/common_runtime/d*.o",
    "core/tensorflow/core/framework/tensor*.o",
    "core/tensorflow/core/framework/*proto*.o",
    "core/tensorflow/core/protobuf/*.o",
    "registering/tensorflow/core/kernels/relu*.o",
    "registering/tensorflow/core/ops/math*.o",
    "deps/abseil/absl/strings/*.o",
    "deps/nsync/**/*.o",
    "deps/farmhash/**/*.o",
    "deps/*.a",
    "models/*/libtensorflow-core.a",
    "models/*/proof0/classify*",
)


@pytest.fixture(scope="module")
def first(built: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package of the objects that the checkout's own build has made; no git is in reach."""
    return packaged(copied_checkout(tmp_path_factory.mktemp("a")), "-j1")


def packaged(folder: Path, *words: str) -> Path:
    run = run_scons(*readme_words(), "package", *words, cwd=folder)
    assert run.status == 0, run.out[-4000:] + run.err[-4000:]
    return folder / "out" / f"{NAME}.tar.gz"


def contents(package: Path) -> dict[str, bytes]:
    with tarfile.open(package) as archive:
        entries = {entry.name.removeprefix(f"{NAME}/"): archive.extractfile(entry) for entry in archive}
        return {name: stream.read() for name, stream in entries.items() if stream}


def test_the_package_is_the_output_folder_and_papers(first):
    found = contents(first)
    of_the_build = {path.relative_to(OUT).as_posix(): path for path in OUT.rglob("*") if path.is_file()}
    papers = {name for name in found if name.startswith("licences/")} | {"SHA256SUMS", "sbom.cdx.json"}
    assert set(found) - papers == set(of_the_build)
    changed = [name for name, path in of_the_build.items() if path.read_bytes() != found[name]]
    assert changed == []
    assert {name.split("/")[1] for name in papers if "/" in name} == {
        "abseil",
        "double-conversion",
        "eigen",
        "farmhash",
        "gemmlowp",
        "highwayhash",
        "ml_dtypes",
        "nsync",
        "protobuf",
        "tensorflow",
    }


def test_its_bill_of_materials_names_what_has_a_licence_in_it(first):
    found = contents(first)
    named = [component["name"] for component in json.loads(found["sbom.cdx.json"])["components"]]
    assert named == sorted({name.split("/")[1] for name in found if name.startswith("licences/")})


def test_the_sums_in_it_and_beside_it_hold(first, tmp_path):
    subprocess.run(["tar", "-xzf", first, "-C", tmp_path], check=True)
    check = ["sha256sum", "--check", "--quiet"]
    subprocess.run([*check, "SHA256SUMS"], cwd=tmp_path / NAME, check=True)
    subprocess.run([*check, f"{NAME}.tar.gz.sha256"], cwd=first.parent, check=True)


def test_another_folder_time_and_number_of_jobs_make_the_same_package(first, tmp_path):
    folder = copied_checkout(tmp_path / "a longer name for the second folder")
    work = folder / "build/PI-armv7/2.14.1-clang-14"
    anew = {path for pattern in ANEW for path in work.glob(pattern) if path.is_file()}
    for path in anew:
        path.unlink()
    second = packaged(folder, "-j3")
    assert len([path for path in anew if path.suffix == ".o"]) > 50
    assert all(path.stat().st_nlink == 1 for path in work.rglob("relu*.o") if path in anew)
    assert hashlib.sha256(second.read_bytes()).digest() == hashlib.sha256(first.read_bytes()).digest()


def test_the_date_in_the_package_can_be_given(first):
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "1700000000"}
    folder = first.parents[1]
    run = run_scons(*readme_words(), "package", "OUT=dated", cwd=folder, env=environment)
    assert run.status == 0, run.err
    with tarfile.open(folder / "dated" / f"{NAME}.tar.gz") as archive:
        assert {entry.mtime for entry in archive} == {1700000000}
    run = run_scons(*readme_words(), "package", cwd=folder, env={**environment, "SOURCE_DATE_EPOCH": "now"})
    assert (run.status, run.errors) == (
        2,
        ["error: SOURCE_DATE_EPOCH=now: not a number of seconds; give one, or leave it out."],
    )
