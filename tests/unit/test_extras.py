"""Ops and files that the user adds to the set, and the user's own ops."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from small_registry import kernel, model, node, registry, rule, typed

from tfcross.errors import TfcrossError
from tfcross.registry.opdef import OpDef
from tfcross.registry.ownops import find_own, is_own, lay_beside, with_own
from tfcross.registry.parser import Problem
from tfcross.registry.registry import Registry
from tfcross.selection.extras import Extras
from tfcross.selection.selection import Reason, Selection, plain_files
from tfcross.selection.selector import select, select_all

ADD = model(node("sum", "Add", T=typed("float")))
UNAVAILABLE = {"tensorflow/core/kernels/wrap_op.cc": "it needs zlib"}


def chosen(ops: tuple[str, ...] = (), files: tuple[str, ...] = ()) -> Selection:
    return select([ADD], rule(unavailable=UNAVAILABLE), Extras(ops, files))


def test_an_op_comes_with_all_of_its_cpu_kernels() -> None:
    selection = chosen(ops=("MatMul", "Add"))
    assert selection.kernels == (
        ("Add", "BinaryOp<CPUDevice, functor::add<float>>"),
        ("Add", "BinaryOp<CPUDevice, functor::add<int32>>"),
        ("MatMul", "MatMulOp<CPUDevice, float>"),
    )
    assert selection.reasons == {
        "Add": Reason("graph", "sum"),
        "MatMul": Reason("extra", "EXTRA_OPS=MatMul"),
    }


@pytest.mark.parametrize(
    "name", ["matmul_op.cc", "kernels/matmul_op.cc", "tensorflow/core/kernels/matmul_op.cc"]
)
def test_a_file_comes_with_all_that_it_registers(name: str) -> None:
    selection = chosen(files=(name,))
    assert ("MatMul", "MatMulOp<CPUDevice, float>") in selection.kernels
    assert selection.reasons["MatMul"] == Reason("extra", f"EXTRA_KERNELS={name}")


def test_extras_come_on_top_of_the_whole_set_too() -> None:
    selection = select_all(["tensorflow/core/ops/math_ops.cc"], rule(), Extras(("Placeholder",)))
    assert "Placeholder" in selection.ops


@pytest.mark.parametrize(
    ("ops", "files", "message"),
    [
        pytest.param(
            ("Matmul",),
            (),
            "EXTRA_OPS=Matmul: this release defines no such op (did you mean MatMul?).",
            id="unknown op",
        ),
        pytest.param(
            ("CudnnRNN",),
            (),
            "EXTRA_OPS=CudnnRNN: the op has no CPU kernel; leave it out.",
            id="no CPU kernel",
        ),
        pytest.param(
            ("WrapDatasetVariant",),
            (),
            "EXTRA_OPS=WrapDatasetVariant: tensorflow/core/kernels/wrap_op.cc is not built: it needs zlib; "
            "leave it out.",
            id="op that is not built",
        ),
        pytest.param(
            (),
            ("matmul_ops.cc",),
            "EXTRA_KERNELS=matmul_ops.cc: no file of that name registers kernels (did you mean "
            "matmul_op.cc?).",
            id="unknown file",
        ),
        pytest.param(
            (),
            ("wrap_op.cc",),
            "EXTRA_KERNELS=wrap_op.cc: it is not built: it needs zlib; leave it out.",
            id="file that is not built",
        ),
        pytest.param(
            (),
            ("cudnn_op.cc",),
            "EXTRA_KERNELS=cudnn_op.cc: it registers no kernel for the CPU; leave it out.",
            id="file without a CPU kernel",
        ),
    ],
)
def test_what_is_not_there_is_told(ops: tuple[str, ...], files: tuple[str, ...], message: str) -> None:
    with pytest.raises(TfcrossError) as caught:
        chosen(ops, files)
    assert str(caught.value) == message


def test_a_name_of_two_files_is_refused() -> None:
    more = [kernel("MatMul", "Other", "other/matmul_op")]
    with pytest.raises(TfcrossError, match="several files have that name; give one of tensor"):
        select([ADD], rule(of=registry(more=more)), Extras(files=("matmul_op.cc",)))


def write(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"// {name}\n")
    return folder


def test_own_sources_are_found_at_any_depth_with_a_hash_of_them_and_their_headers(tmp_path: Path) -> None:
    folder = write(tmp_path / "mine", "b.cc", "in/a.cc", "in/a.h", "notes.txt")
    own = find_own(str(folder))
    assert own
    assert own.files == ("ops/b.cc", "ops/in/a.cc")
    write(folder, "more.txt")
    assert find_own(str(folder)) == own
    (folder / "in/a.h").write_text("changed\n")
    changed = find_own(str(folder))
    assert changed
    assert changed.sha256 != own.sha256
    assert find_own("") is None


def test_two_links_make_one_tree_and_follow_another_folder(tmp_path: Path) -> None:
    write(tmp_path / "tree", "tensorflow/core/a.cc")
    for name in ("one", "two"):
        own = find_own(str(write(tmp_path / name, f"{name}.cc")))
        assert own
        lay_beside(own, tmp_path / "tree", tmp_path / "laid")
        assert (tmp_path / "laid/tensorflow/core/a.cc").is_file()
        assert (tmp_path / "laid" / own.files[0]).is_file()


OWN = Registry(
    {"Mine": OpDef("Mine", "ops/mine.cc")},
    (replace(kernel("Mine", "MineOp", ""), file="ops/mine.cc"),),
)


def test_own_ops_are_selected_as_the_release_s_are(tmp_path: Path) -> None:
    both = with_own(registry(), OWN)
    own = find_own(str(write(tmp_path, "mine.cc", "helper.cc")))
    assert own
    used = select([model(node("m", "Mine"))], rule(of=both))
    assert used.files == ("ops/mine.cc",)
    assert is_own(used.files[0])
    assert plain_files(own, used) == ["ops/helper.cc"]
    assert plain_files(own, select([ADD], rule(of=both))) == []


@pytest.mark.parametrize(
    ("own", "message"),
    [
        pytest.param(
            Registry({"Add": OpDef("Add", "ops/add.cc")}, ()),
            "OPS_DIR: ops/add.cc defines op 'Add', and so does tensorflow/core/ops/math_ops.cc; give it "
            "another name.",
            id="op of the release",
        ),
        pytest.param(
            Registry({}, (), problems=(Problem("ops/a.cc", "", "unknown type Foo of T"),)),
            "OPS_DIR: a registration cannot be read: ops/a.cc: unknown type Foo of T.",
            id="unreadable",
        ),
        pytest.param(
            Registry({}, ()),
            "OPS_DIR: its files register nothing; use REGISTER_OP and REGISTER_KERNEL_BUILDER.",
            id="nothing",
        ),
    ],
)
def test_own_ops_that_cannot_be_used_are_told(own: Registry, message: str) -> None:
    with pytest.raises(TfcrossError) as caught:
        with_own(registry(), own)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("files", "message"),
    [
        pytest.param((), "there is no such folder; give the folder of your ops' sources.", id="no folder"),
        pytest.param(
            ("a.h",), "no .cc file is in it; give the folder of your ops' sources.", id="no sources"
        ),
    ],
)
def test_a_folder_without_sources_is_told(files: tuple[str, ...], message: str, tmp_path: Path) -> None:
    folder = write(tmp_path / "mine", *files)
    with pytest.raises(TfcrossError) as caught:
        find_own(str(folder))
    assert str(caught.value) == f"OPS_DIR={folder}: {message}"
