"""Where the programs of one toolchain file are looked for, and under which names."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tfcross.documents import load_document
from tfcross.environment import expanded
from tfcross.errors import TfcrossError, known
from tfcross.nearest import did_you_mean
from tfcross.targets.profile import Profile

#: The programs that decide which toolchain it is; the others may come from elsewhere on PATH.
COMPILERS = ("cxx", "cc")


@dataclass(frozen=True)
class Search:
    """One toolchain file of the project in ``root``, looked for on ``path`` for one profile.

    ``folder`` holds the compilers and comes first for all else ("": all are on ``path``); ``given``
    is how errors name it.
    """

    name: str
    data: Mapping[str, Any]
    profile: Profile
    path: str
    root: Path
    folder: str = ""
    given: str = ""

    def within(self, folder: Path, given: str) -> Search:
        """The same, with its compilers in ``folder`` or its bin; TfcrossError if neither has one."""
        top = expanded(folder).absolute()
        places = [str(place) for place in (top, top / "bin")]
        names = list(dict.fromkeys(name for role in COMPILERS for name in self.names(role)))
        for place in places:
            if any(shutil.which(name, path=place) for name in names):
                return replace(self, folder=place, given=given)
        missing = f"neither it nor its bin holds {' or '.join(names)}"
        missing = missing if top.is_dir() else "there is no such folder"
        raise TfcrossError(f"{given}: {missing}; give the folder that holds the toolchain's programs.")

    @property
    def path_to_run(self) -> str:
        """The PATH that the programs themselves are run with."""
        return os.pathsep.join(filter(None, (self.folder, self.path)))

    def names(self, role: str) -> list[str]:
        """What the program that plays ``role`` may be called, best first."""
        return [name for text in self.data["programs"][role] for name in expand(text, self.profile)]

    def candidates(self, role: str) -> Iterator[str]:
        """Absolute paths of the programs that may play ``role``, best first."""
        places = [self.folder] if self.folder else []
        if not self.folder or role not in COMPILERS:
            places.append(self.path)
        for place in places:
            for name in self.names(role):
                program = shutil.which(name, path=place)
                if program:
                    yield str(Path(program).absolute())

    @property
    def place(self) -> str:
        """Where compilers are looked for, in words."""
        return f"in {self.given}" if self.folder else "on PATH"

    @property
    def flags(self) -> tuple[str, ...]:
        """A compiler that is no part of the system (``folder``) brings its own headers: no cross flags."""
        cross = () if self.profile.native or self.folder else self.data.get("cross_flags", ())
        texts = (*self.data.get("flags", ()), *cross)
        return tuple(flag for text in texts for flag in expand(text, self.profile))

    @property
    def packages(self) -> list[str]:
        return [package for text in self.data.get("debian", ()) for package in expand(text, self.profile)]

    @property
    def pin(self) -> str:
        """What is asked for, and by whom."""
        profile, pin = self.profile, f"{self.data['family']} {self.data['version']}"
        if self.name == profile.toolchain:
            return f"{profile.target} pins {pin} for TensorFlow {profile.release}"
        return f"TOOLCHAIN={self.name} is {pin}"

    @property
    def ways_out(self) -> str:
        others = [name for name in fitting_toolchains(self.root, self.profile) if name != self.name]
        how = self.data.get("install") or f"apt-get install {' '.join(self.packages)}"
        return f"Install it ({how}), or pass TOOLCHAIN= another. {known(others)}"


def known_toolchains(root: Path) -> list[str]:
    return sorted(path.stem for path in (root / "toolchains").glob("*.yaml"))


def fitting_toolchains(root: Path, profile: Profile) -> list[str]:
    """The toolchains that are found in the way that the profile's own is: on PATH, in an NDK, by xcrun."""
    kinds = {name: kind_of(root, name) for name in known_toolchains(root)}
    return [name for name, kind in kinds.items() if kind == kinds[profile.toolchain]]


def kind_of(root: Path, name: str) -> str:
    """``system`` for compilers on PATH or in a folder of programs, else the family itself."""
    family = str(load_document(root / "toolchains" / f"{name}.yaml", "toolchain")["family"])
    return "system" if family in ("gcc", "clang") else family


def search_for(root: Path, name: str, profile: Profile, search_path: str) -> Search:
    """How to look for toolchain ``name`` ("": the one that ``profile`` pins)."""
    names, name = known_toolchains(root), name or profile.toolchain
    if name not in names:
        raise TfcrossError(f"TOOLCHAIN={name}: unknown toolchain{did_you_mean(name, names)}. {known(names)}")
    data = load_document(root / "toolchains" / f"{name}.yaml", "toolchain")
    return Search(name, data, profile, search_path, root)


def expand(template: str, profile: Profile) -> list[str]:
    """What a template of a toolchain file stands for, best first.

    ``{triple}`` is the profile's; ``{prefix}`` is the triple and a dash, and where this machine is
    the target also nothing; ``{suffix}`` is what Debian appends to a cross package's name.
    """
    suffix = "" if profile.native else "-" + profile.triple.replace("_", "-")
    filled = template.replace("{triple}", profile.triple).replace("{suffix}", suffix)
    if "{prefix}" not in filled:
        return [filled]
    prefixes = [f"{profile.triple}-", *([""] if profile.native else [])]
    return [filled.replace("{prefix}", prefix) for prefix in prefixes]
