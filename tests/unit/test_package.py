"""Packages: the same bytes, licences of everything, sums that hold, a valid bill of materials."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from fake_compilers import ROOT
from test_manifest import manifest as small_manifest

from tfcross.checkout import checkout_state, revision
from tfcross.errors import TfcrossError
from tfcross.output.manifest import manifest_text
from tfcross.output.package import (
    Part,
    bundle_files,
    folder_files,
    licence_files,
    package_files,
    packed_file,
    tarball,
    with_sums,
    write_package,
)
from tfcross.output.sbom import bill_of_materials
from tfcross.releases.release import load_release

DATE = 946684800


def part(folder: Path, licence: str = "LICENSE", spdx: str = "Apache-2.0", **files: str) -> Part:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    return Part(folder.name, folder, licence, spdx)


def test_a_tarball_depends_on_its_files_only() -> None:
    files = {"lib/a.a": b"a", "bin/tool": b"b"}
    packed = tarball("x", files, DATE)
    assert packed == tarball("x", dict(reversed(files.items())), DATE)
    assert packed != tarball("x", files, DATE + 1)
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        found = [(e.name, e.mtime, e.uid, e.gid, e.uname, oct(e.mode)) for e in archive]
    assert found == [("x/bin/tool", DATE, 0, 0, "", "0o755"), ("x/lib/a.a", DATE, 0, 0, "", "0o644")]


def test_a_bundle_goes_with_the_papers_of_its_archs() -> None:
    files = {
        "lib/core.a": b"core",
        "licences/one/LICENSE": b"text",
        "manifest.json": b"{}",
        "sbom.cdx.json": b"[]",
        "proof.txt": b"",
    }
    arm = package_files(tarball("arm", files, DATE))
    assert arm == files
    x86 = {**files, "licences/two/LICENSE": b"other", "manifest.json": b"{1}"}
    assert bundle_files({"a.aar": b"aar"}, {"arm": arm, "x86": x86}) == {
        "a.aar": b"aar",
        "licences/one/LICENSE": b"text",
        "licences/two/LICENSE": b"other",
        "arm/manifest.json": b"{}",
        "arm/sbom.cdx.json": b"[]",
        "x86/manifest.json": b"{1}",
        "x86/sbom.cdx.json": b"[]",
    }


def test_a_package_is_written_with_its_sum(tmp_path: Path) -> None:
    digest = write_package(tmp_path / "p.tar.gz", b"content")
    assert (tmp_path / "p.tar.gz.sha256").read_text() == f"{digest}  p.tar.gz\n"
    done = subprocess.run(["sha256sum", "--check", "p.tar.gz.sha256"], cwd=tmp_path, check=False)
    assert done.returncode == 0


def test_sha256sum_accepts_the_sums(tmp_path: Path) -> None:
    for name, content in with_sums({"b": b"2", "a": b"1"}).items():
        (tmp_path / name).write_bytes(content)
    done = subprocess.run(
        ["sha256sum", "--check", "SHA256SUMS"], cwd=tmp_path, capture_output=True, check=False
    )
    assert done.stdout == b"a: OK\nb: OK\n"


def test_every_part_brings_all_files_that_are_a_licence(tmp_path: Path) -> None:
    one = part(tmp_path / "one", LICENSE="text of one", NOTICE="notice", other="no")
    two = part(tmp_path / "two", "readme.txt", **{"readme.txt": "terms"})
    assert licence_files([one, two]) == {
        "licences/one/LICENSE": b"text of one",
        "licences/one/NOTICE": b"notice",
        "licences/two/readme.txt": b"terms",
    }


def test_a_tree_that_does_not_bring_its_licence_gets_the_text_that_is_kept_here(tmp_path: Path) -> None:
    [(name, text)] = licence_files([part(tmp_path / "eigen", "COPYING.MPL2", "MPL-2.0")]).items()
    assert name == "licences/eigen/MPL-2.0.txt"
    assert text.startswith(b"Mozilla Public License Version 2.0")


def test_a_part_without_any_licence_stops_the_package(tmp_path: Path) -> None:
    with pytest.raises(TfcrossError) as caught:
        licence_files([part(tmp_path / "own", spdx="Zlib")])
    assert str(caught.value) == (
        "package: own: no LICENSE in its tree, and none in templates/licences; put Zlib.txt there."
    )


def test_what_python_leaves_in_the_folder_is_no_part_of_it(tmp_path: Path) -> None:
    (tmp_path / "link/__pycache__").mkdir(parents=True)
    for name in ("link/a.py", "link/__pycache__/a.pyc"):
        (tmp_path / name).write_text("x")
    assert folder_files(tmp_path) == {"link/a.py": b"x"}


@pytest.fixture
def materials() -> dict[str, Any]:
    manifest = {**small_manifest(), "archives": {"libtensorflow-core.a": {"size": 1, "sha256": "a" * 64}}}
    sealed = json.loads(manifest_text(manifest))
    parts = [Part("eigen", Path("/e"), "", "MPL-2.0"), Part("nsync", Path("/n"), "", "Apache-2.0")]
    made = bill_of_materials(sealed, parts, load_release(ROOT, "2.14.1"), DATE)
    assert made == bill_of_materials(sealed, parts, load_release(ROOT, "2.14.1"), DATE)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(made.decode()) is None
    loaded: dict[str, Any] = json.loads(made)
    return loaded


def test_the_bill_of_materials_names_the_library_and_what_it_was_made_with(materials: dict[str, Any]) -> None:
    assert materials["metadata"]["timestamp"] == "2000-01-01T00:00:00+00:00"
    assert materials["metadata"]["component"] == {
        "bom-ref": "tensorflow-core",
        "hashes": [{"alg": "SHA-256", "content": "a" * 64}],
        "name": "tensorflow-core",
        "properties": [
            {"name": "tfcross:target", "value": "PI-armv7"},
            {"name": "tfcross:toolchain", "value": "clang-14 14.0.6"},
        ],
        "type": "library",
        "version": "2.14.1",
    }


def test_the_bill_of_materials_names_each_source_with_licence_and_origins(materials: dict[str, Any]) -> None:
    eigen, nsync = materials["components"]
    assert (eigen["name"], eigen["version"], nsync["name"], nsync["version"]) == (
        "eigen",
        "3.4",
        "nsync",
        "1.25.0",
    )
    assert eigen["licenses"] == [{"license": {"id": "MPL-2.0"}}]
    assert {"name": "tfcross:tree_sha256", "value": "6" * 64} in eigen["properties"]
    assert [reference["type"] for reference in eigen["externalReferences"]] == ["distribution"]
    assert materials["dependencies"][-1]["dependsOn"] == ["eigen", "nsync"]


def test_the_revision_is_the_checkouts_commit() -> None:
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert revision(ROOT).removesuffix("-dirty") == head.stdout.strip()


def test_without_git_there_is_no_revision(tmp_path: Path) -> None:
    assert revision(tmp_path) == ""


def test_a_checkouts_state_changes_with_a_commit_and_with_each_edit(tmp_path: Path) -> None:
    git = ["git", "-C", str(tmp_path), "-c", "user.name=t", "-c", "user.email=t@localhost"]
    found = [checkout_state(tmp_path)]
    subprocess.run([*git, "init", "-q"], check=True)
    for text in ("one", "two"):
        (tmp_path / "file").write_text(text)
        subprocess.run([*git, "add", "file"], check=True)
        subprocess.run([*git, "commit", "-q", "-m", text], check=True)
        found.append(checkout_state(tmp_path))
    for text in ("three", "four"):
        (tmp_path / "file").write_text(text)
        found.append(checkout_state(tmp_path))
    assert found[0] == ""
    assert len(set(found)) == 5
    assert found[3].startswith(f"{found[2]}-dirty")


def test_the_licence_that_is_kept_here_is_mozillas_own_text() -> None:
    text = (ROOT / "templates/licences/MPL-2.0.txt").read_bytes()
    assert (
        hashlib.sha256(text).hexdigest() == "fab3dd6bdab226f1c08630b1dd917e11fcb4ec5e1e020e2c16f83a0a13863e85"
    )


def test_a_file_is_read_from_a_package(tmp_path: Path) -> None:
    package = tmp_path / "name-1.tar.gz"
    package.write_bytes(tarball("name-1", {"a/b": b"content"}, 0))
    assert packed_file(package, "a/b") == b"content"
    with pytest.raises(TfcrossError) as raised:
        packed_file(package, "c")
    assert str(raised.value).startswith(f"{package}: has no name-1/c: ")
