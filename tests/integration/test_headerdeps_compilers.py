"""What compilers write into depfiles is what the record takes from them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tfcross.scons.headerdeps import HeaderDeps, read_depfile

COMPILERS = pytest.mark.parametrize("compiler", ["g++", "clang++-14", "arm-linux-gnueabihf-g++"])
NAMES = ["plain.h", "with space.h", "dollar$.h", "hash#.h", "deep/er.h"]


@pytest.fixture(autouse=True)
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("deep").mkdir()
    for name in NAMES:
        Path(name).write_text(f"// {name}\n")
    Path("my unit.cc").write_text("#include <cstddef>\n" + "".join(f'#include "{name}"\n' for name in NAMES))


def compile_unit(compiler: str) -> Path:
    flags = ["-MD", "-MF", "unit.o.d", "-c", "my unit.cc", "-o", "unit.o.part"]
    subprocess.run([compiler, *flags], check=True)
    return Path("unit.o.d")


@COMPILERS
def test_every_name_comes_through_whatever_is_in_it(compiler: str) -> None:
    names = [name for name in read_depfile(compile_unit(compiler)) if not name.startswith("/")]
    assert names == ["my unit.cc", *NAMES]


@COMPILERS
def test_an_object_is_stale_when_one_of_its_headers_changed(compiler: str) -> None:
    deps = HeaderDeps(Path("build"), {})
    deps.record("unit.o", compile_unit(compiler))
    deps.save()
    assert HeaderDeps(Path("build"), {}).stale() == []
    Path("with space.h").write_text("#define CHANGED\n")
    assert HeaderDeps(Path("build"), {}).stale() == ["unit.o"]


@pytest.mark.parametrize(
    ("compiler", "use"),
    [
        pytest.param("clang++-14", ["-include-pch", "all.h.pch"], id="clang"),
        pytest.param("g++", ["-include", "all.h"], id="gcc"),
    ],
)
def test_a_header_within_a_precompiled_one_makes_its_users_stale(compiler: str, use: list[str]) -> None:
    Path("all.h").write_text('#include "deep/er.h"\n')
    Path("user.cc").write_text("int user;\n")
    pch = "all.h.pch" if use[1] == "all.h.pch" else "all.h.gch"
    deps = HeaderDeps(Path("build"), {})
    for target, source, flags in ((pch, "all.h", ["-x", "c++-header"]), ("user.o", "user.cc", use)):
        subprocess.run([compiler, *flags, source, "-MD", "-MF", "x.d", "-c", "-o", target], check=True)
        deps.record(target, Path("x.d"), pch)
    deps.save()
    Path("deep/er.h").write_text("#define CHANGED\n")
    assert HeaderDeps(Path("build"), {}).stale() == [pch, "user.o"]


@COMPILERS
def test_what_the_compiler_itself_brings_is_left_out(compiler: str) -> None:
    deps = HeaderDeps(Path("build"), {})
    deps.record("unit.o", compile_unit(compiler))
    assert [line.rsplit(" ", 1)[0] for line in deps.contents("unit.o")] == ["my unit.cc", *NAMES]
