"""Builds that prove a model by its user's own answers; two models compared with the library of one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from project_build import DIGITS, Run, run_scons
from scripts_run import refused, run_script

from tfcross.graph.construction import graph_bytes, make_const, make_node, make_placeholder

IMAGES = np.loadtxt(DIGITS / "digits.csv", delimiter=",", dtype=np.float32)[:, 1:].reshape(-1, 8, 8, 1) / 16
PROBABILITIES = np.loadtxt(DIGITS / "expected.csv", delimiter=",")


@pytest.fixture(scope="module")
def folder(built: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """digits without the program that proves it, and a graph of all kinds of outputs."""
    folder = tmp_path_factory.mktemp("answers")
    (folder / "digits.pb").write_bytes((DIGITS / "digits.pb").read_bytes())
    (folder / "kinds.pb").write_bytes(graph_bytes(kinds(0.5), 1500))
    (folder / "other.pb").write_bytes(graph_bytes(kinds(0.75), 1500))
    return folder


def kinds(half: float) -> list[Any]:
    return [
        make_placeholder("x", "DT_FLOAT", [-1]),
        make_placeholder("words", "DT_STRING", [-1]),
        make_placeholder("n", "DT_INT64", []),
        make_const("half", "DT_FLOAT", [], np.float32(half).tobytes()),
        make_node("scope/y", "Mul", ["x", "half"], T="DT_FLOAT"),
        make_node("same", "Identity", ["words"], T="DT_STRING"),
        make_node("more", "AddV2", ["n", "n"], T="DT_INT64"),
        make_node("big", "Greater", ["x", "half"], T="DT_FLOAT"),
        make_node("short", "Cast", ["x"], SrcT="DT_FLOAT", DstT="DT_BFLOAT16"),
    ]


def answers(**changed: Any) -> dict[str, Any]:
    """What kinds.pb gives: products, text with zeros at its ends and in it, sums, bools."""
    right = {
        "in_x": np.array([0.25, 3, -1], np.float32),
        "out_scope/y": np.array([0.125, 1.5, -0.5]),
        "in_words": np.array([b"a\0b", "ä".encode(), b""]),
        "out_same": np.array([b"a\0b", "ä".encode(), b""]),
        "in_n": np.int64(2**40 + 1),
        "out_more": np.int64(2**41 + 2),
        "out_big": np.array([False, True, False]),
        "out_short": np.array([0.25, 3, -1], np.float32),
    }
    return right | changed


def build(folder: Path, model: str, *words: str) -> tuple[Run, str]:
    """The run, and what the output folder's proof.txt says."""
    out = folder / "out"
    run = run_scons("TARGET=PI", f"MODEL={folder / model}", f"OUT={out}", *words)
    log = out / "PI-armv7" / "proof.txt"
    return run, log.read_text() if log.is_file() else ""


def test_right_answers_of_a_network_pass_and_one_wrong_number_stops_the_build(folder: Path) -> None:
    right = {"in_images": IMAGES, "out_probabilities": PROBABILITIES}
    np.savez(folder / "digits.npz", **right)
    run, log = build(folder, "digits.pb", f"PROOF={folder / 'digits.npz'}")
    assert run.status == 0, run.err
    assert "input images float[360,8,8,1]" in log
    assert "\nanswer probabilities: the largest difference" in log

    wrong = PROBABILITIES.copy()
    wrong[7, 3] += 0.25
    np.savez(folder / "digits.npz", **right | {"out_probabilities": wrong})
    run, after = build(folder, "digits.pb", f"PROOF={folder / 'digits.npz'}")
    assert run.status == 2
    (line,) = run.errors
    where = "error: proof: output 'probabilities': the largest difference 0.25 is at [7, 3]: expected "
    assert line.startswith(where + f"{wrong[7, 3]}, found ")
    assert f"{folder}/digits.npz: out_probabilities and the model do not agree" in line
    assert after == log


