#!/usr/bin/env python3
"""Tell of each node of some graphs whether it will run on the target, and what to do where it will not.

    scripts/check_graph.py MODEL... TARGET=PI [ARCH=...] [RELEASE=...] [TYPES=slim|full] [--json] [--nodes]
    scripts/check_graph.py MODEL... --library out/PI-armv7 [--json] [--nodes]
                           [INPUTS='x=float[1,8,8,3],...'] [OUTPUTS=y,...] [SIGNATURE=...]
                           [TAGS=...] [GRAPH=...] [TRANSFORMS='...']

The first form is about a library that is to be built for these graphs, the second about one that is there.
SavedModels and checkpoints are frozen, and with these words models are cut and transformed, as a build does.
Without --nodes, equal nodes share a line.
Exit status: 0 if every model can run, 1 if one cannot, 2 for a mistake.
"""

from __future__ import annotations

import gc
import json
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tfcross.cli import script  # noqa: E402

script.start(ROOT)

from tfcross.check.model import ModelCheck, check_model  # noqa: E402
from tfcross.check.purposes import load_purposes  # noqa: E402
from tfcross.check.report import json_check, text_check  # noqa: E402
from tfcross.check.verdicts import Rules  # noqa: E402
from tfcross.cli.models import requested_models  # noqa: E402
from tfcross.cli.options import Options, parse_options  # noqa: E402
from tfcross.cli.request import release_registry  # noqa: E402
from tfcross.cli.words import split_words  # noqa: E402
from tfcross.errors import TfcrossError  # noqa: E402
from tfcross.output.manifest import Library, read_library  # noqa: E402
from tfcross.selection.rule import core_rule  # noqa: E402

FLAGS, VALUES = ("--json", "--nodes"), ("--library",)


@dataclass(frozen=True)
class Checked:
    """``place`` names what the checks are for, ``kernels`` the folder of most of the release's kernels."""

    place: str
    kernels: str
    checks: list[ModelCheck]


def check(names: list[str], options: Options, library: Library | None) -> Checked:
    """The checks of the models ``names``. Raises TfcrossError."""
    models = requested_models(ROOT, names, options)
    registries = release_registry(ROOT, options)
    rules = Rules(
        kernels=core_rule(registries.core, registries.registry(options.types)),
        purposes=load_purposes(ROOT),
        refuses_unknown_attrs=registries.data.refuses_unknown_attrs,
        library=library.registered if library else None,
        others=registries.others(options.types),
        data_types=registries.data_types(),
    )
    version = registries.graph_version()
    place = f"{registries.profile.name}, TensorFlow {registries.release.version}, TYPES={options.types}"
    return Checked(place, registries.data.kernels, [check_model(model, rules, version) for model in models])


def main(words: list[str]) -> int:
    gc.disable()  # one run, which ends before there is much to collect: 0.1 s less
    line = split_words(words, FLAGS, VALUES)
    if not line.names:
        raise TfcrossError("no model is given; pass graphs (.pb, .pbtxt), SavedModel folders or checkpoints.")
    library = read_library(Path(line.values["--library"])) if "--library" in line.values else None
    variables = {**(library.variables if library else {}), **line.variables}
    options = parse_options(variables, types=library.types if library else "full")
    checked = check(line.names, options, library)
    if "--json" in line.flags:
        document = {
            "for": checked.place,
            "models": [json_check(model_check) for model_check in checked.checks],
        }
        print(json.dumps(document, indent=1))
    else:
        words = [f"{name}={value}" for name, value in line.variables.items()]
        texts = [
            text_check(one, checked.place, checked.kernels, "--nodes" in line.flags, words)
            for one in checked.checks
        ]
        print("\n".join(texts), end="")
    return 0 if all(model_check.runs for model_check in checked.checks) else 1


if __name__ == "__main__":
    sys.exit(script.run(main, __doc__))
