"""Ends and graphs made up at random: each is cut, or refused in one line, at once."""

from __future__ import annotations

import random
import time
from pathlib import Path

from tfcross.errors import TfcrossError
from tfcross.graph.construction import make_node, make_placeholder
from tfcross.graph.cutting.cutfile import write_cut
from tfcross.graph.cutting.ends import parse_ends
from tfcross.graph.messages import GraphDef
from tfcross.graph.model import load_model

SEED = 20261128
WORDS = ["$x", "x:0", "x:1", "^x", "a/b", "a b", "=", "float", "[", "]", "1", "?", "-1", ",", " ", ":", "…",
         "é", "٣", "\n", "\t", "\0", "\ud800", "DT_FLOAT", "float_ref", "resource", "9" * 10, "[1,2]",
         "=float[1]", "x", "#", "'", '"', "\\"]  # fmt: skip
OPS = ["Identity", "Add", "Merge", "Switch", "Enter", "Exit", "NextIteration", "Placeholder", "Const", "NoOp",
       "PlaceholderWithDefault", "VarHandleOp", "Split", "PartitionedCall", "LoopCond"]  # fmt: skip


def made_up_text(chance: random.Random) -> str:
    if chance.random() < 0.5:
        return "".join(chance.choice(WORDS) for _ in range(chance.randint(0, 10)))
    return "".join(chr(chance.choice([chance.randrange(1, 128), chance.randrange(0x3000)])) for _ in range(9))


def made_up_graph(chance: random.Random) -> GraphDef:
    """Up to 12 nodes that take any others, by data or control, mostly earlier ones; some names are odd."""
    names = [f"n{number}" for number in range(chance.randint(1, 12))]
    names[0] = chance.choice(["x", "a b", "é", "n/0", "-", "n1"])
    nodes = []
    for number, name in enumerate(names):
        takes = [chance.choice(names[: number + (chance.random() < 0.05)] or ["none"]) for _ in range(2)]
        inputs = [chance.choice(["", "", "^"]) + take + chance.choice(["", "", ":0", ":1"]) for take in takes]
        op = chance.choice(OPS)
        attrs = {key: "DT_FLOAT" for key in ("T", "dtype") if chance.random() < 0.7}
        inputs = inputs[: 0 if not number or op in ("Placeholder", "Const") else chance.randint(0, 2)]
        nodes.append(make_node(name, op, inputs, frame_name=b"loop", **attrs))
    return GraphDef(node=[make_placeholder("fed", "DT_FLOAT", [1]), *nodes])


def made_up_ends(chance: random.Random, graph: GraphDef) -> tuple[str, str]:
    names = [node.name for node in graph.node] + ["n1:1", "none"]
    fed = [chance.choice(names) + chance.choice(["", "=float[1]", "=int32", "=[]"]) for _ in range(2)]
    return ",".join(fed[: chance.randint(0, 2)]), ",".join(chance.sample(names, chance.randint(0, 2)))


def check_one_line(error: TfcrossError) -> None:
    assert str(error)
    assert "\n" not in str(error)


def test_2000_texts_as_ends_are_read_or_refused() -> None:
    chance, begun, read = random.Random(SEED), time.process_time(), 0
    for _ in range(2000):
        try:
            parse_ends(made_up_text(chance), made_up_text(chance), made_up_text(chance))
            read += 1
        except TfcrossError as error:
            check_one_line(error)
    assert 0 < read < 2000
    assert time.process_time() - begun < 10


def test_2000_graphs_are_cut_to_what_loads_again_or_refused(tmp_path: Path) -> None:
    chance, begun, cut = random.Random(SEED), time.process_time(), 0
    path = tmp_path / "m.pb"
    for _ in range(2000):
        graph = made_up_graph(chance)
        path.write_bytes(graph.SerializeToString())
        try:
            model = load_model(path, ends=parse_ends(*made_up_ends(chance, graph), ""))
        except TfcrossError as error:
            check_one_line(error)
            continue
        write_cut(model, tmp_path / "cut.pb")
        again = load_model(tmp_path / "cut.pb")
        assert [node.name for node in again.nodes] == [node.name for node in model.nodes]
        assert {node.name for node in again.nodes if node.op == "Placeholder"} >= (model.replaced or set())
        cut += 1
    assert 100 < cut < 2000
    assert time.process_time() - begun < 30
