"""The programs, flags and identity of one toolchain on this machine, from ``toolchains/*.yaml``."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .compiler import Compiler, ask, identity, is_version, same_machine
from .errors import TfcrossError, known
from .profile import Profile
from .schema import load_document


@dataclass(frozen=True)
class Toolchain:
    """The programs (absolute paths) and flags that build for one profile.

    ``flags`` go first on every compile by ``cxx`` or ``cc``, ``link_flags`` on every link by
    ``linker``: they say target and CPU, nothing else. ``linker`` is a compiler driver over the same
    C++ library. ``identity`` changes with the compiler's content and the C and C++ libraries'
    versions, not with folders; it belongs in every signature. ``launcher`` goes before a compile.
    """

    name: str
    family: str
    version: str
    identity: str
    cxx: str
    cc: str
    linker: str
    ar: str
    ranlib: str
    nm: str
    readelf: str
    strip: str
    flags: tuple[str, ...]
    link_flags: tuple[str, ...]
    launcher: tuple[str, ...]

    @property
    def pch_suffix(self) -> str:
        return ".pch" if self.family == "clang" else ".gch"

    @property
    def pch_creation(self) -> tuple[str, ...]:
        """Arguments that make a precompiled header: with the templates that it uses, and without times."""
        if self.family == "clang":
            return ("-fpch-instantiate-templates", "-Xclang", "-fno-pch-timestamp")
        return ()

    def pch_flags(self, header: str) -> tuple[str, str]:
        """Arguments that use the precompiled form of ``header``, which is at ``header + pch_suffix``."""
        if self.family == "clang":
            return ("-include-pch", header + self.pch_suffix)
        return ("-include", header)


@dataclass(frozen=True)
class _Search:
    """One toolchain file, looked for on one PATH for one profile; ``others`` are the files beside it."""

    name: str
    data: Mapping[str, Any]
    profile: Profile
    path: str
    others: Sequence[str]

    def names(self, role: str) -> list[str]:
        """What the program that plays ``role`` may be called, best first."""
        return [name for text in self.data["programs"][role] for name in expand(text, self.profile)]

    def candidates(self, role: str) -> Iterator[str]:
        """Absolute paths of the programs on PATH that may play ``role``, best first."""
        for name in self.names(role):
            found = shutil.which(name, path=self.path)
            if found:
                yield str(Path(found).absolute())

    @property
    def flags(self) -> tuple[str, ...]:
        return tuple(flag for text in self.data.get("flags", ()) for flag in expand(text, self.profile))

    @property
    def packages(self) -> list[str]:
        return [package for text in self.data.get("debian", ()) for package in expand(text, self.profile)]


def known_toolchains(root: Path) -> list[str]:
    return sorted(path.stem for path in (root / "toolchains").glob("*.yaml"))


def debian_packages(root: Path, name: str, profile: Profile) -> list[str]:
    """The Debian packages of toolchain ``name`` ("": the pinned one) for ``profile`` on this machine."""
    return _search(root, name, profile, "").packages


def resolve_toolchain(root: Path, name: str, profile: Profile, search_path: str, launcher: str) -> Toolchain:
    """The toolchain ``name`` ("": the one that ``profile`` pins) as found on ``search_path``.

    ``launcher`` is a command line ("": none). Raises TfcrossError when a program is missing or
    is not of the pinned version; the message names what was found and what to install.
    """
    search = _search(root, name, profile, search_path)
    cxx, cc = _pinned(search, "cxx"), _pinned(search, "cc")
    return Toolchain(
        name=search.name,
        family=cxx.family,
        version=cxx.version,
        identity=_identity(search, cxx),
        cxx=cxx.path,
        cc=cc.path,
        linker=_linker(search, cxx),
        **{role: _program(search, role) for role in ("ar", "ranlib", "nm", "readelf", "strip")},
        flags=(*search.flags, *profile.ccflags),
        link_flags=(*profile.ccflags, *profile.ldflags),
        launcher=resolve_launcher(launcher, search_path),
    )


def resolve_launcher(command: str, search_path: str) -> tuple[str, ...]:
    """The launcher's words, its program as an absolute path; () for an empty command."""
    words = shlex.split(command)
    if not words:
        return ()
    program = shutil.which(words[0], path=search_path)
    if program is None:
        raise TfcrossError(
            f"LAUNCHER={command}: {words[0]} is not on PATH; install it or leave LAUNCHER out."
        )
    return (str(Path(program).absolute()), *words[1:])


