"""From real objects' undefined symbols, by a real index of their sources, to the files that they need."""

from __future__ import annotations

import subprocess
from functools import partial
from pathlib import Path

import pytest

from tfcross.binary.closure import Missing, find_missing
from tfcross.binary.definitions import Definitions, index_definitions
from tfcross.binary.symbols import demangle, read_symbols
from tfcross.errors import TfcrossError

TREE = Path(__file__).parents[1] / "fixtures" / "definitions" / "tree"
ALL = ["core/fill.cc", "core/hidden.cc", "core/shape.cc", "core/use.cc", "core/util/halve.cc"]
COMPILERS = pytest.mark.parametrize(
    ("compiler", "nm"),
    [
        pytest.param("g++", "nm", id="host"),
        pytest.param("arm-linux-gnueabihf-g++", "arm-linux-gnueabihf-nm", id="armv7"),
        pytest.param("clang++-14", "llvm-nm-14", id="clang and its own nm"),
    ],
)


@pytest.fixture(scope="module")
def index() -> Definitions:
    return index_definitions([TREE], ["core"], r"_test\.cc$", "ctags")


def compile_objects(folder: Path, names: list[str], compiler: str = "g++") -> dict[str, str]:
    made = {}
    for name in names:
        target = folder / name.replace("/", "_").replace(".cc", ".o")
        subprocess.run([compiler, "-std=c++17", f"-I{TREE}", "-c", TREE / name, "-o", target], check=True)
        made[name] = str(target)
    return made


def missing(
    objects: dict[str, str], index: Definitions, nm: str = "nm", libraries: list[str] | None = None
) -> list[Missing]:
    found = read_symbols([*objects.values(), *(libraries or [])], nm)
    return find_missing(
        {file: found[path] for file, path in objects.items()},
        [found[path] for path in libraries or []],
        index,
        lambda name: "fixture" in name,
        partial(demangle, program="c++filt"),
    )


def test_the_index_knows_functions_members_operators_and_variables(index: Definitions) -> None:
    files = {key: sorted(files) for key, files in index.by_key.items()}
    assert files["fixture", "Halve"] == ["core/util/halve.cc"]
    assert files["fixture", "kTitle"] == ["core/util/halve.cc"]
    assert files["Shape", "Shape"] == ["core/shape.cc"]
    assert files["Shape", "~Shape"] == ["core/shape.cc"]
    assert files["Shape", "operator =="] == ["core/shape.cc"]
    assert files["Shape", "operator bool"] == ["core/shape.cc"]
    assert files["Shape", "count"] == ["core/shape.cc"]
    assert files["Fill", "operator ()"] == ["core/fill.cc"]
    assert files["", "plain_c"] == ["core/plain.c"]
    assert index.by_class["Shape"] == {"core/shape.cc"}


def test_the_index_lists_the_sources_that_are_not_left_out(index: Definitions) -> None:
    assert sorted(index.sources) == [
        "core/fill.cc",
        "core/hidden.cc",
        "core/hidden.h",
        "core/shape.cc",
        "core/shape.h",
        "core/use.cc",
        "core/util/halve.cc",
    ]


def test_a_single_file_can_be_indexed_and_a_folder_of_another_root_is_passed_over(tmp_path: Path) -> None:
    index = index_definitions([tmp_path, TREE], ["core/util/halve.cc", "nowhere"], "^$", "ctags")
    assert set(index.by_key) == {("fixture", "Halve"), ("fixture", "kTitle")}
    assert index.sources == {"core/util/halve.cc": TREE}


def test_without_ctags_the_error_says_what_to_install() -> None:
    with pytest.raises(TfcrossError) as caught:
        index_definitions([TREE], ["core"], "^$", "no-such-ctags")
    assert str(caught.value) == (
        "no-such-ctags: cannot be run: No such file or directory. Install universal-ctags."
    )


@COMPILERS
def test_what_an_object_needs_is_found_with_the_files_that_define_it(
    compiler: str, nm: str, tmp_path: Path, index: Definitions
) -> None:
    objects = compile_objects(tmp_path, ["core/use.cc"], compiler)
    assert {m.symbol: m.candidates for m in missing(objects, index, nm)} == {
        "fixture::Fill<fixture::Cpu, float>::operator()(float*, int) const": ("core/fill.cc",),
        "fixture::Halve(int)": ("core/util/halve.cc",),
        "fixture::Hidden(int)": ("core/hidden.cc",),
        "fixture::Shape::Area() const": ("core/shape.cc",),
        "fixture::Shape::Shape()": ("core/shape.cc",),
        "fixture::Shape::count": ("core/shape.cc",),
        "fixture::Shape::operator bool() const": ("core/shape.cc",),
        "fixture::Shape::operator==(fixture::Shape const&) const": ("core/shape.cc",),
        "fixture::Shape::~Shape()": ("core/shape.cc",),
        "fixture::kTitle": ("core/util/halve.cc",),
        "typeinfo for fixture::Shape": ("core/shape.cc",),
    }


@COMPILERS
def test_with_those_files_nothing_is_missing(
    compiler: str, nm: str, tmp_path: Path, index: Definitions
) -> None:
    assert missing(compile_objects(tmp_path, ALL, compiler), index, nm) == []


def test_an_archive_defines_what_its_members_do(tmp_path: Path, index: Definitions) -> None:
    objects = compile_objects(tmp_path, ALL)
    use = {"core/use.cc": objects.pop("core/use.cc")}
    archive = str(tmp_path / "lib[1].a")
    subprocess.run(["ar", "rcsD", archive, *objects.values()], check=True)
    assert missing(use, index, libraries=[archive]) == []
    assert "_ZN7fixture5HalveEi" in read_symbols([archive], "nm")[archive].defined


def test_a_weak_reference_may_stay_undefined_and_a_weak_definition_counts(tmp_path: Path) -> None:
    source = tmp_path / "weak.cc"
    source.write_text(
        "__attribute__((weak)) void Absent();\n__attribute__((weak)) int Own() { return 1; }\n"
        "int Use() { if (Absent) Absent(); return Own(); }\n"
    )
    target = str(tmp_path / "a: b.o")
    subprocess.run(["g++", "-c", source, "-o", target], check=True)
    symbols = read_symbols([target], "nm")[target]
    assert symbols.defined == {"_Z3Ownv", "_Z3Usev"}
    assert "_Z6Absentv" not in symbols.undefined


def test_names_are_shown_as_in_the_source() -> None:
    assert demangle(["_ZN7fixture5HalveEi", "main"], "c++filt") == {
        "_ZN7fixture5HalveEi": "fixture::Halve(int)",
        "main": "main",
    }
    assert demangle([], "c++filt") == {}


@pytest.mark.parametrize(
    ("content", "nm", "message"),
    [
        pytest.param("no object", "nm", "{file}: file format not recognized. Remove", id="damaged object"),
        pytest.param("", "no-such-nm", "no-such-nm: cannot be run: No such file", id="no program"),
    ],
)
def test_an_object_that_cannot_be_read_is_one_clear_error(
    content: str, nm: str, message: str, tmp_path: Path
) -> None:
    file = tmp_path / "x.o"
    file.write_text(content)
    with pytest.raises(TfcrossError) as caught:
        read_symbols([str(file)], nm)
    assert message.format(file=file) in str(caught.value)
    assert "\n" not in str(caught.value)
