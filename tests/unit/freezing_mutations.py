"""Damages for tests of freezing: files, tables with right checksums, graphs."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from checkpoint_files import FLOAT, INT32, STRING, Tensor, floats, table, write_bundle, write_slice_table
from google.protobuf.message import DecodeError
from mutations import MUTATORS, damaged_graph
from training_graphs import CALL, MULTIPLIED, VARIABLE, function, meta_graph

from tfcross.errors import TfcrossError
from tfcross.graph.checkpoints.sstable import Table
from tfcross.graph.freezing.freeze import Request, freeze
from tfcross.graph.freezing.frozen import Frozen
from tfcross.graph.freezing.source import read_source
from tfcross.graph.messages import GraphDef, SavedModel

FIXTURES = Path(__file__).parents[1] / "fixtures" / "freezing"
SAVED_MODELS = ("loops", "tables", "counter", "v1")
OPS = [
    "AssignVariableOp",
    "BatchFunction",
    "Case",
    "Const",
    "Enter",
    "Exit",
    "HashTableV2",
    "Identity",
    "IdentityN",
    "If",
    "InitializeTableV2",
    "LookupTableImportV2",
    "Merge",
    "NextIteration",
    "NoOp",
    "PartitionedCall",
    "Placeholder",
    "ReadVariableOp",
    "ResourceGather",
    "RestoreV2",
    "StatefulPartitionedCall",
    "Switch",
    "VarHandleOp",
    "VariableV2",
    "While",
]


def checkpoint_folder(folder: Path) -> None:
    """A .meta with a call of a function, and checkpoints of both formats."""
    tensors = {
        "w": Tensor(FLOAT, (2,), slices=[([(0, 1)], floats(2)), ([(1, 1)], floats(3))]),
        "step": Tensor(INT32, (), b"\1\0\0\0"),
    }
    meta = meta_graph(VARIABLE + CALL + function("f", MULTIPLIED), {"x": "x:0", ">y": "y:0"})
    for name in ("m", "v"):
        (folder / f"{name}.meta").write_bytes(meta.SerializeToString())
    write_bundle(folder / "m", {**tensors, "text": Tensor(STRING, (2,), [b"a", b"bc"])})
    write_slice_table(folder / "v", tensors)


def seed(name: str, folder: Path) -> Path:
    """Puts the seed into ``folder``; gives what to freeze."""
    if name in SAVED_MODELS:
        shutil.copytree(FIXTURES / name, folder, dirs_exist_ok=True)
        return folder
    checkpoint_folder(folder)
    return folder / name


SEEDS = (*SAVED_MODELS, "m", "v")


def damage_bytes(folder: Path, chance: random.Random) -> None:
    path = chance.choice(sorted(path for path in folder.rglob("*") if path.is_file()))
    data = bytearray(path.read_bytes())
    chance.choice(MUTATORS)(data, chance)
    path.write_bytes(data)


def damage_table(folder: Path, chance: random.Random) -> None:
    """An entry of a checkpoint's table; all checksums are right."""
    paths = [path for path in folder.rglob("*") if path.suffix == ".index" or path.name == "v"]
    path = chance.choice(sorted(paths))
    entries = {key: bytes(value) for key, value in Table(path).items()}
    key = chance.choice(sorted(entries))
    value = bytearray(entries.pop(key))
    if value:
        chance.choice(MUTATORS)(value, chance)
    if chance.random() < 0.2:
        name = bytearray(key or b"k")
        chance.choice(MUTATORS)(name, chance)
        key = bytes(name)
    path.write_bytes(table({**entries, key: bytes(value)}, snappy=chance.random() < 0.2))


def damage_graph(folder: Path, chance: random.Random) -> None:
    """Parts of a SavedModel's graph: nodes, functions, values, the signature."""
    path = folder / "saved_model.pb"
    if not path.is_file():
        damage_table(folder, chance)
        return
    saved = SavedModel.FromString(path.read_bytes())
    meta = saved.meta_graphs[0]
    if chance.random() < 0.3:
        try:
            graph = GraphDef.FromString(damaged_graph(meta.graph_def.SerializeToString(), chance))
            meta.graph_def.CopyFrom(graph)
        except (DecodeError, ValueError):
            return
    for _ in range(chance.randint(1, 4)):
        chance.choice(PARTS)(meta, chance)
    path.write_bytes(saved.SerializeToString())


