"""A model as a user names it made the graph that runs: frozen, cut, transformed, as far as it takes."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tfcross.errors import TfcrossError, quoted
from tfcross.files import write_if_changed
from tfcross.graph.checkpoints.checkpoint import find_checkpoint
from tfcross.graph.cutting.cut import needed
from tfcross.graph.cutting.cutfile import write_cut
from tfcross.graph.cutting.ends import Ends, require_one, tensor_name
from tfcross.graph.cutting.feeds import fed_shape
from tfcross.graph.freezing.flat import parse_ref
from tfcross.graph.freezing.freeze import Request, freeze
from tfcross.graph.freezing.savedmodel import saved_model_file
from tfcross.graph.freezing.source import Source, read_source
from tfcross.graph.model import Model, load_model
from tfcross.graph.preparing.description import describe, description_file, told_initializer
from tfcross.graph.preparing.kept import kept
from tfcross.graph.preparing.wanted import Prepared, Wanted
from tfcross.graph.rewriting.definitions import OpDefs
from tfcross.graph.rewriting.graphfiles import read_graph, write_graph
from tfcross.graph.transforms.arguments import parse_transforms
from tfcross.graph.transforms.chain import transform_graph
from tfcross.graph.transforms.table import check_calls
from tfcross.treehash import combined_hash, file_hash

_SAVED_MODEL_FILES = ("saved_model.pb", "saved_model.pbtxt")
_NOTES = "notes.txt"


def prepare_models(
    names: Sequence[str], wanted: Wanted, folder: Path, op_defs: OpDefs
) -> tuple[Prepared, ...]:
    """The models ``names``; ``folder`` gets the graphs that are made of them. Raises TfcrossError.

    ``op_defs`` gives the release's op definitions; it is called only by transforms that need them.
    """
    require_one(wanted.ends, len(names))
    if wanted.graph and len(names) != 1:
        raise TfcrossError(
            f"GRAPH={wanted.graph} is the graph of one checkpoint, and there are {len(names)} models; give "
            "the one."
        )
    titles = [title_of(Path(name)) for name in names]
    apart = [
        title if titles.count(title) == 1 else f"{title}-{number}" for number, title in enumerate(titles, 1)
    ]
    return tuple(
        prepare(Path(name), wanted, folder, title, op_defs) for name, title in zip(names, apart, strict=True)
    )


def title_of(path: Path) -> str:
    """What a graph made of the model in ``path`` is called; never saved_model, which is read as one."""
    folder, place = saved_folder(path), find_checkpoint(path)
    if folder.is_dir():
        title = folder.resolve().name
    else:
        title = (place.prefix.name.partition(".ckpt")[0] or place.prefix.name) if place else path.stem
    return "model" if title == "saved_model" else title


def prepare(path: Path, wanted: Wanted, folder: Path, title: str, op_defs: OpDefs) -> Prepared:
    """As ``prepare_models`` does; ``title`` is what a graph is called that is made of the model."""
    named = _named_files(wanted.transforms) if wanted.transforms else ()
    graph = Path(wanted.graph) if wanted.graph else None
    source = read_source(saved_folder(path), graph, wanted.ends.signature, wanted.tags)
    work = _Work(path, wanted, folder, title, named)
    prepared = work.frozen(source) if source else work.plain()
    return work.transformed(prepared, op_defs) if wanted.transforms else prepared


def _named_files(transforms: str) -> tuple[Path, ...]:
    """The files that arguments of transforms name. Raises TfcrossError for what is no transform."""
    calls = parse_transforms(transforms)
    check_calls(calls)
    values = (value for call in calls for values in call.values.values() for value in values)
    return tuple(path for path in map(Path, values) if path.is_file())


def saved_folder(path: Path) -> Path:
    """The folder of a SavedModel for its file; any other path as it is."""
    return path.parent if path.name in _SAVED_MODEL_FILES and path.is_file() else path


@dataclass(frozen=True)
class _Work:
    """The steps, each of which leaves a folder below ``folder``; ``named`` are files that transforms read."""

    path: Path
    wanted: Wanted
    folder: Path
    title: str
    named: tuple[Path, ...]

    @property
    def name(self) -> str:
        return f"{self.title}.pb"

    def plain(self) -> Prepared:
        """A graph as it is, or what it is cut to."""
        wanted = self.wanted
        if wanted.graph:
            raise TfcrossError(
                f"{self.path}: GRAPH={wanted.graph} is for a checkpoint, and this is none; leave it out."
            )
        first = told_initializer(self.path)
        model = load_model(self.path, wanted.tags[0], wanted.ends, first)
        model = replace(model, notes=(*_initializer_notes(model), *model.notes))
        files = (model.path, *((description_file(self.path),) if first else ()))
        if model.replaced is None:
            return Prepared(model, model.path, model.sha256, files=files)
        graph = self._cut(model)
        return Prepared(model, graph, file_hash(graph), describe(model), files)

    def frozen(self, source: Source) -> Prepared:
        """What is frozen of ``source``, for its signature or, if the outputs are its own nodes, for them."""
        request = Request(outputs=self._own_outputs(source))
        digest = combined_hash(map(file_hash, source.files))
        chosen = source.signature.name if source.signature else ""
        description = f"{self.title}.json"

        def make(place: Path) -> None:
            made = freeze(source, request)
            made.write(place / self.name)
            made.write_description(place / description)

        key = ["freeze", digest, self.title, chosen, *self.wanted.tags, "", *request.outputs]
        place = kept(self.folder, key, make)
        text = (place / description).read_text()
        return self._described(source, place / self.name, text, request, digest)

    def _own_outputs(self, source: Source) -> tuple[str, ...]:
        """The outputs that the user names, unless it takes freezing by a signature to have them."""
        outputs, nodes = self.wanted.ends.outputs, {node.name for node in source.graph.node}
        its_own = all(parse_ref(output).node in nodes for output in outputs)
        return outputs if its_own or source.signature is None else ()

    def _described(self, source: Source, graph: Path, text: str, request: Request, digest: str) -> Prepared:
        told, ends = json.loads(text), self.wanted.ends
        outputs = ends.outputs or tuple(end["tensor"] for end in told["outputs"].values())
        shown = _shown(self.path)
        model = _load(graph, Ends(ends.inputs, outputs), told["initializer"] or "", shown)
        sha256 = model.sha256
        if ends.inputs or ends.outputs != tuple(request.outputs):
            graph, text = self._cut(model), describe(model, told)
            sha256 = file_hash(graph)
        by = f"its signature {quoted(told['signature'])}" if told["signature"] else "its outputs"
        notes = (f"frozen for {by}: {len(model.nodes)} nodes.", *_initializer_notes(model), *model.notes)
        return Prepared(
            model=replace(
                model,
                path=shown,
                sha256=digest,
                notes=notes,
                input_keys=_keys(told["inputs"], [each.name for each in model.placeholders]),
                output_keys=_keys(told["outputs"], model.outputs),
            ),
            graph=graph,
            sha256=sha256,
            description=text,
            files=tuple(source.files),
        )

    def _cut(self, model: Model) -> Path:
        ends = repr([model.placeholders, model.outputs, sorted(model.replaced or ()), model.initializer])
        key = ["cut", model.sha256, self.name, ends]
        return kept(self.folder, key, lambda place: write_cut(model, place / self.name)) / self.name

    def transformed(self, prepared: Prepared, op_defs: OpDefs) -> Prepared:
        """``prepared`` with the graph that the transforms make of it."""
        model, transforms = prepared.model, self.wanted.transforms
        if not model.outputs:
            raise TfcrossError(f"{self.path}: TRANSFORMS= needs to know what stays; name the OUTPUTS=.")
        fed = [each.name for each in model.placeholders]
        fetched = [*model.outputs, *filter(None, [model.initializer])]

        def make(place: Path) -> None:
            new, notes = transform_graph(read_graph(prepared.graph), fed, fetched, transforms, op_defs)
            write_graph(place / self.name, new, as_text=False)
            write_if_changed(place / _NOTES, "".join(f"{note}\n" for note in notes))

        read = [prepared.sha256, *map(file_hash, self.named)]
        key = ["transform", *read, self.name, transforms, self.wanted.release, *fed, "", *fetched]
        place = kept(self.folder, key, make)
        new = _load(place / self.name, Ends(outputs=model.outputs), model.initializer, model.path)
        inputs = (replace(each, shape=fed_shape(model, each)) for each in new.placeholders)
        notes = (*model.notes, *(place / _NOTES).read_text().splitlines())
        return replace(
            prepared,
            model=replace(
                new,
                path=model.path,
                sha256=model.sha256,
                placeholders=tuple(inputs),
                notes=notes,
                input_keys=model.input_keys,
                output_keys=model.output_keys,
            ),
            graph=place / self.name,
            sha256=new.sha256,
            description=prepared.description or describe(new),
            files=(*prepared.files, *self.named),
            transforms=transforms,
        )


def _keys(ends: Mapping[str, Any], tensors: Collection[str]) -> dict[str, str]:
    """Those of ``tensors`` that a description names, by its keys."""
    told = {key: tensor_name(end["tensor"]) for key, end in ends.items()}
    return {key: tensor for key, tensor in told.items() if tensor in tensors}


def _shown(path: Path) -> Path:
    """What names a SavedModel or checkpoint in messages and manifests; a proof.yaml is beside it."""
    file = saved_model_file(saved_folder(path))
    place = None if file else find_checkpoint(path)
    return file or (place.prefix if place else path)


def _load(graph: Path, ends: Ends, initializer: str, shown: Path) -> Model:
    """A ``graph`` that was made, without the initializer of tables and variables that no output needs.

    A TfcrossError about it names ``shown``.
    """
    try:
        model = load_model(graph, ends=ends, initializer=initializer)
    except TfcrossError as error:
        raise TfcrossError(str(error).replace(str(graph), str(shown))) from None
    nodes = {node.name: node for node in model.nodes}
    if initializer and needed(nodes, [initializer]).isdisjoint(needed(nodes, model.outputs)):
        return load_model(graph, ends=ends)
    return model


def _initializer_notes(model: Model) -> Iterator[str]:
    if model.initializer:
        yield f"an app runs the node {quoted(model.initializer)} once before others; it fills tables."
