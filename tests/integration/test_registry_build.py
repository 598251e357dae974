"""The registry of a small tree in TensorFlow's shape, with the compilers that the targets use."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tfcross.errors import TfcrossError
from tfcross.registry.data import RegistryData, load_registry_data
from tfcross.registry.opdef import ArgDef, AttrDef, OpDef
from tfcross.registry.preprocess import TargetCompiler
from tfcross.registry.registry import Kernel, Registry, build_registry, registering_candidates

ROOT = Path(__file__).parents[2]
DATA = load_registry_data(ROOT / "releases" / "2.14.1")
FIXTURES = ROOT / "tests" / "fixtures" / "registry"
FIRST = "tensorflow/core/kernels/first_op.cc"
SECOND = "tensorflow/core/kernels/second_op.cc"
OPS = "tensorflow/core/ops/fixture_ops.cc"
C_KERNELS = "tensorflow/c/kernels/plain_op.cc"
C_OPS = "tensorflow/c/kernels/ops/plain.cc"
NEON = ("-march=armv7-a", "-mfpu=neon-vfpv4", "-mfloat-abi=hard")
CLANG = ("clang-14", "--target=arm-linux-gnueabihf", *NEON)
GCC = ("arm-linux-gnueabihf-g++", *NEON)
ON_ARM = pytest.mark.parametrize("compiler", [pytest.param(CLANG, id="clang"), pytest.param(GCC, id="gcc")])


def build(
    root: Path = FIXTURES / "tree",
    compiler: Sequence[str] = GCC,
    defines: Sequence[str] = (),
    files: Sequence[str] | None = None,
    cache: Path | None = None,
    tree_id: str = "tree",
    compiler_id: str = "compiler",
    data: RegistryData = DATA,
) -> Registry:
    return build_registry(
        data=data,
        include_root=root,
        tree_id=tree_id,
        compiler=TargetCompiler(tuple(compiler), tuple(defines), compiler_id),
        jobs=2,
        files=files,
        cache=cache,
    )


def test_candidates_are_the_files_that_use_a_registering_macro() -> None:
    assert registering_candidates(FIXTURES / "tree", DATA) == [C_OPS, C_KERNELS, FIRST, SECOND, OPS]


@ON_ARM
def test_kernels_are_found_with_types_places_and_the_stringised_class(compiler: Sequence[str]) -> None:
    registry = build(compiler=compiler)
    assert registry.problems == ()
    assert registry.kernels_of("First") == (
        Kernel(
            "First",
            "CPU",
            "",
            0,
            (("T", (1,)),),
            ("shape",),
            "FirstOp<CPUDevice, float, false >",
            FIRST,
            False,
        ),
        Kernel(
            "First",
            "CPU",
            "",
            0,
            (("T", (19,)),),
            ("shape",),
            "FirstOp<CPUDevice, Eigen::half, false >",
            FIRST,
            False,
        ),
        Kernel(
            "First",
            "CPU",
            "",
            0,
            (("T", (9,)),),
            ("shape",),
            "FirstOp<CPUDevice, ::tensorflow::int64, false >",
            FIRST,
            False,
        ),
        Kernel(
            "First",
            "GPU",
            "fast",
            2,
            (("T", (3, 1)),),
            (),
            "FirstOp<GPUDevice, std::pair<int, float>>",
            FIRST,
            False,
        ),
    )


@ON_ARM
def test_sources_of_one_process_do_not_see_each_others_macros(compiler: Sequence[str]) -> None:
    registry = build(compiler=compiler)
    # Both sources need the headers' macros, the compiler's __ARM_NEON (which the first undefines), and
    # the second stops at the first's LEAKS.
    assert registry.kernels_in[SECOND] == (
        Kernel("Shared", "CPU", "", 0, (("T", (1,)),), (), "SharedOp<float>", SECOND, False),
        Kernel("Second", "CPU", "", 0, (), (), "SecondOp", SECOND, True, (("mode", ("a", "b")),)),
    )
    assert registry.kernels_of("Neon") == (
        Kernel("Neon", "CPU", "", 0, (), (), "NeonOp", FIRST, False, (("fast", (True,)),)),
    )


def test_registration_within_a_header_belongs_to_the_source_that_includes_it() -> None:
    assert build().kernels_of("Shared")[0] == Kernel(
        "Shared", "CPU", "", 0, (("T", (10,)),), (), "SharedOp<bool>", FIRST, False
    )


@ON_ARM
def test_op_definitions_are_found_whatever_stands_in_their_functions_and_docs(
    compiler: Sequence[str],
) -> None:
    registry = build(compiler=compiler)
    assert list(registry.ops) == ["Plain", "First", "Shared", "Neon", "Second"]
    assert registry.ops["First"] == OpDef(
        "First",
        OPS,
        attrs=(
            AttrDef("T", "type", allowed=(1, 2, 3, 11)),
            AttrDef("padding", "string", allowed_strings=("SAME", "VALID")),
            AttrDef("mode", "string", default="a", allowed_strings=("a", "b")),
        ),
        inputs=(ArgDef("x", type_attr="T"), ArgDef("shape", 3)),
        outputs=(ArgDef("y", type_attr="T"),),
        flags=("IsCommutative",),
    )
    assert registry.ops["Shared"] == OpDef(
        "Shared", OPS, inputs=(ArgDef("x", 10),), outputs=(ArgDef("y", 10, is_ref=True),), stateful=True
    )
    assert registry.ops["Second"].system
    assert registry.ops["Second"].stateful  # for its resource
    assert registry.gradients == ("First",)


@ON_ARM
def test_defines_decide_types_of_kernels_and_of_op_definitions(compiler: Sequence[str]) -> None:
    registry = build(compiler=compiler, defines=["SMALL_TYPES"])
    cpu = [kernel for kernel in registry.kernels_of("First") if kernel.device == "CPU"]
    assert [kernel.class_text for kernel in cpu] == ["FirstOp<CPUDevice, float, false >"]
    assert registry.ops["First"].attrs[0] == AttrDef("T", "type", allowed=(1, 11))
    assert registry.sets == {"realnumbertype": (1,), "numbertype": (1, 11), "quantizedtype": (11,)}


def test_flags_of_the_architecture_decide_too() -> None:
    registry = build(compiler=("g++",))
    assert registry.kernels_of("Neon") == ()
    assert registry.files == (C_OPS, C_KERNELS, FIRST, SECOND, OPS)


@ON_ARM
def test_registrations_through_the_c_interface_are_found(compiler: Sequence[str]) -> None:
    registry = build(compiler=compiler)
    assert registry.kernels_in[C_KERNELS] == (
        Kernel("Typed", "CPU", "", 0, (("T", (9,)),), ("shape",), "TypedOp", C_KERNELS, False),
        Kernel("Typed", "CPU", "", 0, (("T", (8,)),), ("shape",), "TypedOp", C_KERNELS, False),
        Kernel("Plain", "CPU", "", 0, (("T", (1,)),), (), "PlainOp", C_KERNELS, False),
    )
    assert registry.ops["Plain"] == OpDef(
        "Plain",
        C_OPS,
        attrs=(AttrDef("T", "type", allowed=(1, 3)), AttrDef("N", "int", minimum=1)),
        inputs=(ArgDef("x", type_attr="T"),),
        outputs=(ArgDef("y", 7, number_attr="N"),),
        stateful=True,
    )


def test_both_compilers_give_one_registry() -> None:
    assert build(compiler=CLANG) == build(compiler=GCC)


def test_listed_files_alone_are_read() -> None:
    registry = build(files=[SECOND])
    assert (registry.files, registry.ops) == ((SECOND,), {})


def test_what_cannot_be_understood_is_told_and_the_rest_is_kept() -> None:
    registry = build(FIXTURES / "odd")
    kernels, ops = "tensorflow/core/kernels/odd_op.cc", "tensorflow/core/ops/odd_ops.cc"
    assert tuple(map(str, registry.problems)) == (
        f"{kernels}: kernel A: unknown type Unheard of T",
        f"{kernels}: kernel B: unknown builder call Unheard",
        f"{kernels}: kNowhere is no string that the sources tell",
        f"{kernels}: priority kHigh",
        f"{kernels}: '+ 1' behind the kernel builder ::fixture::Name(\"F\").Device(DEVICE_CPU) + 1",
        f"{kernels}: kernel G: no device",
        f"{ops}: op A: 'T: flot' has an unknown type",
        f"{ops}: op B: 'x: T' names 'T', which is neither a type nor an attr of types",
        f'{ops}: op C: StrCat("T: ", kTypes) is no string that the sources tell',
        f"{ops}: op D is defined in {ops} already",
    )
    assert [(problem.op, problem.twice) for problem in registry.problems] == [
        *((op, False) for op in ("A", "B", "", "D", "F", "G", "A", "B", "C")),
        ("D", True),
    ]
    assert [(kernel.op, kernel.label) for kernel in registry.kernels] == [("E", 'Made("up").c_str()')]
    assert [(name, op.attrs[0].name) for name, op in registry.ops.items()] == [("D", "N")]


def test_cache_answers_without_compiler_and_sources(tmp_path: Path) -> None:
    root = tmp_path / "sources"
    shutil.copytree(FIXTURES / "tree", root)
    first = build(root, cache=tmp_path / "cache")
    shutil.rmtree(root)
    assert build(root, cache=tmp_path / "cache") == first
    assert len(list((tmp_path / "cache").iterdir())) == 1


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"defines": ["SMALL_TYPES"]}, id="define"),
        pytest.param({"compiler": (*GCC, "-O2")}, id="flag"),
        pytest.param({"compiler_id": "compiler of tomorrow"}, id="compiler"),
        pytest.param({"tree_id": "patched tree"}, id="sources"),
        pytest.param({"files": [FIRST]}, id="files"),
        pytest.param({"data": replace(DATA, exclude_folders=frozenset(["gpu"]))}, id="data of the release"),
    ],
)
def test_whatever_changes_the_registry_gets_a_file_of_its_own(
    tmp_path: Path, change: dict[str, object]
) -> None:
    build(cache=tmp_path)
    build(cache=tmp_path, **change)  # type: ignore[arg-type]
    assert len(list(tmp_path.iterdir())) == 2


def test_an_edited_stub_gets_a_file_of_its_own(tmp_path: Path) -> None:
    shutil.copytree(DATA.stubs, tmp_path / "stubs")
    data = replace(DATA, stubs=tmp_path / "stubs")
    build(cache=tmp_path / "cache", data=data)
    with (tmp_path / "stubs/tensorflow/core/framework/op.h").open("a") as stub:
        stub.write("// more\n")
    build(cache=tmp_path / "cache", data=data)
    assert len(list((tmp_path / "cache").iterdir())) == 2


def test_damaged_cache_is_built_anew(tmp_path: Path) -> None:
    whole = build(cache=tmp_path)
    (kept,) = tmp_path.iterdir()
    content = kept.read_bytes()
    kept.write_bytes(content[: len(content) // 2])
    assert build(cache=tmp_path) == whole
    assert kept.read_bytes() == content


@ON_ARM
def test_source_that_the_compiler_refuses_is_an_error(compiler: Sequence[str], tmp_path: Path) -> None:
    root = tmp_path / "sources"
    shutil.copytree(FIXTURES / "tree", root)
    (root / SECOND).write_text(
        '#include "tensorflow/core/kernels/shared.h"\n#error "of this source"\nREGISTER_SHARED(int);'
    )
    with pytest.raises(TfcrossError) as caught:
        build(root, compiler, cache=tmp_path / "cache")
    message = str(caught.value)
    assert message.startswith(f"registry: {compiler[0]} -E fails: {SECOND}:2:2: error: ")
    assert "of this source" in message
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(
            {"compiler": ("no-such-g++",)},
            "registry: no-such-g++ cannot be run: No such file or directory. Install the toolchain.",
            id="no compiler",
        ),
        pytest.param(
            {"root": FIXTURES},
            f"{FIXTURES}: no folder tensorflow/core in it; give TensorFlow's root folder.",
            id="no sources",
        ),
        pytest.param(
            {"files": [FIRST, "tensorflow/core/kernels/gone.cc"]},
            f"{FIXTURES / 'tree'}: tensorflow/core/kernels/gone.cc is not there; 1 listed files are missing.",
            id="listed file missing",
        ),
    ],
)
def test_missing_part_is_named(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(TfcrossError) as caught:
        build(**arguments)  # type: ignore[arg-type]
    assert str(caught.value) == message
