#!/usr/bin/env python3
"""Whether a graph answers as before when it went through our transforms: TensorFlow runs both.

    bench/transform_answers.py PYTHON MODEL...

PYTHON is that of an environment with the PyPI package tensorflow 2.14.1. The graphs are each MODEL and those
that the package makes; they get made-up inputs. Status 1 if a difference is larger than is allowed.
"""

from __future__ import annotations

import pickle
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from measure import print_table
from transform_cases import Case, cases_of
from transforms import definitions, run

from tfcross.graph.transforms.chain import transform_graph

#: The largest difference that is allowed, as part of an output's largest value.
CHAINS = {
    "fold_constants": 1e-5,
    "fold_constants fold_batch_norms fold_old_batch_norms": 1e-4,
    "strip_unused_nodes remove_nodes(op=Identity) fold_constants fold_batch_norms fold_old_batch_norms": 1e-4,
    "merge_duplicate_nodes sort_by_execution_order": 1e-6,
    "inline_partitionedcall": 1e-6,
    "flatten_atrous_conv": 1e-5,
    "fuse_resize_pad_and_conv fuse_resize_and_conv fuse_pad_and_conv": 1e-5,
    "sparsify_gather": 1e-6,
    "fold_constants fold_batch_norms fold_old_batch_norms quantize_weights": 0.5,
    "fold_constants fold_batch_norms fold_old_batch_norms quantize_weights(per_channel=true)": 0.4,
}
INPUTS = {"input", "Placeholder", "decoded_sample_data"}


def main(words: list[str]) -> int:
    if not words or words[0].startswith("-"):
        raise SystemExit(__doc__)
    python, *models = words
    with tempfile.TemporaryDirectory(prefix="answers-") as made:
        folder = Path(made)
        run(python, "make", str(folder))
        paths = [*map(Path, models), *sorted(folder.glob("*.pb"))]
        cases = [case for case in (cases_of(path)[0] for path in paths) if set(case.inputs) <= INPUTS]
        outputs = run_all(python, folder, cases)
    for case, said in zip(cases, outputs, strict=False):
        if isinstance(said, str):
            print(f"{case.name} does not run as it is: {said}")
    rows, bad = [], 0
    for number, (chain, allowed) in enumerate(CHAINS.items(), 1):
        after = outputs[number * len(cases) : (number + 1) * len(cases)]
        worst, where = worst_of(cases, outputs[: len(cases)], after, chain)
        bad += worst > allowed
        rows.append([chain, len(cases), f"{worst:.1e}", where, f"{allowed:.0e}"])
    print_table(["after", "graphs", "largest difference", "in", "allowed"], rows)
    return 1 if bad else 0


def run_all(python: str, folder: Path, cases: Sequence[Case]) -> list[Any]:
    """The outputs of the graphs as they are, and then after each chain."""
    requests = [(case.graph.SerializeToString(), case.inputs, case.outputs, "") for case in cases]
    for chain in CHAINS:
        for case in cases:
            new = transform_graph(case.graph, case.inputs, case.outputs, chain, definitions)[0]
            requests.append((new.SerializeToString(), case.inputs, case.outputs, "group_deps"))
    asked, answered = folder / "requests", folder / "answers"
    asked.write_bytes(pickle.dumps(requests))
    run(python, "run", str(asked), str(answered))
    outputs: list[Any] = pickle.loads(answered.read_bytes())
    return outputs


def worst_of(
    cases: Sequence[Case], before: Sequence[Any], after: Sequence[Any], chain: str
) -> tuple[float, str]:
    """The largest difference and its graph; a graph that does not run any more is infinitely far off."""
    worst = (0.0, "")
    for case, original, transformed in zip(cases, before, after, strict=True):
        if isinstance(original, str):
            continue
        if isinstance(transformed, str):
            print(f"{case.name}: {chain}: {transformed}")
            worst = (float("inf"), case.name)
        else:
            distance = max(
                (difference(a, b) for a, b in zip(original, transformed, strict=True)), default=0.0
            )
            worst = max(worst, (distance, case.name))
    return worst


def difference(original: Any, transformed: Any) -> float:
    return float(np.max(np.abs(original - transformed)) / max(np.max(np.abs(original)), 1e-30))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
