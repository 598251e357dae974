"""Lookup tables: what fills them becomes part of the graph, files too."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfcross.errors import TfcrossError, quoted
from tfcross.graph.construction import make_node
from tfcross.graph.freezing.densetable import DENSE, entries, rows
from tfcross.graph.freezing.flat import FlatGraph, Ref, data_refs, parse_ref, set_inputs
from tfcross.graph.freezing.frozen import Value
from tfcross.graph.freezing.restores import IMPORTING, Restored, assignments, origin, restored_of
from tfcross.graph.freezing.variables import constant_value
from tfcross.graph.freezing.vocabulary import Column, Layout, read_vocabulary
from tfcross.graph.messages import AttrValue
from tfcross.graph.tensors import BadTensor, shape_of, strings_of

#: Tables that hold what an initializer puts in, once, and those that can change.
_STATIC = ("HashTable", "HashTableV2")
_MUTABLE = tuple(
    f"Mutable{kind}{version}"
    for kind in ("HashTable", "HashTableOfTensors", "DenseHashTable")
    for version in ("", "V2")
)
_FROM_FILE = {
    "InitializeTableFromTextFile": "InitializeTable",
    "InitializeTableFromTextFileV2": "InitializeTableV2",
}
_FROM_TENSORS = ("InitializeTable", "InitializeTableV2")
_INSERTING = {"LookupTableImport": "LookupTableInsert", "LookupTableImportV2": "LookupTableInsertV2"}
INITIALIZING = (*_FROM_TENSORS, *_FROM_FILE, *IMPORTING)


@dataclass(frozen=True)
class TableFiller:
    """``assets`` are files by the tensor that names them; ``stored`` reads a checkpoint's tensor."""

    graph: FlatGraph
    assets: Mapping[str, Path]
    folder: Path
    stored: Callable[[str, Restored], Value]

    def fill(self, needed: Iterable[str], init: Iterable[str]) -> tuple[list[str], dict[str, Value]]:
        """Makes the nodes that fill the tables among ``needed`` independent of files.

        ``init`` are nodes that may assign names of files to variables. Gives the names of the filling nodes
        and the values of constants that are new. Raises TfcrossError, also for a table that nothing fills.
        """
        tables = {name for name in needed if self.graph.nodes[name].op in (*_STATIC, *_MUTABLE)}
        names = self._assigned(init)
        fillers: dict[str, list[Any]] = {table: [] for table in sorted(tables)}
        for node in list(self.graph.nodes.values()):
            if node.op in INITIALIZING and data_refs(node):
                table = origin(self.graph, data_refs(node)[0]).node
                if table in fillers:
                    fillers[table].append(node)
        values: dict[str, Value] = {}
        chosen = []
        for table, nodes in fillers.items():
            for node in self._pick(table, nodes):
                values.update(self._settle(node, self.graph.nodes[table], names))
                chosen.append(node.name)
        return chosen, values

    def _assigned(self, init: Iterable[str]) -> dict[str, Ref]:
        """What variables are assigned by ``init``, by variable."""
        return {
            origin(self.graph, data_refs(node)[0]).node: data_refs(node)[1]
            for node in assignments(self.graph, init)
        }

    def _pick(self, table: str, nodes: list[Any]) -> list[Any]:
        """Those of ``nodes`` that a loader would run: what training saved counts, then the initializer."""
        restored = [node for node in nodes if self._is_restored(node)]
        picked = restored or nodes
        if not picked and self.graph.nodes[table].op in _STATIC:
            raise TfcrossError(
                f"nothing fills the table {quoted(table)}; export the model with its initializer (a "
                "main_op), or name "
                "the node that fills it as an initializer."
            )
        return picked

    def _is_restored(self, node: Any) -> bool:
        refs = data_refs(node)
        return node.op in IMPORTING and len(refs) > 1 and restored_of(self.graph, refs[1]) is not None

    def _settle(self, node: Any, table: Any, names: Mapping[str, Ref]) -> dict[str, Value]:
        """``node`` with the keys and values as constants; gives their values. It waits for nothing."""
        refs = data_refs(node)
        pair: tuple[Value, ...] = ()
        if node.op in _FROM_FILE:
            pair = self._read_file(node, table, names)
            node.CopyFrom(_filling(node.name, _FROM_FILE[node.op], table))
        elif self._is_restored(node):
            restored = [restored_of(self.graph, ref) for ref in refs[1:3]]
            pair = tuple(self.stored(f"the table {quoted(table.name)}", r) for r in restored if r)
            if table.op in DENSE:
                pair = self._dense_entries(table, *pair)
                node.op = _INSERTING[node.op]
        if table.op in _STATIC and node.op in IMPORTING:
            node.CopyFrom(_filling(node.name, "InitializeTableV2", table))
        values = {}
        if pair:
            refs[1:] = []
            for part, value in zip(("keys", "values"), pair, strict=True):
                const = make_node(f"{node.name}/{part}", "Const", dtype=AttrValue(type=value.dtype))
                name = self.graph.add(const)
                values[name] = value
                refs.append(Ref(name, 0))
        set_inputs(node, refs, ())
        return values

    def _dense_entries(self, table: Any, keys: Value, values: Value) -> tuple[Value, Value]:
        """The entries of a table whose own inputs are the keys of empty buckets."""
        absent = [constant_value(self.graph.nodes[origin(self.graph, ref).node]) for ref in data_refs(table)]
        known = [key for key in absent if key]
        try:
            value_shape = shape_of(table.attr["value_shape"].shape)
            if not known or len(known) != len(absent):
                raise BadTensor("its empty key is no constant")
            taken = {row for key in known for row in rows(key, 1)}
            return entries(keys, values, taken, (known[0].shape, value_shape))
        except BadTensor as error:
            raise TfcrossError(
                f"the table {quoted(table.name)} cannot be filled: {error}; export it again."
            ) from None

    def _read_file(self, node: Any, table: Any, names: Mapping[str, Ref]) -> tuple[Value, Value]:
        attrs = {key: attr.i for key, attr in node.attr.items()}
        key = Column(attrs.get("key_index", 0), table.attr["key_dtype"].type)
        value = Column(attrs.get("value_index", 0), table.attr["value_dtype"].type)
        delimiter = node.attr["delimiter"].s or b"\t"
        layout = Layout(key, value, attrs.get("vocab_size", -1) or -1, delimiter, attrs.get("offset", 0))
        keys, values = read_vocabulary(self._file(node, names), layout)
        shape = (keys.tensor_shape.dim[0].size,)
        return Value(keys.dtype, shape, keys), Value(values.dtype, shape, values)

    def _file(self, node: Any, names: Mapping[str, Ref]) -> Path:
        """The vocabulary file that ``node`` reads. Raises TfcrossError."""
        ref = origin(self.graph, data_refs(node)[1]) if len(data_refs(node)) > 1 else Ref(node.name, 0)
        source = self.graph.nodes[ref.node]
        if source.op == "ReadVariableOp" and data_refs(source):
            variable = origin(self.graph, data_refs(source)[0]).node
            ref = origin(self.graph, names.get(variable, ref))
            source = self.graph.nodes[ref.node]
        for tensor, path in self.assets.items():
            if parse_ref(tensor) == ref:
                return path
        return self._plain_file(node, source)

    def _plain_file(self, node: Any, source: Any) -> Path:
        """A name that a constant has: as it is, or else beside the model, if the file was moved with it."""
        try:
            text = strings_of(source.attr["value"].tensor)[0].decode() if source.op == "Const" else ""
        except (BadTensor, IndexError, UnicodeDecodeError):
            text = ""
        if not text or "\0" in text:
            raise TfcrossError(
                f"node {quoted(node.name)} reads a vocabulary file, and the graph does not tell which; "
                "export the model "
                "with the file as an asset."
            )
        beside = self.folder / Path(text).name
        return Path(text) if Path(text).is_file() or not beside.is_file() else beside


def _filling(name: str, op: str, table: Any) -> Any:
    return make_node(
        name,
        op,
        Tkey=AttrValue(type=table.attr["key_dtype"].type),
        Tval=AttrValue(type=table.attr["value_dtype"].type),
    )
