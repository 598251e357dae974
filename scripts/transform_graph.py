#!/usr/bin/env python3
"""Rewrite a frozen graph: fold constants and batch normalisation, quantize weights, strip, rename, sort, …

    scripts/transform_graph.py --in_graph=model.pb --out_graph=small.pb --inputs=input --outputs=softmax \\
        --transforms='strip_unused_nodes fold_constants fold_old_batch_norms quantize_weights'
                               [--output_as_text]           # write the text form
    scripts/transform_graph.py --list                       # all transforms and their arguments

The command line of TensorFlow's Graph Transform Tool, without TensorFlow. Graphs are binary or text. What
needs op definitions (add_default_attributes, insert_logging) takes those of RELEASE=, by default the newest.
Exit status: 0, or 2 for a mistake.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tfcross.cli import script  # noqa: E402

script.start(ROOT)

from tfcross.cli.models import op_definitions  # noqa: E402
from tfcross.cli.options import parse_options  # noqa: E402
from tfcross.cli.words import CommandLine, split_words  # noqa: E402
from tfcross.errors import TfcrossError  # noqa: E402
from tfcross.graph.rewriting.graphfiles import read_graph, write_graph  # noqa: E402
from tfcross.graph.transforms.chain import transform_graph  # noqa: E402
from tfcross.graph.transforms.table import EVERY, TRANSFORMS  # noqa: E402

TEXT = "--output_as_text"
FLAGS = (TEXT, "--list")
VALUES = ("--in_graph", "--out_graph", "--inputs", "--outputs", "--transforms")
NEEDED = ("--in_graph", "--out_graph", "--outputs", "--transforms")


def report(line: CommandLine) -> str:
    """Does what the command line asks for; what to tell the user. Raises TfcrossError."""
    if "--list" in line.flags:
        return "".join(f"{name}({', '.join((*t.arguments, *EVERY))})\n" for name, t in TRANSFORMS.items())
    if line.names:
        raise TfcrossError(f"'{line.names[0]}': not an option of this script. See --help.")
    for option in NEEDED:
        if option not in line.values:
            raise TfcrossError(f"{option}= is missing. See --help.")
    definitions = op_definitions(ROOT, parse_options({"TARGET": "LINUX", **line.variables}))
    source, target = Path(line.values["--in_graph"]), Path(line.values["--out_graph"])
    graph = read_graph(source)
    new, notes = transform_graph(
        graph,
        line.values.get("--inputs", "").split(","),
        line.values["--outputs"].split(","),
        line.values["--transforms"],
        definitions,
    )
    size = write_graph(target, new, TEXT in line.flags)
    sizes = f"{source.stat().st_size} -> {size} bytes"
    counts = f"{len(graph.node)} -> {len(new.node)} nodes"
    return "".join(f"{note}\n" for note in notes) + f"{target}: {counts}, {sizes}\n"


def words_of(words: list[str]) -> list[str]:
    """As TensorFlow's tool takes them: an empty list of inputs, and a flag with true or false."""
    plain = [word for word in words if word not in ("--inputs=", f"{TEXT}=false", f"{TEXT}=0")]
    return [TEXT if word in (f"{TEXT}=true", f"{TEXT}=1") else word for word in plain]


def main(words: list[str]) -> int:
    print(report(split_words(words_of(words), FLAGS, VALUES)), end="")
    return 0


if __name__ == "__main__":
    sys.exit(script.run(main, __doc__))
