"""A graph with variables, functions and files made a frozen graph."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tfcross.errors import TfcrossError, quoted, quoted_list
from tfcross.graph.construction import make_node
from tfcross.graph.freezing.constants import Constants, simplify_controls
from tfcross.graph.freezing.flat import FlatGraph, Ref, data_refs, make_flat, reachable, set_inputs
from tfcross.graph.freezing.frozen import Frozen, Value
from tfcross.graph.freezing.handles import Bodies, Use, uses, variables_of
from tfcross.graph.freezing.inlining import Inlined, inline_calls
from tfcross.graph.freezing.library import Library
from tfcross.graph.freezing.naming import (
    Named,
    Renaming,
    feed_placeholders,
    named_outputs,
    placeholders,
    settle_outputs,
)
from tfcross.graph.freezing.restores import ASSIGNING, read_restores
from tfcross.graph.freezing.source import Source, restore_node
from tfcross.graph.freezing.state import keep_variables
from tfcross.graph.freezing.tables import INITIALIZING, TableFiller
from tfcross.graph.freezing.tidy import in_order, tidy_nodes, used_functions
from tfcross.graph.freezing.variables import Values

INITIALIZER = "initialize"


@dataclass(frozen=True)
class Request:
    """``outputs`` are names of nodes or tensors, empty for those of the signature.

    ``initializers`` are nodes that count as run after the checkpoint was restored. Variables in ``keep``
    (or, if ``only`` is given, not in it) stay variables, as do, with ``keep_state``, those that
    the outputs change.
    """

    outputs: Sequence[str] = ()
    initializers: Sequence[str] = ()
    keep: frozenset[str] = frozenset()
    only: frozenset[str] = frozenset()
    keep_state: bool = False
    clear_devices: bool = True


@dataclass
class _Work:
    """What the steps of freezing hand on; ``effects`` are nodes that change variables beside the outputs."""

    source: Source
    request: Request
    graph: FlatGraph
    library: Library
    outputs: list[Named]
    inputs: list[Named]
    inlined: Inlined = field(default_factory=Inlined)
    effects: list[str] = field(default_factory=list)
    values: dict[str, Value] = field(default_factory=dict)

    def init_nodes(self) -> list[str]:
        """What a loader of the model runs first."""
        names = [name.removeprefix("^").partition(":")[0] for name in self.source.init]
        return [name for name in names if name in self.graph.nodes or name in self.inlined.calls]

    def run_by(self, names: Iterable[str]) -> list[str]:
        """All that running nodes of the original graph runs, in the graph's order."""
        run = reachable(self.graph.nodes, [new for name in names for new in self.inlined.waits(name)])
        return [name for name in self.graph.nodes if name in run]

    def part(self, names: set[str]) -> FlatGraph:
        return FlatGraph({name: node for name, node in self.graph.nodes.items() if name in names})


def freeze(source: Source, request: Request) -> Frozen:
    """Uses up the graph of ``source``. Raises TfcrossError where it cannot be frozen."""
    work = _begin(source, request)
    _flatten(work)
    bodies = Bodies(work.library)
    needed = _needed(work, bodies)
    values = _values(work)
    kept = _kept(work, needed, bodies, values)
    filler = TableFiller(work.graph, source.assets, Path(source.where).parent, values.stored)
    setters, work.values = filler.fill(needed, work.run_by(work.init_nodes()))
    setters += keep_variables(work.graph, kept, values, work.values)
    initializer = _add_initializer(work.graph, setters)
    work.graph.prune([*needed, *([initializer] if initializer else ())])
    seeds = {ref: found for ref, found in variables_of(work.graph).items() if found.node not in kept}
    work.values |= {found.node: values.value(work.graph.nodes[found.node]) for found in seeds.values()}
    Constants(bodies).convert(work.graph, seeds)
    return _finished(work, initializer)


def _begin(source: Source, request: Request) -> _Work:
    graph = make_flat(source.graph.node)
    library = Library(source.graph.library.function, source.meta.meta_info_def.stripped_op_list.op)
    for name in request.initializers:
        graph.node(Ref(name, 0), source.where)
    outputs = named_outputs(source, request.outputs, graph, library)
    inputs = [] if request.outputs else feed_placeholders(source, graph)
    return _Work(source, request, graph, library, outputs, inputs)


def _flatten(work: _Work) -> None:
    """Only what outputs, initializers and the saver need is left, without calls of functions."""
    nodes = work.graph.nodes
    roots = [
        *(named.ref.node for named in (*work.outputs, *work.inputs)),
        *work.init_nodes(),
        *work.request.initializers,
        *(name for name in [restore_node(work.source.meta)] if name in nodes),
        *(name for name, node in nodes.items() if node.op in (*ASSIGNING, *INITIALIZING)),
    ]
    work.graph.prune(roots)
    work.inlined = inline_calls(work.graph, work.library)
    work.outputs = settle_outputs(work.graph, work.inlined, work.outputs, not work.request.outputs)


