"""The programs, flags and identity of one toolchain on this machine, from ``toolchains/*.yaml``."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

from tfcross.errors import TfcrossError
from tfcross.releases.release import Source
from tfcross.targets.profile import Profile
from tfcross.targets.target import host_triple
from tfcross.toolchains import ndk, system, xcode
from tfcross.toolchains.download import Bring, toolchain_source
from tfcross.toolchains.search import search_for
from tfcross.toolchains.toolchain import Places, Request, Toolchain

#: How each ``family`` of toolchain files is found on this machine.
FAMILIES = {"gcc": system.resolve, "clang": system.resolve, "ndk": ndk.resolve, "xcode": xcode.resolve}


def debian_packages(root: Path, name: str, profile: Profile) -> list[str]:
    """The Debian packages of toolchain ``name`` ("": the pinned one) for ``profile`` on this machine."""
    return search_for(root, name, profile, "").packages


def download_of(root: Path, name: str, profile: Profile) -> Source | None:
    """What brings toolchain ``name`` ("": the pinned one) to this machine, where its file says so."""
    search = search_for(root, name, profile, "")
    return toolchain_source(search.name, search.data, profile.triple, host_triple())


def install_hint(root: Path, name: str, profile: Profile) -> str:
    """What to install for toolchain ``name`` ("": the pinned one), which no package has; "" if one does."""
    return str(search_for(root, name, profile, "").data.get("install", ""))


def resolve_toolchain(
    root: Path,
    name: str,
    profile: Profile,
    search_path: str,
    launcher: str,
    *,
    bring: Bring | None = None,
    places: Places | None = None,
) -> Toolchain:
    """The toolchain ``name`` ("": the one that ``profile`` pins) as found on this machine.

    Its compilers are where ``places`` lead to; without a folder there on ``search_path``, else where
    ``bring`` unpacks them, for a toolchain file that says where to get it.
    ``launcher`` is a command line ("": none). Raises TfcrossError when a program is missing or is not of
    the pinned version; the message names what was found and what to install.
    """
    search = search_for(root, name, profile, search_path)
    words = resolve_launcher(launcher, search_path)
    request = Request(search, words, bring, places or Places())
    return FAMILIES[search.data["family"]](request)


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
