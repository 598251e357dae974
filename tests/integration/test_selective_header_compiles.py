"""Both styles of the selective header under real compilers, as C++11."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tfcross.selection.upstream_header import STYLES, selective_header
from tfcross.selection.upstream_pairs import Pair

ARM = ("clang++-14", "--target=arm-linux-gnueabihf", "-march=armv7-a", "-mfloat-abi=hard")
COMPILERS = pytest.mark.parametrize(
    "compiler",
    [
        pytest.param(("g++",), id="gcc"),
        pytest.param(("clang++-14",), id="clang"),
        pytest.param(ARM, id="clang, armv7"),
    ],
)
EACH_STYLE = pytest.mark.parametrize("style", STYLES)
PAIRS = frozenset(
    {
        Pair("BiasAdd", "BiasOp<CPUDevice, float>"),
        Pair("MatMul", "MatMulOp<CPUDevice, float, false >"),
        Pair("AccumulateNV2", ""),
        Pair("Quoted", 'TextOp<"a\\b">'),
    }
)
ANSWERS = r"""
#include "ops_to_register.h"
namespace tensorflow {
#define CLASS_TEXT(...) SHOULD_REGISTER_OP_KERNEL(#__VA_ARGS__)
static_assert(SHOULD_REGISTER_OP("BiasAdd"), "");
static_assert(SHOULD_REGISTER_OP("AccumulateNV2"), "an op without a kernel");
static_assert(!SHOULD_REGISTER_OP("BiasAdd1"), "longer");
static_assert(!SHOULD_REGISTER_OP("BiasAd"), "shorter");
static_assert(!SHOULD_REGISTER_OP(""), "");
static_assert(CLASS_TEXT(BiasOp<CPUDevice, float>), "");
static_assert(CLASS_TEXT(MatMulOp<CPUDevice, float, false >), "");
static_assert(CLASS_TEXT(MatMulOp<CPUDevice,float,false>), "blanks do not count");
static_assert(CLASS_TEXT(TextOp<"a\b">), "a text that has to be quoted");
static_assert(!CLASS_TEXT(BiasOp<CPUDevice, double>), "");
static_assert(!CLASS_TEXT(BiasAdd), "an op is no class");
static_assert(!SHOULD_REGISTER_OP_GRADIENT, "");
template <bool kept> struct Wrapper { static constexpr bool value = kept; };
static_assert(Wrapper<SHOULD_REGISTER_OP("MatMul")>::value, "a template's argument");
constexpr bool flag = SHOULD_REGISTER_OP_KERNEL("BiasOp<CPUDevice, float>");
static_assert(flag, "");
}
bool AtRunTime(const char* op) { return SHOULD_REGISTER_OP(op); }
int main(int count, char** words) {
  const int kept = AtRunTime("MatMul") && !AtRunTime("Conv2D");
  return kept && AtRunTime(words[count - 1]) ? 0 : 1;
}
"""


def write(folder: Path, header: str, source: str) -> Path:
    (folder / "ops_to_register.h").write_text(header)
    path = folder / "answers.cc"
    path.write_text(source)
    return path


def check(compiler: Sequence[str], path: Path) -> subprocess.CompletedProcess[str]:
    argv = [*compiler, "-std=c++11", "-Wall", "-Werror", "-fsyntax-only", str(path)]
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)


@COMPILERS
@EACH_STYLE
def test_the_answers_are_constant_expressions_of_cpp_11(
    compiler: Sequence[str], style: str, tmp_path: Path
) -> None:
    result = check(compiler, write(tmp_path, selective_header(PAIRS, style), ANSWERS))
    assert result.stderr == ""


@EACH_STYLE
def test_the_answers_are_there_at_run_time_too(style: str, tmp_path: Path) -> None:
    path = write(tmp_path, selective_header(PAIRS, style), ANSWERS)
    app = tmp_path / "answers"
    subprocess.run(["g++", "-std=c++11", "-o", str(app), str(path)], check=True)
    answers = [subprocess.run([str(app), word], check=False).returncode for word in ("BiasAdd", "Relu")]
    assert answers == [0, 1]


@COMPILERS
@EACH_STYLE
def test_a_header_that_keeps_everything_compiles(compiler: Sequence[str], style: str, tmp_path: Path) -> None:
    source = (
        '#include "ops_to_register.h"\n'
        'static_assert(SHOULD_REGISTER_OP("A") && SHOULD_REGISTER_OP_KERNEL("B"), "");\n'
        'static_assert(SHOULD_REGISTER_OP_GRADIENT, "");'
    )
    assert check(compiler, write(tmp_path, selective_header(None, style), source)).stderr == ""


@COMPILERS
@EACH_STYLE
def test_a_header_with_ops_but_no_kernel_keeps_no_kernel(
    compiler: Sequence[str], style: str, tmp_path: Path
) -> None:
    source = (
        '#include "ops_to_register.h"\n'
        'static_assert(SHOULD_REGISTER_OP("A") && !SHOULD_REGISTER_OP_KERNEL("A"), "");'
    )
    path = write(tmp_path, selective_header({Pair("A", "")}, style), source)
    assert check(compiler, path).stderr == ""


@COMPILERS
def test_two_thousand_hashed_classes_stay_within_the_compilers_own_limits(
    compiler: Sequence[str], tmp_path: Path
) -> None:
    texts = [f"BinaryOp<CPUDevice, functor::op{number}<float, {'x' * 800}>>" for number in range(2000)]
    header = selective_header({Pair(f"Op{number}", text) for number, text in enumerate(texts)}, "hashed")
    asked = [f'static_assert(SHOULD_REGISTER_OP_KERNEL("{text}"), "");' for text in texts[::20]]
    asked.append(f'static_assert(!SHOULD_REGISTER_OP_KERNEL("{texts[0]}x"), "");')
    source = "\n".join(['#include "ops_to_register.h"', *asked])
    assert check(compiler, write(tmp_path, header, source)).stderr == ""
