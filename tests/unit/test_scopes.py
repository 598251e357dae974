"""A graph as a picture with few boxes."""

from __future__ import annotations

import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from tfcross.graph.drawing import box_count, draw, flat
from tfcross.graph.node import Node
from tfcross.graph.summarytext import dot_text

GOLDEN = Path(__file__).parents[2] / "tests" / "golden"


def node(name: str, op: str, *inputs: str) -> Node:
    return Node(name, op, inputs, "", {})


SMALL = (
    node("x", "Placeholder"),
    node("a/w", "Const"),
    node("a/w/read", "Identity", "a/w"),
    node("a/sum", "MatMul", "x", "a/w/read"),
    node("a/inner/relu", "Relu", "a/sum"),
    node("a/inner/both", "Add", "a/inner/relu", "a/inner/relu"),
    node('b"1', "Softmax", "a/inner/both", "^x"),
)


def network(layers: int) -> list[Node]:
    """500 nodes: layers of five nodes in three scopes."""
    nodes, last = [node("x", "Placeholder")], "x"
    for i in range(layers):
        scope = f"net/block{i // 10}/layer{i}"
        nodes += [
            node(f"{scope}/w", "Const"),
            node(f"{scope}/sum", "MatMul", last, f"{scope}/w"),
            node(f"{scope}/b", "Const"),
            node(f"{scope}/biased", "BiasAdd", f"{scope}/sum", f"{scope}/b"),
            node(f"{scope}/relu", "Relu", f"{scope}/biased"),
        ]
        last = f"{scope}/relu"
    return nodes


def test_small_graphs_are_shown_whole_without_what_only_brings_constants() -> None:
    picture = draw(SMALL)
    assert sorted(flat(picture.top)) == ["a/inner/both", "a/inner/relu", "a/sum", 'b"1', "x"]
    assert picture.hidden == 2
    assert picture.edges == (
        ("a/inner/both", 'b"1', 1),
        ("a/inner/relu", "a/inner/both", 2),
        ("a/sum", "a/inner/relu", 1),
        ("x", "a/sum", 1),
        ("x", 'b"1', 1),
    )


def test_five_hundred_nodes_become_sixty_boxes_at_most() -> None:
    picture = draw(network(100), most=60)
    assert 10 < box_count(picture.top) <= 60
    boxes = flat(picture.top)
    assert sum(box.count for box in boxes.values()) == 301
    assert {end for source, target, _ in picture.edges for end in (source, target)} <= boxes.keys()


def test_a_closed_scope_tells_what_is_in_it() -> None:
    boxes = flat(draw(network(100), most=12).top)
    assert boxes["net/block0/"].lines == ("block0/", "10 MatMul", "10 BiasAdd", "10 Relu")


def test_one_flat_level_stays_as_it_is() -> None:
    nodes = [node(f"n{i}", "Relu") for i in range(100)]
    assert box_count(draw(nodes, most=10).top) == 100


def test_scopes_of_any_depth_are_drawn() -> None:
    deep = [node("/".join("s" * depth), "Relu") for depth in range(1, 400)]
    picture = draw(deep, most=1000)
    assert box_count(picture.top) == 399
    assert "digraph" in dot_text(picture, "deep.pb")


def test_the_picture_is_written_as_in_the_golden_file() -> None:
    assert dot_text(draw(SMALL, most=4), "small.pb") == (GOLDEN / "graph.dot").read_text()


def test_names_are_quoted_whatever_is_in_them() -> None:
    text = dot_text(draw([node('a"\\<&>\n\0', "Relu")]), "m.pb")
    assert '  "a\\"\\\\<&>\\n?" [label="a\\"\\\\<&>\\n?\\nRelu", class="node"' in text


def test_graphviz_draws_it() -> None:
    program = shutil.which("dot")
    assert program, "graphviz is not installed; ./bootstrap pytest does it"
    text = dot_text(draw(network(100)), "network.pb")
    done = subprocess.run([program, "-Tsvg"], input=text, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    titles = [
        element.text
        for element in ElementTree.fromstring(done.stdout).iter("{http://www.w3.org/2000/svg}title")
    ]
    assert "net/block1/" in titles
