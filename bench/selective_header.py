#!/usr/bin/env python3
"""Whether our selective headers are those that TensorFlow's own library makes of the same graphs.

    bench/selective_header.py [--venv=FOLDER] [GRAPH...]

A virtual environment with TensorFlow's Python package of our release (200 MB, and as much again of what it
needs) is made in FOLDER (default: build/bench/tensorflow) unless it is there. The default graphs are those in
../shared/models, where that folder is, and one graph with a node for every kernel that we find for a desktop
and that the package can have. White space and comments do not count. Exits with 1 if a header differs.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from measure import ROOT, print_table

from tfcross.graph.construction import attr_value, make_node
from tfcross.graph.messages import GraphDef
from tfcross.registry.opdef import AttrDef, OpDef
from tfcross.registry.registry import Kernel, Registry

sys.path.insert(0, str(ROOT / "scripts"))
import print_selective_registration_header as script

PACKAGE = "tensorflow-cpu=={release}"
SHARED = ROOT.parent / "shared" / "models"
UPSTREAM = """
import json, sys
from tensorflow.python.tools import selective_registration_header_lib as library
json.dump([library.get_header([path]) for path in sys.argv[1:]], open("headers.json", "w"))
"""
#: Not linked into the package, or (fact_op) with labels that are only known at run time.
NOT_IN_PACKAGE = (
    "tensorflow/core/kernels/risc/",
    "tensorflow/core/distributed_runtime/",
    "tensorflow/core/kernels/fact_op.cc",
)
#: Attrs without a default of other kinds than types: any value will do, no kernel asks for one.
ANY = {"int": 1, "float": 1.0, "bool": False, "string": b"x", "shape": [], "func": None, "tensor": None}


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--venv", type=Path, default=ROOT / "build" / "bench" / "tensorflow")
    parser.add_argument("graphs", nargs="*", type=Path)
    chosen = parser.parse_args(words)
    python = make_venv(chosen.venv.absolute())
    with tempfile.TemporaryDirectory(prefix="selective-header-") as folder:
        graphs = [path.absolute() for path in chosen.graphs] or default_graphs(Path(folder))
        ours = [script.make_header(options(f"--graphs={path}")) for path in graphs]
        theirs = upstream_headers(python, graphs, Path(folder))
    differences = [
        difference(own, upstream) for own, upstream in zip(map(names, ours), map(names, theirs), strict=True)
    ]
    equal = [normalised(own) == normalised(upstream) for own, upstream in zip(ours, theirs, strict=True)]
    rows = zip([path.name for path in graphs], [len(names(own)) for own in ours], equal, strict=True)
    print_table(["graph", "ops and kernels", "equal"], rows)
    for path, lines in zip(graphs, differences, strict=True):
        print("".join(f"\n{path.name}: {line}" for line in lines))
    return 0 if all(equal) else 1


def options(*words: str) -> argparse.Namespace:
    return script.parse(list(words))


def make_venv(folder: Path) -> Path:
    """The Python of the virtual environment, which is made if it is not there."""
    python = folder / "bin" / "python"
    if not python.exists():
        package = PACKAGE.format(release=options("--graphs=").build.release)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", package], check=True)
    return python


def upstream_headers(python: Path, graphs: Iterable[Path], folder: Path) -> list[str]:
    """What TensorFlow's own library makes of ``graphs``; its log is kept quiet."""
    subprocess.run(
        [str(python), "-c", UPSTREAM, *map(str, graphs)], cwd=folder, check=True, stderr=subprocess.DEVNULL
    )
    headers: list[str] = json.loads((folder / "headers.json").read_text())
    return headers


def default_graphs(folder: Path) -> list[Path]:
    every = folder / "every_kernel.pb"
    registry = script.requested_registry(options("--graphs=")).registry(script.DESKTOP)
    every.write_bytes(GraphDef(node=nodes_of(registry)).SerializeToString())
    return [*sorted(SHARED.glob("*.pb")), every]


def nodes_of(registry: Registry) -> list[Any]:
    """A node for each CPU kernel, with the first types that it was registered for."""
    kernels = [
        kernel
        for kernel in registry.kernels
        if kernel.device in ("CPU", "DEFAULT")
        and kernel.op in registry.ops
        and not kernel.file.startswith(NOT_IN_PACKAGE)
        and is_legal(registry.ops[kernel.op], kernel)
    ]
    return [node_of(f"n{number}", registry.ops[kernel.op], kernel) for number, kernel in enumerate(kernels)]


def is_legal(op: OpDef, kernel: Kernel) -> bool:
    """Whether the op's definition allows the types. Upstream's library does not ask; a runtime does."""
    allowed = {attr.name: attr.allowed for attr in op.attrs if attr.allowed}
    return all(numbers[0] in allowed.get(name, numbers) for name, numbers in kernel.constraints)


def node_of(name: str, op: OpDef, kernel: Kernel) -> Any:
    node = make_node(name, op.name)
    types = {attr: numbers[0] for attr, numbers in kernel.constraints}
    values = {attr: allowed[0] for attr, allowed in kernel.values}
    for attr in op.attrs:
        if attr.name in types:
            set_types(node.attr[attr.name], attr, types[attr.name])
        elif attr.name in values:
            node.attr[attr.name].CopyFrom(attr_value(values[attr.name]))
        elif attr.default is None:
            set_anything(node.attr[attr.name], attr)
    if kernel.label:
        node.attr["_kernel"].s = kernel.label.encode()
    return node


def set_types(value: Any, attr: AttrDef, number: int) -> None:
    if attr.type.startswith("list"):
        value.list.type.append(number)
    else:
        value.type = number


def set_anything(value: Any, attr: AttrDef) -> None:
    if attr.type in ("type", "list(type)"):
        set_types(value, attr, attr.allowed[0] if attr.allowed else 1)
    elif attr.type.startswith("list"):
        value.list.SetInParent()
    elif attr.allowed_strings:
        value.s = attr.allowed_strings[0].encode()
    elif ANY[attr.type] is not None:
        value.CopyFrom(attr_value(ANY[attr.type]))
    else:
        getattr(value, attr.type).SetInParent()


def names(header: str) -> list[str]:
    """The ops and the classes that the header names, with their kind."""
    classes = re.findall(r'^\s*"(.*)",$', header, re.MULTILINE)
    return [f"op {op}" for op in re.findall(r'isequal\(op, "(.*)"\)', header)] + [
        f"class {c}" for c in classes
    ]


def difference(ours: Iterable[str], theirs: Iterable[str]) -> list[str]:
    ours, theirs = set(ours), set(theirs)
    return [f"ours only: {name}" for name in sorted(ours - theirs)] + [
        f"upstream only: {name}" for name in sorted(theirs - ours)
    ]


def normalised(header: str) -> str:
    return "".join(re.sub(r"//.*", "", header).split())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
