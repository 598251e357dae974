"""One target and one arch, resolved from ``targets/*.yaml``; nothing later reads those files."""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tfcross.documents import load_document
from tfcross.errors import TfcrossError, known

#: Keys that a target and its arch must give between them.
REQUIRED = ("triple", "cpu", "toolchain", "whole_archive")
#: Keys of a target file that say how to resolve it, and are no part of a profile.
STRUCTURE = ("extends", "archs", "default_arch", "machines", "package", "only_by_release")


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


def this_machine() -> str:
    """``uname -m``; where a 64-bit ARM kernel runs a 32-bit system, what a kernel of that system's says."""
    machine = platform.machine()
    return "armv7l" if machine == "aarch64" and sys.maxsize < 2**32 else machine


def host_triple(machine: str = "") -> str:
    """The GNU triple of a Linux of this ``machine`` (default: this one), spelled as by ``uname -m``."""
    machine = machine or this_machine()
    if platform.system() == "Darwin":
        return f"{machine}-apple-macos"
    return "arm-linux-gnueabihf" if machine.startswith("armv") else f"{machine}-linux-gnu"


def known_targets(root: Path) -> list[str]:
    """Names of the targets under ``root/targets``, sorted; files without archs are only bases."""
    paths = sorted((root / "targets").glob("*.yaml"))
    return [path.stem for path in paths if "archs" in load_document(path, "target")]


def package_kind(root: Path, target: str) -> str:
    """What the archs of ``target`` are put together into; "" for nothing."""
    return str(_load_target(root, target).get("package", ""))


def known_hosts(root: Path) -> list[str]:
    """The targets that this project can also be run on."""
    return [name for name in known_targets(root) if _machines(root, name)]


def known_archs(root: Path, target: str, release: str = "") -> list[str]:
    """The archs of ``target``, sorted; only those that ``release`` ("": any) can be built for."""
    archs = _load_target(root, target)["archs"]
    if not release:
        return sorted(archs)
    named = _by_release(root, release, target).get("archs", {})
    return sorted(name for name, data in archs.items() if name in named or not data.get("only_by_release"))


def own_arch(root: Path, target: str) -> str | None:
    """This machine's arch, for a target that stands for the machine that builds; None for any other."""
    default = _load_target(root, target).get("default_arch")
    return this_machine() if default == "host" else None


def find_host(root: Path, given: str = "", machine: str = "") -> str:
    """The target that this machine is: ``given`` (HOST_OS), else found out; TfcrossError if it cannot be it.

    ``machine`` is spelled as by ``uname -m`` (default: this machine).
    """
    machine = machine or this_machine()
    if not given:
        own = platform.system().upper()
        if machine in _machines(root, own):
            return own
        return next((name for name in known_hosts(root) if machine in _machines(root, name)), own)
    if given not in known_hosts(root):
        raise TfcrossError(f"HOST_OS={given}: unknown host. {known(known_hosts(root))}")
    if machine not in _machines(root, given):
        raise TfcrossError(
            f"HOST_OS={given}: this machine is {machine}, not {given}. "
            f"{known(_machines(root, given))} Leave HOST_OS out to have it found."
        )
    return given


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
    document = _load_target(root, target)
    own = document.get("machines", {}).get(machine) if target == host else None
    arch = arch or own or _default_arch(document, machine, shown)
    if arch not in document["archs"]:
        raise TfcrossError(f"{shown}: unknown arch '{arch}'. {known(document['archs'])}")
    if arch not in known_archs(root, target, release):
        releases = [name for name in _releases(root) if arch in known_archs(root, target, name)]
        way = "pass RELEASE=, or another ARCH=."
        raise TfcrossError(f"{shown}: arch '{arch}' is for TensorFlow {', '.join(releases)}; {way}")
    data: dict[str, Any] = {}
    wanted = _by_release(root, release, target)
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


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """``base`` extended by ``over``: lists append, mappings merge by key, scalars are replaced."""
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        if isinstance(below, list) and isinstance(value, list):
            merged[key] = [*below, *value]
        elif isinstance(below, Mapping) and isinstance(value, Mapping):
            merged[key] = merge(below, value)
        else:
            merged[key] = value
    return merged


def _machines(root: Path, target: str) -> dict[str, str]:
    """What ``uname -m`` says on this target's machines, and the arch of each; {} for an unknown target."""
    path = root / "targets" / f"{target}.yaml"
    return dict(_load_extended(root, target, ()).get("machines", {})) if path.is_file() else {}


def _releases(root: Path) -> list[str]:
    return sorted(path.name for path in (root / "releases").glob("*") if path.is_dir())


def _by_release(root: Path, release: str, target: str) -> dict[str, Any]:
    """What ``release`` lays over the file of ``target``; {} for nothing. TfcrossError if it is unknown."""
    if release not in _releases(root):
        raise TfcrossError(f"RELEASE: unknown release '{release}'. {known(_releases(root))}")
    path = root / "releases" / release / "targets.yaml"
    if not path.is_file():
        return {}
    wanted = load_document(path, "release_targets", f"releases/{release}/{path.name}")
    return dict(wanted.get(target, {}))


def _load_target(root: Path, target: str) -> dict[str, Any]:
    document = _load_extended(root, target, ()) if (root / "targets" / f"{target}.yaml").is_file() else {}
    if "archs" not in document:
        raise TfcrossError(f"TARGET={target}: unknown target. {known(known_targets(root))}")
    return document


def _load_extended(root: Path, name: str, below: tuple[str, ...]) -> dict[str, Any]:
    """The document ``targets/<name>.yaml`` over all that it extends; ``below`` extend it."""
    path = root / "targets" / f"{name}.yaml"
    if below and (name in below or not path.is_file()):
        found = "extends itself" if name in below else f"extends unknown '{name}'"
        names = [p.stem for p in path.parent.glob("*.yaml") if p.stem not in below]
        raise TfcrossError(f"targets/{below[-1]}.yaml: {found}. {known(names)}")
    document = load_document(path, "target")
    if "extends" not in document:
        return document
    return merge(_load_extended(root, document["extends"], (*below, name)), document)


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
