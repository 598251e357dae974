"""The ops that the runtime puts in the place of a graph's nodes before it runs them.

An entry ``Op`` of core.yaml's ``inserted`` always comes with what it may stand for. An entry ``(Op)`` does
not: it is what an optimiser may make of a node, and a rewrite does not have to happen. Where the rewritten
graph has an op that is not defined, the runtime takes the graph as it was. What must not be is an op that is
defined and lacks the kernel: nothing looks for kernels again before that graph runs. So ``(Op)`` adds kernels
only where something else adds the op.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tfcross.errors import TfcrossError
from tfcross.graph.datatypes import enum_number
from tfcross.graph.node import Node
from tfcross.registry.opdef import OpDef
from tfcross.registry.parser import Kernel

#: The DataType numbers of those attrs of a node that hold one type, by name.
Types = Mapping[str, int]


@dataclass(frozen=True)
class Insertion:
    """``op`` may stand in the place of ``instead`` in a node with ``types``."""

    op: str
    instead: str
    types: Types


@dataclass
class Insertions:
    """``entries`` are op: what may stand in its place; ``ops`` are all that the release defines."""

    entries: Mapping[str, Sequence[str]]
    ops: Mapping[str, OpDef]
    _seen: set[tuple[str, tuple[tuple[str, int], ...]]] = field(default_factory=set)
    _if_there: dict[str, list[Insertion]] = field(default_factory=dict)

    def of(self, instead: str, types: Types) -> Iterator[Insertion]:
        """What comes with a node of the op ``instead``, once for all nodes of the same ``types``.

        Raises TfcrossError for an op that the release does not define.
        """
        case = (instead, tuple(sorted(types.items())))
        if case in self._seen:
            return
        self._seen.add(case)
        for entry in self.entries.get(instead, ()):
            op = entry.removeprefix("(").removesuffix(")")
            if op not in self.ops:
                raise TfcrossError(f"core.yaml: inserted: this release defines no op '{op}'; take it out.")
            insertion = Insertion(op, instead, types)
            if op == entry:
                yield insertion
            else:
                self._if_there.setdefault(op, []).append(insertion)

    def take(self, there: Collection[str]) -> list[Insertion]:
        """What ``of`` has held back and is one of the ops ``there``; each is given once."""
        return [
            insertion
            for op in sorted(self._if_there.keys() & set(there))
            for insertion in self._if_there.pop(op)
        ]


def single_types(node: Node, opdef: OpDef) -> Types:
    """The types of ``node``, with the defaults of its ``opdef``, but for those that only callers know."""
    types = {
        attr.name: attr.default for attr in opdef.attrs if attr.type == "type" and attr.name not in node.attrs
    }
    given = {name: enum_number(attr.value) for name, attr in node.attrs.items() if attr.kind == "type"}
    return {name: number for name, number in {**types, **given}.items() if isinstance(number, int)}


def fitting_kernels(opdef: OpDef, kernels: Iterable[Kernel], types: Types) -> list[Kernel]:
    """Those of ``kernels`` that ``opdef`` may need in the place of a node with ``types``.

    What stands in a node's place has the node's type in an attr of the same name: ``T`` is the type of the
    values that flow. Attrs of other names, and those that hold a list on either side (the ``T`` of While is a
    list, that of Switch one type), may have any value, so every kernel stays that differs only in them.
    """
    shared = {name: types[name] for name in types if (attr := opdef.attr(name)) and attr.type == "type"}
    return [
        kernel
        for kernel in kernels
        if all(shared[name] in allowed for name, allowed in kernel.constraints if name in shared)
    ]
