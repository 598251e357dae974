"""The only reader of the process environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from tfcross.errors import TfcrossError
from tfcross.treehash import MODIFIED

#: Variables that compilers and their launchers may see; everything else would be an unseen input.
PASSED = ("PATH", "HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR")
PASSED_PREFIXES = ("CCACHE_", "SCCACHE_", "DISTCC_", "ICECC_")
#: Where users keep Android's and Apple's SDKs.
SDK_VARIABLES = ("ANDROID_NDK_ROOT", "ANDROID_NDK_HOME", "ANDROID_NDK", "NDK_ROOT", "ANDROID_HOME",
                 "ANDROID_SDK_ROOT", "DEVELOPER_DIR")  # fmt: skip
#: A name of the folder that a process runs in, which is the same for every folder.
HERE = "/proc/self/cwd"
#: Where programs are when the environment has no PATH.
DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin"


def cache_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """The store that checkouts share, absolute; it may not exist: TFCROSS_CACHE, else in the XDG cache."""
    if environ.get("TFCROSS_CACHE"):
        return expanded(environ["TFCROSS_CACHE"]).absolute()
    # The XDG specification has relative paths ignored.
    base = Path(environ.get("XDG_CACHE_HOME", ""))
    return (base if base.is_absolute() else expanded("~") / ".cache") / "tfcross"


def expanded(folder: str | Path) -> Path:
    """``folder`` with ``~`` or ``~user`` at its start replaced; TfcrossError for one that nobody knows."""
    try:
        return Path(folder).expanduser()
    except RuntimeError:
        raise TfcrossError(
            f"{folder}: the system does not tell where that home folder is; give the whole path, or set HOME."
        ) from None


def source_date(environ: Mapping[str, str] = os.environ) -> int:
    """The time that packages carry, in Unix seconds: SOURCE_DATE_EPOCH, else the one that sources have."""
    given = environ.get("SOURCE_DATE_EPOCH", "")
    if given and not given.isdecimal():
        raise TfcrossError(f"SOURCE_DATE_EPOCH={given}: not a number of seconds; give one, or leave it out.")
    return int(given or MODIFIED)


def path(environ: Mapping[str, str] = os.environ) -> str:
    """The folders in which programs are looked for, joined by ``os.pathsep``."""
    return environ.get("PATH") or DEFAULT_PATH


def sdk_places(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The variables that say where SDKs are."""
    return {name: environ[name] for name in SDK_VARIABLES if environ.get(name)}


def working_folder(here: str = HERE) -> str:
    """What compilers are told to call the folder that they run in.

    They write it into precompiled headers and debug information. ``here`` makes these the same in every
    checkout, and good in one that was moved; a Mac has no such name, and its folders differ.
    """
    return here if Path(here).is_dir() else str(Path.cwd())


def compiler_environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """What a compiler runs in: no CPATH, no LANGUAGE, nothing that changes its output unseen.

    Launchers keep their own variables (CCACHE_DIR, DISTCC_HOSTS, …): they must not change objects.
    """
    kept = {key: value for key, value in environ.items() if key in PASSED or key.startswith(PASSED_PREFIXES)}
    # Apple's libtool keeps times and owners in archives unless it is told so.
    fixed = {"LANG": "C", "LC_ALL": "C", "ZERO_AR_DATE": "1"}
    return {**kept, "PATH": path(environ), "PWD": working_folder(), **fixed}


def build_inputs(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """All variables that a library may depend on."""
    return {**compiler_environment(environ), **sdk_places(environ)}


def scons_flags(environ: Mapping[str, str] = os.environ) -> list[str]:
    """The words that SCons takes in front of those of the command line."""
    return environ.get("SCONSFLAGS", "").split()


def system_environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """For apt and pip, whose configuration (proxies, indexes) is the user's; messages in English."""
    return {**environ, "PATH": path(environ), "LC_ALL": "C.UTF-8"}
