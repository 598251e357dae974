"""Damaged graphs through chains of transforms: a graph or one line, soon, and in little memory."""

from __future__ import annotations

import random
import resource
import time
from pathlib import Path

import numpy as np
import pytest
from graphs import const, conv, fused_norm, graph_of, op_definitions, placeholder
from mutations import damaged
from test_transform_functions import body as body_of
from test_transform_functions import call, graph_with, norm_function

from tfcross.errors import TfcrossError
from tfcross.graph.construction import make_node
from tfcross.graph.rewriting.graphfiles import read_graph, write_graph
from tfcross.graph.transforms.chain import transform_graph
from tfcross.graph.transforms.table import TRANSFORMS

COUNT = 1_000  # of each seed
SLOWEST = 2.0  # seconds for one graph
MOST_MEMORY = 400_000  # kB more than before
FLOAT = "DT_FLOAT"
ARGUMENTS = {
    "remove_attribute": "attribute_name=T",
    "remove_nodes": "op=Identity, op=Relu, max_inputs=3",
    "rename_attribute": "old_attribute_name=T, new_attribute_name=U",
    "rename_node": "old_node_name=conv, new_node_name=fresh",
    "rename_op": "old_op_name=Relu, new_op_name=Relu6",
    "quantize_weights": "minimum_size=2, per_channel=true",
    "quantize_nodes": "fallback_min=-1, fallback_max=1, input_min=0, input_max=1",
    "freeze_requantization_ranges": "min_max_log_file=/nowhere, ignore_errors=true",
}


def image_graph():
    vectors = [const(name, [1.0, 2]) for name in ("g", "b", "m", "v")]
    return graph_of(
        placeholder(),
        const("block", [2, 2], "int32"),
        const("none", [[0, 0], [0, 0]], "int32"),
        make_node("space", "SpaceToBatchND", ["input", "block", "none"], T=FLOAT),
        const("w", np.ones((1, 1, 2, 2))),
        conv("conv", "space", "w"),
        make_node("whole", "BatchToSpaceND", ["conv", "block", "none"], T=FLOAT),
        *vectors,
        fused_norm("norm", ["whole", "g", "b", "m", "v"]),
        make_node("passed", "Identity", ["norm"], T=FLOAT),
        make_node("shape", "Shape", ["passed"], T=FLOAT),
        make_node("filled", "Fill", ["shape", "one"], T=FLOAT),
        const("one", 1.0),
        const("low", -1.0),
        make_node("fake", "FakeQuantWithMinMaxVars", ["relu", "low", "one"]),
        make_node("relu", "Relu", ["filled"], T=FLOAT),
        make_node("scaled", "Mul", ["fake", "g"], T=FLOAT),
        make_node("output", "Add", ["scaled", "passed"], T=FLOAT),
    )


def array_graph():
    attrs = {"T": FLOAT, "num_split": 2, "N": 2, "axis": 0}
    ops = (
        "Reshape",
        "Tile",
        "Pad",
        "StridedSlice",
        "GatherV2",
        "Range",
        "ConcatV2",
        "Split",
        "Transpose",
        "OneHot",
    )
    return graph_of(
        placeholder(),
        const("a", np.arange(6.0).reshape(2, 3)),
        const("i", [1, 0], "int32"),
        const("s", 1, "int32"),
        *[
            make_node(op, op, ["a", "i", "s", "s"][: 2 + number % 3], **attrs)
            for number, op in enumerate(ops)
        ],
        make_node("output", "AddN", ["input", *ops], T=FLOAT, N=11),
    )


def loop_graph():
    return graph_of(
        placeholder(),
        make_node("enter", "Enter", ["input"], T=FLOAT, frame_name="f"),
        make_node("merge", "Merge", ["enter", "next"], T=FLOAT, N=2),
        make_node("more", "Add", ["merge", "merge"], T=FLOAT),
        make_node("next", "NextIteration", ["more"], T=FLOAT),
        make_node("output", "Exit", ["merge"], T=FLOAT),
    )


def function_graph():
    nodes = [placeholder(), call("conv", "net", "input"), make_node("output", "Relu", ["conv"], T=FLOAT)]
    return graph_with(norm_function(), nodes=nodes)


SEEDS = {"image": image_graph, "array": array_graph, "loop": loop_graph, "function": function_graph}


def random_chain(chance: random.Random) -> str:
    names = [chance.choice(list(TRANSFORMS)) for _ in range(chance.randint(1, 3))]
    return " ".join(f"{name}({ARGUMENTS.get(name, '')})" for name in names)


def examine(path: Path, transforms: str) -> bool:
    """What the script does; whether there is a graph."""
    try:
        graph = read_graph(path)
        new, notes = transform_graph(graph, ["input"], ["output"], transforms, op_definitions)
        write_graph(path, new, as_text=False)
    except TfcrossError as error:
        assert "\n" not in str(error)
        assert len(str(error)) < 1500
        return False
    assert all("\n" not in note for note in notes)
    return True


@pytest.mark.parametrize("name", list(SEEDS))
def test_a_damaged_graph_gives_a_graph_or_one_line(tmp_path: Path, name: str) -> None:
    seed, path, chance = (
        SEEDS[name]().SerializeToString(),
        tmp_path / "graph.pb",
        random.Random(f"transform {name}"),
    )
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    changed = 0
    for number in range(COUNT):
        path.write_bytes(damaged("graph.pb", seed, number, chance))
        transforms = random_chain(chance)
        begun = time.process_time()
        changed += examine(path, transforms)
        assert time.process_time() - begun < SLOWEST, (number, transforms)
    assert 0.02 * COUNT < changed < 0.95 * COUNT
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MOST_MEMORY


@pytest.mark.parametrize("name", list(SEEDS))
def test_the_undamaged_graphs_go_through_every_transform(tmp_path: Path, name: str) -> None:
    path = tmp_path / "graph.pb"
    failed = []
    for transform in TRANSFORMS:
        path.write_bytes(SEEDS[name]().SerializeToString())
        if not examine(path, f"{transform}({ARGUMENTS.get(transform, '')})"):
            failed.append(transform)
    assert set(failed) <= {"insert_logging", "fold_constants"}
    assert body_of(function_graph()).node
