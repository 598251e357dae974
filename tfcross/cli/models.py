"""The models that a command line names, for scripts: as a build would have them."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from tfcross.cli.options import Options
from tfcross.graph.model import Model
from tfcross.graph.preparing.prepare import prepare_models
from tfcross.graph.preparing.wanted import Wanted
from tfcross.graph.rewriting.definitions import Definition, OpDefs


def wanted_of(options: Options) -> Wanted:
    """What ``options`` ask to be done with models."""
    return Wanted(options.ends, options.tags, options.graph, options.transforms, options.release)


def requested_models(root: Path, names: Sequence[str], options: Options) -> list[Model]:
    """The models ``names``, frozen, cut and transformed as in a build; nothing stays on the disk.

    Raises TfcrossError.
    """
    with tempfile.TemporaryDirectory(prefix="tfcross-") as folder:
        wanted, definitions = wanted_of(options), op_definitions(root, options)
        return [each.model for each in prepare_models(names, wanted, Path(folder), definitions)]


def op_definitions(root: Path, options: Options) -> OpDefs:
    """Reads the registry of the release when first asked."""

    @cache
    def definitions() -> Mapping[str, Definition]:
        from tfcross.cli.request import release_registry  # noqa: PLC0415 (it takes what a build takes)

        return release_registry(root, options).registry("full").ops

    return definitions
