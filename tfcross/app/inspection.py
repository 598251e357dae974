"""Whether a linked app has in it what its models need of a library, and if not, which flag is missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfcross.binary.binary import Binary
from tfcross.binary.elf import read_elf
from tfcross.binary.macho import read_macho
from tfcross.errors import TfcrossError
from tfcross.output.manifest import link_flags

_MACHO = (b"\xfe\xed\xfa", b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")
#: A source of each protobuf library; the app's own are not called so.
_PROTOBUF_UNITS = ("descriptor.pb.cc", "generated_message_util.cc", "message_lite.cc")
_STRIPPED = "it is stripped: what is known is only what is in its strings"


@dataclass(frozen=True)
class Finding:
    """``ok``: True for what is right, False for what is wrong, None for what cannot be known."""

    ok: bool | None
    text: str


@dataclass(frozen=True)
class _Missing:
    """What of ``files`` (source → ops and kernels that it registers) an app lacks."""

    factory: bool
    kernels: tuple[str, ...]
    ops: tuple[str, ...]
    units: tuple[str, ...]
    unsure: tuple[str, ...]

    @property
    def shown(self) -> str:
        parts = ["the session factory"] if self.factory else []
        parts += [_counted("kernel", self.kernels)] if self.kernels else []
        parts += [_counted("op", self.ops)] if self.ops else []
        return " and ".join(parts)


def read_app(path: Path) -> list[Binary]:
    """The app for each CPU that its file is for; TfcrossError for a file that is no linked program."""
    try:
        with path.open("rb") as stream:
            magic = stream.read(4)
            stream.seek(0)
            if magic == b"\x7fELF":
                return [read_elf(stream, str(path))]
    except OSError as error:
        raise TfcrossError(f"{path}: cannot be read: {error.strerror}; pass the linked app.") from error
    if magic.startswith(_MACHO):
        return read_macho(path)
    raise TfcrossError(f"{path}: neither ELF nor Mach-O; pass the linked app, not a package that holds it.")


def for_library(binaries: Sequence[Binary], manifest: Mapping[str, Any], shown: str) -> Binary:
    """The one of ``binaries`` that is for the library's CPU; TfcrossError if none is."""
    for binary in binaries:
        if binary.cpu == manifest["cpu"]:
            return binary
    kinds = " and ".join(f"{binary.format} for {binary.isa}" for binary in binaries)
    raise TfcrossError(
        f"{shown}: is {kinds}; the library {manifest['target']}-{manifest['arch']} is for "
        f"{manifest['triple']}. Pass an app that is built for it, or another --library."
    )


def check_app(
    binary: Binary, manifest: Mapping[str, Any], ops: Collection[str] | None = None
) -> list[Finding]:
    """What is right and wrong in ``binary`` as an app of the library that ``manifest`` is about.

    ``ops`` are the model's (None: all that the library has); the runtime's own always count.
    """
    findings = [Finding(True, f"{binary.format} for {binary.isa}")]
    if binary.units is None:
        findings.append(Finding(None, _STRIPPED))
    unknown = sorted(set(ops or ()) - manifest["ops"].keys())
    if unknown:
        findings.append(
            Finding(
                False,
                f"{_counted('op', unknown)} of the model: not in the library, which is for "
                f"{_models(manifest)}; build it with MODEL= that model",
            )
        )
    return [
        *findings,
        *_registrations(binary, manifest, ops),
        *_protobuf(binary, manifest),
        *_atomics(binary),
    ]


def _registrations(binary: Binary, manifest: Mapping[str, Any], ops: Collection[str] | None) -> list[Finding]:
    wanted = _wanted(manifest, ops)
    missing = _missing(binary, manifest["session_factory"], wanted)
    kernels = sum(len(part["kernels"]) for part in wanted.values())
    names = {op for part in wanted.values() for op in part["ops"]}
    total = f"{kernels} kernels and {len(names)} op definitions"
    findings = []
    if missing.shown:
        findings.append(Finding(False, _diagnosis(binary, manifest, missing, kernels)))
    else:
        factory = "the session factory, " if manifest["session_factory"] else ""
        findings.append(Finding(True, f"{factory}{total} are in it"))
    if missing.unsure:
        shown = _counted("op definition", missing.unsure)
        findings.append(
            Finding(None, f"{shown}: not among its strings, but the compiler may have changed them")
        )
    return findings


