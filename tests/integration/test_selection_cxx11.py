"""Registry and C++11 header of a small tree that registers as TensorFlow 1.8.0 does, with real compilers."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tfcross.registry.data import load_registry_data
from tfcross.registry.opdef import ArgDef, AttrDef, OpDef
from tfcross.registry.preprocess import TargetCompiler
from tfcross.registry.registry import Registry, build_registry
from tfcross.selection.header import fnv1a, ops_header
from tfcross.selection.selection import FileSelection

ROOT = Path(__file__).parents[2]
TREE = ROOT / "tests" / "fixtures" / "classic"
FIRST = "tensorflow/core/kernels/first_op.cc"
SECOND = "tensorflow/core/kernels/second_op.cc"
OPS = "tensorflow/core/ops/fixture_ops.cc"
OWN = "tensorflow/core/user_ops/own.cc"
TREES = "tensorflow/contrib/boosted_trees/ops/tree_ops.cc"
RUNTIME = "tensorflow/core/kernels/runtime.cc"
HEADERS = [f"tensorflow/core/framework/{name}.h" for name in ("op", "op_kernel", "function")]
GCC, CLANG = ("g++",), ("clang++-14",)
COMPILERS = pytest.mark.parametrize(
    "compiler",
    [
        pytest.param(GCC, id="gcc"),
        pytest.param(CLANG, id="clang"),
        pytest.param(("arm-linux-gnueabihf-g++", "-mfpu=neon-vfpv4"), id="gcc, Pi"),
    ],
)
FLOAT, INT = "SizedOp<CPUDevice, float, false >", "SizedOp<CPUDevice, int32, false >"
CHOSEN = FileSelection(
    ops=("Kept", "Linear"),
    kernels=(("Kept", FLOAT), ("Linear", "(SizedOp<CPUDevice, float, true>)"), ("Linear", "LinearOp")),
    gradients=False,
)
NOTHING = FileSelection((), (), False)


def build(defines: Sequence[str] = ()) -> Registry:
    return build_registry(
        data=load_registry_data(ROOT / "releases" / "1.8.0"),
        include_root=TREE,
        tree_id="tree",
        compiler=TargetCompiler(("arm-linux-gnueabihf-g++", "-std=c++11"), tuple(defines), "compiler"),
        jobs=2,
    )


def compile_unit(
    folder: Path, compiler: Sequence[str], source: str, selection: FileSelection | None, *more: str
) -> Path:
    """The object of ``source``; with a selection, as a unit that registers something."""
    flags = ["-std=c++11", "-Wall", "-Werror", f"-I{TREE}"]
    target = folder / f"{Path(source).stem}{'' if selection else '-plain'}.o"
    if selection:
        header = target.with_suffix(".h")
        header.write_text(ops_header(selection, "ops_to_register-cxx11.h.j2", HEADERS))
        flags += ["-include", str(header)]
    subprocess.run(
        [*compiler, *flags, *more, "-c", str(TREE / source), "-o", str(target)],
        check=True,
        capture_output=True,
        text=True,
    )
    return target


def said(folder: Path, compiler: Sequence[str], objects: Sequence[Path]) -> list[str]:
    """What the program of these ``objects`` prints."""
    program = folder / "program"
    subprocess.run([*compiler, *map(str, objects), "-o", str(program)], check=True, capture_output=True)
    return subprocess.run([program], capture_output=True, text=True, check=True).stdout.splitlines()


def test_registry_has_every_op_and_kernel_of_the_tree() -> None:
    registry = build()
    assert registry.problems == ()
    assert registry.files == (TREES, FIRST, SECOND, OPS, OWN)
    assert [(kernel.op, kernel.class_text, kernel.system) for kernel in registry.kernels_in[FIRST]] == [
        ("Kept", FLOAT, False),
        ("Kept", INT, False),
        ("Linear", "(SizedOp<CPUDevice, float, true>)", False),
        ("Dropped", FLOAT, False),
        ("Refused", "RefusingOp<int32>", False),
        ("Linear", "LinearOp", False),
        ("_System", "SystemOp", True),
    ]
    assert registry.kernels_of("Linear")[1].label == "named"
    assert {name: op.system for name, op in registry.ops.items()} == {
        "Tree": False,
        "Kept": False,
        "Dropped": False,
        "Linear": False,
        "_System": True,
        "Own": False,
    }
    assert registry.gradients == ("Kept",)


def test_types_of_op_definitions_follow_the_defines() -> None:
    assert build().ops["Kept"] == OpDef(
        "Kept",
        OPS,
        attrs=(AttrDef("T", "type", allowed=(1, 3, 11)),),
        inputs=(ArgDef("x", type_attr="T"),),
        outputs=(ArgDef("y", type_attr="T"),),
    )
    assert build(["IS_MOBILE_PLATFORM"]).sets == {
        "realnumbertype": (1,),
        "numbertype": (1, 11),
        "quantizedtype": (11,),
    }


@COMPILERS
def test_look_up_and_hash_are_constant_expressions(compiler: Sequence[str], tmp_path: Path) -> None:
    long = "Op<" + ", ".join(["CPUDevice"] * 40) + ">"
    selection = FileSelection(("Kept", "Quoted"), (("Kept", long), ("Quoted", "TextOp<'\"'>")), True)
    (tmp_path / "header.h").write_text(ops_header(selection, "ops_to_register-cxx11.h.j2", HEADERS))
    checks = [
        'SHOULD_REGISTER_OP("Kept")',
        '!SHOULD_REGISTER_OP("Kep")',
        '!SHOULD_REGISTER_OP("")',
        f'SHOULD_REGISTER_OP_KERNEL("{long}")',
        f'!SHOULD_REGISTER_OP_KERNEL("{long[:-1]}")',
        '!SHOULD_REGISTER_OP_KERNEL("Kept")',
        "SHOULD_REGISTER_OP_GRADIENT",
        f'tfcross::Contains(tfcross::kSelectedKernels, "Kept", "{long}")',
        f'!tfcross::Contains(tfcross::kSelectedKernels, "Quoted", "{long}")',
        'tfcross::Contains(tfcross::kSelectedKernels, "Quoted", "TextOp<\'\\"\'>")',
        *(f'tfcross::Hash("{name}") == {fnv1a(name)}ull' for name in ("", "a", "foobar", "ä", long)),
    ]
    source = tmp_path / "checks.cc"
    source.write_text("".join(f'static_assert({check}, "");\n' for check in checks))
    flags = ["-std=c++11", "-Wall", "-Werror", f"-I{TREE}", "-include", str(tmp_path / "header.h")]
    result = subprocess.run(
        [*compiler, *flags, "-fsyntax-only", str(source)], capture_output=True, text=True, check=False
    )
    assert result.stderr == ""


@COMPILERS
def test_a_class_that_is_not_selected_is_not_instantiated(compiler: Sequence[str], tmp_path: Path) -> None:
    compile_unit(tmp_path, compiler, FIRST, CHOSEN)
    refused = FileSelection((), (("Refused", "RefusingOp<int32>"),), False)
    with pytest.raises(subprocess.CalledProcessError) as caught:
        compile_unit(tmp_path, compiler, FIRST, refused)
    assert "instantiated although nothing selects it" in caught.value.stderr


@COMPILERS
def test_the_object_holds_no_code_of_a_class_that_is_not_selected(
    compiler: Sequence[str], tmp_path: Path
) -> None:
    compiled = compile_unit(tmp_path, compiler, FIRST, CHOSEN, "-Os")
    names = subprocess.run(["nm", "-C", compiled], capture_output=True, text=True, check=True).stdout
    assert "vtable for tensorflow::SizedOp<tensorflow::CPUDevice, float, true>" in names
    assert "SizedOp<tensorflow::CPUDevice, int, false>" not in names
    assert "RefusingOp" not in names


SYSTEM = "kernel SystemOp for _System of 1 bytes"


@pytest.mark.parametrize("compiler", [pytest.param(GCC, id="gcc"), pytest.param(CLANG, id="clang")])
@pytest.mark.parametrize("level", ["-O0", "-Os"])
@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        pytest.param(
            CHOSEN,
            [
                f"kernel {FLOAT} for Kept of 4 bytes",
                "kernel (SizedOp<CPUDevice, float, true>) for Linear of 8 bytes",
                "kernel LinearOp for Linear of 1 bytes",
                SYSTEM,
            ],
            id="some",
        ),
        pytest.param(
            FileSelection((), (("Dropped", FLOAT),), False),
            [f"kernel {FLOAT} for Dropped of 4 bytes", SYSTEM],
            id="the class of another op",
        ),
        pytest.param(NOTHING, [SYSTEM], id="nothing"),
    ],
)
def test_only_what_is_selected_is_registered(
    compiler: Sequence[str], level: str, selection: FileSelection, expected: list[str], tmp_path: Path
) -> None:
    objects = [
        compile_unit(tmp_path, compiler, FIRST, selection, level),
        compile_unit(tmp_path, compiler, RUNTIME, None, level),
    ]
    assert said(tmp_path, compiler, objects) == [*expected, "runtime Runtime"]


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        pytest.param(CHOSEN, ["op Kept", "op Linear", "op _System"], id="ops"),
        pytest.param(FileSelection((), (), True), ["op _System", "gradient Kept"], id="gradients"),
    ],
)
def test_ops_and_gradients_are_registered_where_they_are_selected(
    selection: FileSelection, expected: list[str], tmp_path: Path
) -> None:
    objects = [compile_unit(tmp_path, GCC, OPS, selection), compile_unit(tmp_path, GCC, RUNTIME, None)]
    assert said(tmp_path, GCC, objects) == [*expected, "runtime Runtime"]


@pytest.mark.parametrize("compiler", [pytest.param(GCC, id="gcc"), pytest.param(CLANG, id="clang")])
@pytest.mark.parametrize("level", ["-O0", "-Os"])
@pytest.mark.parametrize("order", [pytest.param(1, id="in order"), pytest.param(-1, id="turned")])
def test_objects_with_different_selections_in_one_program_keep_their_own(
    compiler: Sequence[str], level: str, order: int, tmp_path: Path
) -> None:
    second = FileSelection((), (("Second", FLOAT),), False)
    objects = [
        compile_unit(tmp_path, compiler, FIRST, NOTHING, level),
        compile_unit(tmp_path, compiler, SECOND, second, level),
        compile_unit(tmp_path, compiler, OPS, CHOSEN, level),
        compile_unit(tmp_path, compiler, OWN, None, level),
        compile_unit(tmp_path, compiler, RUNTIME, None, level),
    ]
    assert sorted(said(tmp_path, compiler, objects[::order])) == [
        "kernel OwnOp for Own of 0 bytes",
        f"kernel {FLOAT} for Second of 4 bytes",
        SYSTEM,
        "op Kept",
        "op Linear",
        "op Own",
        "op _System",
        "runtime Runtime",
    ]


def test_two_thousand_kernels_compile_in_seconds(tmp_path: Path) -> None:
    pairs = tuple(sorted((f"Op{n}", f"Kernel<CPUDevice, T{n}>") for n in range(2000)))
    selection = FileSelection(tuple(op for op, _ in pairs), pairs, False)
    (tmp_path / "header.h").write_text(ops_header(selection, "ops_to_register-cxx11.h.j2", HEADERS))
    source = tmp_path / "many.cc"
    checks = [f'static_assert(SHOULD_REGISTER_OP("{op}"), "");\n' for op, _ in pairs]
    source.write_text("".join(checks) + 'static_assert(!SHOULD_REGISTER_OP("Op2000"), "");\n')
    flags = ["-std=c++11", f"-I{TREE}", "-include", str(tmp_path / "header.h"), "-fsyntax-only"]
    subprocess.run(["g++", *flags, str(source)], check=True, timeout=30)
