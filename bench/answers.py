#!/usr/bin/env python3
"""Whether a library's answers are those of TensorFlow's own Python package, for real graphs.

    bench/answers.py [--venv FOLDER] [WORD...] GRAPH...

Builds each GRAPH with the WORDs of scons (default: TARGET=PI), runs the generic runner of the proof, under an
emulator where need be, and gives its inputs to TensorFlow's package, whatever release the library is of. A
string input gets a second of sound as a WAV file. It prints the largest absolute difference of each output,
and exits with 1 if one is above 1e-5. See bench/selective_header.py for FOLDER (200 MB).
"""

from __future__ import annotations

import argparse
import json
import math
import struct
import subprocess
import sys
import tempfile
import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from measure import ROOT, Checkout, print_table
from selective_header import make_venv

from tfcross import environment
from tfcross.cli.options import parse_options
from tfcross.graph.model import load_model
from tfcross.selection.selection import FileSelection
from tfcross.targets.profile import load_profile

LIMIT = 1e-5
RATE = 16_000
REFERENCE = """
import sys
import numpy as np
import tensorflow as tf
model, folder, *feeds = sys.argv[1:]
graph = tf.compat.v1.GraphDef.FromString(open(model, "rb").read())
outputs = sys.stdin.read().split()
fed = {}
for feed in feeds:
    name, _, path = feed.partition("=")
    fed[name + ":0"] = np.load(path) if path.endswith(".npy") else open(path, "rb").read()
with tf.Graph().as_default():
    tf.import_graph_def(graph, name="")
    with tf.compat.v1.Session() as session:
        for name, value in zip(outputs, session.run([name + ":0" for name in outputs], fed)):
            np.save(f"{folder}/{name.replace('/', '_')}.reference.npy", value)
"""


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--venv", type=Path, default=ROOT / "build" / "bench" / "tensorflow")
    parser.add_argument("words", nargs="+", metavar="WORD or GRAPH")
    given = parser.parse_args(words)
    options = [word for word in given.words if "=" in word] or ["TARGET=PI"]
    python = make_venv(given.venv.absolute())
    rows = []
    for model in (Path(word).absolute() for word in given.words if "=" not in word):
        with tempfile.TemporaryDirectory(prefix="answers-") as folder:
            rows += [[model.name, *row] for row in compare(python, model, options, Path(folder))]
    print_table(["graph", "output", "largest difference", "largest value", "largest index"], rows)
    return 0 if all(float(str(row[2])) <= LIMIT for row in rows) else 1


def compare(python: Path, model: Path, words: Sequence[str], folder: Path) -> list[list[object]]:
    Checkout(ROOT).scons(*words, f"MODEL={model}", f"OUT={folder}/out", log=folder / "scons.log")
    wav = folder / "sound.wav"
    write_sound(wav)
    strings = string_inputs(model)
    feeds = [word for name in strings for word in ("--feed", f"{name}={wav}")]
    said = run(command(folder / "out", words, model, [*feeds, "--write", str(folder)]))
    lines = [line.split() for line in said.splitlines()]
    inputs, outputs = ([line[1] for line in lines if line[0] == kind] for kind in ("input", "output"))
    reference = [f"{name}={file_of(folder, name)}" for name in inputs if name not in strings]
    reference += [f"{name}={wav}" for name in strings]
    argv = [str(python), "-c", REFERENCE, str(model), str(folder), *reference]
    subprocess.run(argv, input=" ".join(outputs), text=True, check=True, stderr=subprocess.DEVNULL)
    return [difference(folder, name) for name in outputs]


def difference(folder: Path, name: str) -> list[object]:
    ours, theirs = (np.load(file_of(folder, name, end)) for end in (".npy", ".reference.npy"))
    same_place = "equal" if ours.argmax() == theirs.argmax() else "DIFFERENT"
    return [name, f"{np.abs(ours - theirs).max():.2g}", f"{theirs.max():.4g}", same_place]


def file_of(folder: Path, name: str, end: str = ".npy") -> Path:
    return folder / f"{name.replace('/', '_').replace(':', '_')}{end}"


def string_inputs(model: Path) -> list[str]:
    return [
        placeholder.name for placeholder in load_model(model).placeholders if placeholder.dtype == "DT_STRING"
    ]


def command(out: Path, words: Sequence[str], model: Path, arguments: Sequence[str]) -> list[str]:
    """The runner's command line; words tell the build's folder, the manifest tells the selection's."""
    options = parse_options(dict(word.split("=", 1) for word in [*words, f"MODEL={model}"]))
    profile = load_profile(ROOT, options.target, options.arch or None, options.release)
    manifest = json.loads((out / profile.name / "manifest.json").read_text())
    types = "" if options.types == "full" else f"-{options.types}"
    work = ROOT / f"build/{profile.name}/{options.release}-{manifest['toolchain']['name']}{types}/models"
    kernels = tuple((op, text) for op, text in manifest["kernels"])
    keys = [
        FileSelection(tuple(sorted(manifest["ops"])), kernels, gradients).key for gradients in (False, True)
    ]
    app = next(path for key in keys if (path := work / key / "proof0/run_graph").is_file())
    emulator = profile.emulator
    prefix = [emulator.program, *emulator.arguments] if emulator and not profile.native else []
    return [*prefix, str(app), str(model), *arguments]


def run(argv: Sequence[str]) -> str:
    done = subprocess.run(argv, env={"PATH": environment.path()}, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(argv)}: status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def write_sound(path: Path) -> None:
    """A second of a rising tone with overtones, 16 bits, mono."""
    phases = [2 * math.pi * (150 + 100 * i / RATE) * i / RATE for i in range(RATE)]
    samples = [sum(math.sin(k * phase) / k for k in (1, 2, 3, 5)) for phase in phases]
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE)
        sound.writeframes(b"".join(struct.pack("<h", int(8000 * sample)) for sample in samples))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