def _wanted(manifest: Mapping[str, Any], ops: Collection[str] | None) -> dict[str, dict[str, list[Any]]]:
    """What each source registers of ``ops`` and of what the runtime needs."""
    runtime = {op for op, reason in manifest["ops"].items() if reason["kind"] == "runtime"}
    wanted = manifest["ops"].keys() if ops is None else {*ops, *runtime}
    parts = {
        file: {
            "ops": [op for op in part["ops"] if op in wanted],
            "kernels": [text for op, text in part["kernels"] if op in wanted],
        }
        for file, part in manifest["registering"].items()
    }
    return {file: part for file, part in parts.items() if part["ops"] or part["kernels"]}


def _missing(binary: Binary, factory: str, wanted: Mapping[str, Mapping[str, list[str]]]) -> _Missing:
    kernels, ops, units, unsure = [], [], [], []
    for file, part in wanted.items():
        absent = binary.units is not None and not binary.units[file.rpartition("/")[2]]
        units += [file] if absent else []
        kernels += [text for text in part["kernels"] if absent or not binary.has_text(text)]
        ops += part["ops"] if absent else []
        if binary.units is None:  # a short string may have become an instruction's operand
            unsure += [op for op in part["ops"] if not binary.has_text(op)]
    lost = bool(factory) and not binary.has_text(_type_name(factory))
    return _Missing(lost, *(tuple(sorted(set(names))) for names in (kernels, ops, units, unsure)))


def _diagnosis(binary: Binary, manifest: Mapping[str, Any], missing: _Missing, kernels: int) -> str:
    core = f"lib/{manifest['link']['core']}"
    flags = " ".join(link_flags(manifest).whole_core("…"))
    if missing.factory and len(missing.kernels) == kernels:
        return (
            f"core was not linked whole-archive, or not at all: {missing.shown} missing; link it as {flags}"
        )
    if missing.factory or missing.units:
        return f"core was not linked whole-archive: {missing.shown} missing; link it as {flags}"
    return (
        f"{missing.shown} missing: it was linked with another {core} than this one, which is for "
        f"{_models(manifest)}; link again"
    )


def _protobuf(binary: Binary, manifest: Mapping[str, Any]) -> list[Finding]:
    """Two protobufs in one process disagree about who owns a message."""
    own = (
        f"protobuf {manifest['sources']['protobuf']['version']}" if "protobuf" in manifest["sources"] else ""
    )
    shared = [name for name in binary.needed if name.rpartition("/")[2].startswith("libprotobuf")]
    findings = [
        Finding(
            False,
            f"protobuf is there twice: the library's own ({own}) and {name}; "
            "link lib/libprotobuf.a only, and generate the app's messages for it",
        )
        for name in shared
    ]
    units = binary.units or Counter()
    copies = max((units.get(name, 0) for name in _PROTOBUF_UNITS), default=0)
    if copies > 1:
        findings.append(
            Finding(
                False,
                f"protobuf is there {'twice' if copies == 2 else f'{copies} times'}, linked statically; "
                f"take the other one out of the link, {own} is the library's own",
            )
        )
    if not findings and binary.units is None:
        findings.append(Finding(None, "whether protobuf was linked twice statically"))
    return findings or [Finding(True, f"{own or 'protobuf'} is there once")]


def _atomics(binary: Binary) -> list[Finding]:
    unresolved = sorted(name for name in binary.undefined if name.startswith("__atomic_"))
    if unresolved and not any("libatomic" in name for name in binary.needed):
        shown = ", ".join(unresolved[:3])
        return [Finding(False, f"64-bit atomics are unresolved ({shown}): put -latomic behind the archives")]
    return [Finding(True, "64-bit atomics are resolved")]


def _type_name(name: str) -> str:
    """The name of a C++ class as its type information has it: ``N1a1BE`` for ``a::B``."""
    return "N" + "".join(f"{len(part)}{part}" for part in name.split("::")) + "E"


def _models(manifest: Mapping[str, Any]) -> str:
    return ", ".join(model["name"] for model in manifest["models"]) or "the whole portable set"


def _counted(what: str, names: Sequence[str]) -> str:
    """``"2 kernels (a, b)"``, with no more than three names."""
    more = ", …" if len(names) > 3 else ""
    return f"{len(names)} {what}{'s' * (len(names) != 1)} ({', '.join(names[:3])}{more})"
