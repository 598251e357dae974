"""What a second run does: nothing, or just what changed; and what it makes of an interrupted one."""

from __future__ import annotations

import hashlib
import os
import re
import resource
import shutil
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from project_build import ROOT, Run, readme_words, run_scons, start_scons

from tfcross import environment
from tfcross.graph.construction import graph_bytes, make_const, make_node, make_placeholder
from tfcross.releases.coreset import load_core
from tfcross.scons.uptodate import Record, command_key

WEIGHTS = (np.arange(48, dtype="<f4").reshape(16, 3) - 24) / 16
BIAS = np.array([0.5, 0, -0.5], "<f4")
MODELS = ROOT.parent / "shared" / "models"
WORK = ROOT / "build/PI-armv7/2.14.1-clang-14"


@pytest.fixture(scope="module")
def softmax(tmp_path_factory) -> tuple[str, ...]:
    """The words that build a softmax regression: another model, with ops that digits does not have."""
    folder = tmp_path_factory.mktemp("softmax")
    nodes = [
        make_placeholder("x", "DT_FLOAT", [-1, 16]),
        make_const("weights", "DT_FLOAT", [16, 3], WEIGHTS.tobytes()),
        make_const("bias", "DT_FLOAT", [3], BIAS.tobytes()),
        make_node("product", "MatMul", ["x", "weights"], T="DT_FLOAT", transpose_a=False, transpose_b=False),
        make_node("sum", "Add", ["product", "bias"], T="DT_FLOAT"),
        make_node("answer", "Softmax", ["sum"], T="DT_FLOAT"),
    ]
    (folder / "softmax.pb").write_bytes(graph_bytes(nodes, producer=27))
    return ("TARGET=PI", f"MODEL={folder}/softmax.pb", f"OUT={folder}/out")


@pytest.fixture(scope="module")
def second(built, softmax) -> Run:
    """The second model's build, on a tree that is warm from the first."""
    run = run_scons(*softmax)
    assert run.status == 0, run.out[-4000:] + run.err[-4000:]
    return run


def out_of(words: tuple[str, ...]) -> Path:
    return Path(words[-1].removeprefix("OUT=")) / "PI-armv7"


def archive_hash(words: tuple[str, ...]) -> str:
    archive = out_of(words) / "lib/libtensorflow-core.a"
    return hashlib.sha256(archive.read_bytes()).hexdigest()


def test_the_same_command_again_does_nothing_and_needs_no_network(built):
    run = run_scons(*readme_words(), "OFFLINE=1")
    assert run.status == 0, run.err
    assert [line for line in run.out.splitlines() if line.startswith("  ")] == []
    assert run.seconds < 10


def record_of(words: Sequence[str]) -> Record:
    """What the check in front of SCons knows of a command; its names are relative to the project's folder."""
    key = command_key(words, environment.compiler_environment(), environment.cache_folder())
    return Record(Path("build/uptodate"), key)


@pytest.fixture
def record(built, monkeypatch) -> Record:
    monkeypatch.chdir(ROOT)
    return record_of(readme_words())


def test_a_first_build_is_known_to_be_done_without_a_second_look(second, softmax, monkeypatch):
    monkeypatch.chdir(ROOT)
    assert record_of(softmax).stands() == f"{out_of(softmax)}/manifest.json"


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("tfcross/selection/selection.py", id="our own code"),
        pytest.param("releases/2.14.1/core.yaml", id="the release's data"),
        pytest.param("templates/run_graph.cc", id="a template"),
        pytest.param("examples/digits/digits.pb", id="the model"),
        pytest.param("examples/digits/proof.yaml", id="its proof"),
        pytest.param("out/PI-armv7/manifest.json", id="the output"),
        pytest.param(f"{WORK.relative_to(ROOT)}/core/tensorflow/core/framework/op.cc.o", id="an object"),
        pytest.param(f"{WORK.relative_to(ROOT)}/precompiled.h", id="a header in the build folder"),
    ],
)
def test_the_check_in_front_of_scons_stands_until_a_file_has_another_time(record, name):
    assert record.stands() == "out/PI-armv7/manifest.json"
    was = Path(name).stat()
    os.utime(name, ns=(was.st_atime_ns, was.st_mtime_ns - 1))
    try:
        assert record.stands() == ""
    finally:
        os.utime(name, ns=(was.st_atime_ns, was.st_mtime_ns))
    assert record.stands() == "out/PI-armv7/manifest.json"


def test_a_second_model_compiles_nothing_of_the_runtime(second):
    core = load_core(ROOT / "releases/2.14.1")
    prefix = f"{WORK.relative_to(ROOT).as_posix()}/core/"
    of_the_core = {name.removeprefix(prefix).removesuffix(".o") for name in second.compiled}
    assert of_the_core & set(core.runtime) == set()
    assert [name for name in second.compiled if "/deps/" in name or name.startswith("build/host/")] == []


