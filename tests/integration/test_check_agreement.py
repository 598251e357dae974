"""What check_graph.py says of a graph is what the library says that the README's command built, under qemu.

The library was built for one model: most graphs of other ops and types must fail. bench/check_agreement.py
does the same with TensorFlow's own library, which has every op.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from library_sessions import ask_library, build_sessions
from op_graphs import ABOUT_NODES, op_graphs
from project_build import CXX, DIGITS, OUT, ROOT, Run, run_app
from scripts_run import run_script

from tfcross.cli.options import parse_options
from tfcross.cli.request import release_registry
from tfcross.registry.registry import Registry

EVERY = 60  # of the graphs of all ops; besides, all of those that the library has kernels for


@pytest.fixture(scope="module")
def registry(built: Run) -> Registry:
    return release_registry(ROOT, parse_options({"TARGET": "PI"})).registry("full")


@pytest.fixture(scope="module")
def graphs(registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("graphs")
    there = {op for op, _ in json.loads((OUT / "manifest.json").read_text())["kernels"]}
    made = []
    for number, graph in enumerate(op_graphs(registry)):
        if graph.op in there or number % EVERY == 0:
            path = folder / f"{number}-{graph.op}.pb"
            path.write_bytes(graph.variants[0])
            made.append(path)
    return made


@pytest.fixture(scope="module")
def said(built: Run, graphs: list[Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str | None]:
    """What the library answers, by path."""
    folder = tmp_path_factory.mktemp("sessions")
    app = build_sessions(OUT, CXX, folder / "sessions")
    return ask_library(app, [str(path) for path in graphs], run_app)


def test_the_verdict_is_what_the_library_says(graphs: list[Path], said: dict[str, str | None]) -> None:
    checked = json.loads(run_script("check_graph.py", *graphs, "--library", OUT, "--json").stdout)["models"]
    runs = {model["model"]: model["runs"] for model in checked}
    told = {
        path: text
        for path, text in said.items()
        if text is not None and (not text or ABOUT_NODES.search(text))
    }
    different = {path: (runs[path], text) for path, text in told.items() if runs[path] != (not text)}
    assert different == {}
    counts = (len(told), sum(runs[path] for path in told))
    assert counts[0] > 0.8 * len(graphs), counts
    assert counts[1] > 20, counts


def test_the_example_itself_runs_in_both(said: dict[str, str | None]) -> None:
    assert run_script("check_graph.py", DIGITS / "digits.pb", "--library", OUT).returncode == 0
    assert "accuracy 0.981" in (OUT / "proof.txt").read_text()
