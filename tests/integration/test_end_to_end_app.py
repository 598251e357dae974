"""Apps that are built by hand against ``out/PI-armv7`` alone, below a folder with a space in its name."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile
from project_build import ARMV7, CXX, DIGITS, OUT, ROOT, VFP_ARGUMENTS, VFPV4, arm_attributes, run_app

from tfcross.capacity import core_count
from tfcross.releases.coreset import load_core
from tfcross.scons.headerdeps import read_depfile

NEON_WITH_FUSED_MAC = 2
MAKEFILE = f"""
CXX = {CXX}
CXXFLAGS = -O1
include tensorflow/link/flags.mk
classify: classify.o
\t$(CXX) $^ $(TFCROSS_LDLIBS) -o $@
classify.o: classify.cc
\t$(CXX) $(CXXFLAGS) $(TFCROSS_CXXFLAGS) -c $< -o $@
"""

# pkg-config quotes what it prints for a shell to read again.
SHELL = f"""
eval "{CXX} -O0 $(pkg-config --cflags tensorflow-core) -c classify.cc -o packaged.o"
eval "{CXX} packaged.o $(pkg-config --libs tensorflow-core) -o packaged"
"""


CMAKELISTS = """
cmake_minimum_required(VERSION 3.13)
project(classify CXX)
find_package(tensorflow-core CONFIG REQUIRED)
add_executable(cmade classify.cc)
target_link_libraries(cmade tensorflow::core)
"""


@pytest.fixture(scope="module")
def project(built, tmp_path_factory) -> Path:
    """An app project with a copy of the output folder; nothing of the checkout is left in reach."""
    folder = tmp_path_factory.mktemp("apps") / "my app"
    shutil.copytree(OUT, folder / "tensorflow")
    shutil.copy(DIGITS / "classify.cc", folder)
    (folder / "Makefile").write_text(MAKEFILE)
    return folder


@pytest.fixture(scope="module")
def app(project) -> Path:
    """The example, built with make and ``flags.mk``."""
    assert run(project, "make").stderr == ""
    return project / "classify"


def run(folder: Path, *words: str, **options: object) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, **options)  # type: ignore[call-overload]
    assert done.returncode == 0, f"{shlex.join(words)}\n{done.stdout}{done.stderr}"
    return done


def classify(app: Path, **options: str) -> subprocess.CompletedProcess[str]:
    words = (DIGITS / "digits.pb", DIGITS / "digits.csv", "--expected", DIGITS / "expected.csv")
    return run_app(app, *words, **options)


def test_an_app_made_with_make_gives_the_right_answers(app):
    done = classify(app)
    assert done.returncode == 0, done.stderr
    assert "accuracy 0.981 (353 of 360)\n" in done.stdout


def test_an_app_made_with_pkg_config_gives_the_right_answers(project):
    environment = {"PATH": "/usr/bin:/bin", "PKG_CONFIG_PATH": str(project / "tensorflow" / "link")}
    run(project, "sh", "-ec", SHELL, env=environment)
    done = classify(project / "packaged")
    assert done.returncode == 0, done.stderr
    assert "accuracy 0.981 (353 of 360)\n" in done.stdout


def test_an_app_made_with_cmake_gives_the_right_answers(project):
    (project / "CMakeLists.txt").write_text(CMAKELISTS)
    cross = ["-DCMAKE_SYSTEM_NAME=Linux", f"-DCMAKE_CXX_COMPILER={CXX}"]
    package = f"-DCMAKE_PREFIX_PATH={project}/tensorflow/link"
    run(project, "/usr/bin/cmake", "-S", ".", "-B", "cmade", *cross, package)
    run(project, "/usr/bin/cmake", "--build", "cmade")
    done = classify(project / "cmade" / "cmade")
    assert done.returncode == 0, done.stderr
    assert "accuracy 0.981 (353 of 360)\n" in done.stdout


@pytest.mark.parametrize("page", ["README.md", "docs/use-in-your-app.md"])
def test_cmake_finds_the_library_by_the_words_of_a_page(project, page):
    """From the folder that has ``out``, for an app elsewhere: CMake takes a relative path from the app's."""
    (project / "CMakeLists.txt").write_text(CMAKELISTS)
    (project / "out").mkdir(exist_ok=True)
    if not (project / "out/PI-armv7").exists():
        (project / "out/PI-armv7").symlink_to("../tensorflow")
    app = project / "elsewhere" / Path(page).stem
    app.mkdir(parents=True)
    shutil.copy(project / "CMakeLists.txt", app)
    shutil.copy(project / "classify.cc", app)
    words = re.findall(r"`(-D(?:tensorflow-core_DIR|CMAKE_PREFIX_PATH)=[^`]+)`", (ROOT / page).read_text())
    assert words
    for number, word in enumerate(words):
        quoted = word.replace("$PWD", '"$PWD"')  # this folder has a space in its name
        command = f"/usr/bin/cmake -S '{app}' -B '{app}/{number}' -DCMAKE_CXX_COMPILER={CXX} {quoted}"
        run(project, "sh", "-ec", command)


