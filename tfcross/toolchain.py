"""The programs, flags and identity of one toolchain on this machine, from ``toolchains/*.yaml``."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from .compiler import Compiler, ask, defined_macros, identity, is_version, links_library, same_machine
from .errors import TfcrossError
from .profile import Profile, host_triple
from .release import Source
from .toolsearch import Search, search_for
from .toolsearch import known_toolchains as known_toolchains
from .toolsource import Bring, toolchain_source


@dataclass(frozen=True)
class Toolchain:
    """The programs (absolute paths) and flags that build for one profile.

    ``flags`` go first on every compile by ``cxx`` or ``cc``, ``link_flags`` on every link by
    ``linker``: they say target and CPU, nothing else. ``linker`` is a compiler driver over the same
    C++ library. ``identity`` changes with the compiler's content and the C and C++ libraries'
    versions, not with folders; it belongs in every signature. ``launcher`` goes before a compile.
    ``ccflags`` and ``libraries`` are the profile's, as this compiler's own libraries want them.
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
    ccflags: tuple[str, ...]
    libraries: tuple[str, ...]

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

    def fitted(self, profile: Profile) -> Profile:
        """``profile`` as apps have to be built for it: this toolchain's flags, the libraries that it has."""
        return replace(profile, ccflags=self.ccflags, libraries=self.libraries)


def debian_packages(root: Path, name: str, profile: Profile) -> list[str]:
    """The Debian packages of toolchain ``name`` ("": the pinned one) for ``profile`` on this machine."""
    return search_for(root, name, profile, "").packages


def download_of(root: Path, name: str, profile: Profile) -> Source | None:
    """What brings toolchain ``name`` ("": the pinned one) to this machine, where its file says so."""
    search = search_for(root, name, profile, "")
    return toolchain_source(search.name, search.data, profile.triple, host_triple())


def resolve_toolchain(
    root: Path,
    name: str,
    profile: Profile,
    search_path: str,
    launcher: str,
    *,
    folder: str = "",
    bring: Bring | None = None,
) -> Toolchain:
    """The toolchain ``name`` ("": the one that ``profile`` pins) as found on this machine.

    Its compilers are in ``folder`` (TOOLCHAIN_ROOT; "": on ``search_path``, else where ``bring`` unpacks
    them, for a toolchain file that says where to get it). ``launcher`` is a command line ("": none).
    Raises TfcrossError when a program is missing or is not of the pinned version; the message names
    what was found and what to install.
    """
    search = search_for(root, name, profile, search_path)
    if folder:
        search = search.within(Path(folder), f"TOOLCHAIN_ROOT={folder}")
    elif bring is not None and not all(_matching(search, role)[0] for role in ("cxx", "cc")):
        search = _brought(search, bring)
    cxx, cc = _pinned(search, "cxx"), _pinned(search, "cc")
    ccflags = (*profile.ccflags, *_library_flags(search, cxx))
    linker = _linker(search, cxx)
    return Toolchain(
        name=search.name,
        family=cxx.family,
        version=cxx.version,
        identity=_identity(search, cxx),
        cxx=cxx.path,
        cc=cc.path,
        linker=linker,
        **{role: _program(search, role) for role in ("ar", "ranlib", "nm", "readelf", "strip")},
        flags=(*search.flags, *ccflags),
        link_flags=(*ccflags, *profile.ldflags),
        launcher=resolve_launcher(launcher, search_path),
        ccflags=ccflags,
        libraries=_libraries(search, linker),
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


def _brought(search: Search, bring: Bring) -> Search:
    """The search in the folder that the toolchain is unpacked in; as it was if there is nothing to bring."""
    source = toolchain_source(search.name, search.data, search.profile.triple, host_triple())
    if source is None:
        return search
    try:
        folder = bring(source)
    except TfcrossError as error:
        raise TfcrossError(f"{_missing(search, 'cxx')} {error} {search.ways_out}") from error
    return search.within(folder, f"the download of {source}")


def _matching(search: Search, role: str) -> tuple[Compiler | None, list[Compiler]]:
    """The first candidate of the pinned family and version that compiles for the profile's triple, or
    else what there is for that triple instead."""
    family, pin = search.data["family"], search.data["version"]
    passed_over = []
    for path in search.candidates(role):
        compiler = ask(path, search.path_to_run, search.flags)
        if compiler is None or not same_machine(compiler.machine, search.profile.triple):
            continue
        if compiler.family == family and is_version(compiler.version, pin):
            return compiler, []
        passed_over.append(compiler)
    return None, passed_over


def _pinned(search: Search, role: str) -> Compiler:
    compiler, _ = _matching(search, role)
    if compiler is None:
        raise TfcrossError(f"{_missing(search, role)} {search.ways_out}")
    return compiler


def _missing(search: Search, role: str) -> str:
    """What is said of a compiler that is not there: the pin, what was found instead, why that will not do."""
    _, found = _matching(search, role)
    labels = ", ".join(dict.fromkeys(compiler.label for compiler in found)) or "none"
    missing = f"{search.pin}; {search.names(role)[0]} is not {search.place} (found: {labels})."
    return f"{missing}{''.join(_refusals(search, found)[:1])}"


def _refusals(search: Search, found: Sequence[Compiler]) -> list[str]:
    return [
        f" {compiler.label} is refused: {reason}."
        for compiler in found
        for version, reason in search.data.get("refused", {}).items()
        if is_version(compiler.version, version)
    ]


def _identity(search: Search, cxx: Compiler) -> str:
    try:
        return identity(cxx, search.profile.triple, search.path_to_run, search.flags)
    except TfcrossError as error:
        raise TfcrossError(f"{error} {search.ways_out}") from error


def _library_flags(search: Search, cxx: Compiler) -> tuple[str, ...]:
    """What sets the macros that the C++ library's own classes depend on to what it was built with.

    It was built with the compiler's defaults; where the profile's flags select another CPU they may
    differ, and then objects and library do not agree on what a class is.
    """
    names = search.data.get("library_macros", ())
    if not names:
        return ()
    built = defined_macros(cxx, search.path_to_run, search.flags)
    ours = defined_macros(cxx, search.path_to_run, (*search.flags, *search.profile.ccflags))
    return tuple(
        f"-U{name}" if name in ours else f"-D{name}=1" for name in names if (name in built) != (name in ours)
    )


def _linker(search: Search, cxx: Compiler) -> str:
    """A driver that links against the very libraries whose headers ``cxx`` compiles with."""
    names, found = " or ".join(search.names("linker")), []
    for path in search.candidates("linker"):
        driver = ask(path, search.path_to_run)
        if driver and driver.libraries == cxx.libraries:
            return path
        found += [f"{driver.label} over {driver.libraries}"] if driver else []
    raise TfcrossError(
        f"{cxx.label} compiles for the C++ library in {cxx.libraries}; no {names} on PATH "
        f"links that one (found: {', '.join(found) or 'none'}). {search.ways_out}"
    )


def _libraries(search: Search, linker: str) -> tuple[str, ...]:
    """The profile's libraries without those that need not be there and are not."""
    profile = search.profile
    return tuple(
        name
        for name in profile.libraries
        if name not in profile.optional_libraries
        or links_library(linker, name, search.path_to_run, profile.ccflags)
    )


def _program(search: Search, role: str) -> str:
    for path in search.candidates(role):
        return path
    names = " or ".join(search.names(role))
    raise TfcrossError(f"toolchain {search.name}: {names} is not on PATH. {search.ways_out}")
