"""scripts/list_ops.py over TensorFlow's own sources."""

from __future__ import annotations

import json

import pytest
from project_build import DIGITS
from scripts_run import refused, run_script

SCRIPT, PI = "list_ops.py", "TARGET=PI"


@pytest.fixture(autouse=True)
def warm(built: object) -> None:
    """The build has left the registry."""


def test_an_op_is_told_with_kernels_types_files_and_nodes():
    run = run_script(SCRIPT, PI, "Softmax", "--model", DIGITS / "digits.pb")
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith("Softmax(logits: T) -> (softmax: T); T: half, bfloat16, float, double\n")
    assert "digits.pb: probabilities (T=float)\n" in run.stdout
    assert (
        "    SoftmaxOp<CPUDevice, float>  T=float\n      tensorflow/core/kernels/softmax_op.cc\n"
        in run.stdout
    )


def test_slim_types_are_fewer():
    types = {}
    for words in ("TYPES=slim", "TYPES=full"):
        (row,) = json.loads(run_script(SCRIPT, PI, words, "Softmax", "--json").stdout)["ops"]
        types[words] = row["types"]["T"]
    assert types == {"TYPES=slim": ["float"], "TYPES=full": ["float", "double", "bfloat16", "half"]}


def test_the_whole_table_has_every_op_in_each_form():
    document = json.loads(run_script(SCRIPT, PI, "--json").stdout)
    names = [row["name"] for row in document["ops"]]
    assert len(names) > 1500
    assert names == sorted(names)
    html, markdown = (run_script(SCRIPT, PI, form).stdout for form in ("--html", "--markdown"))
    assert html.count("<tr") == len(names) + 1
    assert markdown.count("\n| `") == len(names)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param(
            [], "TARGET is not set; pass TARGET=. Known: ANDROID, DARWIN, IOS, LINUX, PI.", id="no target"
        ),
        pytest.param([PI, "--html", "--json"], "--html and --json: give one form only.", id="two forms"),
        pytest.param(
            [PI, "ReluX"],
            "ReluX: the release defines no such op. Ops with that in their name: QuantizedReluX. "
            "List all with no name.",
            id="op",
        ),
    ],
)
def test_a_mistake_is_one_line(words, message):
    assert refused(SCRIPT, *words) == message