def test_an_app_made_with_the_command_that_the_readme_spells_out_gives_the_right_answers(project):
    text = (ROOT / "README.md").read_text()
    command = text[text.index("TF=out/PI-armv7") :].partition("```")[0]
    shutil.copy(project / "classify.cc", project / "app.cc")
    run(project, "sh", "-ec", command.replace("out/PI-armv7", "tensorflow"))
    done = classify(project / "app")
    assert done.returncode == 0, done.stderr
    assert "accuracy 0.981 (353 of 360)\n" in done.stdout


def test_the_same_app_on_a_cpu_without_neon_dies_of_an_illegal_instruction(app):
    assert classify(app, cpu="arm1176").returncode == -signal.SIGILL


def test_the_app_is_armv7_code_with_neon_and_hard_float(app):
    found = arm_attributes(app.read_bytes())
    tags = ("TAG_CPU_ARCH", "TAG_FP_ARCH", "TAG_ADVANCED_SIMD_ARCH", "TAG_ABI_VFP_ARGS")
    assert [found[tag] for tag in tags] == [ARMV7, VFPV4, NEON_WITH_FUSED_MAC, VFP_ARGUMENTS]


def test_the_app_needs_nothing_newer_than_raspberry_pi_os_bookworm(app):
    with app.open("rb") as stream:
        needs = ELFFile(stream).get_section_by_name(".gnu.version_r")
        versions = [version.name for _, group in needs.iter_versions() for version in group]
    glibc = [tuple(map(int, v.removeprefix("GLIBC_").split("."))) for v in versions if v.startswith("GLIBC_")]
    libstdcxx = [v.removeprefix("GLIBCXX_") for v in versions if re.fullmatch(r"GLIBCXX_3\.4\.\d+", v)]
    assert max(glibc) <= (2, 36)
    assert max(int(version.split(".")[2]) for version in libstdcxx) <= 30


def test_without_whole_archive_the_app_links_and_then_names_the_missing_flag(project, app):
    flags = "LDLIBS=$(filter-out -Wl$(comma)--%whole-archive,$(TFCROSS_LDLIBS))"
    text = MAKEFILE.replace("classify:", "partly:").replace("$(TFCROSS_LDLIBS)", "$(LDLIBS)")
    (project / "partly.mk").write_text(f"comma := ,\n{text}\n{flags}\n")
    run(project, "make", "-f", "partly.mk", "partly")
    done = classify(project / "partly")
    assert done.returncode == 2
    assert "No session factory registered" in done.stderr
    assert "--whole-archive" in done.stderr
    assert "--whole-archive" in (ROOT / "docs/troubleshooting.md").read_text()


def test_the_headers_are_those_that_the_public_ones_include_and_no_more(project):
    headers = load_core(ROOT / "releases/2.14.1").public_headers
    (project / "all.cc").write_text("".join(f'#include "{header}"\n' for header in headers))
    flags = shlex.split(variable(project, "TFCROSS_CXXFLAGS"))
    run(project, "clang++-14", "--target=arm-linux-gnueabihf", *flags, "-M", "-MF", "all.d", "all.cc")
    included = {os.path.normpath(name) for name in read_depfile(project / "all.d")}
    needed = {name for name in included if name.startswith("tensorflow/include/")}
    folder = project / "tensorflow/include"
    there = {path.relative_to(project).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert there == needed


def test_every_public_header_compiles_alone(project):
    flags = shlex.split(variable(project, "TFCROSS_CXXFLAGS"))
    headers = load_core(ROOT / "releases/2.14.1").public_headers
    assert len(headers) > 10

    def complaints(header: str) -> str:
        words = [CXX, "-fsyntax-only", "-Werror", *flags, "-x", "c++", "-"]
        text = f'#include "{header}"\n'
        return subprocess.run(words, cwd=project, input=text, capture_output=True, text=True).stderr

    with ThreadPoolExecutor(core_count()) as pool:
        said = dict(zip(headers, pool.map(complaints, headers), strict=True))
    assert {header: text for header, text in said.items() if text} == {}


@pytest.mark.parametrize(
    "compiler",
    [pytest.param([CXX], id="gcc"), pytest.param(["clang++-14", "--target=arm-linux-gnueabihf"], id="clang")],
)
def test_an_app_may_be_written_in_cxx20(project, compiler):
    """With every header of framework/ and public/, and by them all that is compiled otherwise in C++20."""
    folder = project / "tensorflow/include"
    headers = [
        path for name in ("framework", "public") for path in folder.glob(f"tensorflow/core/{name}/*.h")
    ]
    text = "".join(f'#include "{path.relative_to(folder)}"\n' for path in sorted(headers))
    assert "float8_e4m3fn" in (folder / "include/float8.h").read_text()
    assert "tensorflow/core/framework/types.h" in text
    flags = shlex.split(variable(project, "TFCROSS_CXXFLAGS"))
    run(project, *compiler, *flags, "-std=c++20", "-fsyntax-only", "-x", "c++", "-", input=text)


def variable(project: Path, name: str) -> str:
    """What a variable of ``flags.mk`` expands to in the app's makefile."""
    text = f"include tensorflow/link/flags.mk\nshow: ; @echo '$({name})'\n"
    return run(project, "make", "-s", "-f", "-", "show", input=text).stdout