def test_the_generic_proof_runs_a_model_that_has_none_of_its_own(second, softmax):
    said = (out_of(softmax) / "proof.txt").read_text()
    found = re.search(r"^output answer float\[1,3\] min (\S+) max (\S+) sum (\S+) fnv1a \w+$", said, re.M)
    assert found, said
    answer = forward(generated(16))
    assert [float(value) for value in found.groups()] == pytest.approx(
        [answer.min(), answer.max(), 1.0], abs=1e-5
    )


def generated(count: int) -> np.ndarray:
    """The runner's input values, as ``templates/run_graph.cc`` describes them."""
    state, values = 1, []
    for _ in range(count):
        state = (1664525 * state + 1013904223) % 2**32
        values.append((state >> 8) / 2**24)
    return np.array(values)


def forward(x: np.ndarray) -> np.ndarray:
    logits = x @ WEIGHTS + BIAS
    powers = np.exp(logits - logits.max())
    return powers / powers.sum()


def test_switching_between_models_rebuilds_nothing(second, softmax):
    runs = [run_scons(*readme_words()), run_scons(*softmax)]
    assert [run.status for run in runs] == [0, 0]
    assert [run.made("C", "C++", "PCH", "AR", "LINK", "PROVE") for run in runs] == [[], []]


@pytest.mark.parametrize(
    "word",
    [
        pytest.param("OPTFLAGS=-O3", id="optimisation"),
        pytest.param("TYPES=slim", id="a define"),
    ],
)
def test_another_flag_would_rebuild_every_unit_of_the_core_and_no_host_tool(built, word):
    run = run_scons("-n", *readme_words(), word)
    assert run.status == 0, run.err
    core = [name for name in run.compiled if "/core/" in name or "/registering/" in name]
    assert len(core) > 200
    assert [name for name in run.compiled if name.startswith("build/host/")] == []
    assert run_scons("-n", *readme_words()).compiled == []


@pytest.fixture
def incomplete(second, softmax) -> Iterator[str]:
    """The second model's tree without one object, the archive and the output folder; the archive's hash."""
    before = archive_hash(softmax)
    for path in (WORK / "registering").rglob("softmax_op.cc.*.o"):
        path.unlink()
    archive_in_tree(before).unlink()
    shutil.rmtree(out_of(softmax))
    yield before
    again = run_scons(*softmax)
    assert again.status == 0, again.err


def archive_in_tree(sha256: str) -> Path:
    """The build folder's archive with that hash."""
    found = WORK.glob("models/*/libtensorflow-core.a")
    return next(path for path in found if hashlib.sha256(path.read_bytes()).hexdigest() == sha256)


def test_a_killed_build_continues_and_makes_the_same_archive(incomplete, softmax):
    process = start_scons(*softmax, "-j1", start_new_session=True)
    assert process.stdout
    next(line for line in process.stdout if line.startswith("  C++"))
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert_continues(softmax, incomplete)


def test_a_full_disk_while_it_archives_gives_one_line_and_the_next_run_continues(incomplete, softmax):
    run = run_scons(*softmax, preexec_fn=allow_small_files)
    assert_one_error(run)
    assert_continues(softmax, incomplete)


def test_a_full_disk_while_it_copies_the_output_gives_one_line_and_the_next_run_continues(
    incomplete, softmax
):
    assert run_scons(*softmax).status == 0
    shutil.rmtree(out_of(softmax))
    run = run_scons(*softmax, preexec_fn=allow_small_files)
    assert_one_error(run)
    assert_continues(softmax, incomplete)


def allow_small_files() -> None:
    """The disk is full, as far as the process and its children can make no file larger than 4 MB."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_000_000, 4_000_000))


def assert_one_error(run: Run) -> None:
    assert run.status == 2
    assert len(run.errors) == 1, run.err
    assert "Traceback" not in run.out + run.err


def assert_continues(words: tuple[str, ...], sha256: str) -> None:
    """Nothing pretends to be the result; the next run makes it."""
    assert list(out_of(words).rglob("*.a")) == []
    run = run_scons(*words)
    assert run.status == 0, run.err
    assert archive_hash(words) == sha256


if MODELS.is_dir():

    def test_a_graph_from_the_wild_is_built_and_run(second, tmp_path):
        run = run_scons("TARGET=PI", f"MODEL={MODELS}/mnist_beginner.pb", f"OUT={tmp_path}/out")
        assert run.status == 0, run.out[-4000:] + run.err[-4000:]
        said = (tmp_path / "out/PI-armv7/proof.txt").read_text()
        found = re.search(r"^output output float\[1,10\] min \S+ max \S+ sum (\S+) fnv1a \w+$", said, re.M)
        assert found, said
        assert float(found[1]) == pytest.approx(1, abs=1e-5)
