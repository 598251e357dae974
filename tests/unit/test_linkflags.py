"""What an app gives its compiler and linker."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tfcross.output.linkflags import LinkFlags, whole_archive_flags

FLAGS = LinkFlags(
    cxx_standard="c++17",
    defines=("NDEBUG", "SIZE=3"),
    ccflags=("-march=armv7-a",),
    core="libtensorflow-core.a",
    dependencies=("libprotobuf.a", "libnsync.a"),
    libraries=("pthread", "m"),
    link_flags=("-Wl,--as-needed",),
    whole_archive="gnu",
)


@pytest.mark.parametrize(
    ("archives", "style", "expected"),
    [
        pytest.param([], "gnu", [], id="none"),
        pytest.param(
            ["a.a", "my b.a"],
            "gnu",
            ["-Wl,--whole-archive", "a.a", "my b.a", "-Wl,--no-whole-archive"],
            id="GNU linkers",
        ),
        pytest.param(
            ["a.a", "b.a"], "force_load", ["-Wl,-force_load,a.a", "-Wl,-force_load,b.a"], id="Apple's linker"
        ),
        pytest.param([], "force_load", [], id="none for Apple"),
    ],
)
def test_archives_are_kept_whole_in_the_linkers_own_way(
    archives: list[str], style: str, expected: list[str]
) -> None:
    assert whole_archive_flags(archives, style) == expected


def test_another_style_is_refused_even_without_archives() -> None:
    with pytest.raises(ValueError, match="whole-archive style 'msvc': not gnu or force_load"):
        whole_archive_flags([], "msvc")


def test_the_compiler_gets_the_librarys_own_flags_standard_and_defines() -> None:
    assert FLAGS.compile_arguments("out/PI-armv7") == [
        "-march=armv7-a",
        "-std=c++17",
        "-DNDEBUG",
        "-DSIZE=3",
        "-isystem",
        "out/PI-armv7/include",
    ]


def test_the_linker_gets_the_core_whole_then_dependencies_then_system_libraries() -> None:
    assert FLAGS.link_arguments("$(TFCROSS)") == [
        "-Wl,--whole-archive",
        "$(TFCROSS)/lib/libtensorflow-core.a",
        "-Wl,--no-whole-archive",
        "$(TFCROSS)/lib/libprotobuf.a",
        "$(TFCROSS)/lib/libnsync.a",
        "-Wl,--as-needed",
        "-lpthread",
        "-lm",
    ]


def test_for_apple_only_the_core_is_force_loaded() -> None:
    arguments = replace(FLAGS, whole_archive="force_load").link_arguments("out")
    assert arguments[:2] == ["-Wl,-force_load,out/lib/libtensorflow-core.a", "out/lib/libprotobuf.a"]
