"""The Android NDK: which one there is, and where its revision keeps what a build needs."""

from __future__ import annotations

import platform
import re
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfcross.environment import expanded
from tfcross.errors import TfcrossError, known
from tfcross.toolchains.driver import accepts, ask, identity, links_library
from tfcross.toolchains.sdks import UnfitSdkError, check_floor, first_range, fits, fitting_words
from tfcross.toolchains.toolchain import INSTANTIATE, Request, Toolchain
from tfcross.toolchains.versions import Version, VersionRange, parse_version

#: What NDKs call the machine that they run on; Apple silicon runs the programs for x86-64.
HOSTS = {"Linux": "linux-x86_64", "Darwin": "darwin-x86_64", "Windows": "windows-x86_64"}


@dataclass(frozen=True)
class Ndk:
    """An NDK: its folder, ``revision`` as (21, 4), and its name as r21e."""

    folder: Path
    revision: Version
    name: str


def resolve(request: Request) -> Toolchain:
    """The NDK's compiler for the profile; TfcrossError tells what was looked for and where."""
    ndk = find_ndk(request)
    data, profile = request.search.data, request.profile
    check_floor(profile, first_range(data["floors"], ndk.revision) or "", f"NDK {ndk.name}")
    layout = next(
        (candidate for candidate in data["layouts"] if ndk.revision in VersionRange(candidate["revisions"])),
        None,
    )
    if layout is None:
        raise TfcrossError(f"toolchains/{request.search.name}.yaml: no layout for NDK {ndk.name}; add one.")
    return _toolchain(request, ndk, layout)


def _toolchain(request: Request, ndk: Ndk, layout: Mapping[str, Any]) -> Toolchain:
    profile, path = request.profile, request.search.path
    programs: dict[str, Any] = {
        role: _program(request, ndk, text) for role, text in layout["programs"].items()
    }
    for folder in (_fill(request, ndk, text) for text in layout.get("folders", ())):
        if not (ndk.folder / folder).is_dir():
            raise TfcrossError(_lacks(request, ndk, folder))
    flags = [_fill(request, ndk, text) for text in layout.get("flags", ())]
    link_flags = [_fill(request, ndk, text) for text in layout.get("link_flags", ())]
    tail = [_fill(request, ndk, text) for text in layout.get("link_tail", ())]
    compiler = ask(programs["cxx"], path, flags)
    if compiler is None:
        raise TfcrossError(f"{programs['cxx']}: does not answer as a compiler; install NDK {ndk.name} anew.")
    libraries = tuple(
        name
        for name in profile.libraries
        if name not in profile.optional_libraries
        or links_library(programs["cxx"], name, path, [*link_flags, *profile.ccflags])
    )
    return Toolchain(
        name=request.search.name,
        family=compiler.family,
        version=compiler.version,
        identity=f"{identity(compiler, profile.triple, path, flags)} NDK {ndk.name}",
        **programs,
        linker=programs["cxx"],
        flags=(*flags, *profile.ccflags),
        link_flags=(*link_flags, *profile.ccflags, *profile.ldflags),
        link_tail=tuple(tail),
        program_flags=tuple(layout.get("program_flags", ())),
        launcher=request.launcher,
        ccflags=profile.ccflags,
        libraries=libraries,
        pch_instantiates=accepts(programs["cxx"], INSTANTIATE, path),
        root=str(ndk.folder),
        sdk=f"NDK {ndk.name}",
    )


def find_ndk(request: Request) -> Ndk:
    """The NDK that NDK_ROOT= or a variable of the environment names, else the highest that will do."""
    given = next(_given(request), None)
    if given:
        text, folder = given
        return _checked(request, text, read_ndk(folder))
    installed = list(_installed(request))
    fitting = [ndk for ndk in installed if _fits(request, ndk)]
    if fitting:
        return max(fitting, key=lambda ndk: ndk.revision)
    if installed:
        newest = max(installed, key=lambda ndk: ndk.revision)
        return _checked(request, str(newest.folder), newest)
    raise TfcrossError(f"{_need(request)}; none found: {_looked_at(request)}. {_ways_out(request)}")


def read_ndk(folder: Path) -> Ndk | None:
    """The NDK in ``folder``; None where nothing tells a revision."""
    properties, text = folder / "source.properties", folder / "RELEASE.TXT"
    if properties.is_file():  # r11 and later
        match = re.search(r"^Pkg\.Revision\s*=\s*(\d+)\.(\d+)", properties.read_text(), re.MULTILINE)
        if not match:
            return None
        letter = string.ascii_lowercase[int(match[2])] if int(match[2]) else ""
        name = f"r{match[1]}{letter}"
    elif text.is_file():
        match = re.match(r"r\d+[a-z]?", text.read_text().strip())
        if not match:
            return None
        name = match[0]
    else:
        return None
    return Ndk(folder.absolute(), parse_version(name), name)


