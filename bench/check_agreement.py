#!/usr/bin/env python3
"""How often scripts/check_graph.py says what TensorFlow itself says of a graph.

    bench/check_agreement.py [--venv=FOLDER] [--every=N] [--show]
    bench/check_agreement.py --library=out/PI-armv7 [--every=N] [--show] TARGET=PI [RELEASE=…] [TOOLCHAIN=…] …

TensorFlow is its Python package of our release, in a virtual environment in FOLDER (default:
build/bench/tensorflow), made unless it is there; or with --library the one in an output folder that was built
by these words, under the emulator where need be. For each op of the registry, and each type that each of its
attributes can have, a session loads a graph with such a node, places it and makes its kernel. --every=N takes
each N-th graph only, --show prints the graphs on which the two do not agree. Graphs that a shape function or
the kernel refuses for made-up values are counted apart.
"""

from __future__ import annotations

import argparse
import json
import pickle
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from measure import ROOT, print_table
from selective_header import NOT_IN_PACKAGE, make_venv, options, script

sys.path.insert(0, str(ROOT / "tests" / "integration"))
from library_sessions import ask_library, build_sessions  # noqa: E402
from op_graphs import ABOUT_NODES, OpGraph, op_graphs  # noqa: E402

from tfcross.check.model import ModelCheck, check_model  # noqa: E402
from tfcross.check.purposes import load_purposes  # noqa: E402
from tfcross.check.verdicts import Rules  # noqa: E402
from tfcross.cli.options import parse_options  # noqa: E402
from tfcross.cli.request import release_registry, requested_toolchain  # noqa: E402
from tfcross.graph.model import load_model  # noqa: E402
from tfcross.output.manifest import registered  # noqa: E402
from tfcross.registry.registry import Registry  # noqa: E402
from tfcross.selection.rule import KernelRule, core_rule  # noqa: E402
from tfcross.targets.profile import Profile  # noqa: E402

#: Loads each graph as a C++ program would, asks for its node, and appends what the runtime says to a file:
#: two lines for a graph, so that one is there if it kills the process.
SESSIONS = """
import ctypes, json, os, pickle, sys
import tensorflow
folder = os.path.dirname(tensorflow.__file__)
lib = ctypes.CDLL(os.path.join(folder, "libtensorflow_cc.so.2"))
for name in ("TF_NewStatus", "TF_NewSessionOptions", "TF_NewDeprecatedSession", "TF_Message"):
    getattr(lib, name).restype = ctypes.c_void_p
lib.TF_Message.restype = ctypes.c_char_p
P = ctypes.c_void_p
target = (ctypes.c_char_p * 1)(b"x")

def said(graph):
    status, options = P(lib.TF_NewStatus()), P(lib.TF_NewSessionOptions())
    session = P(lib.TF_NewDeprecatedSession(options, status))
    lib.TF_ExtendGraph(session, graph, ctypes.c_size_t(len(graph)), status)
    if lib.TF_GetCode(status) == 0:
        lib.TF_Run(session, None, None, None, 0, None, None, 0, target, 1, None, status)
    text = "" if lib.TF_GetCode(status) == 0 else lib.TF_Message(status).decode(errors="replace")
    text = "" if text.startswith("You must feed a value for placeholder") else text
    lib.TF_DeleteDeprecatedSession(session, P(lib.TF_NewStatus()))
    return text

contents, first = pickle.load(open(sys.argv[1], "rb")), int(sys.argv[3])
with open(sys.argv[2], "a") as out:
    for number in range(first, len(contents)):
        out.write(json.dumps([number, None]) + "\\n")
        out.flush()
        out.write(json.dumps([number, said(contents[number])]) + "\\n")
"""
#: Ops whose kernels are in the package's Python bindings, no part of the core.
PYTHON_OPS = ("PyFunc", "PyFuncStateless", "EagerPyFunc")
#: Ops whose kernels in the package are oneDNN's, for some types or all: it is built with that, we are not.
ONEDNN_OPS = (
    "L2Loss",
    "QuantizedAvgPool",
    "QuantizedMatMulWithBiasAndDequantize",
    "QuantizedMaxPool",
    "RequantizationRangePerChannel",
    "RequantizePerChannel",
    "_FusedBatchNormEx",
    "_FusedDepthwiseConv2dNative",
)


#: Tells of each graph what a runtime says of it: "" if it runs it, None if its process ended.
Ask = Callable[[Sequence[bytes]], list[str | None]]


@dataclass(frozen=True)
class Answer:
    """What the runtime says of a graph: "" if it places it, None if the process did not live to tell."""

    graph: OpGraph
    content: bytes
    said: str | None

    @property
    def about_values(self) -> bool:
        return bool(self.said) and not ABOUT_NODES.search(str(self.said))


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--venv", type=Path, default=ROOT / "build" / "bench" / "tensorflow")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--show", action="store_true")
    parser.add_argument("--library", type=Path)
    chosen, variables = parser.parse_known_args(words)
    with tempfile.TemporaryDirectory(prefix="check-agreement-") as name:
        folder = Path(name)
        if chosen.library:
            rules, version, ask = library_rules(chosen.library.absolute(), variables, folder)
        else:
            rules, version = desktop_rules()
            ask = partial(ask_package, make_venv(chosen.venv.absolute()), folder)
        graphs = [graph for graph in op_graphs(rules.registry) if in_package(rules.registry, graph.op)]
        answers = ask_all(graphs[:: chosen.every], ask)
        checks = {answer.graph.name: checked(answer, rules, version, folder) for answer in answers}
    return report(answers, checks, chosen.show)


