"""What something else does to the output folder, or to what goes into it, is seen and mended, not shipped."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from project_build import OUT, ROOT, Run, readme_words, run_scons

WORK = ROOT / "build/PI-armv7/2.14.1-clang-14"
NAME = "tensorflow-core-2.14.1-PI-armv7"
State = dict[str, tuple[int, str]]


def state() -> State:
    """Mode and sha256 of all that is in the output folder."""
    found = {}
    for path in sorted(OUT.rglob("*")):
        mode = path.lstat().st_mode
        digest = hashlib.sha256(path.read_bytes()).hexdigest() if stat.S_ISREG(mode) else ""
        if "__pycache__" not in path.parts:
            found[path.relative_to(OUT).as_posix()] = (mode, digest)
    return found


@pytest.fixture(scope="module")
def good(built: Run) -> State:
    return state()


@pytest.fixture(scope="module")
def model(good: State) -> Path:
    """The build folder of the model, by its archive."""
    sha256 = good["lib/libtensorflow-core.a"][1]
    archives = WORK.glob("models/*/libtensorflow-core.a")
    return next(p.parent for p in archives if hashlib.sha256(p.read_bytes()).hexdigest() == sha256)


def flip(path: Path, keep_time: bool = False) -> None:
    """Change a byte in the middle of ``path``, in place."""
    was = path.stat()
    with path.open("r+b") as stream:
        stream.seek(was.st_size // 2)
        byte = stream.read(1)
        stream.seek(was.st_size // 2)
        stream.write(bytes([byte[0] ^ 1]))
    if keep_time:
        os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))


def instead(path: Path, how: Callable[[Path], object]) -> None:
    path.unlink()
    how(path)


DAMAGES = [
    pytest.param(lambda: (OUT / "lib/libtensorflow-core.a").unlink(), id="the core gone"),
    pytest.param(lambda: flip(OUT / "lib/libprotobuf.a"), id="an archive changed"),
    pytest.param(lambda: (OUT / "include/tensorflow/core/public/session.h").unlink(), id="a header gone"),
    pytest.param(lambda: (OUT / "link/flags.mk").write_text("TFCROSS_LDLIBS =\n"), id="a link file changed"),
    pytest.param(lambda: (OUT / "proof.txt").unlink(), id="the proof gone"),
    pytest.param(lambda: (OUT / "manifest.json").write_text("{}"), id="the manifest changed"),
    pytest.param(lambda: (OUT / "manifest.json").unlink(), id="the manifest gone"),
    pytest.param(lambda: instead(OUT / "manifest.json", Path.mkdir), id="the manifest a folder"),
    pytest.param(lambda: instead(OUT / "lib/libnsync.a", Path.mkdir), id="an archive a folder"),
    pytest.param(
        lambda: instead(OUT / "lib/libnsync.a", lambda p: p.symlink_to("libprotobuf.a")),
        id="an archive a link",
    ),
    pytest.param(lambda: (OUT / "lib/libnsync.a").chmod(0o600), id="permissions"),
    pytest.param(lambda: (OUT / "include/extra.h").write_text("int extra;\n"), id="a file added"),
    pytest.param(lambda: (OUT / "empty").mkdir(), id="an empty folder added"),
    pytest.param(lambda: shutil.rmtree(OUT / "include"), id="a folder gone"),
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_output_folder_is_put_in_place_anew(good: State, damage: Callable[[], object]) -> None:
    damage()
    run = run_scons(*readme_words())
    assert (run.status, run.made("OUT")) == (0, ["out/PI-armv7/manifest.json"]), run.err
    assert run.made("C", "C++", "AR", "LINK", "PROVE") == []
    assert state() == good


def test_what_python_leaves_beside_its_link_file_and_a_new_time_are_no_damage(good: State) -> None:
    (OUT / "link/__pycache__").mkdir()
    os.utime(OUT / "lib/libnsync.a")
    run = run_scons(*readme_words())
    assert (run.status, run.made("OUT")) == (0, [])
    (OUT / "link/__pycache__").rmdir()


@pytest.mark.parametrize(
    ("name", "made"),
    [
        pytest.param("{model}/libtensorflow-core.a", "AR", id="the core"),
        pytest.param("{model}/out/lib/libnsync.a", "AR", id="a staged archive, which is a link to the first"),
        pytest.param("deps/libprotobuf.a", "AR", id="a dependency"),
        pytest.param("core/tensorflow/core/framework/op.cc.o", "C++", id="an object"),
        pytest.param("{model}/out/include/tensorflow/core/public/session.h", "HDRS", id="a staged header"),
        pytest.param("{model}/proof0/classify", "LINK", id="the proof's app"),
        pytest.param("{model}/proof0/classify.stripped", "STRIP", id="the stripped app"),
        pytest.param("{model}/proof0/proof.txt", "PROVE", id="what the proof said"),
    ],
)
def test_a_byte_that_was_flipped_in_the_build_folder_is_made_anew_and_not_shipped(
    good: State, model: Path, name: str, made: str
) -> None:
    path = WORK / name.format(model=model)
    before = path.read_bytes()
    flip(path)
    (OUT / "proof.txt").unlink()
    run = run_scons(*readme_words())
    assert run.status == 0, run.err
    assert len(run.made(made)) == 1
    assert path.read_bytes() == before
    assert state() == good


def test_what_only_a_hash_can_tell_is_refused_before_it_is_shipped(good: State, model: Path) -> None:
    archive = model / "out/lib/libtensorflow-core.a"
    flip(archive, keep_time=True)
    (OUT / "proof.txt").unlink()
    refused = run_scons(*readme_words())
    name = archive.relative_to(ROOT).as_posix()
    assert (refused.status, refused.errors) == (
        2,
        [f"error: {name}: is not as the build made it; delete it and run again."],
    )
    archive.unlink()
    (model / "libtensorflow-core.a").unlink()  # the same file
    assert run_scons(*readme_words()).status == 0
    assert state() == good


def test_a_folder_in_the_place_of_an_archive_makes_way(good: State, model: Path) -> None:
    instead(model / "libtensorflow-core.a", Path.mkdir)
    run = run_scons(*readme_words())
    assert (run.status, len(run.made("AR"))) == (0, 1), run.err
    assert state() == good


def test_a_folder_of_the_users_in_the_place_of_the_output_is_not_replaced(good: State) -> None:
    aside = OUT.with_name("aside")
    OUT.rename(aside)
    OUT.mkdir()
    (OUT / "mine.txt").write_text("mine")
    run = run_scons(*readme_words())
    assert (run.status, run.errors) == (
        2,
        ["error: OUT: out/PI-armv7 exists and has no manifest.json; move it away, or pass another OUT=."],
    )
    assert (OUT / "mine.txt").read_text() == "mine"
    shutil.rmtree(OUT)
    aside.rename(OUT)
    assert run_scons(*readme_words()).made("OUT") == []


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        pytest.param(
            lambda: flip(OUT / "lib/libtensorflow-core.a", keep_time=True),
            "lib/libtensorflow-core.a: has another sha256 than manifest.json tells",
            id="an archive",
        ),
        pytest.param(
            lambda: flip(OUT / "include/tensorflow/core/public/session.h", keep_time=True),
            "include/tensorflow/core/public/session.h: has another sha256 than manifest.json tells",
            id="a header",
        ),
    ],
)
def test_a_package_is_refused_where_a_file_is_not_what_the_manifest_tells(
    good: State, damage: Callable[[], object], message: str
) -> None:
    package = OUT.with_name(f"{NAME}.tar.gz")
    package.unlink(missing_ok=True)
    damage()
    run = run_scons(*readme_words(), "package")
    assert (run.status, run.errors) == (
        2,
        [f"error: out/PI-armv7/{message}; delete out/PI-armv7 and run again."],
    )
    assert not package.exists()
    shutil.rmtree(OUT)
    assert run_scons(*readme_words(), "package").status == 0
    assert package.is_file()
    assert state() == good


def test_a_damaged_package_is_packed_anew(good: State) -> None:
    package = OUT.with_name(f"{NAME}.tar.gz")
    assert run_scons(*readme_words(), "package").status == 0
    before = package.read_bytes()
    flip(package)
    run = run_scons(*readme_words(), "package")
    assert (run.status, len(run.made("PACK"))) == (0, 1)
    assert package.read_bytes() == before


def test_another_checkouts_folder_is_not_taken_for_our_own(good: State) -> None:
    """Two checkouts may share an OUT=: the folder holds what the last one put there."""
    other = OUT.with_name("other")
    shutil.copytree(OUT, other)
    (other / "lib/libnsync.a").write_bytes(b"!<arch>\n")
    shutil.rmtree(OUT)
    other.rename(OUT)
    run = run_scons(*readme_words())
    assert (run.status, len(run.made("OUT"))) == (0, 1)
    assert state() == good


def test_a_users_file_in_the_place_of_a_folder_above_is_not_deleted(good: State, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    notes.write_text("mine")
    run = run_scons(*readme_words(), f"OUT={notes}")
    made = f"{notes}/PI-armv7/manifest.json"
    assert (run.status, run.errors) == (
        2,
        [f"error: {notes}: is no folder, and {made} has to be made; move it away."],
    )
    assert notes.read_text() == "mine"


def test_a_users_copy_beside_the_output_folder_stays(good: State) -> None:
    copies = [OUT.with_name(f"PI-armv7.{kind}") for kind in ("old", "part")]
    for copy in copies:
        copy.mkdir()
        (copy / "mine.txt").write_text("mine")
    (OUT / "proof.txt").unlink()
    assert run_scons(*readme_words()).status == 0
    assert [(copy / "mine.txt").read_text() for copy in copies] == ["mine", "mine"]
    assert state() == good
    for copy in copies:
        shutil.rmtree(copy)


@pytest.mark.parametrize("given", ["out/a$b", "out/${TARGET}", "out/a b'q\"ü", "#a"])
def test_an_output_folder_has_the_very_name_that_was_given(good: State, given: str) -> None:
    folder, before = ROOT / given, {*ROOT.iterdir(), *OUT.parent.iterdir()}
    try:
        assert run_scons(*readme_words(), f"OUT={given}").made("OUT") == [f"{given}/PI-armv7/manifest.json"]
        assert {*ROOT.iterdir(), *OUT.parent.iterdir()} - before == {folder}
        assert (folder / "PI-armv7/manifest.json").is_file()
        assert run_scons(*readme_words(), f"OUT={given}").made("OUT") == []
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize("name", ["build", "build/models", "out/../build"])
def test_no_output_folder_is_in_the_build_folder(good: State, name: str) -> None:
    run = run_scons(*readme_words(), f"OUT={name}")
    assert (run.status, run.errors) == (
        2,
        [f"error: OUT: {name}/PI-armv7 is in the build folder, build; pass another OUT=."],
    )
