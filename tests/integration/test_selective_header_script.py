"""scripts/print_selective_registration_header.py over small trees in the shape of each release."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tfcross.graph.construction import make_node
from tfcross.graph.messages import FunctionDef, GraphDef

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "tests" / "fixtures" / "selective_header"
SCRIPT = ROOT / "scripts" / "print_selective_registration_header.py"
CONTROL = ["NoOp", "RecvOp", "SendOp"]
MATMULS = ["MatMulOp<CPUDevice, double, false >", "MatMulOp<CPUDevice, float, false >"]
# What upstream's own test reads; the inputs of the nodes are nowhere.
FIRST = [
    make_node("node_1", "Reshape", ["none", "none"], T="DT_FLOAT"),
    make_node("node_2", "MatMul", ["none", "none"], T="DT_FLOAT", transpose_a=False, transpose_b=False),
    make_node("node_3", "MatMul", ["none", "none"], T="DT_DOUBLE", transpose_a=False, transpose_b=False),
]
SECOND = [make_node("node_4", "BiasAdd", ["none", "none"], T="DT_FLOAT")]
RELU = [make_node("r", "Relu", T="DT_FLOAT")]


@dataclass(frozen=True)
class Printed:
    """A run of the script; ``kernels`` and ``ops`` are those that the header names, in its order."""

    status: int
    header: str
    warnings: list[str]

    @property
    def kernels(self) -> list[str]:
        return re.findall(r'^  "(.*)",$', self.header, re.MULTILINE)

    @property
    def ops(self) -> list[str]:
        return re.findall(r'isequal\(op, "(.*)"\)', self.header)


Print = Callable[..., Printed]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def printed(cache: Path, folder: Path, words: Sequence[str]) -> Printed:
    environment = {**os.environ, "TFCROSS_CACHE": str(cache)}
    run = subprocess.run(
        [sys.executable, SCRIPT, *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return Printed(run.returncode, run.stdout, run.stderr.splitlines())


@pytest.fixture(params=["2.14.1", "1.8.0"])
def release(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def print_header(cache: Path, tmp_path: Path, release: str) -> Print:
    """Runs the script in ``tmp_path`` with the small tree of ``release``."""
    tree = tmp_path / "tree"
    for part in ("sources", release):
        shutil.copytree(FIXTURES / part, tree, dirs_exist_ok=True)
    more = [f"--release={release}", "--source=tree", "--toolchain=gcc-12"]
    return lambda *words: printed(cache, tmp_path, [*words, *more])


def write_graph(path: Path, nodes: Sequence[Any], device: str = "/cpu:0", body: Sequence[Any] = ()) -> None:
    graph = GraphDef(node=nodes)
    for node in graph.node:
        node.device = device
    if body:
        graph.library.function.add().CopyFrom(FunctionDef(node_def=body))
        graph.library.function[0].signature.name = "body"
    path.write_bytes(graph.SerializeToString())


@pytest.mark.parametrize("device", [pytest.param("/cpu:0", id="cpu"), pytest.param("", id="no device")])
def test_two_graphs_keep_the_kernels_of_both(print_header: Print, tmp_path: Path, device: str) -> None:
    write_graph(tmp_path / "0.pb", FIRST, device)
    write_graph(tmp_path / "1.pb", SECOND, device)
    run = print_header("--graphs=0.pb,1.pb")
    assert (run.status, run.warnings) == (0, [])
    assert run.kernels == ["BiasOp<CPUDevice, float>", *MATMULS, "NoOp", "ReshapeOp", "RecvOp", "SendOp"]
    assert run.ops == ["BiasAdd", "MatMul", "NoOp", "Reshape", "_Recv", "_Send"]


def test_without_default_ops_the_graphs_alone_count(print_header: Print, tmp_path: Path) -> None:
    write_graph(tmp_path / "1.pb", SECOND)
    run = print_header("--graphs", "1.pb", "--default_ops=")
    assert (run.kernels, run.ops) == (["BiasOp<CPUDevice, float>"], ["BiasAdd"])
    assert run.header.endswith("#define SHOULD_REGISTER_OP_GRADIENT false\n#endif\n")


def test_functions_and_symbolic_gradients_count(print_header: Print, tmp_path: Path) -> None:
    write_graph(tmp_path / "g.pb", [make_node("g", "SymbolicGradient")], body=SECOND)
    run = print_header("--graphs=g.pb")
    assert run.kernels == ["BiasOp<CPUDevice, float>", "NoOp", "SymbolicGradientOp", "RecvOp", "SendOp"]
    assert run.header.endswith("#define SHOULD_REGISTER_OP_GRADIENT true\n#endif\n")


def test_a_node_without_a_kernel_is_left_out_with_a_warning(print_header: Print, tmp_path: Path) -> None:
    write_graph(tmp_path / "g.pb", [*SECOND, make_node("w", "MatMul", T="DT_INT32")])
    run = print_header("--graphs=g.pb")
    assert (run.status, run.kernels) == (0, ["BiasOp<CPUDevice, float>", *CONTROL])
    assert run.warnings == [
        "warning: g.pb: node 'w' is left out: no kernel found: op 'MatMul' has no CPU kernel "
        "for T=int32. Compiled: T: float, double. If this is TYPES=slim: TYPES=full has more types."
    ]


def test_a_target_decides_with_its_own_defines_and_types(print_header: Print, tmp_path: Path) -> None:
    write_graph(tmp_path / "g.pb", [*RELU, FIRST[2]])
    there = [*CONTROL[:1], "SmallReluOp<float>", *CONTROL[1:]]
    assert print_header("--graphs=g.pb").kernels == [
        MATMULS[0],
        "NoOp",
        "ReluOp<CPUDevice, float>",
        "RecvOp",
        "SendOp",
    ]
    assert print_header("--graphs=g.pb", "--target=PI").kernels == [MATMULS[0], *there]
    assert print_header("--graphs=g.pb", "--target=PI", "--types=slim").kernels == there
    assert print_header("--graphs=g.pb", "TARGET=PI").kernels == [MATMULS[0], *there]
    assert print_header("TARGET=PI", "--graphs=g.pb", "ANDROID_TYPES=slim", "HOST_OS=").kernels == there


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(
            ["--graphs=a.pbtxt", "--proto_fileformat=textproto", "--style=hashed"], id="as upstream's"
        ),
        pytest.param(["-graphs=a.pbtxt", "-proto_fileformat=textproto", "-style=hashed"], id="one dash"),
        pytest.param(
            ["--graphs", "a.pbtxt", "--proto-fileformat", "textproto", "--style", "hashed"], id="apart"
        ),
    ],
)
def test_options_can_be_spelled_in_several_ways(
    print_header: Print, tmp_path: Path, words: list[str]
) -> None:
    (tmp_path / "a.pbtxt").write_text(
        'node { name: "r" op: "Relu" attr { key: "T" value { type: DT_FLOAT } } }'
    )
    run = print_header(*words)
    assert run.status == 0, run.warnings
    assert 'ull,  // "ReluOp<CPUDevice, float>"\n' in run.header


def test_a_list_of_ops_and_all_need_no_sources(cache: Path, tmp_path: Path) -> None:
    (tmp_path / "ops.json").write_text('[["Relu", "ReluOp<CPUDevice, float>"], ["AccumulateNV2", ""]]')
    run = printed(cache, tmp_path, ["--graphs=ops.json", "--proto_fileformat=ops_list", "--source=/nowhere"])
    assert run.kernels == ["NoOp", "ReluOp<CPUDevice, float>", "RecvOp", "SendOp"]
    assert run.ops == ["AccumulateNV2", "NoOp", "Relu", "_Recv", "_Send"]
    write_graph(tmp_path / "g.pb", RELU)
    run = printed(cache, tmp_path, ["--graphs=g.pb", "--default_ops=all", "--source=/nowhere"])
    assert run.header.splitlines()[1:] == [
        "#ifndef OPS_TO_REGISTER",
        "#define OPS_TO_REGISTER",
        "#define SHOULD_REGISTER_OP(op) true",
        "#define SHOULD_REGISTER_OP_KERNEL(clz) true",
        "#define SHOULD_REGISTER_OP_GRADIENT true",
        "#endif",
    ]


HELP = "see print_selective_registration_header.py --help."


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param(
            [], f"--graphs is missing: pass graph files, separated by commas; {HELP}", id="no graphs"
        ),
        pytest.param(
            ["--graphs=g.pb,"],
            "--graphs=g.pb,: an empty name; give paths separated by single commas.",
            id="comma",
        ),
        pytest.param(
            ["--graphs=none.pb"],
            "none.pb: the model cannot be read (No such file or directory); pass a frozen graph (.pb, "
            ".pbtxt), a SavedModel folder or a checkpoint.",
            id="no such graph",
        ),
        pytest.param(
            ["--graphs=g.pb", "--colour=red"], f"unrecognized arguments: --colour=red; {HELP}", id="option"
        ),
        pytest.param(
            ["--graphs=g.pb", "--proto_fileformat=json"],
            "--proto_fileformat=json: unknown value. Known: ops_list, rawproto, textproto.",
            id="format",
        ),
        pytest.param(
            ["--graphs=g.pb", "--style=flat"],
            "--style=flat: unknown value. Known: hashed, upstream.",
            id="style",
        ),
        pytest.param(
            ["--graphs=g.pb", "--types=wide"],
            "--types=wide: unknown value. Known: desktop, full, slim.",
            id="types",
        ),
        pytest.param(
            ["--graphs=g.pb", "--target=NOPE"],
            "TARGET=NOPE: unknown target. Known: ANDROID, DARWIN, IOS, LINUX, PI.",
            id="target",
        ),
        pytest.param(
            ["--graphs=g.pb", "TARGET=ANDROID", "NDK_ROOT=/nowhere"],
            "NDK_ROOT=/nowhere: no NDK there (neither source.properties nor RELEASE.TXT tells a revision); "
            "give the folder that holds ndk-build.",
            id="no NDK",
        ),
        pytest.param(
            ["--graphs=g.pb", "HOST_OS=BEOS"],
            "HOST_OS=BEOS: unknown host. Known: DARWIN, LINUX, PI.",
            id="no host",
        ),
        pytest.param(
            ["--graphs=g.pb", "--target=PI", "TARGET=IOS"],
            "--target=PI and TARGET=IOS contradict each other; give one only.",
            id="said twice",
        ),
        pytest.param(
            ["--graphs=g.pb", "--source=a", "SOURCE_tensorflow=b"],
            "--source=a and SOURCE_tensorflow=b contradict each other; give one only.",
            id="two sources",
        ),
        pytest.param(
            ["--graphs=g.pb", "MODEL=g.pb"],
            "MODEL=g.pb: not for this script; write --graphs=g.pb.",
            id="a model",
        ),
        pytest.param(
            ["--graphs=g.pb", "PI"],
            "'PI': not NAME=VALUE. See scripts/print_selective_registration_header.py --help.",
            id="no variable",
        ),
        pytest.param(
            ["--graphs=g.pb", "--default_ops=NoOp"],
            "--default_ops: 'NoOp' is no pair of an op and a kernel class; write op:class,op:class as "
            "NoOp:NoOp,_Recv:RecvOp, or all.",
            id="default ops",
        ),
        pytest.param(
            ["--graphs=g.pb", "--default_ops=", "--proto_fileformat=ops_list"],
            "g.pb: no JSON: ",
            id="a graph as a list",
        ),
    ],
)
def test_a_mistake_is_one_line_and_no_header(
    cache: Path, tmp_path: Path, words: list[str], message: str
) -> None:
    write_graph(tmp_path / "g.pb", RELU)
    run = printed(cache, tmp_path, words)
    assert (run.status, run.header, len(run.warnings)) == (2, "", 1)
    assert run.warnings[0].startswith(f"error: {message}")


def test_a_graph_none_of_whose_nodes_has_a_kernel_is_refused(print_header: Print, tmp_path: Path) -> None:
    write_graph(tmp_path / "g.pb", [make_node("a", "Conv9D")])
    run = print_header("--graphs=g.pb", "--default_ops=")
    assert (run.status, run.header) == (2, "")
    assert run.warnings[-1] == (
        "error: no node has a kernel, and --default_ops is empty: the header would keep nothing."
    )


def test_a_folder_that_is_no_tensorflow_is_refused(cache: Path, tmp_path: Path) -> None:
    write_graph(tmp_path / "g.pb", RELU)
    (tmp_path / "tree").mkdir()
    run = printed(cache, tmp_path, ["--graphs=g.pb", "--source=tree"])
    message = f"error: {tmp_path}/tree: no folder tensorflow/core in it; give TensorFlow's root folder."
    assert (run.status, run.header, run.warnings) == (2, "", [message])
