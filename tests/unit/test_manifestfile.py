"""Manifests as files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from test_manifest import manifest

from tfcross.errors import TfcrossError
from tfcross.output.linkflags import LinkFlags
from tfcross.output.manifest import check_contents, contents, link_flags, load_manifest, manifest_text


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "manifest.json"
    held = contents(
        {"lib/liba.a": "1" * 64, "link/flags.mk": "2" * 64}, {"lib/liba.a": 3, "link/flags.mk": 4}
    )
    path.write_text(manifest_text({**manifest(), **held}))
    return path


def test_a_manifest_is_read_as_it_was_written(written: Path) -> None:
    read = load_manifest(written)
    assert read["archives"] == {"liba.a": {"size": 3, "sha256": "1" * 64}}
    assert read["files"] == {"lib/liba.a": "1" * 64, "link/flags.mk": "2" * 64}
    assert manifest_text(read) == written.read_text()


def test_the_flags_for_linking_come_back_from_it(written: Path) -> None:
    assert link_flags(load_manifest(written)) == LinkFlags(
        "c++17", ("NDEBUG",), ("-mfpu=neon",), "libtensorflow-core.a", ("libnsync.a",), ("m",), (), "gnu"
    )


def test_a_folder_with_just_what_the_manifest_tells_is_accepted(written: Path) -> None:
    manifest = load_manifest(written)
    check_contents(written.parent, manifest["files"], manifest)


@pytest.mark.parametrize(
    ("there", "message"),
    [
        pytest.param({"link/flags.mk": "3" * 64}, "link/flags.mk: has another sha256 than", id="changed"),
        pytest.param({"lib/liba.a": ""}, "lib/liba.a: is missing;", id="missing"),
        pytest.param({"lib/libb.a": "4" * 64}, "lib/libb.a: is not in manifest.json;", id="added"),
    ],
)
def test_any_other_file_in_the_folder_is_named(written: Path, there: dict[str, str], message: str) -> None:
    manifest = load_manifest(written)
    hashes = {name: digest for name, digest in {**manifest["files"], **there}.items() if digest}
    with pytest.raises(TfcrossError) as caught:
        check_contents(Path("out/PI-armv7"), hashes, manifest)
    assert str(caught.value).startswith(f"out/PI-armv7/{message}")
    assert str(caught.value).endswith("; delete out/PI-armv7 and run again.")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(
            {"release": "2.15.0"},
            "was edited: it is not what its sha256 was made of; build again.",
            id="another value",
        ),
        pytest.param(
            {"models": [{"name": "m.pb"}]}, "models.0: 'sha256' is a required property.", id="a gap"
        ),
        pytest.param(
            {"cpu": "mips"}, "cpu: 'mips' is not allowed. Known: aarch64, arm, x86_32, x86_64.", id="cpu"
        ),
        pytest.param(
            {"note": 1}, "unknown key 'note'. Known: api, arch, archives, cpu, extras, files, ", id="key"
        ),
    ],
)
def test_an_edited_manifest_is_refused(written: Path, change: dict[str, object], message: str) -> None:
    written.write_text(json.dumps({**json.loads(written.read_text()), **change}))
    with pytest.raises(TfcrossError) as caught:
        load_manifest(written)
    assert str(caught.value).startswith(f"{written}: {message}")


@pytest.mark.parametrize(
    ("change", "what"),
    [
        pytest.param({"format": None}, "has no format number", id="from before there were formats"),
        pytest.param({"format": 2, "parts": []}, "is of format 2", id="of a later tfcross"),
    ],
)
def test_a_manifest_of_another_format_is_refused_with_what_to_do(
    written: Path, change: dict[str, object], what: str
) -> None:
    document = {**json.loads(written.read_text()), **change}
    kept = {key: value for key, value in document.items() if value is not None}
    written.write_text(json.dumps(kept))
    with pytest.raises(TfcrossError) as caught:
        load_manifest(written)
    assert str(caught.value) == (
        f"{written}: {what}, not of format 1: made by another version of tfcross; build again."
    )


def test_a_manifest_says_its_format(written: Path) -> None:
    assert json.loads(written.read_text())["format"] == 1


def test_a_file_that_is_no_manifest_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m").write_text("x")
    with pytest.raises(TfcrossError, match=r"m: not JSON: Expecting value: .*; build again\.$"):
        load_manifest(tmp_path / "m")


def test_where_nothing_was_built_yet_the_message_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(TfcrossError) as caught:
        load_manifest(tmp_path / "manifest.json")
    assert str(caught.value) == (
        f"{tmp_path}/manifest.json: cannot be read: No such file or directory; "
        "build first (scons TARGET=… MODEL=…), or give a folder that a build made."
    )