def test_a_proof_file_needs_no_program_and_proves_every_kind_of_tensor(folder: Path) -> None:
    (folder / "proof.yaml").write_text("model: kinds.pb\nanswers: kinds.npz\n")
    np.savez(folder / "kinds.npz", **answers())
    run, log = build(folder, "kinds.pb")
    assert run.status == 0, run.err
    assert [line for line in log.splitlines() if line.startswith("answer")] == [
        "answer scope/y: no difference; at most 1.5e-05 is allowed",
        "answer same: no difference; it must be equal",
        "answer more: no difference; it must be equal",
        "answer big: no difference; it must be equal",
        "answer short: no difference; at most 3e-05 is allowed",
    ]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        pytest.param(
            {"out_same": np.array([b"a\0b", b"x", b""])},
            "output 'same': differs at [1]: expected b'x', found b'\\xc3\\xa4'; it must be equal",
            id="text",
        ),
        pytest.param(
            {"out_more": np.int64(2**41 + 3)},
            "output 'more': the largest difference 1 is at []: expected 2199023255555, found 2199023255554",
            id="an integer",
        ),
        pytest.param(
            {"out_scope/y": np.array([[0.125, 1.5, -0.5]])},
            "output 'scope/y': expected the shape [1, 3], found [3]",
            id="a shape",
        ),
        pytest.param(
            {"in_n": np.int32(1)}, "in_n: is int32, and the input 'n' is int64", id="an input's type"
        ),
    ],
)
def test_each_kind_of_wrong_answer_is_one_line(changed: dict[str, Any], said: str, folder: Path) -> None:
    np.savez(folder / "kinds.npz", **answers(**changed))
    run, _ = build(folder, "kinds.pb", f"PROOF={folder / 'kinds.npz'}")
    assert run.status == 2
    (line,) = run.errors
    assert said in line


def test_a_key_that_is_not_the_models_costs_no_build(folder: Path) -> None:
    np.savez(folder / "wrong.npz", in_x=np.zeros(3, "f4"), out_yy=np.zeros(3))
    run, _ = build(folder, "kinds.pb", f"PROOF={folder / 'wrong.npz'}")
    assert run.errors == [
        f"error: {folder}/wrong.npz: the model has no output 'yy'. Known: big, more, same, scope/y, short."
    ]
    assert run.made("PROVE") == []


def test_two_models_are_compared_with_the_library_of_one(folder: Path) -> None:
    build(folder, "kinds.pb", "INPUTS=x=float[4],words=string[1],n=int64[]", f"PROOF={answers_file(folder)}")
    words = ("--library", folder / "out/PI-armv7", "--inputs", "x=float[4]", "--outputs", "scope/y,big")
    same = run_script("compare_models.py", folder / "kinds.pb", folder / "kinds.pb", *words)
    assert (same.returncode, same.stderr) == (0, "")
    assert [line.partition(";")[0] for line in same.stdout.splitlines()] == [
        "output scope/y: no difference",
        "output big: no difference",
    ]
    other = run_script("compare_models.py", folder / "kinds.pb", folder / "other.pb", *words)
    assert (other.returncode, other.stderr) == (1, "")
    assert "output scope/y: the largest difference" in other.stdout
    close = run_script(
        "compare_models.py",
        folder / "kinds.pb",
        folder / "other.pb",
        *words[:5],
        "scope/y",
        "--absolute",
        "0.25",
    )
    assert close.returncode == 0, close.stdout + close.stderr


def answers_file(folder: Path) -> Path:
    np.savez(folder / "right.npz", **answers())
    return folder / "right.npz"


def test_what_a_library_lacks_of_a_model_is_told(folder: Path) -> None:
    library = folder / "out/PI-armv7"
    said = refused("compare_models.py", folder / "digits.pb", folder / "digits.pb", "--library", library)
    assert said.startswith(f"{library} lacks 'ArgMax', 'BiasAdd', 'Conv2D' and ")
    assert said.endswith(
        f"which {folder}/digits.pb needs; build one for both: scons TARGET=… "
        f"MODEL={folder}/digits.pb,{folder}/digits.pb."
    )
