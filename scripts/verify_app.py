#!/usr/bin/env python3
"""Say whether a linked app has in it what a model needs, and if not, which flag is missing.

Usage: scripts/verify_app.py APP --model graph.pb [--library out/PI-armv7]

APP is an ELF or Mach-O program or shared library. The library is an output folder of a build; without
--library it is the one under out/ that was built for the model.

Exit status: 0 if nothing is wrong, 1 if something is, 2 for wrong usage.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tfcross.cli import script  # noqa: E402

script.start(ROOT)

from tfcross.app.inspection import check_app, for_library, read_app  # noqa: E402
from tfcross.cli.models import requested_models  # noqa: E402
from tfcross.cli.options import parse_options  # noqa: E402
from tfcross.cli.words import split_words  # noqa: E402
from tfcross.errors import TfcrossError  # noqa: E402
from tfcross.graph.model import Model  # noqa: E402
from tfcross.output.manifest import NAME, load_manifest  # noqa: E402

WORDS = {True: "ok     ", False: "WRONG  ", None: "unknown"}


def main(words: list[str]) -> int:
    line = split_words(words, (), ("--model", "--library"))
    if len(line.names) != 1 or line.variables or "--model" not in line.values:
        raise TfcrossError("give one app and its model: scripts/verify_app.py APP --model graph.pb.")
    library = Path(line.values["--library"]) if "--library" in line.values else None
    (model,) = requested_models(ROOT, [line.values["--model"]], parse_options({}))
    app = read_app(Path(line.names[0]))
    manifest = _manifest(library, model, {binary.cpu for binary in app})
    binary = for_library(app, manifest, line.names[0])
    findings = check_app(binary, manifest, {node.op for node in model.all_nodes()})
    for finding in findings:
        print(f"{WORDS[finding.ok]}  {finding.text}")
    return int(any(finding.ok is False for finding in findings))


def _manifest(library: Path | None, model: Model, cpus: set[str]) -> Mapping[str, Any]:
    if library is not None:
        return load_manifest(library / NAME)
    manifests = [load_manifest(path) for path in sorted(Path("out").glob(f"*/{NAME}"))]
    fitting = [m for m in manifests if model.sha256 in _hashes(m)]
    fitting = [m for m in fitting if m["cpu"] in cpus] or fitting
    if len(fitting) != 1:
        libraries = ", ".join(f"{m['target']}-{m['arch']}" for m in fitting) or "none"
        raise TfcrossError(
            f"{model.path}: libraries under out/ for this model: {libraries}; "
            "name one: --library out/<target>-<arch>."
        )
    return fitting[0]


def _hashes(manifest: Mapping[str, Any]) -> set[str]:
    """Of the models of a library, and of the graphs that they were cut to."""
    graphs = [model["graph"] for model in manifest["models"] if "graph" in model]
    return {file["sha256"] for file in (*manifest["models"], *graphs)}


if __name__ == "__main__":
    sys.exit(script.run(main, __doc__))
