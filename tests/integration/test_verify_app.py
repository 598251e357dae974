"""scripts/verify_app.py on apps that are linked rightly, and wrongly in each way."""

from __future__ import annotations

import filecmp
import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from project_build import CXX, DIGITS, OUT, ROOT
from small_library import run

from tfcross.graph.construction import graph_bytes, make_node
from tfcross.output.manifest import link_flags, load_manifest

MODEL = DIGITS / "digits.pb"
CORE = "libtensorflow-core.a"
PROVEN = "build/PI-armv7/2.14.1-clang-14/models/*/proof0/classify.o"
STRIP = "arm-linux-gnueabihf-strip"
ISA = "ELF for ARM, 32 bits, v7, VFPv4, NEON with fused multiply-add, hard-float calls"
IN_IT = "the session factory, 23 kernels and 22 op definitions are in it"
#: A 64-bit atomic on a CPU without such instructions is a call.
ATOMIC = "long long shared; long long get(void) { return __atomic_load_n(&shared, __ATOMIC_SEQ_CST); }\n"


def verify(app: Path, model: Path = MODEL, library: Path = OUT) -> tuple[int, list[str]]:
    """The exit status, and the lines of what it says."""
    words = [sys.executable, ROOT / "scripts/verify_app.py", app, "--model", model, "--library", library]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.returncode, (done.stdout + done.stderr).splitlines()


@pytest.fixture(scope="module")
def object_file(built) -> Path:
    """The example's object, compiled with the flags for apps; other tests build other models beside it."""
    core = OUT / "lib" / CORE
    (found,) = (
        path for path in ROOT.glob(PROVEN) if filecmp.cmp(path.parents[1] / CORE, core, shallow=False)
    )
    return found


@pytest.fixture(scope="module")
def arguments() -> list[str]:
    return link_flags(load_manifest(OUT / "manifest.json")).link_arguments(str(OUT))


def link(app: Path, *words: object) -> Path:
    run(CXX, *words, "-o", app)
    return app


@pytest.fixture(scope="module")
def right(object_file, arguments, tmp_path_factory) -> Path:
    return link(tmp_path_factory.mktemp("right") / "app", object_file, *arguments)


@pytest.fixture(scope="module")
def partly(object_file, arguments, tmp_path_factory) -> Path:
    """Without whole-archive: it links, and fails when it runs."""
    plain = [word for word in arguments if "whole-archive" not in word]
    return link(tmp_path_factory.mktemp("partly") / "app", object_file, *plain)


def test_an_app_that_is_linked_rightly(right):
    assert verify(right) == (
        0,
        [
            f"ok       {ISA}",
            f"ok       {IN_IT}",
            "ok       protobuf 3.21.12 is there once",
            "ok       64-bit atomics are resolved",
        ],
    )


def test_without_library_the_one_that_was_built_for_the_model_is_taken(right):
    words = [sys.executable, ROOT / "scripts/verify_app.py", right, "--model", MODEL]
    assert f"ok       {IN_IT}\n" in run(*words, cwd=ROOT)


def test_a_stripped_app_is_checked_by_its_strings_and_the_rest_is_said_to_be_unknown(right, tmp_path):
    run(STRIP, "-o", tmp_path / "app", right)
    status, lines = verify(tmp_path / "app")
    assert status == 0
    assert lines[1:4] == [
        "unknown  it is stripped: what is known is only what is in its strings",
        f"ok       {IN_IT}",
        "unknown  whether protobuf was linked twice statically",
    ]


def test_an_app_without_whole_archive_is_told_the_flag(partly):
    status, lines = verify(partly)
    assert status == 1
    [wrong] = [line for line in lines if line.startswith("WRONG")]
    assert wrong.startswith("WRONG    core was not linked whole-archive: the session factory and ")
    assert (
        wrong.endswith("; link it as -Wl,--whole-archive …/lib/libtensorflow-core.a -Wl,--no-whole-archive")
        or "or not at all" in wrong
    )


def test_the_same_app_stripped_is_told_the_flag_too(partly, tmp_path):
    run(STRIP, "-o", tmp_path / "app", partly)
    status, lines = verify(tmp_path / "app")
    assert status == 1
    assert [line for line in lines if "core was not linked whole-archive" in line]


