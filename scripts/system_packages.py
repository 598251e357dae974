#!/usr/bin/env python3
"""Print the Debian packages that a command needs and this machine lacks, one per line.

    scripts/system_packages.py scons TARGET=PI ARCH=aarch64

TARGET=, ARCH=, RELEASE=, TOOLCHAIN= and LAUNCHER= among the words decide; for pytest, everything
that tests run; for nightly.py, what its matrix needs. Without a TARGET nothing is needed. Prints
nothing where there is no dpkg.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tfcross.cli import script  # noqa: E402

script.start(ROOT)

import tomllib  # noqa: E402 (an older Python has none)

from tfcross import environment  # noqa: E402
from tfcross.cli import options, variables  # noqa: E402
from tfcross.cli.words import split_words  # noqa: E402
from tfcross.nightly.matrix import FLAGS, NAME, OPTIONS, load_matrix  # noqa: E402
from tfcross.targets.profile import Profile, load_host_profile, load_profile  # noqa: E402
from tfcross.targets.target import find_host, known_archs, known_targets  # noqa: E402
from tfcross.toolchains.families import debian_packages  # noqa: E402
from tfcross.toolchains.search import fitting_toolchains  # noqa: E402


def main(words: list[str]) -> int:
    if words[:1] in (["-h"], ["--help"]):  # further on it is the command's own
        print(__doc__)
        return 0
    if is_command(words, "pytest", "py.test"):
        wanted = packages_for_tests()
    elif is_command(words, "nightly.py"):
        wanted = packages_for_nightly(words)
    else:
        wanted = packages_for_build(words)
    print("".join(f"{package}\n" for package in missing(sorted(wanted))), end="")
    return 0


def is_command(words: Sequence[str], *names: str) -> bool:
    return any(Path(word).name in names for word in words[:3])


def packages_for_build(words: Sequence[str]) -> set[str]:
    """What ``words`` need: the target's compiler and emulator, and the host's compiler for protoc."""
    names = {variable.name for variable in variables.VARIABLES}
    names |= {alias for variable in variables.VARIABLES for alias in variable.aliases}
    pairs = dict(word.split("=", 1) for word in words if word.split("=", 1)[0] in names and "=" in word)
    chosen = options.parse_options(pairs)
    if not chosen.target:
        return set()
    here = find_host(ROOT, chosen.host_os)
    profile = load_profile(ROOT, chosen.target, chosen.arch or None, chosen.release, host=here)
    host = load_host_profile(ROOT, chosen.release, here)
    compilers = needs(profile, chosen.toolchain) | (needs(host, "") if host != profile else set())
    return compilers | declared("build_packages") | launcher_packages(chosen.launcher)


def packages_for_nightly(words: Sequence[str]) -> set[str]:
    """What the builds of the matrix need; nothing for the commands that build none."""
    own = next(index for index, word in enumerate(words, 1) if Path(word).name == "nightly.py")
    line = split_words(words[own:], FLAGS, OPTIONS)
    if {"--verify", "--workflow"} & set(line.values) or line.flags & set(FLAGS):
        return set()
    matrix = load_matrix(ROOT, Path(line.values.get("--matrix", ROOT / NAME)))
    return set().union(*(packages_for_build(cell.words("")) for cell in matrix.cells))


def packages_for_tests() -> set[str]:
    """Every target's, arch's and toolchain's packages, and those that only tests use."""
    packages = declared("build_packages") | declared("test_packages")
    release = options.parse_options({}).release
    for target in known_targets(ROOT):
        for arch in known_archs(ROOT, target, release):
            profile = load_profile(ROOT, target, arch, release)
            packages = packages.union(*(needs(profile, name) for name in fitting_toolchains(ROOT, profile)))
    return packages


def declared(key: str) -> set[str]:
    """A list of pyproject.toml's own section."""
    with (ROOT / "pyproject.toml").open("rb") as stream:
        return set(tomllib.load(stream)["tool"]["tfcross"][key])


def needs(profile: Profile, toolchain: str) -> set[str]:
    emulator = profile.emulator.debian if profile.emulator else ()
    return {*profile.debian, *emulator, *debian_packages(ROOT, toolchain, profile)}


def launcher_packages(command: str) -> set[str]:
    """Launchers are packaged under their own names; one that is on PATH already needs none."""
    program = command.split()[0] if command else ""
    return {program} if program.isalnum() and not shutil.which(program, path=environment.path()) else set()


def missing(packages: Iterable[str]) -> list[str]:
    dpkg_query = shutil.which("dpkg-query", path=environment.path())
    if dpkg_query is None:
        return []
    query = [dpkg_query, "-W", "-f", "${db:Status-Status} ${Package}\n"]
    listed = subprocess.run(query, capture_output=True, text=True, check=False).stdout
    installed = {line.split()[1] for line in listed.splitlines() if line.startswith("installed ")}
    return [package for package in packages if package not in installed]


if __name__ == "__main__":
    sys.exit(script.run(main, None))
