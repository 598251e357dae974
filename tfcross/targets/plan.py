"""Several targets or archs in one command: which builds that is, and the words that each is started with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tfcross.errors import TfcrossError
from tfcross.targets.target import known_archs, known_targets, own_arch

ALL = "all"
#: Variables that say what is built for; the others are handed on as they are.
CHOICES = ("TARGET", "ARCH", "ANDROID_ARCH", "IOS_ARCH")


def is_matrix(target: str, arch: str) -> bool:
    return ALL in (target, arch)


def plan(root: Path, target: str, arch: str, release: str, host: str) -> list[tuple[str, str]]:
    """(target, arch) of each build, in order; ``host`` is the target that this machine is.

    TARGET=all leaves out targets that stand for the machine that builds, but for this machine itself.
    """
    if target != ALL:
        return [(target, known_arch) for known_arch in known_archs(root, target, release)]
    if arch not in ("", ALL):
        raise TfcrossError(
            f"TARGET=all ARCH={arch}: an arch is one target's; leave ARCH out, or name the target."
        )
    pairs: list[tuple[str, str]] = []
    for name in known_targets(root):
        own = own_arch(root, name)
        if own is None:
            pairs += [(name, known_arch) for known_arch in known_archs(root, name, release)]
        elif name == host:
            pairs.append((name, own))
    return pairs


def words(arguments: Mapping[str, str], target: str, arch: str) -> list[str]:
    """The command line's variables for one of the builds."""
    kept = [f"{name}={value}" for name, value in arguments.items() if name not in CHOICES]
    return [f"TARGET={target}", f"ARCH={arch}", *kept]


def summary(results: Sequence[tuple[str, bool]]) -> str:
    """One line for each build, named as its folder."""
    return "".join(f"  {'built' if good else 'FAILED':<7} {name}\n" for name, good in results)
