#!/usr/bin/env python3
"""Tell how far the answers of one model are from another's: before and after it was frozen or transformed.

    scripts/compare_models.py BEFORE AFTER [--inputs 'x=float[1,8,8,3]'] [--outputs y] [--seed N]
                              [--answers answers.npz] [--library out/PI-armv7] [TARGET=PI]
                              [--absolute 1e-4] [--relative 1e-3]

Both are run with a library that a build made, on this machine or under the target's emulator, and get the
same values: seeded ones, or those of --answers, an .npz file with in_<input>, and out_<output> to compare
with. Without --library it is the one below out/ that has all ops of both. A float may differ by the larger of
--absolute and of --relative times the output's largest number (1e-5 of that if neither is given).

Exit status: 0 if they agree, 1 if not, 2 for a mistake.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tfcross.cli import script  # noqa: E402

script.start(ROOT)

from tfcross import environment  # noqa: E402
from tfcross.app.answers import Answers, answers_in, parse_tolerance  # noqa: E402
from tfcross.app.pair import Pair, compare_pair, lacking_ops, load_pair, wanted_answers  # noqa: E402
from tfcross.app.runner import Runner, make_runner  # noqa: E402
from tfcross.cli.options import parse_options  # noqa: E402
from tfcross.cli.request import requested_profile, requested_toolchain  # noqa: E402
from tfcross.cli.words import CommandLine, split_words  # noqa: E402
from tfcross.errors import TfcrossError  # noqa: E402
from tfcross.graph.cutting.ends import parse_ends  # noqa: E402
from tfcross.output.manifest import NAME, read_library  # noqa: E402

OPTIONS = ("--inputs", "--outputs", "--answers", "--seed", "--library", "--absolute", "--relative")


def main(words: list[str]) -> int:
    line = split_words(words, (), OPTIONS)
    if len(line.names) != 2:
        raise TfcrossError("give two models: scripts/compare_models.py BEFORE AFTER. See --help.")
    value = line.values
    ends = parse_ends(value.get("--inputs", ""), value.get("--outputs", ""), "")
    given = {name: value[f"--{name}"] for name in ("absolute", "relative") if f"--{name}" in value}
    tolerance = parse_tolerance(given, "--")
    seed = value.get("--seed", "1")
    if not seed.isdecimal():
        raise TfcrossError(f"--seed {seed}: is no number; give one as 7.")
    with tempfile.TemporaryDirectory() as folder:
        pair = load_pair(Path(line.names[0]), Path(line.names[1]), ends, Path(folder))
        told = answers_in(pair.before, Path(value["--answers"])) if "--answers" in value else Answers(())
        answers = wanted_answers(pair, told, tolerance)
        runner = _runner(line, pair)
        lines, agree = compare_pair(pair, runner, answers, seed, Path(folder))
    print("".join(f"{text}\n" for text in lines), end="")
    return 0 if agree else 1


def _runner(line: CommandLine, pair: Pair) -> Runner:
    """Linked with the library that is named, or that fits."""
    library = Path(line.values["--library"]) if "--library" in line.values else _library(line, pair)
    lacks = lacking_ops(pair, library)
    if lacks:
        raise TfcrossError(f"{lacks}; {_build(line, pair)}.")
    variables = {**read_library(library).variables, **line.variables}
    options = parse_options(variables)
    profile = requested_profile(ROOT, options)
    toolchain = requested_toolchain(ROOT, options, profile)
    work = ROOT / "build" / "compare"
    fitted = toolchain.fitted(profile)
    return make_runner(ROOT, library, fitted, toolchain, environment.compiler_environment(), work)


def _library(line: CommandLine, pair: Pair) -> Path:
    """The newest of those below out/ for TARGET= that has all ops of both models."""
    out = Path(line.variables.get("OUT", "out"))
    target, arch = line.variables.get("TARGET", "*"), line.variables.get("ARCH", "*")
    manifests = sorted(out.glob(f"{target}-{arch}/{NAME}"), key=lambda path: -path.stat().st_mtime)
    if not manifests:
        raise TfcrossError(f"{out}: there is no library for {target}-{arch}; {_build(line, pair)}.")
    lacks = {path.parent: lacking_ops(pair, path.parent) for path in manifests}
    fitting = [folder for folder, lack in lacks.items() if not lack]
    if not fitting:
        raise TfcrossError(f"{'; '.join(lacks.values())}; {_build(line, pair)}.")
    return fitting[0]


def _build(line: CommandLine, pair: Pair) -> str:
    target = line.variables.get("TARGET", "…")
    return f"build one for both: scons TARGET={target} MODEL={pair.before.path},{pair.after.path}"


if __name__ == "__main__":
    sys.exit(script.run(main, __doc__))
