#!/usr/bin/env python3
"""Tell what a model is: inputs, outputs, parameters, operations, sizes, ops; or draw it.

    scripts/summarize_graph.py MODEL... [--json]
    scripts/summarize_graph.py MODEL --dot > model.dot      # for graphviz
    scripts/summarize_graph.py MODEL --svg > model.svg      # graphviz's `dot` draws it
                               [--boxes=60]                 # open name scopes while there is room
                               [INPUTS='x=float[1,8,8,3],...'] [OUTPUTS=y,...] [SIGNATURE=...]
                               [TAGS=...] [GRAPH=...] [TRANSFORMS='...']

Reads frozen graphs, binary or text; SavedModels and checkpoints are frozen, and with these words models are
cut and transformed, as a build does. Exit status: 0, or 2 for a mistake.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tfcross.cli import script  # noqa: E402

script.start(ROOT)

from tfcross import environment  # noqa: E402
from tfcross.cli.models import requested_models  # noqa: E402
from tfcross.cli.options import parse_options  # noqa: E402
from tfcross.cli.words import CommandLine, split_words  # noqa: E402
from tfcross.errors import TfcrossError, known  # noqa: E402
from tfcross.graph.drawing import draw  # noqa: E402
from tfcross.graph.model import Model  # noqa: E402
from tfcross.graph.preparing.commands import ready_commands  # noqa: E402
from tfcross.graph.summary import Summary, summarize  # noqa: E402
from tfcross.graph.summarytext import dot_text, summary_text  # noqa: E402

FLAGS, VALUES = ("--json", "--dot", "--svg"), ("--boxes",)
KNOWN = ("INPUTS", "OUTPUTS", "SIGNATURE", "TAGS", "GRAPH", "TRANSFORMS")
BOXES = 60
DRAWING_SECONDS = 120


def output(line: CommandLine) -> str:
    """What the command line asks for. Raises TfcrossError."""
    other = line.variables.keys() - set(KNOWN)
    if other:
        raise TfcrossError(f"{min(other)}=: no variable of this script. {known(KNOWN)}")
    if not line.names:
        raise TfcrossError("give models: graphs (.pb, .pbtxt), SavedModel folders or checkpoints.")
    if len(line.flags) > 1:
        raise TfcrossError(f"{' and '.join(sorted(line.flags))}: give one form only.")
    models = requested_models(ROOT, line.names, parse_options({"TARGET": "LINUX", **line.variables}))
    if line.flags & {"--dot", "--svg"}:
        if len(models) > 1:
            raise TfcrossError("one picture shows one model; give one.")
        text = dot_text(draw(models[0].nodes, boxes(line)), models[0].path.name)
        return text if "--dot" in line.flags else svg(text)
    summaries = [(model, summarize(model)) for model in models]
    if "--json" in line.flags:
        return json.dumps([as_json(model, summary) for model, summary in summaries], indent=1) + "\n"
    commands = [ready_commands(Path(n), m, line.variables) for n, m in zip(line.names, models, strict=True)]
    texts = zip(summaries, commands, strict=True)
    return "\n".join(summary_text(model, summary, ready) for (model, summary), ready in texts)


def as_json(model: Model, summary: Summary) -> dict[str, object]:
    return {"model": str(model.path), "sha256": model.sha256, "notes": list(model.notes), **asdict(summary)}


def boxes(line: CommandLine) -> int:
    text = line.values.get("--boxes", str(BOXES))
    if not text.isdecimal() or int(text) < 1:
        raise TfcrossError(f"--boxes={text}: no number of boxes; give one from 1 on.")
    return int(text)


def svg(dot: str) -> str:
    """What graphviz draws."""
    program = shutil.which("dot", path=environment.path())
    if program is None:
        raise TfcrossError("--svg: graphviz's program dot is not on PATH; install graphviz, or take --dot.")
    try:
        argv = [program, "-Tsvg"]
        done = subprocess.run(
            argv, input=dot, capture_output=True, text=True, timeout=DRAWING_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise TfcrossError(f"--svg: no picture after {DRAWING_SECONDS} s; give fewer --boxes.") from None
    if done.returncode:
        raise TfcrossError(f"--svg: dot fails: {done.stderr.strip()[:200]}")
    return done.stdout


def main(words: list[str]) -> int:
    print(output(split_words(words, FLAGS, VALUES)), end="")
    return 0


if __name__ == "__main__":
    sys.exit(script.run(main, __doc__))
