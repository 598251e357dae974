"""scripts/summarize_graph.py as users run it; it needs neither sources nor a compiler."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DIGITS = "examples/digits/digits.pb"


def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, ROOT / "scripts" / "summarize_graph.py", *words]
    return subprocess.run(
        argv, cwd=ROOT, capture_output=True, text=True, check=False, env=environment or None
    )


def test_it_summarizes_several_models() -> None:
    run_of_two = run(DIGITS, DIGITS)
    assert run_of_two.returncode == 0, run_of_two.stderr
    assert run_of_two.stdout.count("\n  images: float[?,8,8,1]\n") == 2


def test_the_json_has_what_the_text_has() -> None:
    (document,) = json.loads(run(DIGITS, "--json").stdout)
    assert document["inputs"] == [
        {"name": "images", "op": "Placeholder", "dtype": "DT_FLOAT", "shape": [-1, 8, 8, 1]}
    ]
    assert document["constants"]["DT_FLOAT"] == {"count": 6090, "size": 24360}
    assert document["flops_by_op"]["Conv2D"] == 165888


def test_of_a_cut_graph_it_tells_what_is_left() -> None:
    (document,) = json.loads(run(DIGITS, "--json", "INPUTS=conv1/sum", "OUTPUTS=pool2:0").stdout)
    assert document["inputs"] == [
        {"name": "conv1/sum", "op": "Placeholder", "dtype": "DT_FLOAT", "shape": None}
    ]
    assert [output["name"] for output in document["outputs"]] == ["pool2"]
    assert document["ops"]["Placeholder"] == 1


def test_a_saved_model_is_summarized_as_a_build_freezes_it() -> None:
    folder = "tests/fixtures/freezing/tables"
    text = run(folder).stdout
    assert "note: frozen for its signature 'serving_default': 42 nodes.\n" in text
    assert "note: an app runs the node 'initialize' once before others; it fills tables.\n" in text
    assert "\n  w: string[?]\n" in text
    assert text.endswith(
        f"""
commands:
  build:
    ./bootstrap scons TARGET=PI MODEL={folder}
  cut, and build:
    ./bootstrap scons TARGET=PI MODEL={folder} 'INPUTS=w=string[?]' OUTPUTS=a,b,c,d
  freeze only:
    scripts/freeze_graph.py --input_saved_model_dir={folder} --output_graph=tables.pb
"""
    )


def test_what_transforms_leave_is_summarized() -> None:
    (document,) = json.loads(run(DIGITS, "--json", "TRANSFORMS=quantize_weights").stdout)
    assert document["ops"]["Dequantize"] == 2
    assert any(note.startswith("quantize_weights: ") for note in document["notes"])


def test_it_draws() -> None:
    assert run(DIGITS, "--dot").stdout.startswith("// Made by tfcross from templates/graph.dot.j2.\ndigraph")
    assert "<svg" in run(DIGITS, "--svg", "--boxes", "5").stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param(
            [], "give models: graphs (.pb, .pbtxt), SavedModel folders or checkpoints.", id="no model"
        ),
        pytest.param(
            [DIGITS, "TARGET=PI"],
            "TARGET=: no variable of this script. Known: GRAPH, INPUTS, OUTPUTS, SIGNATURE, TAGS, "
            "TRANSFORMS.",
            id="another variable",
        ),
        pytest.param(
            [DIGITS, DIGITS, "OUTPUTS=x"],
            "OUTPUTS= tell the ends of one model, and there are 2; build one library for each.",
            id="ends of two models",
        ),
        pytest.param([DIGITS, "--dot", "--svg"], "--dot and --svg: give one form only.", id="two forms"),
        pytest.param([DIGITS, DIGITS, "--dot"], "one picture shows one model; give one.", id="two models"),
        pytest.param(
            [DIGITS, "--dot", "--boxes=many"],
            "--boxes=many: no number of boxes; give one from 1 on.",
            id="boxes",
        ),
        pytest.param(
            [DIGITS, "--boxes"], "--boxes: its value is missing; write --boxes VALUE.", id="no value"
        ),
    ],
)
def test_a_mistake_is_one_line(words: list[str], message: str) -> None:
    failed = run(*words)
    assert (failed.returncode, failed.stdout, failed.stderr) == (2, "", f"error: {message}\n")


def test_without_graphviz_the_other_form_is_named() -> None:
    failed = run(DIGITS, "--svg", PATH="/nowhere")
    assert failed.stderr == (
        "error: --svg: graphviz's program dot is not on PATH; install graphviz, or take --dot.\n"
    )
