"""scripts/transform_graph.py as users run it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from google.protobuf import text_format
from graphs import const, conv, fused_norm, graph_of, placeholder, wiring

from tfcross.graph.messages import GraphDef, SavedModel

ROOT = Path(__file__).parents[2]


def run(*words: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, ROOT / "scripts" / "transform_graph.py", *words]
    return subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    vectors = [const(name, [1.0, 2]) for name in ("g", "b", "m", "v")]
    graph = graph_of(
        placeholder(),
        const("w", [[[[1.0, 2], [3, 4]]]]),
        conv("conv", "input", "w"),
        *vectors,
        fused_norm("output", ["conv", "g", "b", "m", "v"], "FusedBatchNormV3"),
        placeholder("unused"),
    )
    path = tmp_path / "model.pb"
    path.write_bytes(graph.SerializeToString())
    return path


def words(model: Path, *more: str) -> list[str]:
    out = model.with_name("out.pb")
    return [f"--in_graph={model}", f"--out_graph={out}", "--inputs=input:0", "--outputs=output:0", *more]


def test_a_chain_is_done_and_told(model: Path) -> None:
    done = run(*words(model, "--transforms=strip_unused_nodes fold_old_batch_norms"))
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    out = model.with_name("out.pb")
    graph = GraphDef.FromString(out.read_bytes())
    assert list(wiring(graph)) == ["w", "input", "conv", "conv_bn_offset", "output"]
    assert graph.versions.producer == 26
    before, after = model.stat().st_size, out.stat().st_size
    assert done.stdout == (
        f"fold_old_batch_norms: 1 folded\n{out}: 9 -> 5 nodes, {before} -> {after} bytes\n"
    )
    assert sorted(path.name for path in model.parent.iterdir()) == ["model.pb", "out.pb"]


@pytest.mark.parametrize("flag", ["--output_as_text", "--output_as_text=true"])
def test_the_text_form_is_written_and_read(model: Path, flag: str) -> None:
    assert run(*words(model, "--transforms=remove_device", flag)).returncode == 0
    out = model.with_name("out.pb")
    assert text_format.Parse(out.read_text(), GraphDef()) == GraphDef.FromString(model.read_bytes())
    out.rename(model.with_suffix(".pbtxt"))
    assert run(*words(model.with_suffix(".pbtxt"), "--transforms=remove_device")).returncode == 0
    assert GraphDef.FromString(out.read_bytes()) == GraphDef.FromString(model.read_bytes())


def test_inputs_may_be_empty_as_in_tensorflows_tool(model: Path) -> None:
    line = [word for word in words(model, "--transforms=remove_device") if not word.startswith("--inputs")]
    assert run(*line, "--inputs=", "--output_as_text=false").returncode == 0


def test_the_transforms_are_listed_with_their_arguments() -> None:
    listed = run("--list").stdout.splitlines()
    assert "quantize_weights(minimum_size, per_channel, ignore_errors)" in listed
    assert len(listed) == 29


@pytest.mark.parametrize(
    ("more", "message"),
    [
        pytest.param(
            ["--transforms=round_weight"], "transforms: unknown transform 'round_weight'; nearest:", id="name"
        ),
        pytest.param(["--transforms= "], "transforms: there is none; give at least one,", id="none"),
        pytest.param([], "--transforms= is missing. See --help.", id="missing"),
        pytest.param(
            ["--transforms=remove_device", "--in_graphs=x"],
            "--in_graphs=x: unknown option. Known:",
            id="option",
        ),
        pytest.param(
            ["--transforms=remove_device", "model.pb"], "'model.pb': not an option of this script.", id="word"
        ),
        pytest.param(["--transforms=remove_device", "FOO=1"], "FOO: unknown variable. Known:", id="variable"),
        pytest.param(
            ["--transforms=remove_device", "--outputs=nothing"],
            "--outputs: the graph has no node 'nothing';",
            id="output",
        ),
        pytest.param(
            ["--transforms=remove_device", "--out_graph=/nowhere/x.pb"],
            "/nowhere/x.pb: cannot be written (No such file or directory).",
            id="target",
        ),
        pytest.param(
            ["--transforms=remove_device", "--in_graph=/nowhere/x.pb"],
            "/nowhere/x.pb: the model cannot be read",
            id="source",
        ),
    ],
)
def test_a_mistake_is_one_line_and_writes_nothing(model: Path, more: list[str], message: str) -> None:
    failed = run(*words(model, *more))
    assert (failed.returncode, failed.stdout) == (2, "")
    assert failed.stderr.startswith(f"error: {message}")
    assert failed.stderr.count("\n") == 1
    assert [path.name for path in model.parent.iterdir()] == ["model.pb"]


def test_a_file_that_is_no_frozen_graph_is_named(model: Path) -> None:
    whole = model.read_bytes()
    model.write_bytes(whole[:-3])
    assert "truncated: it ends at byte" in run(*words(model, "--transforms=remove_device")).stderr
    saved = SavedModel(saved_model_schema_version=1)
    meta = saved.meta_graphs.add(graph_def=GraphDef.FromString(whole))
    meta.meta_info_def.tags.append("serve")
    model.write_bytes(saved.SerializeToString())
    failed = run(*words(model, "--transforms=remove_device"))
    assert failed.stderr == f"error: {model}: a SavedModel; freeze it first, with scripts/freeze_graph.py.\n"