def expand(template: str, profile: Profile) -> list[str]:
    """What a template of a toolchain file stands for, best first.

    ``{triple}`` is the profile's; ``{prefix}`` is the triple and a dash, and where this machine is
    the target also nothing; ``{suffix}`` is what Debian appends to a cross package's name.
    """
    suffix = "" if profile.native else "-" + profile.triple.replace("_", "-")
    filled = template.replace("{triple}", profile.triple).replace("{suffix}", suffix)
    if "{prefix}" not in filled:
        return [filled]
    prefixes = [f"{profile.triple}-", *([""] if profile.native else [])]
    return [filled.replace("{prefix}", prefix) for prefix in prefixes]


def _search(root: Path, name: str, profile: Profile, search_path: str) -> _Search:
    names, name = known_toolchains(root), name or profile.toolchain
    if name not in names:
        raise TfcrossError(f"TOOLCHAIN={name}: unknown toolchain. {known(names)}")
    data = load_document(root / "toolchains" / f"{name}.yaml", "toolchain")
    return _Search(name, data, profile, search_path, [other for other in names if other != name])


def _pinned(search: _Search, role: str) -> Compiler:
    """The first candidate of the pinned family and version that compiles for the profile's triple."""
    family, pin = search.data["family"], search.data["version"]
    passed_over = []
    for path in search.candidates(role):
        compiler = ask(path, search.path, search.flags)
        if compiler is None or not same_machine(compiler.machine, search.profile.triple):
            continue
        if compiler.family == family and is_version(compiler.version, pin):
            return compiler
        passed_over.append(compiler)
    raise TfcrossError(_missing(search, role, passed_over))


def _missing(search: _Search, role: str, found: Sequence[Compiler]) -> str:
    """The error for a compiler that is not there: the pin, what was found instead, the ways out."""
    labels = ", ".join(dict.fromkeys(compiler.label for compiler in found)) or "none"
    refused = [
        f" {compiler.label} is refused: {reason}."
        for compiler in found
        for version, reason in search.data.get("refused", {}).items()
        if is_version(compiler.version, version)
    ]
    missing = f"{search.names(role)[0]} is not on PATH (found: {labels})."
    return f"{_pin(search)}; {missing}{''.join(refused[:1])} {_ways_out(search)}"


def _pin(search: _Search) -> str:
    profile, pin = search.profile, f"{search.data['family']} {search.data['version']}"
    if search.name == profile.toolchain:
        return f"{profile.target} pins {pin} for TensorFlow {profile.release}"
    return f"TOOLCHAIN={search.name} is {pin}"


def _ways_out(search: _Search) -> str:
    how = search.data.get("install") or f"apt-get install {' '.join(search.packages)}"
    return f"Install it ({how}), or pass TOOLCHAIN= another. {known(search.others)}"


def _identity(search: _Search, cxx: Compiler) -> str:
    try:
        return identity(cxx, search.profile.triple, search.path, search.flags)
    except TfcrossError as error:
        raise TfcrossError(f"{error} {_ways_out(search)}") from error


def _linker(search: _Search, cxx: Compiler) -> str:
    """A driver that links against the very libraries whose headers ``cxx`` compiles with."""
    names, found = " or ".join(search.names("linker")), []
    for path in search.candidates("linker"):
        driver = ask(path, search.path)
        if driver and driver.libraries == cxx.libraries:
            return path
        found += [f"{driver.label} over {driver.libraries}"] if driver else []
    raise TfcrossError(
        f"{cxx.label} compiles for the C++ library in {cxx.libraries}; no {names} on PATH "
        f"links that one (found: {', '.join(found) or 'none'}). {_ways_out(search)}"
    )


def _program(search: _Search, role: str) -> str:
    for path in search.candidates(role):
        return path
    names = " or ".join(search.names(role))
    raise TfcrossError(f"toolchain {search.name}: {names} is not on PATH. {_ways_out(search)}")
