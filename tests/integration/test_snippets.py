"""Every link snippet whose tool is at hand, in an app project whose path has spaces, with a small library.

Each app is linked through two static libraries of the project's own that both use TensorFlow, where the tool
has such a thing: that is where whole-archive flags get lost, or come twice.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from small_library import APP, FLAGS, HERE, WHOLE, make_library, run

from tfcross.output.snippets import print_snippet

#: The app and the two libraries between it and TensorFlow.
SOURCES = {
    "app.cc": "int one();\nint two();\n"
    + APP.replace("int main() {", "int main() { if (one() + two() != 3) return 1;"),
    "one.cc": '#include "registry.h"\nint one() { return 1; }\n',
    "two.cc": '#include "registry.h"\nint two() { return 2; }\n',
}
MAKEFILE = """
include tensorflow/link/flags.mk
app: app.cc one.cc two.cc
\t$(CXX) $(TFCROSS_CXXFLAGS) $^ $(TFCROSS_LDLIBS) -o $@
"""
CMAKELISTS = """
cmake_minimum_required(VERSION 3.13)
project(app CXX)
find_package(tensorflow-core 2.1 CONFIG REQUIRED)
add_library(one STATIC one.cc)
target_link_libraries(one PRIVATE tensorflow::core)
add_library(two STATIC two.cc)
target_link_libraries(two PUBLIC tensorflow::core)
add_executable(app app.cc)
target_link_libraries(app PRIVATE one two)
"""
SCONSTRUCT = """
env = Environment(tools=["default", "tensorflow_core"], toolpath=["tensorflow/link"])
env.Program("app", ["app.cc", env.StaticLibrary("one", "one.cc"), env.StaticLibrary("two", "two.cc")])
"""
FLAGS_SH = """
eval "g++ $(sh tensorflow/link/flags.sh --cxxflags) -c app.cc one.cc two.cc"
eval "g++ app.o one.o two.o $(sh tensorflow/link/flags.sh --libs) -o app"
"""
PKG_CONFIG = """
eval "g++ $(pkg-config --cflags tensorflow-core) -c app.cc one.cc two.cc"
eval "g++ app.o one.o two.o $(pkg-config --libs tensorflow-core) -o app"
"""
BUILD = """
cc_library(name = "one", srcs = ["one.cc"], deps = ["//tensorflow:tensorflow-core"])
cc_library(name = "two", srcs = ["two.cc"], deps = ["//tensorflow:tensorflow-core"])
cc_binary(name = "app", srcs = ["app.cc"], deps = [":one", ":two", "//tensorflow:tensorflow-core"])
"""
#: CMake of PyPI, without LINK_LIBRARY, and Debian's, with it.
CMAKES = {"old": str(Path(sys.executable).with_name("cmake")), "new": "/usr/bin/cmake"}


def project(folder: Path, **files: str) -> Path:
    """An app project with a copy of the library, moved there after it was made."""
    made = make_library(folder / "made")
    app = folder / "my app, 2"
    app.mkdir()
    shutil.move(made, app / "tensorflow")
    for name, text in {**SOURCES, **files}.items():
        (app / name.replace("_txt", ".txt")).write_text(text)
    return app


def said(app: Path) -> list[str]:
    return run(app).splitlines()


def test_make(tmp_path: Path) -> None:
    app = project(tmp_path, Makefile=MAKEFILE)
    run("make", cwd=app)
    assert said(app / "app") == WHOLE


def test_make_with_a_folder_that_the_project_names(tmp_path: Path) -> None:
    app = project(tmp_path, Makefile=MAKEFILE)
    (app / "tensorflow").rename(app / "tensor flow")
    (app / "flags.mk").write_text((app / "tensor flow/link/flags.mk").read_text())
    (app / "Makefile").write_text(MAKEFILE.replace("tensorflow/link/", ""))
    run("make", "TFCROSS=tensor flow", cwd=app)
    assert said(app / "app") == WHOLE


def test_a_shell(tmp_path: Path) -> None:
    app = project(tmp_path)
    run("dash", "-ec", FLAGS_SH, cwd=app)
    assert said(app / "app") == WHOLE


def test_pkg_config(tmp_path: Path) -> None:
    app = project(tmp_path)
    environment = {"PATH": "/usr/bin:/bin", "PKG_CONFIG_PATH": str(app / "tensorflow/link")}
    run("sh", "-ec", PKG_CONFIG, cwd=app, env=environment)
    assert said(app / "app") == WHOLE


@pytest.mark.parametrize("generator", ["Unix Makefiles", "Ninja"])
@pytest.mark.parametrize("cmake", CMAKES)
def test_cmake(tmp_path: Path, cmake: str, generator: str) -> None:
    app = project(tmp_path, CMakeLists_txt=CMAKELISTS)
    package = f"-DCMAKE_PREFIX_PATH={app}/tensorflow/link"
    run(CMAKES[cmake], "-G", generator, "-S", app, "-B", app / "build", package)
    run(CMAKES[cmake], "--build", app / "build")
    assert said(app / "build/app") == WHOLE


def test_the_two_cmakes_differ_in_how_they_link_an_archive_whole() -> None:
    versions = {name: re.search(r"\d+\.\d+", run(program, "--version")) for name, program in CMAKES.items()}
    numbers = {name: tuple(map(int, found[0].split("."))) for name, found in versions.items() if found}
    assert numbers["old"] < (3, 24) <= numbers["new"]


@pytest.mark.parametrize("cmake", CMAKES)
def test_cmake_links_again_when_the_core_changes(tmp_path: Path, cmake: str) -> None:
    app = project(tmp_path, CMakeLists_txt=CMAKELISTS)
    directory = f"-Dtensorflow-core_DIR={app}/tensorflow/link/cmake"
    run(CMAKES[cmake], "-G", "Ninja", "-S", app, "-B", app / "build", directory)
    run("ninja", "-C", app / "build")
    run("ar", "dD", app / "tensorflow/lib" / FLAGS.core, "kernel.cc.o")
    run("ninja", "-C", app / "build")
    assert said(app / "build/app") == ["session factory"]


def test_cmake_refuses_a_release_that_is_older_than_what_is_asked_for(tmp_path: Path) -> None:
    app = project(tmp_path, CMakeLists_txt=CMAKELISTS.replace("2.1 ", "2.15 "))
    words = [CMAKES["new"], "-S", app, "-B", app / "build", f"-DCMAKE_PREFIX_PATH={app}/tensorflow/link"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "version: 2.14.1" in done.stderr


def test_scons(tmp_path: Path) -> None:
    app = project(tmp_path, SConstruct=SCONSTRUCT)
    scons = Path(sys.executable).with_name("scons")
    run(scons, cwd=app)
    assert said(app / "app") == WHOLE
    assert "is up to date" in run(scons, cwd=app)
    run("ar", "dD", app / "tensorflow/lib" / FLAGS.core, "kernel.cc.o")
    run(scons, cwd=app)
    assert said(app / "app") == ["session factory"]


def test_bazel(tmp_path: Path) -> None:
    app = project(tmp_path, BUILD=BUILD, WORKSPACE="")
    plain = app.rename(tmp_path / "app")  # Bazel itself takes no workspace with spaces
    (plain / ".bazelrc").write_text("import %workspace%/tensorflow/link/tensorflow-core.bazelrc\n")
    words = ["bazel", "--batch", f"--output_user_root={tmp_path}/bazel", "build", "//:app"]
    offline = [f"--override_repository=rules_{name}={builtin_rules(tmp_path, name)}" for name in BUILTIN]
    run(*words, *offline, cwd=plain)
    assert said(plain / "bazel-bin/app") == WHOLE


#: Rules that are built into Bazel, which it loads all the same by way of repositories to be downloaded.
BUILTIN = {
    "cc": ("binary", "import", "library", "test", "toolchain", "toolchain_suite"),
    "java": ("binary", "import", "library", "runtime", "test", "toolchain"),
}


def builtin_rules(folder: Path, name: str) -> Path:
    """A repository that names them."""
    rules = folder / f"rules_{name}"
    (rules / name).mkdir(parents=True)
    (rules / "WORKSPACE").touch()
    (rules / name / "BUILD").touch()
    text = "".join(f"{name}_{rule} = native.{name}_{rule}\n" for rule in BUILTIN[name])
    (rules / name / "defs.bzl").write_text(text)
    return rules


@pytest.mark.parametrize("name", ["flags", "make", "cmake", "pkg-config", "scons"])
def test_a_printed_snippet_works_wherever_it_is_kept(tmp_path: Path, name: str) -> None:
    app = project(tmp_path)
    text = print_snippet(name, HERE, app / "tensorflow")
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(app, elsewhere, ignore=shutil.ignore_patterns("tensorflow"))
    PRINTED[name](elsewhere, text)
    assert said(elsewhere / "app") == WHOLE


def _with_flags(folder: Path, text: str) -> None:
    compile_flags, link_flags = text.splitlines()
    run("sh", "-ec", f"g++ {compile_flags} app.cc one.cc two.cc {link_flags} -o app", cwd=folder)


def _with_make(folder: Path, text: str) -> None:
    (folder / "Makefile").write_text(text + MAKEFILE.partition("flags.mk")[2])
    run("make", cwd=folder)


def _with_cmake(folder: Path, text: str) -> None:
    (folder / "tensorflow-core-config.cmake").write_text(text)
    (folder / "CMakeLists.txt").write_text(CMAKELISTS.replace(" 2.1 ", " "))
    run(CMAKES["new"], "-S", folder, "-B", folder, f"-Dtensorflow-core_DIR={folder}")
    run(CMAKES["new"], "--build", folder)


def _with_pkg_config(folder: Path, text: str) -> None:
    (folder / "tensorflow-core.pc").write_text(text)
    run("sh", "-ec", PKG_CONFIG, cwd=folder, env={"PATH": "/usr/bin:/bin", "PKG_CONFIG_PATH": str(folder)})


def _with_scons(folder: Path, text: str) -> None:
    (folder / "tensorflow_core.py").write_text(text)
    (folder / "SConstruct").write_text(SCONSTRUCT.replace("tensorflow/link", "."))
    run(Path(sys.executable).with_name("scons"), cwd=folder)


PRINTED = {
    "flags": _with_flags,
    "make": _with_make,
    "cmake": _with_cmake,
    "pkg-config": _with_pkg_config,
    "scons": _with_scons,
}
