"""The emitted ops_to_register.h under real compilers, over stand-ins for the headers that it needs."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tfcross.selection.header import fnv1a, ops_header
from tfcross.selection.selection import FileSelection

FOLDER = Path(__file__).parents[1] / "fixtures" / "selection"
COMPILERS = pytest.mark.parametrize(
    "compiler",
    [
        pytest.param(("g++",), id="gcc"),
        pytest.param(("clang++-14",), id="clang"),
        pytest.param(
            ("clang++-14", "--target=arm-linux-gnueabihf", "-march=armv7-a", "-mfloat-abi=hard"),
            id="clang, armv7",
        ),
    ],
)
UNIT = """namespace tensorflow {
struct NAMEOp : OpKernel {
  explicit NAMEOp(OpKernelConstruction*) {}
  std::string Name() const override { return "it"; }
};
REGISTER_KERNEL_BUILDER_IMPL_3(0, "NAME", ::tensorflow::Name("NAME"), false, NAMEOp)
}
"""
CHOSEN = FileSelection(
    ops=("Kept", "Quoted"),
    kernels=(
        ("Kept", "KeptOp<float>"),
        ("Kept", "(KeptOp<double>)"),
        ("Kept", "PairOp<std::pair<int, float>>"),
        ("Plain", "PlainOp"),
        ("Quoted", "TextOp<'\"'>"),
    ),
    gradients=False,
)


def emit(folder: Path, selection: FileSelection = CHOSEN) -> Path:
    header = folder / "ops_to_register.h"
    header.write_text(ops_header(selection, "ops_to_register.h.j2", ["registration_macros.h"]))
    return header


def compile_source(
    compiler: Sequence[str], source: Path, header: Path, *more: str
) -> subprocess.CompletedProcess[str]:
    flags = ["-std=c++17", "-Wall", "-Werror", f"-I{FOLDER}", "-include", str(header)]
    return subprocess.run(
        [*compiler, *flags, *more, str(source)], capture_output=True, text=True, check=False
    )


@COMPILERS
def test_the_look_up_is_a_constant_expression_that_finds_just_what_is_selected(
    compiler: Sequence[str], tmp_path: Path
) -> None:
    result = compile_source(compiler, FOLDER / "lookup.cc", emit(tmp_path), "-fsyntax-only")
    assert result.stderr == ""


@COMPILERS
def test_the_compiler_hashes_names_as_we_do(compiler: Sequence[str], tmp_path: Path) -> None:
    names = ["", "a", "foobar", "ä", "BinaryOp<CPUDevice, functor::add<float>>"]
    source = tmp_path / "hash.cc"
    lines = [f'static_assert(tfcross::Hash("{name}") == {fnv1a(name)}ull, "{name}");\n' for name in names]
    source.write_text("".join(lines))
    assert compile_source(compiler, source, emit(tmp_path), "-fsyntax-only").stderr == ""


@COMPILERS
def test_a_class_that_is_not_selected_is_not_instantiated(compiler: Sequence[str], tmp_path: Path) -> None:
    header = emit(tmp_path)
    source = FOLDER / "refusing.cc"
    assert compile_source(compiler, source, header, "-fsyntax-only").stderr == ""
    selected = FileSelection(("Refused",), (("Refused", "RefusingOp<float>"),), False)
    result = compile_source(compiler, source, emit(tmp_path, selected), "-fsyntax-only")
    assert result.returncode != 0
    assert "instantiated although nothing selects it" in result.stderr


def registered(tmp_path: Path, selection: FileSelection) -> list[str]:
    """What the program prints: everything that registered itself before main."""
    program = tmp_path / "registrations"
    result = compile_source(
        ("g++",), FOLDER / "registrations.cc", emit(tmp_path, selection), "-O1", "-o", str(program)
    )
    assert result.stderr == ""
    return subprocess.run([program], capture_output=True, text=True, check=True).stdout.splitlines()


def test_only_what_is_selected_is_registered_and_works(tmp_path: Path) -> None:
    assert registered(tmp_path, CHOSEN) == [
        "op Kept",
        "kernel KeptOp<float> for Kept makes KeptOp<float>",
        "kernel PairOp<std::pair<int, float>> for Kept makes PairOp",
        "kernel (KeptOp<double>) for Kept makes KeptOp<float>",
        "kernel SystemOp for System makes SystemOp",
        "kernel PlainOp for Plain",
    ]


def test_with_nothing_selected_only_system_kernels_are_registered(tmp_path: Path) -> None:
    assert registered(tmp_path, FileSelection((), (), False)) == ["kernel SystemOp for System makes SystemOp"]


def test_gradients_are_registered_where_they_are_asked_for(tmp_path: Path) -> None:
    assert registered(tmp_path, FileSelection((), (), True)) == [
        "kernel SystemOp for System makes SystemOp",
        "gradient Kept",
    ]


@pytest.mark.parametrize(
    "compiler", [pytest.param(("g++",), id="gcc"), pytest.param(("clang++-14",), id="clang")]
)
@pytest.mark.parametrize("kept", ["One", "Two"])
def test_objects_with_different_selections_in_one_program_keep_their_own(
    compiler: Sequence[str], kept: str, tmp_path: Path
) -> None:
    for name in ("One", "Two"):
        (tmp_path / f"{name}.cc").write_text(UNIT.replace("NAME", name))
        header = emit(tmp_path, FileSelection((), ((kept, f"{kept}Op"),) if name == kept else (), False))
        compiled = ["-O0", "-c", "-o", str(tmp_path / f"{name}.o")]
        assert compile_source(compiler, tmp_path / f"{name}.cc", header, *compiled).stderr == ""
    (tmp_path / "main.cc").write_text("int main() {}\n")
    parts = [str(tmp_path / name) for name in ("main.cc", "One.o", "Two.o")]
    subprocess.run([*compiler, *parts, "-o", str(tmp_path / "program")], check=True)
    output = subprocess.run([tmp_path / "program"], capture_output=True, text=True, check=True).stdout
    assert output == f"kernel {kept}Op for {kept} makes it\n"


def test_the_object_holds_no_code_of_a_class_that_is_not_selected(tmp_path: Path) -> None:
    compiled = tmp_path / "registrations.o"
    result = compile_source(
        ("g++",), FOLDER / "registrations.cc", emit(tmp_path), "-Os", "-c", "-o", str(compiled)
    )
    assert result.stderr == ""
    names = subprocess.run(["nm", "-C", compiled], capture_output=True, text=True, check=True).stdout
    assert "vtable for (anonymous namespace)::KeptOp<float>" in names
    assert "KeptOp<int>" not in names
    assert "DroppedOp" not in names


def test_two_thousand_kernels_compile_in_seconds(tmp_path: Path) -> None:
    pairs = tuple(sorted((f"Op{n}", f"Kernel<CPUDevice, T{n}>") for n in range(2000)))
    ops = tuple(sorted({op for op, _ in pairs}))
    source = tmp_path / "many.cc"
    checks = [f'static_assert(SHOULD_REGISTER_OP("{op}"), "");\n' for op in ops]
    source.write_text("".join(checks) + 'static_assert(!SHOULD_REGISTER_OP("Op2000"), "");\n')
    header = emit(tmp_path, FileSelection(ops, pairs, False))
    flags = ["-std=c++17", f"-I{FOLDER}", "-include", str(header), "-fsyntax-only", str(source)]
    subprocess.run(["g++", *flags], check=True, timeout=30)
