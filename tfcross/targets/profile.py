"""One target and one arch, resolved from ``targets/*.yaml``; nothing later reads those files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tfcross.documents import merge
from tfcross.errors import TfcrossError, known
from tfcross.nearest import did_you_mean
from tfcross.targets.target import (
    by_release,
    find_host,
    host_triple,
    known_archs,
    load_target,
    release_names,
    this_machine,
)

#: Keys that a target and its arch must give between them.
REQUIRED = ("triple", "cpu", "toolchain", "whole_archive")
#: Keys of a target file that say how to resolve it, and are no part of a profile.
STRUCTURE = ("extends", "archs", "default_arch", "machines", "package", "only_by_release", "elsewhere")


@dataclass(frozen=True)
class Emulator:
    """Runs a program of the target here: ``program *arguments app``."""

    program: str
    arguments: tuple[str, ...]
    debian: tuple[str, ...]


@dataclass(frozen=True)
class Profile:
    """The resolved data of one target and one arch for one release.

    ``ccflags`` select the CPU and belong on every compile and link; ``defines`` are ``NAME`` or
    ``NAME=VALUE`` without ``-D``; ``libraries`` are names without ``-l``, in link order;
    ``optional_libraries`` are those of them that a toolchain may lack;
    ``cpu`` is the CPU's family as nsync's platform folders spell it. ``native`` means that this
    machine runs the target's programs itself; where it is false and ``emulator`` is None,
    nothing here can run them. ``api`` is the oldest system that apps run on (Android's API level,
    iOS's version; "" where that is no choice), and ``api_floor`` the oldest that the arch has.
    ``sdk`` is the range of SDK revisions for the release ("": any); ``names`` are what SDKs call this
    arch; ``bitcode`` are the flags of that switch.
    """

    target: str
    arch: str
    release: str
    description: str
    triple: str
    cpu: str
    toolchain: str
    ccflags: tuple[str, ...]
    defines: tuple[str, ...]
    ldflags: tuple[str, ...]
    libraries: tuple[str, ...]
    optional_libraries: tuple[str, ...]
    whole_archive: str
    native: bool
    emulator: Emulator | None
    debian: tuple[str, ...]
    platform: str = "linux"
    api: str = ""
    api_floor: str = ""
    sdk: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    bitcode: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """``PI-armv7``: the folder under ``out/``."""
        return f"{self.target}-{self.arch}"

    @property
    def runs_here(self) -> bool:
        return self.native or self.emulator is not None


def load_profile(
    root: Path,
    target: str,
    arch: str | None,
    release: str,
    machine: str = "",
    host: str = "",
    api: str = "",
) -> Profile:
    """The profile of ``target`` and ``arch`` (None: the target's default) for ``release``.

    ``api`` is what apps have to run on ("": as the files say). ``machine`` is this machine's arch as
    ``uname -m`` spells it; where ``host``, the target that this machine is, is the very ``target``, it
    decides the default. Raises TfcrossError for a target, arch or release that the files do not know.
    """
    machine = machine or this_machine()
    shown = f"targets/{target}.yaml"
    document = load_target(root, target)
    own = document.get("machines", {}).get(machine) if target == host else None
    arch = arch or own or _default_arch(document, machine, shown)
    if arch not in document["archs"]:
        others = {o: name for name, data in document["archs"].items() for o in data.get("elsewhere", ())}
        near = did_you_mean(arch, document["archs"], others)
        raise TfcrossError(f"{shown}: unknown arch '{arch}'{near}. {known(document['archs'])}")
    if arch not in known_archs(root, target, release):
        releases = [name for name in release_names(root) if arch in known_archs(root, target, name)]
        way = "pass RELEASE=, or another ARCH=."
        raise TfcrossError(f"{shown}: arch '{arch}' is for TensorFlow {', '.join(releases)}; {way}")
    data: dict[str, Any] = {}
    wanted = by_release(root, release, target)
    for layer in (document, wanted, document["archs"][arch], wanted.get("archs", {}).get(arch, {})):
        data = merge(data, {key: value for key, value in layer.items() if key not in STRUCTURE})
    missing = [key for key in REQUIRED if key not in data]
    if missing:
        raise TfcrossError(f"{shown}: arch '{arch}' has no {missing[0]}; give it there or above.")
    native = data["triple"].replace("{api}", "") == host_triple(machine)
    return _profile(target, arch, release, _with_api(data, api, shown), native)


def adjusted(profile: Profile, emulator: Sequence[str], bitcode: bool) -> Profile:
    """``profile`` with the user's own ``emulator`` (words; none: the profile's) and ``bitcode`` switch."""
    if bitcode and not profile.bitcode:
        raise TfcrossError(f"BITCODE=1: {profile.target} has no bitcode; leave BITCODE out.")
    flags = profile.bitcode if bitcode else ()
    profile = replace(profile, ccflags=(*profile.ccflags, *flags))
    if not emulator:
        return profile
    return replace(profile, native=False, emulator=Emulator(emulator[0], tuple(emulator[1:]), ()))


def _with_api(data: dict[str, Any], api: str, shown: str) -> dict[str, Any]:
    """``data`` for ``api`` instead of its own, which the triple of some targets tells."""
    if api and "api" not in data:
        raise TfcrossError(f"API={api}: {shown} has no `api`; leave API out.")
    data = {**data, **({"api": api} if api else {})}
    return {**data, "triple": data["triple"].replace("{api}", data.get("api", ""))}


def load_host_profile(root: Path, release: str, host: str = "", machine: str = "") -> Profile:
    """The profile that tools for this machine are built with: ``host`` as find_host tells it."""
    host = host or find_host(root, machine=machine)
    return load_profile(root, host, None, release, machine, host)


def _default_arch(document: Mapping[str, Any], machine: str, shown: str) -> str:
    """The arch for a build that names none; ``host`` in the file stands for this machine's."""
    default = document.get("default_arch")
    if default is None:
        raise TfcrossError(f"{shown}: has no default arch; pass ARCH=. {known(document['archs'])}")
    return machine if default == "host" else str(default)


def _profile(target: str, arch: str, release: str, data: Mapping[str, Any], native: bool) -> Profile:
    emulator = data.get("emulator")
    return Profile(
        target=target,
        arch=arch,
        release=release,
        description=data["description"],
        triple=data["triple"],
        cpu=data["cpu"],
        toolchain=data["toolchain"],
        ccflags=tuple(data.get("ccflags", ())),
        defines=tuple(data.get("defines", ())),
        ldflags=tuple(data.get("ldflags", ())),
        libraries=tuple(data.get("libraries", ())),
        optional_libraries=tuple(data.get("optional_libraries", ())),
        whole_archive=data["whole_archive"],
        native=native,
        emulator=None if native or emulator is None else _emulator(emulator),
        debian=tuple(data.get("debian", ())),
        platform=data.get("platform", "linux"),
        api=data.get("api", ""),
        api_floor=data.get("api_floor", ""),
        sdk=data.get("sdk", ""),
        names=data.get("names", {}),
        bitcode=tuple(data.get("bitcode", ())),
    )


def _emulator(data: Mapping[str, Any]) -> Emulator:
    return Emulator(data["program"], tuple(data.get("arguments", ())), tuple(data.get("debian", ())))
