"""fold_constants: nodes whose inputs are all constants become constants, as far as numpy can tell them."""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tfcross.errors import quoted
from tfcross.graph.rewriting.arrays import ARRAYS
from tfcross.graph.rewriting.bodies import ARGUMENT
from tfcross.graph.rewriting.elementwise import ELEMENTWISE
from tfcross.graph.rewriting.evaluation import Attributes, CannotEvaluate, constant, evaluate
from tfcross.graph.rewriting.inputs import Input, control_inputs, copied, data_inputs, node_of, with_inputs
from tfcross.graph.rewriting.staticshapes import StaticShapes
from tfcross.graph.rewriting.tensors import Array, UnreadableTensor, const_node
from tfcross.graph.transforms.attributes import without_attribute
from tfcross.graph.transforms.context import Context
from tfcross.graph.transforms.pruning import needed_nodes

_EVALUATORS = {**ELEMENTWISE, **ARRAYS}
_SHAPE_OPS = ("Shape", "ShapeN", "Size", "Rank")
_MOST_BYTES = 10 * 1024 * 1024
#: Ops that run as they are wherever they stand: they steer, keep state, or have nothing to compute.
_NEVER = """
    Assert Const ControlTrigger Enter Exit LoopCond Merge NextIteration NoOp Placeholder PlaceholderV2
    PlaceholderWithDefault Print RefEnter RefExit RefMerge RefNextIteration RefSwitch Switch
"""


@dataclass
class _Folding:
    """``values`` are the outputs of the nodes that are constant; ``control`` what each has to wait for."""

    context: Context
    exclude_ops: frozenset[str]
    exclude_nodes: frozenset[str]
    most_bytes: int
    shapes: StaticShapes
    values: dict[str, Sequence[Array]] = field(default_factory=dict)
    control: dict[str, set[str]] = field(default_factory=dict)
    from_shape: dict[str, int] = field(default_factory=dict)
    left: dict[str, str] = field(default_factory=dict)

    def consider(self, node: Any) -> None:
        values = None if node.name in self.context.inputs else self._constant_values(node)
        if node.name not in self.context.inputs or node.op == "Placeholder":
            self.shapes.learn(node, values[0] if values else None)
        if values is None:
            return
        self.values[node.name] = values
        self.control[node.name] = set()
        for text in node.input:
            source = node_of(text)
            self.control[node.name] |= self.control.get(source, {source})

    def _constant_values(self, node: Any) -> Sequence[Array] | None:
        values = self._shape_values(node)
        if values is None:
            return self._computed(node)
        self.from_shape[node.name] = len(values)
        return values

    def _shape_values(self, node: Any) -> Sequence[Array] | None:
        """What an op tells of shapes that are known."""
        if node.op not in _SHAPE_OPS:
            return None
        shapes = [self.shapes.of(text) for text in data_inputs(node)]
        kind = np.dtype(np.int32) if node.op == "Rank" else Attributes(node).dtype("out_type", "DT_INT32")
        if node.op == "Rank":
            return [np.array(len(shape), kind) for shape in shapes if shape is not None] or None
        known = [shape for shape in shapes if shape is not None and -1 not in shape]
        if len(known) < len(shapes):
            return None
        return [np.array(math.prod(shape) if node.op == "Size" else shape, kind) for shape in known]

    def _computed(self, node: Any) -> Sequence[Array] | None:
        try:
            if node.op == "Const":
                return [constant(node)]
            sources = data_inputs(node)
            if (
                node.op in _NEVER.split()
                or not sources
                or not all(node_of(text) in self.values for text in sources)
            ):
                return None
            if node.op in self.exclude_ops or node.name in self.exclude_nodes:
                return None
            values = evaluate(node, [self._value(text) for text in sources], _EVALUATORS)
            if any(value.nbytes > self.most_bytes for value in values):
                raise CannotEvaluate(f"a result has more than {self.most_bytes} bytes")
            return values
        except CannotEvaluate as error:
            if node.op != "Const":
                self.left[node.name] = f"{node.op}: {error}"
            return None

    def _value(self, text: str) -> Array:
        part = Input.parse(text)
        number = part.suffix.removeprefix(":") or "0"
        outputs = self.values[part.node]
        if not number.isdecimal() or int(number) >= len(outputs):
            raise CannotEvaluate(f"there is no output {quoted(text)}")
        return outputs[int(number)]


def fold_constants(nodes: Sequence[Any], context: Context) -> list[Any]:
    """Only tensors that other nodes take are written; what nothing needs any more goes."""
    arguments = context.arguments
    if arguments.flag("clear_output_shapes", True):
        nodes = [without_attribute(node, "_output_shapes") for node in nodes]
    nodes = [_fed(node) if node.name in context.inputs else node for node in nodes]
    ordered = [_plain(node) for node in _import_order(nodes)]
    if not context.function:
        needed = needed_nodes(ordered, (*context.outputs, *context.inputs), ())
        ordered = [node for node in ordered if node.name in needed]
    folding = _Folding(
        context,
        frozenset(arguments.many("exclude_op")),
        frozenset(arguments.many("exclude_node")),
        arguments.integer("max_constant_size_in_bytes", _MOST_BYTES, least=0),
        StaticShapes(),
    )
    for node in ordered:
        folding.consider(node)
    result = _with_constants(ordered, folding)
    _tell(ordered, result, folding)
    return result


def _fed(node: Any) -> Any:
    """An input's default is not taken: the app gives it."""
    return copied(node, op="Placeholder", input=[]) if node.op == "PlaceholderWithDefault" else node