def _needed(work: _Work, bodies: Bodies) -> set[str]:
    """What the outputs need, and what changes variables where their functions are run."""
    nodes = work.graph.nodes
    needed = reachable(nodes, [named.ref.node for named in (*work.outputs, *work.inputs)])
    beside = reachable(nodes, work.inlined.effects_of(needed)) - needed
    if beside:
        both = work.part(needed | beside)
        writing = [use.node.name for use in uses(both, variables_of(both), bodies) if use.is_write]
        work.effects = [name for name in dict.fromkeys(writing) if name in beside]
    return needed | reachable(nodes, work.effects)


def _values(work: _Work) -> Values:
    graph, source = work.graph, work.source
    saver = restore_node(source.meta)
    has_saver = saver in graph.nodes or saver in work.inlined.calls
    restores = read_restores(graph, work.run_by([saver]) if has_saver else list(graph.nodes), source.tensors)
    values = Values(source.where, graph, source.tensors, restores)
    values.add_assignments(work.run_by(work.request.initializers), before_checkpoint=True)
    values.add_assignments(work.run_by(work.init_nodes()), before_checkpoint=False)
    return values


def _kept(work: _Work, needed: set[str], bodies: Bodies, values: Values) -> list[str]:
    """The variables that stay variables. Raises TfcrossError for one that would have to and may not."""
    part, request = work.part(needed), work.request
    seeds = variables_of(part)
    names = [variable.node for variable in seeds.values()]
    kept = {
        name: None
        for name in names
        if name in request.keep or (request.only and name not in request.only) or name in values.computed
    }
    for use in uses(part, seeds, bodies):
        if use.is_write and use.variable.node not in kept:
            if not request.keep_state:
                raise _writes(work.source.where, use)
            kept[use.variable.node] = None
    return list(kept)


def _writes(where: str, use: Use) -> TfcrossError:
    inside = f" in the function {quoted(use.function)}" if use.function else ""
    return TfcrossError(
        f"{where}: the outputs change the variable {quoted(use.variable.node)} (node "
        f"{quoted(use.node.name)}, op "
        f"{quoted(use.node.op)}{inside}), and constants do not change; export the model for inference, or "
        "keep its state."
    )


def _add_initializer(graph: FlatGraph, names: Sequence[str]) -> str:
    """The one node that runs all of ``names``; "" for none."""
    return graph.add(make_node(INITIALIZER, "NoOp", [f"^{name}" for name in names])) if names else ""


def _run_effects(work: _Work) -> None:
    """Has what stands for a call run what the call runs. Raises TfcrossError for another output."""
    for name in dict.fromkeys(named.ref.node for named in work.outputs if work.effects):
        if name not in work.inlined.calls:
            raise TfcrossError(
                f"{work.source.where}: running {quoted(name)} also runs {quoted_list(work.effects)}, which "
                "changes "
                "variables; leave the names of outputs out, so that the signature tells them."
            )
        node = work.graph.nodes[name]
        set_inputs(node, data_refs(node), work.effects)


def _finished(work: _Work, initializer: str) -> Frozen:
    graph, signature = work.graph, work.source.signature
    inputs, outputs = work.inputs, work.outputs
    if work.request.outputs:
        inputs = placeholders(graph)
        _run_effects(work)
    else:
        renaming = Renaming(graph)
        inputs = renaming.inputs(inputs)
        outputs = renaming.outputs(outputs, work.effects, frozenset(named.ref.node for named in inputs))
        work.values = {renaming.renamed.get(name, name): value for name, value in work.values.items()}
        initializer = renaming.renamed.get(initializer, initializer)
    simplify_controls(graph)
    graph.prune([*(named.ref.node for named in (*inputs, *outputs)), *([initializer] if initializer else ())])
    functions = used_functions(graph.nodes.values(), work.library.functions)
    for nodes in (graph.nodes.values(), *(function.node_def for function in functions)):
        tidy_nodes(nodes, work.request.clear_devices)
    return Frozen(
        nodes=in_order(graph),
        functions=functions,
        versions=work.source.graph.versions,
        values={name: value for name, value in work.values.items() if name in graph.nodes},
        signature=signature.name if signature and not work.request.outputs else "",
        inputs={named.key: named.end() for named in inputs},
        outputs={named.key: named.end() for named in outputs},
        initializer=initializer,
    )
