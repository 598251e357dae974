#!/usr/bin/env python3
"""Freezes models here and with TensorFlow: CPU seconds, nodes, and how far TensorFlow's answers are apart.

    bench/freezing.py --tensorflow=PYTHON [--folder=models]

PYTHON is one that has TensorFlow 2.14.1 (pip install tensorflow_cpu==2.14.1). It makes MobileNetV2,
EfficientNetB0 and ResNet50 with random weights in the folder, freezes them, and runs what was frozen here.
TensorFlow's seconds are without its import and without loading the model. Status 1 if one is slower here.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measure import ROOT  # noqa: F401 (puts the project on the path)

from tfcross.graph.freezing.freeze import Request, freeze
from tfcross.graph.freezing.source import read_saved_model

NAMES = ("MobileNetV2", "EfficientNetB0", "ResNet50")
MAKE = """
import json, os, sys, time
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2
folder, *names = sys.argv[1:]
for name in names:
    place = os.path.join(folder, name)
    getattr(tf.keras.applications, name)(weights=None).save(place)
    loaded = tf.saved_model.load(place)
    signature = loaded.signatures["serving_default"]
    begun = time.process_time()
    graph = convert_variables_to_constants_v2(signature).graph.as_graph_def()
    graph.SerializeToString()
    seconds = time.process_time() - begun
    key = list(signature.structured_input_signature[1])[0]
    image = np.random.default_rng(1).random((1, 224, 224, 3), "float32")
    outputs = {key: value.numpy() for key, value in signature(**{key: tf.constant(image)}).items()}
    np.savez(place + ".npz", input=image, **outputs)
    print(json.dumps({"name": name, "seconds": seconds, "nodes": len(graph.node)}), flush=True)
"""
RUN = """
import json, os, sys
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tensorflow as tf
file, held, ends = sys.argv[1], np.load(sys.argv[2]), json.loads(sys.argv[3])
graph = tf.compat.v1.GraphDef.FromString(open(file, "rb").read())
with tf.Graph().as_default(), tf.compat.v1.Session() as session:
    tf.import_graph_def(graph, name="")
    feeds = {end["tensor"] + ":0": held["input"] for end in ends["inputs"].values()}
    results = {key: session.run(end["tensor"] + ":0", feeds) for key, end in ends["outputs"].items()}
print(max(np.abs(result - held[key]).max() for key, result in results.items()))
"""


def python(program: str, code: str, *words: str) -> str:
    done = subprocess.run([program, "-c", code, *words], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"error: {program}: {done.stderr.strip().splitlines()[-1]}")
    return done.stdout


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tensorflow", required=True)
    parser.add_argument("--folder", type=Path, default=None)
    chosen = parser.parse_args(words)
    folder = chosen.folder or Path(tempfile.mkdtemp(prefix="freezing-"))
    folder.mkdir(parents=True, exist_ok=True)
    made = python(chosen.tensorflow, MAKE, str(folder), *NAMES)
    print("| model | nodes here (TensorFlow) | CPU s here (TensorFlow) | largest difference |")
    print("|---|---|---|---|")
    slower = 0
    for upstream in map(json.loads, made.splitlines()):
        name = upstream["name"]
        file = folder / f"{name}.pb"
        begun = time.process_time()
        frozen = freeze(read_saved_model(folder / name), Request())
        frozen.write(file)
        seconds = time.process_time() - begun
        gap = float(python(chosen.tensorflow, RUN, str(file), str(folder / f"{name}.npz"), frozen.describe()))
        slower += seconds > upstream["seconds"]
        nodes = f"{len(frozen.nodes)} ({upstream['nodes']})"
        print(f"| {name} | {nodes} | {seconds:.2f} ({upstream['seconds']:.2f}) | {gap:.1e} |")
    return 1 if slower else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