def _import_order(nodes: Sequence[Any]) -> list[Any]:
    """The order of TensorFlow's importer: behind its inputs, and in the file's order as far as that goes."""
    index = {node.name: number for number, node in enumerate(nodes)}
    waiting: list[int] = []
    takers: list[list[int]] = [[] for _ in nodes]
    for number, node in enumerate(nodes):
        waiting.append(_inputs_to_wait_for(node, nodes, index))
        for text in node.input:
            takers[index[node_of(text)]].append(number)
    ready = [number for number, node in enumerate(nodes) if not node.input]
    ordered: list[int] = []
    while ready:
        number = heapq.heappop(ready)
        ordered.append(number)
        for taker in takers[number]:
            waiting[taker] -= 1
            if waiting[taker] == 0:
                heapq.heappush(ready, taker)
    left = sorted(set(range(len(nodes))) - set(ordered))
    return [nodes[number] for number in (*ordered, *left)]


def _inputs_to_wait_for(node: Any, nodes: Sequence[Any], index: Mapping[str, int]) -> int:
    """A Merge that closes a loop waits for one input besides control."""
    loops = any(nodes[index[node_of(text)]].op.endswith("NextIteration") for text in node.input)
    if node.op in ("Merge", "RefMerge") and loops:
        return 1 + len(control_inputs(node))
    return len(node.input)


def _plain(node: Any) -> Any:
    """``x:0`` as ``x``; control inputs once, sorted, last."""
    data = [text.removesuffix(":0") if text.count(":") == 1 else text for text in data_inputs(node)]
    return with_inputs(node, data + sorted(set(control_inputs(node))))


def _with_constants(ordered: Sequence[Any], folding: _Folding) -> list[Any]:
    """The nodes with the new constants behind them; the graph's inputs come last."""
    context = folding.context
    fetched = _fetched(ordered, folding)
    renames: dict[str, str] = {}
    constants: list[Any] = []
    first = sum(folding.from_shape.values())
    names = {node.name for node in ordered}
    for name, output in fetched:
        value = folding.values[name][output]
        number = len(constants)
        new = f"{name}/_{number}__cf__{number + first}"
        while new in names:  # of an earlier fold_constants
            new += "_"
        try:
            control = sorted("^" + source for source in folding.control[name])
            constants.append(const_node(new, np.asarray(value), tuple(control)))
        except UnreadableTensor:
            continue
        renames[f"{name}:{output}" if output else name] = new
    kept = [
        node
        if node.name in folding.values
        else with_inputs(node, [renames.get(text, text) for text in node.input])
        for node in ordered
    ]
    return _used([*kept, *constants], folding, context)


def _fetched(ordered: Sequence[Any], folding: _Folding) -> list[tuple[str, int]]:
    """The outputs of folded nodes that others take, or that the graph gives."""
    by_name = {node.name: node for node in ordered}
    takers = [text for node in ordered if node.name not in folding.values for text in data_inputs(node)]
    numbers = shape_numbers(by_name, folding.context.outputs, folding.from_shape)
    wanted = set()
    for text in (*takers, *folding.context.outputs):
        part = Input.parse(text)
        suffix = part.suffix.removeprefix(":") or "0"
        foldable = part.node in folding.values and by_name[part.node].op != "Const"
        if foldable and suffix.isdecimal() and int(suffix) < len(folding.values[part.node]):
            wanted.add((part.node, int(suffix)))

    def place(output: tuple[str, int]) -> tuple[str, int]:
        name, number = output
        return (numbers[name], number) if name in numbers else output

    return sorted(wanted, key=place)


def shape_numbers(
    by_name: Mapping[str, Any], outputs: Sequence[str], counts: Mapping[str, int]
) -> dict[str, str]:
    """The names by which TensorFlow's tool sorts what it knows from shapes alone, in its order of search."""
    seen: set[str] = set()
    numbers: dict[str, str] = {}
    stack = [(name, False) for name in sorted(outputs) if name in by_name]
    number = 0
    while stack:
        name, leaves = stack.pop()
        if leaves:
            if name in counts:
                numbers[name] = f"{name}/_{number}__cf__{number}"
                number += counts[name]
            continue
        if name in seen:
            continue
        seen.add(name)
        stack.append((name, True))
        sources = sorted({node_of(text) for text in by_name[name].input} & by_name.keys())
        stack += [(source, False) for source in sources if source not in seen]
    return numbers


def _used(nodes: Sequence[Any], folding: _Folding, context: Context) -> list[Any]:
    """In a function, what is not constant stays: it may have an effect that nothing takes."""
    outputs: Collection[str] = context.outputs
    if context.function:
        outputs = [*outputs, *(node.name for node in nodes if node.name not in folding.values)]
        new = {node.name for node in nodes if "__cf__" in node.name}
        outputs = [name for name in outputs if name not in new or name in context.outputs]
    needed = needed_nodes(nodes, (*outputs, *context.inputs), ())
    kept = [node for node in nodes if node.name in needed]
    fed = [node for node in kept if node.name in context.inputs and node.op != ARGUMENT]
    return [node for node in kept if node.name not in context.inputs or node.op == ARGUMENT] + fed


def _tell(ordered: Sequence[Any], result: Sequence[Any], folding: _Folding) -> None:
    names = {node.name for node in result}
    folded = sum(
        1 for node in ordered if node.op != "Const" and node.name not in names and node.name in folding.values
    )
    left = {name: why for name, why in folding.left.items() if name in names}
    folding.context.note(f"{folded} nodes folded, {len(left)} with constant inputs left")
    for why, count in Counter(left.values()).most_common(5):
        folding.context.note(f"{count} left: {why}")
