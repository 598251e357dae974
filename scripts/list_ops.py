#!/usr/bin/env python3
"""List the ops of a release on a target: types, kernels, files, and what asks for them.

    scripts/list_ops.py TARGET=PI Mul Conv2D [--model MODEL]   # everything about some ops
    scripts/list_ops.py TARGET=PI                              # a line for each op
    scripts/list_ops.py TARGET=PI --html > ops.html            # or --markdown, --json

Also ARCH=, RELEASE=, TYPES=slim|full (default: full) and the other words of a build. --model names a model
in which nodes of these ops are looked up. Exit status: 0, or 2 for a mistake.
"""

from __future__ import annotations

import gc
import json
import sys
from dataclasses import asdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tfcross.cli import script  # noqa: E402

script.start(ROOT)

from tfcross.check.optable import OpRow, Reasons, main_attr, op_rows, type_columns  # noqa: E402
from tfcross.check.purposes import load_purposes  # noqa: E402
from tfcross.cli.models import requested_models  # noqa: E402
from tfcross.cli.options import parse_options  # noqa: E402
from tfcross.cli.request import release_registry  # noqa: E402
from tfcross.cli.words import CommandLine, split_words  # noqa: E402
from tfcross.errors import TfcrossError  # noqa: E402
from tfcross.render import render, table  # noqa: E402

FLAGS, VALUES = ("--html", "--json", "--markdown"), ("--model",)


def listing(line: CommandLine) -> str:
    """What the command line asks for. Raises TfcrossError."""
    if len(line.flags) > 1:
        raise TfcrossError(f"{' and '.join(sorted(line.flags))}: give one form only.")
    options = parse_options(line.variables, types="full")
    models = requested_models(ROOT, [line.values["--model"]], options) if "--model" in line.values else []
    registries = release_registry(ROOT, options)
    reasons = Reasons(registries.core.unavailable, registries.core.always, registries.core.inserted)
    rows = op_rows(registries.registry(options.types), load_purposes(ROOT), reasons, line.names, models)
    place = f"{registries.profile.name}, TensorFlow {registries.release.version}, TYPES={options.types}"
    return shown(rows, place, line)


def shown(rows: list[OpRow], place: str, line: CommandLine) -> str:
    """The rows in the form that the flags ask for."""
    if "--json" in line.flags:
        return json.dumps({"for": place, "ops": [asdict(row) for row in rows]}, indent=1) + "\n"
    if "--markdown" in line.flags:
        return render("ops.md.j2", rows=rows, place=place)
    if "--html" in line.flags:
        pairs = [(row, main_attr(row)) for row in rows]
        return render("ops.html.j2", rows=rows, pairs=pairs, columns=type_columns(rows), place=place)
    if line.names:
        return render("ops.txt.j2", rows=rows)
    cells = [
        (row.name, row_types(row), ", ".join(file.rpartition("/")[2] for file in row.files)) for row in rows
    ]
    return "\n".join(table(("op", "types", "kernels"), cells)) + "\n"


def row_types(row: OpRow) -> str:
    if not row.kernels:
        return "no CPU kernel"
    if not row.runs:
        return f"not built: {row.kernels[0].missing}"
    return "; ".join(f"{attr}: {','.join(names)}" for attr, names in row.types.items()) or "any"


def main(words: list[str]) -> int:
    gc.disable()  # one run, which ends before there is much to collect
    print(listing(split_words(words, FLAGS, VALUES)), end="")
    return 0


if __name__ == "__main__":
    sys.exit(script.run(main, __doc__))
