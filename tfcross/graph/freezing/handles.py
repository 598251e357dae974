"""Where variables go: the handle of a variable through a graph, its loops, branches and their functions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from tfcross.errors import TfcrossError, quoted
from tfcross.graph.datatypes import REF_OFFSET
from tfcross.graph.freezing.flat import ARGUMENT, FlatGraph, Ref, data_refs
from tfcross.graph.freezing.inlining import inline_calls
from tfcross.graph.freezing.library import Library

HANDLE_OPS = ("VarHandleOp",)
REFERENCE_OPS = ("Variable", "VariableV2", "TemporaryVariable")
VARIABLE_OPS = (*HANDLE_OPS, *REFERENCE_OPS)

#: Ops that hand a handle on as it is, and those that do so with references (and their like for values).
PASSING = ("Identity", "IdentityN", "Switch", "Merge", "Enter", "Exit", "NextIteration")
REFERENCE_PASSING = {
    f"Ref{op}": op for op in ("Identity", "Switch", "Merge", "Enter", "Exit", "NextIteration")
}

LOOPS = ("While", "StatelessWhile")
BRANCHES = ("If", "StatelessIf", "Case", "StatelessCase")

READING = (
    "ReadVariableOp",
    "ResourceGather",
    "ResourceGatherNd",
    "VariableShape",
    "VarIsInitializedOp",
    "IsVariableInitialized",
    "DisableCopyOnRead",
)
#: Ops of references that write what they take first, and those that write all that they take.
_ASSIGNING = ("Assign", "AssignAdd", "AssignSub")
_UPDATING = (
    "CountUpTo",
    "DestroyTemporaryVariable",
    "StridedSliceAssign",
    *(f"Scatter{what}" for what in ("Update", "Add", "Sub", "Mul", "Div", "Min", "Max")),
    *(f"ScatterNd{what}" for what in ("Update", "Add", "Sub")),
)
_TRAINING = ("Apply", "SparseApply")


@dataclass(frozen=True)
class Variable:
    """``node`` is that of its handle in the main graph."""

    node: str
    dtype: int
    is_reference: bool


Handles = dict[Ref, Variable]


class Use(NamedTuple):
    """A node that does something with a variable, which it takes as input ``position``.

    ``function`` is the body that it is in, "" for none.
    """

    node: Any
    variable: Variable
    position: int
    function: str

    @property
    def is_write(self) -> bool:
        """Whether it changes the variable, or may."""
        op = self.node.op
        if not self.variable.is_reference:
            return op not in READING
        return (op in _ASSIGNING and self.position == 0) or op in _UPDATING or op.startswith(_TRAINING)


def variables_of(graph: FlatGraph) -> Handles:
    """The handles that nodes of the main graph make."""
    return {
        Ref(name, 0): Variable(name, node.attr["dtype"].type % REF_OFFSET, node.op in REFERENCE_OPS)
        for name, node in graph.nodes.items()
        if node.op in VARIABLE_OPS
    }


def follow(graph: FlatGraph, seeds: Mapping[Ref, Variable]) -> Handles:
    """``seeds`` and all outputs that are the same handles."""
    handles = dict(seeds)
    changed = True
    while changed:  # again for the back edges of loops
        changed = False
        for name, node in graph.nodes.items():
            for ref, variable in list(_passed(name, node, handles)):
                if ref not in handles:
                    handles[ref] = variable
                    changed = True
    return handles


def _passed(name: str, node: Any, handles: Handles) -> Iterator[tuple[Ref, Variable]]:
    op = REFERENCE_PASSING.get(node.op, node.op)
    if op not in PASSING and op not in LOOPS:
        return
    for position, ref in enumerate(data_refs(node)):
        variable = handles.get(ref)
        if variable is None or (variable.is_reference and node.op not in REFERENCE_PASSING):
            continue
        if op == "Switch" and position == 0:
            yield from ((Ref(name, 0), variable), (Ref(name, 1), variable))
        elif op in ("IdentityN", *LOOPS):
            yield Ref(name, position), variable
        elif op != "Switch":
            yield Ref(name, 0), variable


def body_names(node: Any) -> list[tuple[str, str]]:
    """The functions of a loop or branch: the attribute ("branches/1") and the function's name."""
    if node.op in LOOPS:
        return [(key, node.attr[key].func.name) for key in ("cond", "body")]
    if node.op in ("If", "StatelessIf"):
        return [(key, node.attr[key].func.name) for key in ("then_branch", "else_branch")]
    if node.op in ("Case", "StatelessCase"):
        return [(f"branches/{i}", func.name) for i, func in enumerate(node.attr["branches"].list.func)]
    return []


def body_func(node: Any, key: str) -> Any:
    """The NameAttrList that ``key`` of :func:`body_names` stands for."""
    name, _, position = key.partition("/")
    return node.attr[name].list.func[int(position)] if position else node.attr[name].func


def body_arguments(node: Any) -> list[Ref]:
    """What a loop or branch gives to its functions."""
    return data_refs(node)[0 if node.op in LOOPS else 1 :]


class Bodies:
    """The bodies of loops and branches as flat graphs without calls, each made once."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self._made: dict[bytes, FlatGraph] = {}

    def body(self, node: Any, key: str) -> FlatGraph:
        """Raises TfcrossError where the function does not fit."""
        func = body_func(node, key)
        signature: bytes = func.SerializeToString(deterministic=True)
        if signature not in self._made:
            body = self.library.flatten(func.name, func.attr, node.name)
            inline_calls(body, self.library)
            body.prune([*(ref.node for ref in body.returns), *body.effects])
            self._made[signature] = body
        body = self._made[signature]
        if len(body.arguments) != len(body_arguments(node)):
            raise TfcrossError(
                f"node {quoted(node.name)} gives {len(body_arguments(node))} arguments to the function "
                f"{quoted(func.name)}, which takes {len(body.arguments)}; export it again."
            )
        return body


def uses(graph: FlatGraph, seeds: Mapping[Ref, Variable], bodies: Bodies) -> Iterator[Use]:
    """All that is done with variables, in bodies too, except handing them on."""
    met: set[object] = set()
    waiting: list[tuple[FlatGraph, Mapping[Ref, Variable], str]] = [(graph, seeds, "")]
    while waiting:
        graph, seeds, function = waiting.pop()
        handles = follow(graph, seeds)
        for node in graph.nodes.values():
            taken = [(handles[ref], at) for at, ref in enumerate(data_refs(node)) if ref in handles]
            for key, name in body_names(node) if taken else ():
                arguments = [handles.get(ref) for ref in body_arguments(node)]
                if (name, *arguments) not in met:
                    met.add((name, *arguments))
                    body = bodies.body(node, key)
                    waiting.append((body, argument_handles(body, arguments), name))
            if not body_names(node):
                yield from (
                    Use(node, variable, at, function)
                    for variable, at in taken
                    if not hands_on(node, variable)
                )


def argument_handles(body: FlatGraph, given: Sequence[Variable | None]) -> Handles:
    """The arguments of ``body`` that are handles, if it is given these."""
    pairs = zip(body.arguments, given, strict=True)
    return {Ref(name, 0): variable for name, variable in pairs if variable}


def hands_on(node: Any, variable: Variable) -> bool:
    return node.op in (REFERENCE_PASSING if variable.is_reference else PASSING) or node.op == ARGUMENT
