"""Compilers of the system or of a folder of programs: GCC, and clang over GCC's libraries."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tfcross.errors import TfcrossError
from tfcross.targets.target import host_triple
from tfcross.toolchains.download import Bring, toolchain_source
from tfcross.toolchains.driver import (
    Compiler,
    ask,
    defined_macros,
    identity,
    is_version,
    library_file,
    links_library,
    same_machine,
)
from tfcross.toolchains.search import Search
from tfcross.toolchains.toolchain import Request, Toolchain


def resolve(request: Request) -> Toolchain:
    """The pinned compiler in the given folder, on PATH, or in a download; TfcrossError if there is none."""
    search = request.search
    folder = request.places.folder
    if folder:
        search = search.within(Path(folder), f"TOOLCHAIN_ROOT={folder}")
    elif request.bring is not None and not all(_matching(search, role)[0] for role in ("cxx", "cc")):
        search = _brought(search, request.bring)
    cxx, cc = _pinned(search, "cxx"), _pinned(search, "cc")
    ccflags = (*search.profile.ccflags, *_library_flags(search, cxx))
    linker = _linker(search, cxx)
    return Toolchain(
        name=search.name,
        family=cxx.family,
        version=cxx.version,
        identity=_identity(search, cxx),
        cxx=cxx.path,
        cc=cc.path,
        linker=linker,
        ar=_program(search, "ar"),
        nm=_program(search, "nm"),
        strip=_program(search, "strip"),
        flags=(*search.flags, *ccflags),
        link_flags=(*ccflags, *search.profile.ldflags),
        launcher=request.launcher,
        ccflags=ccflags,
        libraries=_libraries(search, linker),
        runtime=_runtime(search, linker),
        precompiles=search.data.get("precompiled", True),
    )


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
    _, compilers = _matching(search, role)
    labels = ", ".join(dict.fromkeys(compiler.label for compiler in compilers)) or "none"
    missing = f"{search.pin}; {search.names(role)[0]} is not {search.place} (found: {labels})."
    return f"{missing}{''.join(_refusals(search, compilers)[:1])}"


def _refusals(search: Search, compilers: Sequence[Compiler]) -> list[str]:
    return [
        f" {compiler.label} is refused: {reason}."
        for compiler in compilers
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
    names, others = " or ".join(search.names("linker")), []
    for path in search.candidates("linker"):
        driver = ask(path, search.path_to_run)
        if driver and driver.libraries == cxx.libraries:
            return path
        others += [f"{driver.label} over {driver.libraries}"] if driver else []
    raise TfcrossError(
        f"{cxx.label} compiles for the C++ library in {cxx.libraries}; no {names} on PATH "
        f"links that one (found: {', '.join(others) or 'none'}). {search.ways_out}"
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


def _runtime(search: Search, linker: str) -> tuple[str, ...]:
    names, flags = search.data.get("runtime", ()), search.profile.ccflags
    return tuple(filter(None, (library_file(linker, name, search.path_to_run, flags) for name in names)))


def _program(search: Search, role: str) -> str:
    for path in search.candidates(role):
        return path
    names = " or ".join(search.names(role))
    raise TfcrossError(f"toolchain {search.name}: {names} is not on PATH. {search.ways_out}")