def _nodes(meta: Any, chance: random.Random) -> Any:
    functions = meta.graph_def.library.function
    if functions and chance.random() < 0.5:
        return chance.choice(functions).node_def
    return meta.graph_def.node


def another_op(meta: Any, chance: random.Random) -> None:
    names = [*OPS, *(each.signature.name for each in meta.graph_def.library.function)]
    nodes = _nodes(meta, chance)
    if nodes:
        chance.choice(nodes).op = chance.choice(names)


def another_function(meta: Any, chance: random.Random) -> None:
    names = [each.signature.name for each in meta.graph_def.library.function] or ["none"]
    for node in _nodes(meta, chance):
        for attr in node.attr.values():
            if attr.WhichOneof("value") == "func" and chance.random() < 0.3:
                attr.func.name = chance.choice(names)


def another_input(meta: Any, chance: random.Random) -> None:
    nodes = _nodes(meta, chance)
    with_inputs = [node for node in nodes if node.input]
    if with_inputs:
        node = chance.choice(with_inputs)
        given = chance.choice(
            [*node.input, *(other.name for other in nodes), "x:9", "^", "", "a:b:c:d", "x:-1"]
        )
        node.input[chance.randrange(len(node.input))] = given


def lose_input(meta: Any, chance: random.Random) -> None:
    with_inputs = [node for node in _nodes(meta, chance) if node.input]
    if with_inputs:
        del chance.choice(with_inputs).input[0]


def lose_attr(meta: Any, chance: random.Random) -> None:
    with_attrs = [node for node in _nodes(meta, chance) if node.attr]
    if with_attrs:
        node = chance.choice(with_attrs)
        del node.attr[chance.choice(sorted(node.attr))]


def strange_value(meta: Any, chance: random.Random) -> None:
    constants = [node for node in _nodes(meta, chance) if node.op == "Const"]
    if constants:
        tensor = chance.choice(constants).attr["value"].tensor
        tensor.dtype = chance.choice([0, 1, 3, 7, 9, 10, 20, 21, 99])
        if chance.random() < 0.5:
            tensor.tensor_shape.dim.add(size=chance.choice([0, 1, -1, 2**31, 2**62]))
        tensor.tensor_content = bytes(chance.randrange(12))


def strange_number(meta: Any, chance: random.Random) -> None:
    for node in _nodes(meta, chance):
        for attr in node.attr.values():
            if attr.WhichOneof("value") == "i" and chance.random() < 0.5:
                attr.i = chance.choice([-(2**63), -3, 0, 2**31, 2**62])


def change_function(meta: Any, chance: random.Random) -> None:
    if not meta.graph_def.library.function:
        return
    changed = chance.choice(meta.graph_def.library.function)
    kind = chance.randrange(4)
    if kind == 0 and changed.signature.input_arg:
        del changed.signature.input_arg[0]
    elif kind == 1 and changed.signature.output_arg:
        changed.signature.output_arg.add(name="more", type=1)
    elif kind == 2 and changed.ret:
        changed.ret[chance.choice(sorted(changed.ret))] = chance.choice(
            ["none", "x:y:z", "", "Identity:output:7"]
        )
    elif changed.node_def:
        changed.node_def.append(changed.node_def[0])


def change_signature(meta: Any, chance: random.Random) -> None:
    signature = meta.signature_def["serving_default"]
    side = chance.choice([signature.inputs, signature.outputs])
    if side:
        info = side[chance.choice(sorted(side))]
        info.name = chance.choice([node.name for node in meta.graph_def.node] + ["x:1", "", "^x", "none:3"])


PARTS: list[Callable[[Any, random.Random], None]] = [
    another_op,
    another_function,
    another_input,
    lose_input,
    lose_attr,
    strange_value,
    strange_number,
    change_function,
    change_signature,
]
DAMAGES = [damage_bytes, damage_table, damage_graph, damage_graph]


def examine(path: Path, out: Path) -> Frozen | TfcrossError:
    """Freezes what is at ``path``, or gives the one line that tells why not."""
    try:
        source = read_source(path)
        if source is None:
            return TfcrossError("nothing to freeze")
        frozen = freeze(source, Request(keep_state=True))
        frozen.write(out)
    except TfcrossError as error:
        assert "\n" not in str(error)
        assert len(str(error)) < 2000
        return error
    return frozen