def library_rules(library: Path, variables: Sequence[str], folder: Path) -> tuple[Rules, int, Ask]:
    """What a build by ``variables`` knows, and how to ask the library that it made."""
    options = parse_options(dict(word.split("=", 1) for word in variables))
    registries = release_registry(ROOT, options)
    core, data = registries.core, registries.data
    registry = registries.registry(options.types)
    manifest = json.loads((library / "manifest.json").read_text())
    rules = Rules(
        kernels=core_rule(core, registry),
        purposes=load_purposes(ROOT),
        refuses_unknown_attrs=data.refuses_unknown_attrs,
        library=registered(manifest),
        data_types=registries.data_types(),
    )
    app = build_sessions(
        library, requested_toolchain(ROOT, options, registries.profile).linker, folder / "app"
    )
    return rules, registries.graph_version(), partial(ask_files, app, registries.profile, folder)


def ask_files(app: Path, profile: Profile, folder: Path, contents: Sequence[bytes]) -> list[str | None]:
    paths = [str(folder / f"{number}.pb") for number in range(len(contents))]
    for path, content in zip(paths, contents, strict=True):
        Path(path).write_bytes(content)
    prefix = [profile.emulator.program, *profile.emulator.arguments] if profile.emulator else []

    def run(app: Path, names: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*prefix, str(app), names], capture_output=True, text=True, errors="replace", check=False
        )

    said = ask_library(app, paths, run)
    return [said[path] for path in paths]


def desktop_rules() -> tuple[Rules, int]:
    """The registry of TensorFlow's Python package: no defines of ours, nothing that is not built."""
    registries = script.requested_registry(options("--graphs="))
    kernels = KernelRule(registries.registry(script.DESKTOP), inserted=registries.core.inserted)
    return Rules(
        kernels, load_purposes(ROOT), registries.data.refuses_unknown_attrs
    ), registries.graph_version()


def in_package(registry: Registry, op: str) -> bool:
    files = [registry.ops[op].file, *(kernel.file for kernel in registry.kernels_of(op))]
    return op not in (*PYTHON_OPS, *ONEDNN_OPS) and not any(file.startswith(NOT_IN_PACKAGE) for file in files)


def ask_all(graphs: Sequence[OpGraph], ask: Ask) -> list[Answer]:
    """What the runtime says of each graph, with the first values that a shape function takes."""
    told: dict[str, Answer] = {}
    for number in range(max(len(graph.variants) for graph in graphs)):
        left = [g for g in graphs if g.name not in told or told[g.name].about_values]
        asked = [(graph, graph.variants[number]) for graph in left if number < len(graph.variants)]
        for (graph, content), said in zip(asked, ask([content for _, content in asked]), strict=True):
            told[graph.name] = Answer(graph, content, said)
    return list(told.values())


def ask_package(python: Path, folder: Path, contents: Sequence[bytes]) -> list[str | None]:
    """The runtime's word on each graph; a new process goes on behind one that ended another."""
    pickled, answers = folder / "graphs", folder / "answers"
    pickled.write_bytes(pickle.dumps(contents))
    answers.write_text("")
    said: dict[int, str | None] = {}
    while len(said) < len(contents):
        command = [str(python), "-c", SESSIONS, str(pickled), str(answers), str(len(said))]
        subprocess.run(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False)
        before = len(said)
        said = dict(json.loads(line) for line in answers.read_text().splitlines())
        if len(said) == before:
            raise SystemExit(
                "TensorFlow's package cannot be loaded; see what `import tensorflow` says there."
            )
    return [said[number] for number in range(len(contents))]


def checked(answer: Answer, rules: Rules, version: int, folder: Path) -> ModelCheck:
    path = folder / "graph.pb"
    path.write_bytes(answer.content)
    return check_model(load_model(path), rules, version)


def report(answers: Sequence[Answer], checks: Mapping[str, ModelCheck], show: bool) -> int:
    """Prints the agreement; status 1 if there is any graph on which the two do not agree."""
    counts: Counter[str] = Counter()
    for answer in answers:
        check = checks[answer.graph.name]
        kind = kind_of(answer, check)
        counts[kind] += 1
        if kind != "agree" and show:
            causes = [f"{verdict.cause}: {verdict.what}" for _, verdict in check.bad()] or ["runs"]
            said = {None: "died", "": "runs"}.get(answer.said, str(answer.said)[:300])
            print(f"{kind}: {answer.graph.name}: we: {causes[0]}; TensorFlow: {said}")
    told = counts["agree"] + counts["not"]
    rate = f"{100 * counts['agree'] / max(told, 1):.2f} %"
    ops = len({answer.graph.op for answer in answers})
    row = [ops, told, counts["agree"], rate, counts["values"], counts["died"]]
    print_table(["ops", "graphs", "agree", "rate", "refused for made-up values", "process died"], [row])
    return 1 if counts["not"] else 0


def kind_of(answer: Answer, check: ModelCheck) -> str:
    if answer.said is None:
        return "died"
    if answer.about_values:
        return "values"
    return "agree" if check.runs == (not answer.said) else "not"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
