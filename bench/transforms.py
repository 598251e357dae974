#!/usr/bin/env python3
"""Our transforms beside those of TensorFlow's own tool, which is in the PyPI package tensorflow 2.14.1.

    bench/transforms.py PYTHON MODEL... [--show]

PYTHON is that of an environment with the package. Each transform goes, in several forms, over each MODEL and
over graphs that the package makes. Main graphs are compared node by node: ops, inputs, attributes, tensors.
Where ours differs on purpose, ON_PURPOSE has the reason. --show lists those, too.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from measure import ROOT, print_table
from transform_cases import ON_PURPOSE, Case, cases_of, further

from tfcross.cli.options import parse_options
from tfcross.cli.request import release_registry
from tfcross.errors import TfcrossError
from tfcross.graph.messages import GraphDef
from tfcross.graph.rewriting.inputs import canonical, node_of
from tfcross.graph.rewriting.patterns import execution_order
from tfcross.graph.rewriting.tensors import UnreadableTensor, read_tensor
from tfcross.graph.transforms.chain import transform_graph

AGREEING = ("same order", "same set", "same but for names")
PACKAGE = Path(__file__).with_name("transforms_package.py")
#: Of a tensor's largest value: for folded constants, where the kernels' functions are approximate.
CLOSE = 1e-4


def main(words: list[str]) -> int:
    if len(words) < 1 or words[0].startswith("-"):
        raise SystemExit(__doc__)
    python, *models = [word for word in words if not word.startswith("--")]
    with tempfile.TemporaryDirectory(prefix="transforms-") as made:
        folder = Path(made)
        run(python, "make", str(folder))
        paths = [*map(Path, models), *sorted(folder.glob("*.pb"))]
        cases = [case for path in paths for case in (*cases_of(path), *further(path, folder))]
        theirs = ask(python, folder, [case.request() for case in cases])
        ours = [transformed(case) for case in cases]
        theirs, normal = with_defaults(python, folder, cases, theirs, ours)
    verdicts = [verdict(*row) for row in zip(cases, normal, theirs, strict=True)]
    return report(cases, verdicts, [seconds for _, seconds in ours], "--show" in words)


def run(python: str, *words: str) -> None:
    done = subprocess.run([python, str(PACKAGE), *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{python}: {done.stderr[-1000:]}")


def ask(python: str, folder: Path, requests: Sequence[tuple[bytes, ...]]) -> list[bytes | str]:
    asked, answered = folder / "requests", folder / "answers"
    asked.write_bytes(pickle.dumps(requests))
    run(python, "ask", str(asked), str(answered))
    answers: list[bytes | str] = pickle.loads(answered.read_bytes())
    return answers


@cache
def definitions() -> Mapping[str, Any]:
    return release_registry(ROOT, parse_options({"TARGET": "LINUX"})).registry("full").ops


def transformed(case: Case) -> tuple[Any, float]:
    """Our graph, or the error as text; and the seconds that it took."""
    definitions()
    begun = time.perf_counter()
    try:
        new: Any = transform_graph(case.graph, case.inputs, case.outputs, case.transforms, definitions)[0]
    except TfcrossError as error:
        new = str(error)
    return new, time.perf_counter() - begun


def with_defaults(
    python: str,
    folder: Path,
    cases: Sequence[Case],
    theirs: list[bytes | str],
    ours: Sequence[tuple[Any, float]],
) -> tuple[list[bytes | str], list[Any]]:
    """Their fold_constants writes out all defaults, which makes graphs unfit for older releases: so not ours.

    For the comparison both get them.
    """
    normal: list[Any] = [new for new, _ in ours]
    folded = [
        number
        for number, case in enumerate(cases)
        if "fold_constants" in case.transforms
        and not isinstance(normal[number], str)
        and isinstance(theirs[number], bytes)
    ]
    requests = [cases[n].request(normal[n].SerializeToString(), "add_default_attributes") for n in folded]
    requests += [cases[n].request(theirs[n], "add_default_attributes") for n in folded]  # type: ignore[arg-type]
    answers = ask(python, folder, requests)
    for number, mine, other in zip(folded, answers[: len(folded)], answers[len(folded) :], strict=True):
        normal[number] = GraphDef.FromString(mine) if isinstance(mine, bytes) else mine
        theirs[number] = other
    return theirs, normal


def verdict(case: Case, ours: Any, theirs: bytes | str) -> str:
    if isinstance(theirs, str):
        return f"refused: {theirs}" if not isinstance(ours, str) else "both refuse"
    if isinstance(ours, str):
        return f"differs: ours refuses: {ours}"
    text = compared(ours, theirs)
    if not text.startswith("differs"):
        return text
    reasons = (
        why
        for transform, graph, told, why in ON_PURPOSE
        if transform in case.transforms and graph in case.name and told in text
    )
    return next((f"on purpose: {why}" for why in reasons), text)


def compared(ours: Any, theirs: bytes) -> str:
    mine, other = shown(ours), shown(GraphDef.FromString(theirs))
    difference = first_difference(dict(mine), dict(other))
    if difference:
        if Counter(structures(ours)) == Counter(structures(GraphDef.FromString(theirs))):
            return "same but for names"
        return f"differs: {difference}"
    if len(mine) != len(other):
        return "differs: a node is there twice"
    return "same order" if [name for name, _ in mine] == [name for name, _ in other] else "same set"


def shown(graph: Any) -> list[tuple[str, dict[str, Any]]]:
    return [(node.name, shown_node(node)) for node in graph.node]


def shown_node(node: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "op": node.op,
        "device": node.device,
        "input": [canonical(text) for text in node.input],
    }
    for key in node.attr:
        value = node.attr[key]
        if value.HasField("tensor"):
            try:
                fields[key] = read_tensor(value.tensor)
            except UnreadableTensor:
                fields[key] = value.SerializeToString(deterministic=True)
        else:
            fields[key] = value.SerializeToString(deterministic=True)
    return fields


def structures(graph: Any) -> list[int]:
    """For each node what it computes, whatever the nodes before it are called; loops are not followed."""
    by_name = {node.name: node for node in graph.node}
    told: dict[str, int] = {}
    for node in execution_order(list(graph.node)).nodes:
        attributes = [
            (key, node.attr[key].SerializeToString(deterministic=True)) for key in sorted(node.attr)
        ]
        inputs = [
            (text[:1] == "^", text.partition(":")[2] or "0", told.get(node_of(text), "a loop"))
            for text in node.input
        ]
        told[node.name] = hash((node.op, node.device, tuple(inputs), tuple(attributes)))
    return [told.get(name, hash(name)) for name in by_name]


def first_difference(mine: Mapping[str, dict[str, Any]], other: Mapping[str, dict[str, Any]]) -> str:
    for text, names in (
        ("only ours", mine.keys() - other.keys()),
        ("only theirs", other.keys() - mine.keys()),
    ):
        if names:
            return f"{text}: {len(names)}, {sorted(names)[:3]}"
    for name, fields in mine.items():
        for key in sorted(fields.keys() | other[name].keys()):
            own_value, other_value = fields.get(key), other[name].get(key)
            if not equal(own_value, other_value):
                return f"{name}.{key}: {str(own_value)[:150]} / {str(other_value)[:150]}"
    return ""


def equal(left: Any, right: Any) -> bool:
    if not isinstance(left, np.ndarray) or not isinstance(right, np.ndarray):
        return bool(type(left) is type(right) and left == right)
    if left.shape != right.shape or left.dtype != right.dtype:
        return False
    if left.dtype.kind == "f" and left.size:
        return bool(np.max(np.abs(left - right)) <= CLOSE * max(np.max(np.abs(right)), 1e-30))
    return bool(np.array_equal(left, right))


def report(cases: Sequence[Case], verdicts: Sequence[str], seconds: Sequence[float], show: bool) -> int:
    """Prints the differences and the rate; status 1 if there is any that is not on purpose."""
    for case, text in zip(cases, verdicts, strict=True):
        told = ("differs", "both", "refused", "on purpose") if show else ("differs", "both")
        if text.startswith(told):
            print(f"{case.name}: {case.transforms}: {text}")
    slowest = max(zip(seconds, cases, strict=True), key=lambda pair: pair[0])
    print(f"slowest: {slowest[1].name}: {slowest[1].transforms}: {slowest[0]:.2f} s")
    kinds = Counter(text.partition(":")[0] for text in verdicts)
    agree = sum(kinds[kind] for kind in AGREEING)
    compared_cases = agree + kinds["on purpose"] + kinds["differs"]
    others = ("on purpose", "differs", "refused", "both refuse")
    row = [len({case.name for case in cases}), len(cases), *(kinds[kind] for kind in (*AGREEING, *others))]
    rate = f"{100 * agree / max(compared_cases, 1):.1f} %"
    print_table(
        ["graphs", "cases", *AGREEING, "on purpose", "differ", "theirs refuses", "both refuse", "agree"],
        [[*row, rate]],
    )
    return 1 if kinds["differs"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