def _given(request: Request) -> Iterator[tuple[str, Path]]:
    """What says where the NDK is, best first: in words, and the folder."""
    if request.places.ndk:
        yield f"NDK_ROOT={request.places.ndk}", expanded(request.places.ndk)
    for name in request.search.data["variables"]:
        value = request.places.variables.get(name)
        if value:
            yield f"${name}={value}", Path(value)


def _installed(request: Request) -> Iterator[Ndk]:
    """NDKs in the folders where SDKs put them."""
    for pattern in request.search.data["folders"]:
        names = re.findall(r"\{(\w+)\}", pattern)
        if not all(request.places.variables.get(name) for name in names):
            continue
        filled = pattern.format(**{name: request.places.variables[name] for name in names})
        anchor = Path(filled).anchor
        for folder in sorted(Path(anchor).glob(filled.removeprefix(anchor))):
            ndk = read_ndk(folder)
            if ndk:
                yield ndk


def _fits(request: Request, ndk: Ndk) -> bool:
    return fits(request.profile, request.search.data, ndk.revision)


def _checked(request: Request, where: str, ndk: Ndk | None) -> Ndk:
    if ndk is None:
        raise TfcrossError(
            f"{where}: no NDK there (neither source.properties nor RELEASE.TXT tells a revision); "
            "give the folder that holds ndk-build."
        )
    if _fits(request, ndk):
        return ndk
    reason = first_range(request.search.data.get("outside", {}), ndk.revision) or ""
    reason = reason.replace("{ndk}", f"NDK {ndk.name}").replace("{release}", request.profile.release)
    revisions = fitting_words(request.profile, request.search.data)
    way_out = f"{reason}; or pass" if reason else "Pass"
    raise UnfitSdkError(
        f"{where} is NDK {ndk.name}; {_need(request)}. {way_out} NDK_ROOT= of an NDK {revisions}."
    )


def _need(request: Request) -> str:
    profile = request.profile
    revisions = fitting_words(profile, request.search.data)
    return (
        f"{profile.target} {profile.arch} needs NDK {revisions} "
        f"for TensorFlow {profile.release} with {request.search.name}"
    )


def _looked_at(request: Request) -> str:
    data, given = request.search.data, request.places.variables
    unset = ", ".join(name for name in data["variables"] if not given.get(name))
    shown = (
        re.sub(r"\{(\w+)\}", lambda m: given.get(m[1]) or f"${m[1]}", folder) for folder in data["folders"]
    )
    folders = ", ".join(shown)
    return f"no NDK_ROOT= given, {unset} not set, nothing in {folders}"


def _ways_out(request: Request) -> str:
    return f"Install {request.search.data.get('install', 'an NDK')} and pass NDK_ROOT=<its folder>."


def _fill(request: Request, ndk: Ndk, text: str) -> str:
    """A template of the toolchain file for this NDK and profile."""
    profile = request.profile
    names = {f"names.{key}": value for key, value in profile.names.items()}
    words = {"ndk": str(ndk.folder), "host": _host(), "api": profile.api, "triple": profile.triple, **names}
    return re.sub(r"\{([\w.]+)\}", lambda match: words[match[1]], text)


def _host() -> str:
    return HOSTS.get(platform.system(), platform.system().lower())


def _program(request: Request, ndk: Ndk, text: str) -> str:
    path = ndk.folder / _fill(request, ndk, text)
    if not path.is_file():
        raise TfcrossError(_lacks(request, ndk, str(path.relative_to(ndk.folder))))
    return str(path)


def _lacks(request: Request, ndk: Ndk, what: str) -> str:
    """Of a file or folder that the layout has and this NDK has not: most often another API's is there."""
    api = request.profile.api
    template = re.sub(rf"(android(?:eabi)?-?){api}(?!\d)", r"\1*", what)
    pattern = re.escape(template).replace(r"\*", r"(\d+)")
    matches = (re.fullmatch(pattern, p.relative_to(ndk.folder).as_posix()) for p in ndk.folder.glob(template))
    others = sorted({match[1] for match in matches if match and match.groups()}, key=int)
    if others:
        return f"API={api}: NDK {ndk.name} has no {what}; pass API= one that it has. {known(others)}"
    return f"NDK {ndk.name} in {ndk.folder} has no {what}; unpack it anew, or pass NDK_ROOT= of another."
