"""Xcode: Apple's compiler and an SDK, found by xcrun."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from typing import Any

from tfcross.errors import TfcrossError
from tfcross.toolchains.driver import accepts, ask, identity
from tfcross.toolchains.sdks import UnfitSdkError, check_floor, first_range, fits, fitting_words
from tfcross.toolchains.toolchain import INSTANTIATE, Request, Toolchain
from tfcross.toolchains.versions import parse_version


@dataclass(frozen=True)
class Sdk:
    """An SDK of Apple's: what xcrun calls it, where it is and its version."""

    name: str
    folder: str
    version: str


def resolve(request: Request) -> Toolchain:
    """Apple's compiler over the profile's SDK; TfcrossError tells what was looked for and where."""
    xcrun = _xcrun(request)
    sdk = _sdk(request, xcrun)
    profile, data = request.profile, request.search.data
    _check(request, sdk)
    programs: dict[str, Any] = {
        role: _find(request, xcrun, sdk, names) for role, names in data["programs"].items()
    }
    words = {"{triple}": profile.triple, "{sdk}": sdk.folder}
    flags = tuple(words.get(flag, flag) for flag in data["flags"])
    compiler = ask(programs["cxx"], request.search.path, flags)
    if compiler is None:
        raise TfcrossError(f"{programs['cxx']}: does not answer as a compiler. {_ways_out(request)}")
    return Toolchain(
        name=request.search.name,
        family=compiler.family,
        version=compiler.version,
        identity=f"{identity(compiler, profile.triple, request.search.path, flags)} SDK {sdk.version}",
        **programs,
        linker=programs["cxx"],
        flags=(*flags, *profile.ccflags),
        link_flags=(*flags, *profile.ccflags, *profile.ldflags),
        launcher=request.launcher,
        ccflags=profile.ccflags,
        libraries=profile.libraries,
        archiver="libtool",
        symbol_prefix="_",
        pch_instantiates=accepts(programs["cxx"], INSTANTIATE, request.search.path),
        root=sdk.folder,
        sdk=f"{sdk.name} {sdk.version}",
    )


def _xcrun(request: Request) -> str:
    program = shutil.which("xcrun", path=request.search.path)
    if not program:
        raise TfcrossError(
            f"{_need(request)}; xcrun is not on PATH. On a Mac install {_install(request)}; on any other "
            "system there is none: build on a Mac, or put an xcrun on PATH that answers for an SDK you have."
        )
    return program


def _sdk(request: Request, xcrun: str) -> Sdk:
    name = request.profile.names["sdk"]
    folder = _ask(request, xcrun, name, "--show-sdk-path")
    if not os.path.isdir(folder):  # noqa: PTH112 (xcrun's answer may be no path at all)
        raise TfcrossError(
            f"{_need(request)}; xcrun --sdk {name} --show-sdk-path says '{folder}', "
            f"{_developer_folder(request)}. {_ways_out(request)}"
        )
    version = _ask(request, xcrun, name, "--show-sdk-version")
    try:
        parse_version(version)
    except ValueError as error:
        raise TfcrossError(f"xcrun --sdk {name} --show-sdk-version: {error}. {_ways_out(request)}") from error
    return Sdk(name, folder, version)


def _check(request: Request, sdk: Sdk) -> None:
    """TfcrossError for an SDK that the release or arch does not take, or an API it does not have."""
    profile, data, version = request.profile, request.search.data, parse_version(sdk.version)
    if not fits(profile, data, version):
        raise UnfitSdkError(
            f"{_need(request)}; the one that xcrun finds is {sdk.version} ({sdk.folder}). "
            "Select another Xcode: DEVELOPER_DIR=/Applications/Xcode….app, or xcode-select -s."
        )
    check_floor(profile, first_range(data["floors"], version) or "", f"the {sdk.name} SDK {sdk.version}")
    if parse_version(profile.api) > version:
        raise TfcrossError(
            f"API={profile.api}: the {sdk.name} SDK is {sdk.version}; pass API= of no more than that."
        )


def _find(request: Request, xcrun: str, sdk: Sdk, names: list[str]) -> str:
    for name in names:
        path = _ask(request, xcrun, sdk.name, "--find", name)
        if os.path.isfile(path):  # noqa: PTH113
            return path
    what = f"xcrun --sdk {sdk.name} finds no {' or '.join(names)}"
    raise TfcrossError(f"{what}, {_developer_folder(request)}. {_ways_out(request)}")


def _ask(request: Request, xcrun: str, sdk: str, *question: str) -> str:
    """The last line of xcrun's answer, or of its complaint."""
    variables = {name: value for name, value in request.places.variables.items() if name == "DEVELOPER_DIR"}
    environment = {**variables, "PATH": request.search.path, "LC_ALL": "C"}
    argv = [xcrun, "--sdk", sdk, *question]
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
    lines = (done.stdout if done.returncode == 0 else done.stderr or done.stdout).strip().splitlines()
    return lines[-1] if lines else ""


def _need(request: Request) -> str:
    profile = request.profile
    return (
        f"{profile.target} {profile.arch} needs the {profile.names['sdk']} SDK "
        f"{fitting_words(profile, request.search.data)} for TensorFlow {profile.release}"
    )


def _developer_folder(request: Request) -> str:
    folder = request.places.variables.get("DEVELOPER_DIR")
    return f"with DEVELOPER_DIR={folder}" if folder else "with the Xcode that xcode-select -p names"


def _install(request: Request) -> str:
    return str(request.search.data.get("install", "Xcode"))


def _ways_out(request: Request) -> str:
    return f"Install {_install(request)}, or set DEVELOPER_DIR to another Xcode."
