"""Where a release registers its ops and kernels, and through which macros: ``registry.yaml``, ``stubs/``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tfcross.documents import load_document
from tfcross.errors import TfcrossError
from tfcross.registry.sourcetree import stub_files


@dataclass(frozen=True)
class RegistryData:
    """``sources`` are folders below TensorFlow's root, ``types`` its header that names sets of types.

    Files in a folder of a name in ``exclude_folders``, at any depth, or with one of ``exclude_endings``
    are left out: built for other devices or by other rules, or for tests only. ``macros`` are the innermost
    macros of registrations. ``stubs`` is a folder in the tree's shape; each header in it is read behind
    the release's own one, and makes a marker of each of ``macros`` (see registration_parser).
    ``data_types`` is the file and the name of the enum of all types, ``graph_version`` the file and the macro
    of the GraphDef version that the runtime has; ``kernels`` the folder that most kernels are in.
    ``refuses_unknown_attrs``: whether the runtime loads no node with an attr that its op does not have.
    """

    sources: tuple[str, ...]
    exclude_folders: frozenset[str]
    exclude_endings: tuple[str, ...]
    macros: tuple[str, ...]
    types: str
    stubs: Path
    data_types: tuple[str, str]
    graph_version: tuple[str, str]
    kernels: str
    refuses_unknown_attrs: bool = False


def load_registry_data(folder: Path) -> RegistryData:
    """What the release in ``folder`` says. Raises TfcrossError for bad data or a release without stubs."""
    data = load_document(folder / "registry.yaml", "registry")
    loaded = RegistryData(
        sources=tuple(data["sources"]),
        exclude_folders=frozenset(data["exclude"]["folders"]),
        exclude_endings=tuple(data["exclude"]["endings"]),
        macros=tuple(data["macros"]),
        types=data["types"],
        stubs=folder / "stubs",
        data_types=(data["data_types"]["file"], data["data_types"]["enum"]),
        graph_version=(data["graph_version"]["file"], data["graph_version"]["define"]),
        kernels=data["kernels"],
        refuses_unknown_attrs=data["unknown_attrs"] == "refused",
    )
    laid_over = [(loaded.stubs / name).read_text(encoding="utf-8") for name in stub_files(loaded.stubs)]
    for macro in loaded.macros:
        if not any(f"#define {macro}(" in text for text in laid_over):
            where = f"{folder.name}/registry.yaml: macros"
            raise TfcrossError(f"{where}: no header in {folder.name}/stubs defines {macro}; add one.")
    return loaded
