"""Link snippets: their texts, and which format is for which target."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tfcross.errors import TfcrossError
from tfcross.output.linkflags import LinkFlags
from tfcross.output.snippets import Library, load_formats, print_snippet, snippet_files

GOLDEN = Path(__file__).parents[1] / "golden" / "link"
PI = Library(
    "PI-armv7",
    "armv7",
    "arm-linux-gnueabihf",
    "2.14.1",
    LinkFlags(
        cxx_standard="c++17",
        defines=("NDEBUG", "EIGEN_NEON_GEBP_NR=4"),
        ccflags=("-march=armv7-a", "-mfpu=neon-vfpv4"),
        core="libtensorflow-core.a",
        dependencies=("libprotobuf.a", "libdouble-conversion.a"),
        libraries=("pthread", "m", "atomic"),
        link_flags=("-Wl,--gc-sections",),
        whole_archive="gnu",
    ),
)
IOS = Library(
    "IOS-arm64",
    "arm64",
    "arm64-apple-ios11.0",
    "2.14.1",
    replace(
        PI.flags, ccflags=(), libraries=("c++",), link_flags=("-Wl,-dead_strip",), whole_archive="force_load"
    ),
)
ANDROID = Library(
    "ANDROID-arm64-v8a",
    "arm64-v8a",
    "aarch64-linux-android21",
    "2.14.1",
    replace(PI.flags, ccflags=("-fPIC",), libraries=("log", "m")),
)
EVERYWHERE = ("bazel", "cmake", "flags", "make", "pkg-config", "scons")


@pytest.mark.parametrize("library", [PI, IOS, ANDROID], ids=lambda library: library.name)
def test_the_snippets_of_a_target_are_the_golden_ones(library: Library) -> None:
    folder = GOLDEN / library.name
    golden = {p.relative_to(folder).as_posix(): p.read_text() for p in folder.rglob("*") if p.is_file()}
    assert snippet_files(library) == golden


def test_the_first_line_says_what_an_app_runs_first() -> None:
    library = replace(PI, first=("'m.pb': an app runs the node 'initialize' once before others",))
    for name, text in snippet_files(library).items():
        line, rest = text.split("\n", 1)
        assert line.startswith(("#", "//"))
        assert line.endswith(f". {library.first[0]}.")
        assert rest == snippet_files(PI)[name].split("\n", 1)[1]


@pytest.mark.parametrize(
    ("library", "more"),
    [
        pytest.param(PI, (), id="Linux"),
        pytest.param(IOS, ("podspec", "xcconfig"), id="Apple"),
        pytest.param(ANDROID, ("android-mk", "gradle"), id="Android"),
    ],
)
def test_a_target_has_the_formats_of_its_kind(library: Library, more: tuple[str, ...]) -> None:
    fitting = [form.name for form in load_formats().values() if form.fits(library.triple)]
    assert sorted(fitting) == sorted((*EVERYWHERE, *more))


@pytest.mark.parametrize("library", [PI, IOS, ANDROID], ids=lambda library: library.name)
def test_every_fitting_format_can_be_printed_for_a_folder_with_a_space(library: Library) -> None:
    for form in load_formats().values():
        if form.fits(library.triple) and form.name != "bazel":
            assert "/my out" in print_snippet(form.name, library, Path("/my out")).replace("\\ ", " ")


def test_plain_flags_are_a_line_for_the_compiler_and_one_for_the_linker() -> None:
    assert print_snippet("flags", PI, Path("/my out")).splitlines() == [
        "-march=armv7-a -mfpu=neon-vfpv4 -std=c++17 -DNDEBUG -DEIGEN_NEON_GEBP_NR=4 "
        "-isystem '/my out'/include",
        "-Wl,--whole-archive '/my out'/lib/libtensorflow-core.a -Wl,--no-whole-archive "
        "'/my out'/lib/libprotobuf.a '/my out'/lib/libdouble-conversion.a "
        "-Wl,--gc-sections -lpthread -lm -latomic",
    ]


def test_what_a_shell_would_take_apart_is_quoted() -> None:
    odd = replace(PI, flags=replace(PI.flags, defines=("GREETING=a b$c",), dependencies=(), libraries=()))
    assert "'-DGREETING=a b$c'" in print_snippet("flags", odd, Path("/out"))
    files = snippet_files(odd)
    assert "'-DGREETING=a b$$c'" in files["link/flags.mk"]
    assert "'-DGREETING=a b\\$c'" in files["link/flags.sh"]
    assert '"GREETING=a b\\$c"' in files["link/cmake/tensorflow-core-config.cmake"]
    assert json.dumps(["GREETING=a b$c"]) in files["link/tensorflow_core.py"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        pytest.param(
            "xmake",
            "FORMAT=xmake: unknown format. Known: bazel, cmake, flags, make, pkg-config, scons.",
            id="no such format",
        ),
        pytest.param(
            "podspec",
            "FORMAT=podspec: is for *-apple-*; PI-armv7 is arm-linux-gnueabihf. "
            "Known: bazel, cmake, flags, make, pkg-config, scons.",
            id="another target's format",
        ),
    ],
)
def test_another_format_is_refused_with_those_that_there_are(name: str, message: str) -> None:
    with pytest.raises(TfcrossError) as caught:
        print_snippet(name, PI, Path("out"))
    assert str(caught.value) == message
