"""What TensorFlow's core is made of in one release (``core.yaml``): units, protos, flags, headers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from tfcross.documents import load_document, merge
from tfcross.errors import TfcrossError, known
from tfcross.nearest import did_you_mean


@dataclass(frozen=True)
class Generated:
    """A header that is rendered from a template instead of TensorFlow's own generator."""

    template: str
    values: Mapping[str, Any]


@dataclass(frozen=True)
class SharedLibrary:
    """A library for other languages: ``exports`` is a version script.

    ``jar`` has the classes of ``java``; an AAR of both has the Java package ``package``.
    """

    sources: tuple[str, ...]
    exports: str
    libraries: tuple[str, ...]
    java: tuple[str, ...] = ()
    jar: str = ""
    package: str = ""


@dataclass(frozen=True)
class CoreSet:
    """The data of ``core.yaml``; unit and header paths are relative to the tree ``tree``.

    ``runtime`` is what every model needs. A build without a model adds the files that match
    ``whole_sources`` and not ``whole_exclude``, ``whole_protos``, and of ``portable`` what registers
    something.
    ``unavailable`` maps files that register something to the reason why they cannot be built; ``always`` maps
    ops that no graph names to the reason why the runtime needs them, ``inserted`` an op to those that the
    runtime may put in its place (in parentheses: see selection/insertions.py); ``definers`` say where to
    look for a definition that kernels lack. ``session_factory`` is the C++ class without which an app has no
    session ("": none); ``programs`` are TensorFlow's own that can be linked with the library; those that are
    ``shared`` libraries are among them.
    """

    tree: str
    cxx_standard: str
    ccflags: tuple[str, ...]
    defines: tuple[str, ...]
    types: Mapping[str, tuple[str, ...]]
    include: tuple[str, ...]
    pch_defines: tuple[str, ...]
    pch_headers: tuple[str, ...]
    pch_without: tuple[str, ...]
    proto_sources: tuple[str, ...]
    proto_exclude: tuple[str, ...]
    proto_units: tuple[str, ...]
    generated: Mapping[str, Generated]
    registration_headers: tuple[str, ...]
    registration_template: str
    runtime: tuple[str, ...]
    portable: tuple[str, ...]
    whole_sources: tuple[str, ...]
    whole_exclude: tuple[str, ...]
    whole_protos: tuple[str, ...]
    unavailable: Mapping[str, str]
    always: Mapping[str, str]
    inserted: Mapping[str, tuple[str, ...]]
    definer_folders: tuple[str, ...]
    definer_exclude: str
    definer_symbols: str
    public_headers: tuple[str, ...]
    session_factory: str
    programs: Mapping[str, tuple[str, ...]]
    shared: Mapping[str, SharedLibrary]

    def type_defines(self, types: str) -> tuple[str, ...]:
        """The macros behind ``TYPES=``."""
        if types not in self.types:
            raise TfcrossError(f"TYPES={types}: not in this release. {known(self.types)}")
        return self.types[types]


