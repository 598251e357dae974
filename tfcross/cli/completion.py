"""Completion of command lines, from the variables and the data files."""

from __future__ import annotations

from pathlib import Path

from tfcross.cli.variables import PATTERN, VARIABLES
from tfcross.output.snippets import load_formats
from tfcross.releases.release import known_releases, load_release
from tfcross.render import render
from tfcross.targets.target import known_archs, known_hosts, known_targets
from tfcross.toolchains.search import known_toolchains

#: What ``scons`` takes beside variables.
COMMANDS = ("compile_commands", "fetch", "package", "sizes")
#: Variables whose values are files or folders.
FILES = ("MODEL", "PROOF", "TOOLCHAIN_ROOT", "SOURCE_DIR", "OUT")


def completion(root: Path) -> str:
    """A script for bash."""
    sources = sorted(
        {name for version in known_releases(root) for name in load_release(root, version).sources}
    )
    known = {
        "TARGET": known_targets(root),
        "RELEASE": known_releases(root),
        "TOOLCHAIN": known_toolchains(root),
        "HOST_OS": known_hosts(root),
        "FORMAT": list(load_formats()),
        **{variable.name: list(variable.allowed) for variable in VARIABLES if variable.allowed},
    }
    names = [variable.name for variable in VARIABLES if variable.name != PATTERN]
    replaced = [f"SOURCE_{name}" for name in sources]
    return render(
        "completion.bash.j2",
        choices=sorted(known.items()),
        archs=[(target, known_archs(root, target)) for target in known_targets(root)],
        files=[*FILES, *replaced],
        names=[*names, "FORMAT"],
        commands=COMMANDS,
        scripts=sorted(path.name for path in (root / "scripts").glob("*.py")),
    )
