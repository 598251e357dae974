"""The commands for a model, ready to be copied: cut, freeze, build."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from tfcross.graph.checkpoints.checkpoint import find_checkpoint
from tfcross.graph.cutting.ends import input_word
from tfcross.graph.cutting.feeds import fed_shape
from tfcross.graph.freezing.savedmodel import saved_model_file
from tfcross.graph.model import Model
from tfcross.graph.preparing.prepare import saved_folder, title_of

_BUILD = ("./bootstrap", "scons", "TARGET=PI")


def ready_commands(path: Path, model: Model, variables: Mapping[str, str]) -> dict[str, str]:
    """Command lines by what they do; ``path`` and ``variables`` are as the user gave them.

    A size that nobody knows is "…".
    """
    given = [f"{name}={value}" for name, value in variables.items()]
    commands = {"build": [*_BUILD, f"MODEL={path}", *given]}
    if not {"INPUTS", "OUTPUTS"} <= variables.keys() and model.outputs:
        other = [word for word in given if not word.startswith(("INPUTS=", "OUTPUTS="))]
        commands["cut, and build"] = [*_BUILD, f"MODEL={path}", *other, *_ends(model)]
    freezing = _freezing(path, model, variables)
    if freezing:
        commands["freeze only"] = [
            "scripts/freeze_graph.py",
            *freezing,
            f"--output_graph={title_of(path)}.pb",
        ]
    return {what: shlex.join(words) for what, words in commands.items()}


def _ends(model: Model) -> list[str]:
    fed = [input_word(each.name, each.dtype, fed_shape(model, each)) for each in model.placeholders]
    return [*([f"INPUTS={','.join(fed)}"] if fed else []), f"OUTPUTS={','.join(model.outputs)}"]


def _freezing(path: Path, model: Model, variables: Mapping[str, str]) -> Sequence[str]:
    """The options of freeze_graph.py; () for what is no SavedModel or checkpoint."""
    options = {"signature": variables.get("SIGNATURE", ""), "output_node_names": variables.get("OUTPUTS", "")}
    if saved_model_file(saved_folder(path)):
        options = {
            "input_saved_model_dir": str(saved_folder(path)),
            "saved_model_tags": variables.get("TAGS", ""),
            "signature": options["signature"],
        }
    elif find_checkpoint(path):
        options = {"input_checkpoint": str(path), "input_graph": variables.get("GRAPH", ""), **options}
    else:
        return ()
    return [f"--{name}={value}" for name, value in options.items() if value]
