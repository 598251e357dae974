"""Releases: what the data says, and what is wrong data."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from tfcross.errors import TfcrossError
from tfcross.releases.release import Origin, Source, known_releases, load_release

ROOT = Path(__file__).parents[2]
SHA = "0123456789abcdef" * 4
URL = {"url": "https://example.org/x-1.tar.gz", "file": "x-1.tar.gz", "sha256": SHA, "size": 7}


def _root(folder: Path, **changes: Any) -> Path:
    """A project with release 1, whose source x is changed by ``changes``; None takes a key away."""
    source = {"version": "1.0", "license": "MIT", "tree": SHA, "origins": {"url": [URL]}} | changes
    source = {key: value for key, value in source.items() if value is not None}
    (folder / "releases/1/patches").mkdir(parents=True)
    document = {"release": "1", "sources": {"x": source}}
    (folder / "releases/1/release.yaml").write_text(yaml.safe_dump(document))
    return folder


def test_a_source_has_its_origins_in_the_order_of_kinds(tmp_path: Path) -> None:
    debian = {
        "package": "x",
        "version": "1.0",
        "suite": "sid",
        "file": "x_1.orig.tar.xz",
        "sha256": SHA,
        "size": 8,
    }
    wheel = {
        "project": "y",
        "version": "2",
        "file": "y-2-py3-none-any.whl",
        "sha256": SHA,
        "size": 9,
        "root": "y",
    }
    origins = {
        "local": [{"file": "x.tar"}],
        "pypi": [wheel],
        "debian": [debian],
        "url": [URL | {"moves": {"a": "b"}}],
    }
    source = load_release(_root(tmp_path, origins=origins, keep=["src/**"], drop=["**/*.py"]), "1").source(
        "x"
    )
    assert source.origins == (
        Origin("url", "x-1.tar.gz", SHA, 7, url="https://example.org/x-1.tar.gz", moves=(("a", "b"),)),
        Origin("debian", "x_1.orig.tar.xz", SHA, 8, name="x", version="1.0", suite="sid"),
        Origin("pypi", "y-2-py3-none-any.whl", SHA, 9, name="y", version="2", root="y"),
        Origin("local", "x.tar", "", 0),
    )
    assert source.keep == ("src/**",)
    assert [str(origin) for origin in source.origins] == [
        "https://example.org/x-1.tar.gz",
        "Debian sid x 1.0",
        "PyPI y 2",
        "your own x.tar",
    ]


def test_patches_are_files_of_the_release(tmp_path: Path) -> None:
    root = _root(tmp_path, patches=["x-fix.patch"])
    (root / "releases/1/patches/x-fix.patch").write_text("")
    assert load_release(root, "1").source("x").patches == (root / "releases/1/patches/x-fix.patch",)


def test_the_whole_document_is_at_hand(tmp_path: Path) -> None:
    assert load_release(_root(tmp_path), "1").document["release"] == "1"


WRONG = [
    pytest.param(
        {"licence": "MIT"}, "sources.x: unknown key 'licence'. Known: drop, keep, license,", id="key"
    ),
    pytest.param(
        {"version": 1.0}, "sources.x.version: 1.0 is not of type string; quote versions", id="number"
    ),
    pytest.param({"tree": "abc"}, "sources.x.tree: 'abc' does not match '^[0-9a-f]{64}$'.", id="hash"),
    pytest.param({"tree": None}, "sources.x: 'tree' is a required property.", id="no tree hash"),
    pytest.param({"origins": {}}, "sources.x.origins: {} should be non-empty.", id="no origin"),
    pytest.param(
        {"origins": {"ftp": [URL]}}, "sources.x.origins: unknown key 'ftp'. Known: debian,", id="kind"
    ),
    pytest.param(
        {"origins": {"url": [URL | {"sha1": "x"}]}},
        "sources.x.origins.url.0: unknown key 'sha1'.",
        id="origin key",
    ),
    pytest.param(
        {"origins": {"url": [{"url": URL["url"], "file": "x"}]}},
        "sources.x.origins.url.0: 'sha256' is a required property.",
        id="a download without a hash",
    ),
    pytest.param(
        {"origins": {"local": [{"file": "x.tar", "sha256": SHA}]}},
        "sources.x.origins.local.0: unknown key 'sha256'. Known: file, moves, root.",
        id="a hash of what anyone may make",
    ),
    pytest.param(
        {"keep": ["/etc/*"]}, "sources.x.keep.0: '/etc/*' does not match '^[^/]'.", id="absolute pattern"
    ),
    pytest.param(
        {"patches": ["gone.patch"]}, "sources.x.patches: there is no patches/gone.patch.", id="missing patch"
    ),
]


@pytest.mark.parametrize(("changes", "message"), WRONG)
def test_wrong_data_is_one_line_that_says_where(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(TfcrossError) as caught:
        load_release(_root(tmp_path, **changes), "1")
    assert str(caught.value).startswith(f"releases/1/release.yaml: {message}")


def test_an_unknown_release_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(TfcrossError) as caught:
        load_release(_root(tmp_path), "1.9.9")
    assert str(caught.value) == "RELEASE: unknown release '1.9.9'. Known: 1."


def test_an_unknown_source_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(TfcrossError) as caught:
        load_release(_root(tmp_path), "1").source("y")
    assert str(caught.value) == "release 1: unknown source 'y'. Known: x."


def test_a_release_has_the_name_of_its_folder(tmp_path: Path) -> None:
    (_root(tmp_path) / "releases/1").rename(tmp_path / "releases/2")
    with pytest.raises(TfcrossError, match="release is '1', its folder says '2'"):
        load_release(tmp_path, "2")


def test_2_14_1_can_be_had_from_upstream_alone_and_from_debian_and_pypi_alone() -> None:
    sources = load_release(ROOT, "2.14.1").sources
    assert list(sources) == [
        *("tensorflow", "protobuf", "abseil", "nsync", "farmhash", "highwayhash", "gemmlowp"),
        *("double-conversion", "oourafft", "re2", "eigen", "ml_dtypes"),
    ]
    for source in sources.values():
        kinds = {origin.kind for origin in source.origins}
        assert "url" in kinds
        assert kinds & {"debian", "pypi"}


def test_1_8_0_has_what_its_makefile_build_uses_and_no_source_depends_on_one_host() -> None:
    sources = load_release(ROOT, "1.8.0").sources
    assert {name: hosts(source) for name, source in sources.items()} == {
        "tensorflow": ["github.com", "mirror.bazel.build", "your own tensorflow-1.8.0.tar"],
        "protobuf": ["github.com", "mirror.bazel.build"],
        "nsync": ["github.com", "mirror.bazel.build"],
        "gemmlowp": ["github.com", "mirror.bazel.build"],
        "fft2d": [
            "github.com",
            "www.kurims.kyoto-u.ac.jp",
            "Debian sid oourafft 1.0",
            "Debian trixie oourafft 1.0",
        ],
        "eigen": ["gitlab.com", "github.com", "mirror.bazel.build"],
    }


def hosts(source: Source) -> list[str]:
    return [urlsplit(origin.url).netloc if origin.url else str(origin) for origin in source.origins]


@pytest.mark.parametrize(
    ("name", "kept", "dropped"),
    [
        pytest.param("tensorflow", "tensorflow/core/a/b.cc", "tensorflow/core/a/b_test.cc", id="tests"),
        pytest.param(
            "tensorflow", "tensorflow/contrib/makefile/tf_op_files.txt", "tensorflow/core/a.txt", id="lists"
        ),
        pytest.param("tensorflow", "third_party/eigen3/Eigen/Core", "third_party/eigen3/BUILD", id="BUILD"),
        pytest.param(
            "protobuf", "src/google/protobuf/io/a.cc", "src/google/protobuf/io/a_unittest.cc", id="unit tests"
        ),
        pytest.param("eigen", "Eigen/src/Core/Matrix.h", "Eigen/src/OrderingMethods/Amd.h", id="LGPL"),
    ],
)
def test_1_8_0_keeps_what_is_built(name: str, kept: str, dropped: str) -> None:
    files = load_release(ROOT, "1.8.0").source(name).files
    assert (kept in files, dropped in files) == (True, False)


@pytest.mark.parametrize("version", known_releases(ROOT))
def test_no_origin_names_the_host_of_a_package_registry(version: str) -> None:
    for source in load_release(ROOT, version).sources.values():
        for origin in source.origins:
            assert not re.search(r"//[^/]*(debian|ubuntu|pypi|pythonhosted)", origin.url)


@pytest.mark.parametrize("version", known_releases(ROOT))
def test_every_patch_of_a_release_is_used(version: str) -> None:
    release = load_release(ROOT, version)
    used = {patch.name for source in release.sources.values() for patch in source.patches}
    assert {path.name for path in release.folder.glob("patches/*")} == used
