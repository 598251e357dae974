"""What the benches of transforms ask of TensorFlow's own package; run by the package's Python, not by ours.

python transforms_package.py make FOLDER        # graphs of several kinds, frozen, each a .pb
python transforms_package.py ask REQUESTS ANSWERS      # graphs through the tool
python transforms_package.py run REQUESTS ANSWERS      # graphs in a session
"""

from __future__ import annotations

import os
import pickle
import select
import signal
import sys
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
SECONDS = 20  # for one transform: some of the tool's do not end


def main(words):
    if words[0] == "make":
        from transforms_graphs import make_graphs

        make_graphs(Path(words[1]))
        return
    requests = pickle.loads(Path(words[1]).read_bytes())
    if words[0] == "run":
        Path(words[2]).write_bytes(pickle.dumps([run_graph(request) for request in requests]))
        return
    from tensorflow.python.util import _pywrap_transform_graph as tool

    answers = [in_a_child(tool, request) for request in requests]
    Path(words[2]).write_bytes(pickle.dumps(answers))


def run_graph(request):
    """The outputs for made-up inputs, or the error, of a graph, its inputs, outputs and an initialiser."""
    import numpy as np
    import tensorflow as tf

    content, inputs, outputs, init = request
    chance = np.random.RandomState(7)
    graph = tf.Graph()
    try:
        with graph.as_default():
            tf.import_graph_def(tf.compat.v1.GraphDef.FromString(content), name="")
        feeds = {f"{name}:0": made_up(graph.get_tensor_by_name(f"{name}:0"), chance) for name in inputs}
        with tf.compat.v1.Session(graph=graph) as session:
            if init in {operation.name for operation in graph.get_operations()}:
                session.run(init)
            return session.run([f"{name}:0" for name in outputs], feeds)
    except Exception as error:
        return str(error).splitlines()[0][:300]


def made_up(tensor, chance):
    shape = [size or 2 for size in tensor.shape] if tensor.shape.rank else []
    if tensor.dtype.is_floating:
        return chance.uniform(-1, 1, shape)
    return chance.randint(0, 20, shape or [5])


def in_a_child(tool, request):
    """The new graph's bytes, or what went wrong as text: the tool also aborts and runs on for ever."""
    readable, writable = os.pipe()
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        try:
            answer = tool.TransformGraphWithStringInputs(*request)
        except BaseException as error:
            answer = str(error).splitlines()[0] if str(error) else type(error).__name__
        with os.fdopen(writable, "wb") as stream:
            pickle.dump(answer, stream)
        os._exit(0)
    os.close(writable)
    content = b""
    while select.select([readable], [], [], SECONDS)[0]:
        part = os.read(readable, 1 << 20)
        if not part:
            os.close(readable)
            os.waitpid(child, 0)
            return pickle.loads(content) if content else "the process ended"
        content += part
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(readable)
    return f"no answer after {SECONDS} s"


if __name__ == "__main__":
    main(sys.argv[1:])
