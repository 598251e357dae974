"""The generic runner, linked with a library that a build made, as its user's app is."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tfcross.app.proof import RUNNER, loading, run_here
from tfcross.errors import TfcrossError
from tfcross.output.manifest import DIGEST, NAME, link_flags, load_manifest
from tfcross.targets.profile import Profile
from tfcross.toolchains.toolchain import Toolchain


@dataclass(frozen=True)
class Runner:
    """``program`` is for ``profile``, and is run in ``environment``."""

    profile: Profile
    program: Path
    environment: Mapping[str, str]

    def run(self, words: Iterable[str]) -> str:
        """What it prints. Raises TfcrossError with its last line if it fails."""
        return run_here(self.profile, str(self.program), list(words), self.environment)


def make_runner(
    root: Path,
    library: Path,
    profile: Profile,
    toolchain: Toolchain,
    environment: Mapping[str, str],
    work: Path,
) -> Runner:
    """The runner for the output folder ``library``, below ``work`` by what it is made of.

    Raises TfcrossError where nothing here runs the profile's programs, or it cannot be linked.
    """
    if not profile.runs_here:
        raise TfcrossError(
            f"{library}: nothing here runs programs for {profile.triple}; pass EMULATOR= with a command that "
            "does."
        )
    manifest = load_manifest(library / NAME)
    sources = sorted((root / RUNNER).parent.glob("run_graph*"))
    parts = [manifest[DIGEST], toolchain.identity, *(source.read_text() for source in sources)]
    folder = work / hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
    program = folder / "run_graph"
    if not program.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        link, place, part = link_flags(manifest), str(library), f"{program}.part"
        compile_words = [toolchain.cxx, *toolchain.flags, *link.compile_arguments(place), "-O1"]
        _start([*compile_words, "-c", str(root / RUNNER), "-o", f"{program}.o"], environment)
        flags = (*toolchain.program_flags, *toolchain.link_flags, f"{program}.o", *link.link_arguments(place))
        _start([toolchain.linker, *flags, *toolchain.link_tail, "-o", part], environment)
        Path(part).replace(program)
    libraries = loading(toolchain.runtime, folder / "libraries", environment)
    return Runner(profile, program, libraries)


def _start(argv: list[str], environment: Mapping[str, str]) -> None:
    done = subprocess.run(argv, env=dict(environment), capture_output=True, text=True, errors="replace")
    if done.returncode:
        lines = done.stderr.splitlines()
        first = next((line for line in lines if "error" in line), lines[0] if lines else "it printed nothing")
        raise TfcrossError(
            f"{argv[0]} ended with status {done.returncode}: {first}; build the library again."
        )
