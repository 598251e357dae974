"""Command lines and models that cannot be built: one line, status 2, and the output folder as it was."""

from __future__ import annotations

from pathlib import Path

import pytest
from project_build import DIGITS, OUT, Run, run_scons

from tfcross.graph.construction import graph_bytes, make_node, make_placeholder

PI = "TARGET=PI"


def listing() -> dict[str, tuple[int, int]]:
    """Every file of the output folder with its time and size."""
    found = [path for path in OUT.rglob("*") if path.is_file()]
    return {str(path): (path.stat().st_mtime_ns, path.stat().st_size) for path in found}


def refused(*words: str) -> str:
    """The one line that scons says to ``words``, without ``error: ``."""
    before = listing()
    run = run_scons(*words)
    assert listing() == before
    assert run.status == 2, run.out + run.err
    assert "Traceback" not in run.out + run.err
    return only_error(run)


def only_error(run: Run) -> str:
    assert len(run.errors) == 1, run.err
    return run.errors[0].removeprefix("error: ")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param(
            ["TARGET=NOPE"],
            "TARGET=NOPE: unknown target. Known: ANDROID, DARWIN, IOS, LINUX, PI.",
            id="target",
        ),
        pytest.param(
            [], "TARGET is not set; pass TARGET=. Known: ANDROID, DARWIN, IOS, LINUX, PI.", id="no target"
        ),
        pytest.param(
            [PI, "ARCH=mips"],
            "targets/PI.yaml: unknown arch 'mips'. Known: aarch64, armv6, armv7.",
            id="arch",
        ),
        pytest.param(
            [PI, "TYPES=all"],
            "TYPES=all: unknown value. Known: full, slim.",
            id="value",
        ),
        pytest.param(
            [PI, "SOURCE_boost=/nowhere"],
            "SOURCE_boost: the release has no source 'boost'. Known: abseil, double-conversion, eigen, "
            "farmhash, gemmlowp, highwayhash, ml_dtypes, nsync, oourafft, protobuf, re2, tensorflow.",
            id="source",
        ),
    ],
)
def test_a_command_line_is_refused_with_what_is_known(words, message):
    assert refused(*words) == message


@pytest.mark.parametrize(
    ("words", "begin", "end"),
    [
        pytest.param(
            ["TARGET=ANDROID", "NDK_ROOT=/nowhere"],
            "NDK_ROOT=/nowhere: no NDK there ",
            "give the folder that holds ndk-build.",
            id="no NDK",
        ),
        pytest.param(
            ["TARGET=IOS"],
            "IOS arm64 needs the iphoneos SDK 13 or later for TensorFlow 2.14.1; xcrun is not on PATH. ",
            "or put an xcrun on PATH that answers for an SDK you have.",
            id="no Xcode",
        ),
        pytest.param(
            [PI, "BITCODE=1"], "BITCODE=1: PI has no bitcode; ", "leave BITCODE out.", id="bitcode for a Pi"
        ),
        pytest.param(
            [PI, "API=21"], "API=21: targets/PI.yaml has no `api`; ", "leave API out.", id="an API for a Pi"
        ),
        pytest.param(
            ["TARGET=all", "ARCH=armv7"],
            "TARGET=all ARCH=armv7: an arch is one target's; ",
            "leave ARCH out, or name the target.",
            id="an arch of all",
        ),
    ],
)
def test_what_a_target_needs_or_does_not_have_is_told_in_one_line(words, begin, end):
    message = refused(*words)
    assert message.startswith(begin)
    assert message.endswith(end)


def test_an_unknown_variable_is_refused_with_the_likely_one():
    message = refused(PI, "MODLE=graph.pb")
    assert message.startswith("MODLE: unknown variable (did you mean MODEL?). Known: ANDROID_API, ")


