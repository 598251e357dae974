"""What lasts through a build: what is to be built, where SCons works, and what is left to do at the end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

from tfcross import environment
from tfcross.cli.options import Options
from tfcross.releases.coreset import CoreSet, load_core
from tfcross.releases.recipes import Recipe, load_recipes
from tfcross.releases.release import Release
from tfcross.scons.actions import MADE, OURS, Runner
from tfcross.scons.folder import lock_folder
from tfcross.scons.headerdeps import HeaderDeps
from tfcross.scons.made import Made
from tfcross.stages.closing import Closures
from tfcross.targets.profile import Profile
from tfcross.toolchains.toolchain import Toolchain


@dataclass(frozen=True)
class Plan:
    """What is to be built, from what and with what; ``host`` makes the tools that run on this machine.

    Paths are relative to the project's folder, in which SCons runs.
    """

    root: Path
    options: Options
    release: Release
    core: CoreSet
    recipes: Mapping[str, Recipe]
    profile: Profile
    toolchain: Toolchain
    host: Toolchain

    @property
    def base(self) -> str:
        """The build folder of what is the same for every TYPES=."""
        api = f"-{self.profile.api}" if self.profile.api else ""
        return f"build/{self.profile.name}/{self.release.version}-{self.toolchain.name}{api}"

    @property
    def work(self) -> str:
        """The build folder of TensorFlow's own objects."""
        return self.base if self.options.types == "full" else f"{self.base}-{self.options.types}"

    @property
    def final(self) -> Path:
        """The output folder."""
        return Path(self.options.out) / self.profile.name


def make_plan(
    root: Path, options: Options, release: Release, profile: Profile, toolchain: Toolchain, host: Toolchain
) -> Plan:
    """The plan for ``profile``, which gets what fits ``toolchain``; with the release's data for it."""
    core = load_core(release.folder, profile.platform)
    recipes = load_recipes(release.folder, profile.platform)
    return Plan(root, options, release, core, recipes, toolchain.fitted(profile), toolchain, host)


@dataclass(frozen=True)
class Workshop:
    """Where SCons works: ``made`` is what it has made there; nobody else builds while ``lock`` is held."""

    env: Any
    runner: Runner
    made: Made
    lock: IO[bytes]

    def save(self) -> None:
        """Keep what was made."""
        self.made.save()


def open_workshop(env: Any, options: Options) -> Workshop:
    """``env``, set up to build in the build folder; TfcrossError if another one builds there."""
    runner = Runner(environment.compiler_environment(), bool(options.verbosity))
    lock = lock_folder(Path(OURS))
    made = env[MADE] = Made(Path(OURS) / "made.jsonl")
    env.SConsignFile("build/sconsign")
    env.Decider("content")  # SCons keeps whole seconds: times alone miss a quick second build
    return Workshop(env, runner, made, lock)


@dataclass(frozen=True)
class Goal:
    """The ``nodes`` that a command asked for, and what tells which files they were made from."""

    nodes: tuple[Any, ...]
    plan: Plan
    headers: HeaderDeps
    made: Made


class Saved(Protocol):
    """What learns something in a pass that the next one needs."""

    def save(self) -> None: ...


class Ending:
    """What is left to do when SCons is done: SConstruct tells it here on the way, and does it at exit.

    ``goal`` is None where there is nothing to tell the next command about.
    """

    def __init__(self) -> None:
        self.goal: Goal | None = None
        self._kept: list[Saved] = []
        self._closures: list[Closures] = []

    def keep(self, what: Saved) -> None:
        """Hold ``what`` until the end (so does a workshop its lock), and save it then."""
        self._kept.append(what)

    def watch(self, closures: Closures) -> None:
        """Read the build again if ``closures`` turn out to need more than was known."""
        self._closures.append(closures)

    def save(self) -> None:
        """Save all that was kept."""
        for what in self._kept:
            what.save()

    @property
    def again(self) -> bool:
        """Whether this pass has found what the next one has to build."""
        return any(closures.changed for closures in self._closures)