def load_core(folder: Path, platform: str = "linux") -> CoreSet:
    """The core of the release in ``folder`` for ``platform``, whose own lists are appended."""
    document = load_document(folder / "core.yaml", "core")
    data = merge(document, document.get("platforms", {}).get(platform, {}))
    pch, whole = data.get("precompiled", {}), data.get("whole", {})
    shared = {name: _shared(entry) for name, entry in data.get("shared", {}).items()}
    return CoreSet(
        tree=data["tree"],
        cxx_standard=data["cxx_standard"],
        ccflags=tuple(data["ccflags"]),
        defines=tuple(data["defines"]),
        types={name: tuple(defines) for name, defines in data["types"].items()},
        include=tuple(data["include"]),
        pch_defines=tuple(pch.get("defines", ())),
        pch_headers=tuple(pch.get("headers", ())),
        pch_without=tuple(pch.get("without", ())),
        proto_sources=tuple(data["protos"]["sources"]),
        proto_exclude=tuple(data["protos"].get("exclude", ())),
        proto_units=_paths(data["proto_units"], "proto_units", ".proto"),
        generated={
            **{
                name: Generated(entry["template"], entry.get("values", {}))
                for name, entry in data["generated"].items()
            },
            **dict(_text_header(proto, enums) for proto, enums in data.get("pb_text", {}).items()),
        },
        registration_headers=tuple(data["registration"]["headers"]),
        registration_template=data["registration"]["template"],
        runtime=_paths(data["runtime"], "runtime", ".cc"),
        portable=_paths(data["portable"], "portable", ".cc"),
        whole_sources=tuple(whole.get("sources", ())),
        whole_exclude=tuple(whole.get("exclude", ())),
        whole_protos=_paths(whole.get("protos", {}), "whole.protos", ".proto"),
        unavailable={file: why for why, files in data.get("unavailable", {}).items() for file in files},
        always=dict(data["always"]),
        inserted={op: tuple(ops) for op, ops in data.get("inserted", {}).items()},
        definer_folders=tuple(data["definers"]["folders"]),
        definer_exclude=data["definers"]["exclude"],
        definer_symbols=data["definers"]["symbols"],
        public_headers=tuple(data["public_headers"]),
        session_factory=data.get("session_factory", ""),
        programs={
            **{name: tuple(files) for name, files in data.get("programs", {}).items()},
            **{name: library.sources for name, library in shared.items()},
        },
        shared=shared,
    )


def _shared(entry: Mapping[str, Any]) -> SharedLibrary:
    return SharedLibrary(
        sources=tuple(entry["sources"]),
        exports=entry["exports"],
        libraries=tuple(entry["libraries"]),
        java=tuple(entry.get("java", ())),
        jar=entry.get("jar", ""),
        package=entry.get("package", ""),
    )


def _text_header(proto: str, enums: list[str]) -> tuple[str, Generated]:
    """The header of text conversions of ``proto``, with the names of those ``enums``."""
    stem = proto.removesuffix(".proto")
    guard = "TFCROSS_" + re.sub(r"\W", "_", stem).upper() + "_PB_TEXT_H_"
    values = {"guard": guard, "proto": f"{stem}.pb.h", "enums": enums}
    return f"{stem}.pb_text.h", Generated("pb_text.h.j2", values)


def _paths(by_folder: Mapping[str, list[str]], key: str, suffix: str) -> tuple[str, ...]:
    """The list ``key``, ``{folder: [stem, …]}``, as sorted paths; none may be there twice."""
    paths = sorted(f"{folder}/{stem}{suffix}" for folder, stems in by_folder.items() for stem in stems)
    for path, following in pairwise(paths):
        if path == following:
            raise TfcrossError(f"core.yaml: {key}: {path} is listed twice; take one out.")
    return tuple(paths)


def check_files(core: CoreSet, tree: Path) -> None:
    """TfcrossError for files of the lists that ``tree``, TensorFlow's root folder, does not have."""
    lists = {
        "runtime": core.runtime,
        "portable": core.portable,
        "proto_units": core.proto_units,
        "whole.protos": core.whole_protos,
        "unavailable": tuple(core.unavailable),
        "programs": tuple(file for files in core.programs.values() for file in files),
    }
    for key, names in lists.items():
        missing = [n for n in names if n not in core.generated and not (tree / n).is_file()]
        if missing:
            more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
            raise TfcrossError(
                f"core.yaml: {key}: {missing[0]}{more} is not in the source tree{_near(tree, missing[0])}; "
                "correct the list, or give the tree of this release (SOURCE_tensorflow=)."
            )


def _near(tree: Path, name: str) -> str:
    """The file in the same folder that may be meant."""
    path = Path(name)
    names = [file.name for file in (tree / path.parent).glob(f"*{path.suffix}")]
    return did_you_mean(path.name, names, cutoff=0.8)