def written(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    return f"MODEL={path}"


def graph(path: Path, *nodes: object) -> str:
    return written(path, graph_bytes(nodes, producer=27))


def test_a_missing_model_is_refused(tmp_path):
    path = tmp_path / "graph.pb"
    assert refused(PI, f"MODEL={path}") == (
        f"{path}: the model cannot be read (No such file or directory); "
        "pass a frozen graph (.pb, .pbtxt), a SavedModel folder or a checkpoint."
    )


def test_an_empty_model_is_refused(tmp_path):
    path = tmp_path / "graph.pb"
    assert refused(PI, written(path, b"")) == (
        f"{path}: the model is empty (0 bytes); copy or freeze it again."
    )


def test_a_truncated_model_is_refused(tmp_path):
    path = tmp_path / "graph.pb"
    half = (DIGITS / "digits.pb").read_bytes()[:9_000]
    message = refused(PI, written(path, half))
    assert message.startswith(f"{path}: truncated: it ends at byte 9000, and ")
    assert message.endswith("; copy it again.")


def test_a_file_that_is_no_graph_is_refused(tmp_path):
    path = tmp_path / "graph.pb"
    assert refused(PI, written(path, b"\x89HDF\r\n\x1a\n\0")) == (
        f"{path}: this is an HDF5 file (Keras weights or model); allowed are a frozen GraphDef, a "
        "SavedModel and a checkpoint; export it as a SavedModel (model.export, or model.save of old "
        "versions) and pass that folder."
    )


def test_an_unknown_op_is_refused_by_its_node(tmp_path):
    path = tmp_path / "graph.pb"
    nodes = [make_placeholder("x", "DT_FLOAT", [1]), make_node("y", "Conv9D", ["x"], T="DT_FLOAT")]
    assert refused(PI, graph(path, *nodes)) == (
        f"{path}: node 'y': op 'Conv9D' is not defined by this release. A custom op needs its own "
        "sources (OPS_DIR=), a newer op a newer RELEASE."
    )


def test_an_op_without_a_kernel_for_its_type_is_refused_with_the_types_that_have_one(tmp_path):
    path = tmp_path / "graph.pb"
    nodes = [make_placeholder("x", "DT_DOUBLE", [1, 2]), make_node("y", "Softmax", ["x"], T="DT_DOUBLE")]
    assert refused(PI, "TYPES=slim", graph(path, *nodes)) == (
        f"{path}: node 'y': op 'Softmax' has no CPU kernel for T=double. Compiled: T: float. "
        "If this is TYPES=slim: TYPES=full has more types."
    )


@pytest.mark.parametrize(
    ("op", "attrs", "devices"),
    [
        pytest.param(
            "_CopyFromGpuToHost", {"T": "DT_FLOAT"}, "has no CPU kernel, only for GPU", id="GPU only"
        ),
        pytest.param(
            "NcclAllReduce",
            {"T": "DT_FLOAT", "reduction": "sum", "num_devices": 1, "shared_name": "s"},
            "has no kernel for any device",
            id="no device",
        ),
    ],
)
def test_an_op_without_a_cpu_kernel_is_refused_by_its_node(tmp_path, op, attrs, devices):
    path = tmp_path / "graph.pb"
    nodes = [make_placeholder("x", "DT_FLOAT", [1]), make_node("y", op, ["x"], **attrs)]
    message = refused(PI, graph(path, *nodes))
    assert message.startswith(f"{path}: node 'y': op '{op}' {devices}")


NOT_TOLD = "the system does not tell where that home folder is; give the whole path, or set HOME."


@pytest.mark.parametrize("word", ["SOURCE_protobuf", "OPS_DIR", "TOOLCHAIN_ROOT"])
def test_a_home_folder_that_nobody_knows_is_one_line(word: str) -> None:
    assert refused(PI, f"{word}=~nobody-here/x") == f"~nobody-here/x: {NOT_TOLD}"


def test_a_cache_in_a_home_folder_that_nobody_knows_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TFCROSS_CACHE", "~nobody-here")
    assert refused(PI) == f"~nobody-here: {NOT_TOLD}"
