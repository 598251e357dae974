#!/usr/bin/env python3
"""Freeze a model: its variables become constants, its functions and vocabulary files part of the graph.

    scripts/freeze_graph.py --input_saved_model_dir=saved_model --output_graph=frozen.pb
    scripts/freeze_graph.py --input_graph=graph.pbtxt --input_checkpoint=model.ckpt-7 \\
                            --output_graph=frozen.pb --output_node_names=softmax

It takes the options of TensorFlow's own tool of that name, of 1.8.0 and of 2.14.1, and needs no TensorFlow.
Beside the graph it writes what it is called with as JSON: frozen.pb, frozen.json.
Exit status: 0, or 2 for a mistake; then nothing is written.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tfcross.cli import script  # noqa: E402

script.start(ROOT)

from tfcross.errors import TfcrossError  # noqa: E402
from tfcross.graph.freezing.freeze import Request, freeze  # noqa: E402
from tfcross.graph.freezing.frozen import Frozen  # noqa: E402
from tfcross.graph.freezing.source import Source, read_checkpoint, read_saved_model, with_saver  # noqa: E402

IGNORED = ("restore_op_name", "filename_tensor_name")


class Parser(argparse.ArgumentParser):
    """Mistakes are TfcrossErrors; each option can be spelled with one dash or two."""

    def error(self, message: str) -> NoReturn:
        raise TfcrossError(f"{message}; see {Path(self.prog).name} --help.")

    def option(self, name: str, default: str, text: str) -> None:
        self.add_argument(f"--{name}", f"-{name}", dest=name, default=default, help=text, metavar="…")


def make_parser() -> Parser:
    parser = Parser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.option("input_graph", "", "the graph that was trained")
    parser.option("input_saver", "", "a SaverDef's file, which tells how the checkpoint is restored")
    parser.option("input_checkpoint", "", "the checkpoint: its prefix, a file of it, or its folder")
    parser.option("checkpoint_version", "2", "accepted; the checkpoint itself tells")
    parser.option("output_graph", "", "where to write the frozen graph")
    parser.option("input_binary", "false", "accepted; the files themselves tell")
    parser.option("output_node_names", "", "names of the outputs, separated by commas")
    for name in IGNORED:
        parser.option(name, "", "accepted and not used")
    parser.option("clear_devices", "true", "false to keep the devices of nodes (default: true)")
    parser.option(
        "initializer_nodes", "", "nodes that set variables after the checkpoint is restored, by commas"
    )
    parser.option(
        "variable_names_whitelist", "", "the only variables to make constants, by commas (default: all)"
    )
    parser.option("variable_names_denylist", "", "variables that stay variables, by commas")
    parser.option("variable_names_blacklist", "", "the same")
    parser.option("input_meta_graph", "", "a .meta file in place of graph and saver")
    parser.option("input_saved_model_dir", "", "the folder of a SavedModel")
    parser.option("saved_model_tags", "serve", "tags of the graph in it, by commas (default: serve)")
    parser.option("signature", "", "which signature of it tells the outputs, without --output_node_names")
    parser.option("keep_state", "false", "true to keep variables that the outputs change (default: false)")
    return parser


def names(text: str) -> tuple[str, ...]:
    return tuple(name for name in text.replace(" ", "").split(",") if name)


def truth(text: str) -> bool:
    return text.lower() == "true"


def read(chosen: argparse.Namespace) -> Source:
    """What there is to freeze; a saver goes before a meta graph, and that before a SavedModel."""
    if chosen.input_saved_model_dir and not chosen.input_meta_graph:
        folder = Path(chosen.input_saved_model_dir)
        return read_saved_model(folder, chosen.signature, names(chosen.saved_model_tags))
    if not chosen.input_checkpoint:
        raise TfcrossError(
            "--input_checkpoint is missing: pass the checkpoint that has the variables' values."
        )
    graph = chosen.input_meta_graph or chosen.input_graph
    source = read_checkpoint(
        Path(chosen.input_checkpoint),
        Path(graph) if graph else None,
        chosen.signature,
        is_meta=bool(chosen.input_meta_graph),
    )
    return with_saver(source, Path(chosen.input_saver)) if chosen.input_saver else source


def run(chosen: argparse.Namespace) -> Frozen:
    """Freezes and writes. Raises TfcrossError."""
    if chosen.checkpoint_version not in ("1", "2"):
        raise TfcrossError(f"--checkpoint_version={chosen.checkpoint_version}: unknown value. Known: 1, 2.")
    if not chosen.output_graph:
        raise TfcrossError("--output_graph is missing: pass where to write the frozen graph.")
    request = Request(
        outputs=names(chosen.output_node_names),
        initializers=names(chosen.initializer_nodes),
        keep=frozenset(names(f"{chosen.variable_names_denylist},{chosen.variable_names_blacklist}")),
        only=frozenset(names(chosen.variable_names_whitelist)),
        keep_state=truth(chosen.keep_state),
        clear_devices=truth(chosen.clear_devices),
    )
    frozen = freeze(read(chosen), request)
    path = Path(chosen.output_graph)
    frozen.write(path)
    frozen.write_description(path.with_suffix(".json"))
    return frozen


def main(words: list[str]) -> int:
    frozen = run(make_parser().parse_args(words))
    print(f"{len(frozen.nodes)} ops in the final graph.")
    if frozen.initializer:
        print(f"Run the node {frozen.initializer} once before the others: it fills tables and variables.")
    return 0


if __name__ == "__main__":
    sys.exit(script.run(main, lambda: make_parser().format_help()))
