"""Targets by ``targets/*.yaml``: which there are, their archs, and which one this machine is."""

from __future__ import annotations

import platform
import sys
from pathlib import Path
from typing import Any

from tfcross.documents import load_document, merge
from tfcross.errors import TfcrossError, known
from tfcross.nearest import did_you_mean


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
    return str(load_target(root, target).get("package", ""))


def known_hosts(root: Path) -> list[str]:
    """The targets that this project can also be run on."""
    return [name for name in known_targets(root) if _machines(root, name)]


def known_archs(root: Path, target: str, release: str = "") -> list[str]:
    """The archs of ``target``, sorted; only those that ``release`` ("": any) can be built for."""
    archs = load_target(root, target)["archs"]
    if not release:
        return sorted(archs)
    named = by_release(root, release, target).get("archs", {})
    return sorted(name for name, data in archs.items() if name in named or not data.get("only_by_release"))


def own_arch(root: Path, target: str) -> str | None:
    """This machine's arch, for a target that stands for the machine that builds; None for any other."""
    default = load_target(root, target).get("default_arch")
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


def _machines(root: Path, target: str) -> dict[str, str]:
    """What ``uname -m`` says on this target's machines, and the arch of each; {} for an unknown target."""
    path = root / "targets" / f"{target}.yaml"
    return dict(_load_extended(root, target, ()).get("machines", {})) if path.is_file() else {}


def release_names(root: Path) -> list[str]:
    return sorted(path.name for path in (root / "releases").glob("*") if path.is_dir())


def by_release(root: Path, release: str, target: str) -> dict[str, Any]:
    """What ``release`` lays over the file of ``target``; {} for nothing. TfcrossError if it is unknown."""
    if release not in release_names(root):
        raise TfcrossError(f"RELEASE: unknown release '{release}'. {known(release_names(root))}")
    path = root / "releases" / release / "targets.yaml"
    if not path.is_file():
        return {}
    wanted = load_document(path, "release_targets", f"releases/{release}/{path.name}")
    return dict(wanted.get(target, {}))


def load_target(root: Path, target: str) -> dict[str, Any]:
    document = _load_extended(root, target, ()) if (root / "targets" / f"{target}.yaml").is_file() else {}
    if "archs" not in document:
        names = known_targets(root)
        others = {o: name for name in names for o in _load_extended(root, name, ()).get("elsewhere", ())}
        near = did_you_mean(target, names, others)
        raise TfcrossError(f"TARGET={target}: unknown target{near}. {known(names)}")
    return document


def _load_extended(root: Path, name: str, below: tuple[str, ...]) -> dict[str, Any]:
    """The document ``targets/<name>.yaml`` over all that it extends; ``below`` extend it."""
    path = root / "targets" / f"{name}.yaml"
    if below and (name in below or not path.is_file()):
        fault = "extends itself" if name in below else f"extends unknown '{name}'"
        names = [p.stem for p in path.parent.glob("*.yaml") if p.stem not in below]
        raise TfcrossError(f"targets/{below[-1]}.yaml: {fault}. {known(names)}")
    document = load_document(path, "target")
    if "extends" not in document:
        return document
    return merge(_load_extended(root, document["extends"], (*below, name)), document)
