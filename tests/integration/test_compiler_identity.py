"""What the identity of a compiler follows: programs and libraries that are really linked."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from apple_tools import LIBRARY_STUB, TRIPLE
from fake_compilers import gcc, pi, program
from small_library import run

from tfcross import environment
from tfcross.binary.executable import program_files
from tfcross.toolchains.driver import ask, identity_files
from tfcross.toolchains.families import resolve_toolchain

ROOT = Path(__file__).parents[2]
LLVM = Path("/usr/lib/llvm-14")


def shared_library(path: Path, word: str, *flags: object, source: str = "") -> None:
    """A library whose function ``word`` gives that word's length, unless ``source`` says otherwise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = source or f"int {word}(void) {{ return {len(word)}; }}\n"
    (path.parent / "source.c").write_text(text)
    run("gcc", "-shared", "-fPIC", "-O1", path.parent / "source.c", "-o", path, *flags)


def cc1plus(folder: Path) -> None:
    """A program in ``folder/bin`` that finds a library of its own in ``folder/lib``, wherever both are."""
    shared_library(folder / "lib/libcode.so", "code")
    (folder / "main.c").write_text("int code(void);\nint main(void) { return code(); }\n")
    library = ["-L", folder / "lib", "-lcode", "-Wl,-rpath,$ORIGIN/../lib"]
    run("gcc", folder / "main.c", "-o", folder / "bin/cc1plus", *library)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A toolchain whose cc1plus loads a library of its own."""
    gcc(tmp_path / "bin", "12.2.0")
    cc1plus(tmp_path)
    return tmp_path


def identity(folder: Path) -> str:
    return resolve_toolchain(ROOT, "gcc-12", pi(), str(folder / "bin"), "").identity


def test_a_library_that_the_compiler_loads_changes_the_identity(folder: Path) -> None:
    before = identity(folder)
    shared_library(folder / "lib/libcode.so", "code", source="int code(void) { return 5; }\n")
    assert identity(folder) != before


def test_so_does_a_library_that_only_that_library_loads(folder: Path) -> None:
    shared_library(folder / "lib/libdeep.so", "deep")
    deep = ["-L", folder / "lib", "-ldeep", "-Wl,-rpath,$ORIGIN"]
    source = "int deep(void);\nint code(void) { return deep(); }\n"
    shared_library(folder / "lib/libcode.so", "code", *deep, source=source)
    before = identity(folder)
    shared_library(folder / "lib/libdeep.so", "deep", source="int deep(void) { return 5; }\n")
    assert identity(folder) != before


def test_what_is_installed_beside_changes_nothing(folder: Path) -> None:
    before = identity(folder)
    for name in ("libcode.so.1", "libLLVM-14.so", "libclang-cpp.so"):
        shared_library(folder / "lib" / name, "other")
    program(folder / "bin", "lld", "echo another")
    assert identity(folder) == before


def test_the_same_programs_in_another_folder_are_the_same_compiler(folder: Path) -> None:
    shutil.copytree(folder, folder / "copy/deeper", ignore=shutil.ignore_patterns("copy"))
    assert identity(folder / "copy/deeper") == identity(folder)


def names(toolchain: str) -> list[str]:
    """The base names of what the identity follows, but for the driver as it was found, and headers."""
    found = resolve_toolchain(ROOT, toolchain, pi(), environment.path(), "")
    files = identity_files(found.cxx, environment.path(), found.flags)
    return [Path(file).name for file in files if "/include/" not in file and file != "/dev/null"][1:]


def test_clang_is_its_driver_and_the_libraries_that_hold_it() -> None:
    assert names("clang-14") == ["clang", "libclang-cpp.so.14", "libLLVM-14.so.1"]


def test_they_are_found_where_no_link_beside_the_program_leads_to_them(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    shutil.copy(LLVM / "bin/clang", tmp_path / "bin")
    files = [file.name for file in program_files(tmp_path / "bin/clang")]
    assert files == ["clang", "libclang-cpp.so.14", "libLLVM-14.so.1"]


def test_gcc_is_all_that_its_driver_runs_and_what_that_computes_with() -> None:
    found = [name.partition(".so")[0] for name in names("gcc-12")]
    assert [name for name in found if not name.startswith("lib")] == [
        "arm-linux-gnueabihf-g++-12",
        "cc1",
        "cc1plus",
        "arm-linux-gnueabihf-as",
        "collect2",
    ]
    libraries = {"libisl", "libmpc", "libmpfr", "libgmp", "libbfd-2.40-armhf", "libsframe"}
    assert {name for name in found if name.startswith("lib")} == libraries


def test_behind_a_script_is_the_compiler_that_it_starts(tmp_path: Path) -> None:
    script = program(tmp_path, "clang++-14", f'exec {LLVM}/bin/clang++ "$@"')
    flags = ["--target=arm-linux-gnueabihf", "--sysroot=/usr/arm-linux-gnueabihf"]
    compiler = ask(str(script), environment.path(), flags)
    assert compiler and compiler.version == "14.0.6"
    files = [Path(file).name for file in identity_files(str(script), environment.path(), flags)]
    assert files[1:5] == ["clang++-14", "clang", "libclang-cpp.so.14", "libLLVM-14.so.1"]


def test_on_a_mac_a_program_is_followed_to_its_libraries_too(tmp_path: Path) -> None:
    """Real Mach-O, as LLVM's linker makes it: @rpath, a folder beside the program, the system's library."""
    (tmp_path / "sdk/usr/lib").mkdir(parents=True)
    (tmp_path / "sdk/usr/lib/libSystem.tbd").write_text(LIBRARY_STUB.format(name="libSystem.B"))
    clang = ["clang-14", "-target", TRIPLE, "-isysroot", tmp_path / "sdk", "-mlinker-version=700"]
    clang += ["-fuse-ld=/usr/bin/ld64.lld-14"]
    (tmp_path / "lib").mkdir()
    (tmp_path / "bin").mkdir()
    (tmp_path / "code.c").write_text("int code(void) { return 4; }\n")
    (tmp_path / "main.c").write_text("int code(void);\nint main(void) { return code(); }\n")
    library = tmp_path / "lib/libLLVM.dylib"
    run(*clang, "-dynamiclib", tmp_path / "code.c", "-o", library, "-install_name", "@rpath/libLLVM.dylib")
    where = ["-L", tmp_path / "lib", "-lLLVM", "-Wl,-rpath,@loader_path/../lib"]
    run(*clang, tmp_path / "main.c", *where, "-o", tmp_path / "bin/clang")
    assert program_files(tmp_path / "bin/clang") == [tmp_path.resolve() / "bin/clang", library.resolve()]