def test_protobuf_twice_in_one_link_is_found(object_file, arguments, tmp_path):
    """As when a linker was told to take what it likes of a library and another one's copy of it."""
    shutil.copy(OUT / "lib/libprotobuf.a", tmp_path / "libown.a")
    twice = ["-Wl,--allow-multiple-definition", "-Wl,--whole-archive", tmp_path / "libown.a"]
    app = link(tmp_path / "app", object_file, *arguments, *twice, "-Wl,--no-whole-archive")
    status, lines = verify(app)
    assert status == 1
    assert lines[2] == (
        "WRONG    protobuf is there twice, linked statically; take the other one out of the link, "
        "protobuf 3.21.12 is the library's own"
    )


def test_protobuf_of_the_system_beside_the_librarys_own_is_found(object_file, arguments, tmp_path):
    library = tmp_path / "libprotobuf.so.23"
    run(CXX, "-shared", "-Wl,-soname,libprotobuf.so.23", "-x", "c", "/dev/null", "-o", library)
    app = link(tmp_path / "app", object_file, *arguments, "-Wl,--no-as-needed", library)
    status, lines = verify(app)
    assert status == 1
    assert lines[2].startswith(
        "WRONG    protobuf is there twice: the library's own (protobuf 3.21.12) and libprotobuf.so.23; "
    )


def test_unresolved_atomics_of_a_shared_library_are_found(object_file, arguments, tmp_path):
    (tmp_path / "atomic.c").write_text(ATOMIC)
    cpu = ["-march=armv6", "-marm", "-mfpu=vfp", "-mfloat-abi=hard"]
    run("arm-linux-gnueabihf-gcc-12", *cpu, "-fPIC", "-c", tmp_path / "atomic.c", "-o", tmp_path / "atomic.o")
    without = [word for word in arguments if word != "-latomic"]
    objects = [tmp_path / "atomic.o", "-shared"]
    status, lines = verify(link(tmp_path / "libapp.so", *objects, *without))
    assert (status, lines[3]) == (
        1,
        "WRONG    64-bit atomics are unresolved (__atomic_load_8): put -latomic behind the archives",
    )
    status, lines = verify(link(tmp_path / "libapp.so", *objects, *arguments))
    assert (status, lines[3]) == (0, "ok       64-bit atomics are resolved")


def test_a_model_with_an_op_that_the_library_lacks_is_found(right, tmp_path):
    nodes = [make_node("x", "Placeholder", dtype="DT_FLOAT"), make_node("y", "Tanh", ["x"], T="DT_FLOAT")]
    (tmp_path / "other.pb").write_bytes(graph_bytes(nodes, producer=27))
    status, lines = verify(right, tmp_path / "other.pb")
    assert (status, lines[1]) == (
        1,
        "WRONG    1 op (Tanh) of the model: not in the library, which is for digits.pb; "
        "build it with MODEL= that model",
    )


@pytest.fixture
def edited(tmp_path) -> Path:
    manifest = json.loads((OUT / "manifest.json").read_text())
    manifest["kernels"].pop()
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    return tmp_path


def test_bad_input_is_one_line(right, edited, tmp_path):
    here = Path(sys.executable).resolve()
    status, lines = verify(here)
    assert status == 2
    assert lines == [
        f"error: {here}: is ELF for x64, 64 bits; the library PI-armv7 is for arm-linux-gnueabihf. "
        "Pass an app that is built for it, or another --library."
    ]
    assert verify(MODEL) == (
        2,
        [f"error: {MODEL}: neither ELF nor Mach-O; pass the linked app, not a package that holds it."],
    )
    assert verify(right, library=edited) == (
        2,
        [f"error: {edited}/manifest.json: was edited: it is not what its sha256 was made of; build again."],
    )


def test_the_build_itself_has_looked_into_the_app_that_it_proves(object_file):
    """The same check stands before the output folder: its findings are beside the proof's app."""
    found = object_file.with_name("classify.checked").read_text().splitlines()
    assert found == [ISA, IN_IT, "protobuf 3.21.12 is there once", "64-bit atomics are resolved"]
    assert shlex.split((ROOT / "README.md").read_text().partition("CHECK ")[2].splitlines()[0])
