"""A project folder whose release 1.8.0 is a small tree of our own, which the checkout's own code builds.

All but the release and the example is the checkout, by links. Where the real release does not name files of
TensorFlow (flags, defines, types, macros, programs), it is the real one; all else that is built is 2.14.1's.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from project_build import ROOT, Run, run_scons

from tfcross.app.proof import EXAMPLE
from tfcross.graph.construction import graph_bytes, make_node

FIXTURES = ROOT / "tests" / "fixtures"
SMALL = FIXTURES / "classic_release"
REAL = ROOT / "releases" / "1.8.0"
NEWER = ROOT / "releases" / "2.14.1"
DEPENDENCIES = ("protobuf", "nsync")
LINKS = ("SConstruct", "tfcross", "templates", "toolchains", "targets")
PI = ("TARGET=PI", "RELEASE=1.8.0")
WORDS = (*PI, "TOOLCHAIN=gcc-12", "OPTFLAGS=-O1")


@dataclass(frozen=True)
class Built:
    """A build that succeeded: what scons said, and the output folder."""

    run: Run
    out: Path

    @property
    def archive(self) -> Path:
        return self.out / "lib" / "libtensorflow-core.a"

    @property
    def manifest(self) -> Any:
        return json.loads((self.out / "manifest.json").read_text())

    @property
    def proven(self) -> list[str]:
        """What the proof said, but for its last line, the app's size."""
        return (self.out / "proof.txt").read_text().splitlines()[:-1]


@dataclass(frozen=True)
class Project:
    """``folder`` is where scons runs, ``tree`` the sources that stand in for TensorFlow's."""

    folder: Path
    tree: Path

    def scons(self, *words: str, **options: Any) -> Run:
        """What a run of scons says, whatever its status."""
        return run_scons(*words, f"SOURCE_tensorflow={self.tree}", cwd=self.folder, **options)

    def build(self, out: str, *words: str) -> Built:
        """A build into the folder ``out``; it has to succeed."""
        run = self.scons(*WORDS, f"OUT={out}", *words)
        assert run.status == 0, run.out[-4000:] + run.err[-4000:]
        return Built(run, self.folder / out / "PI-armv7")

    def write_model(self, name: str, *nodes: Any) -> str:
        """The word for a model of ``nodes``, which is written to ``name`` with the app that proves it."""
        path = self.folder / name
        path.parent.mkdir(parents=True)
        path.write_bytes(graph_bytes(nodes, producer=26))
        shutil.copy(SMALL / "tell.cc", path.parent)
        _write(path.parent / "proof.yaml", {"source": "tell.cc", "arguments": [path.name]})
        return f"MODEL={name}"

    def write_core(self, **changes: Any) -> None:
        """core.yaml, as the small release has it but for ``changes``."""
        core = {**_read(REAL / "core.yaml"), **_read(SMALL / "core.yaml"), **changes}
        _write(self.folder / "releases/1.8.0/core.yaml", core)


def make_project(folder: Path) -> Project:
    """A project in the empty ``folder``; nothing is built yet."""
    project = Project(folder / "project", folder / "tree")
    release = project.folder / "releases" / "1.8.0"
    release.mkdir(parents=True)
    for name in LINKS:
        (project.folder / name).symlink_to(ROOT / name)
    for name in ("targets.yaml", "patches"):
        (release / name).symlink_to(REAL / name)
    (project.folder / "releases" / NEWER.name).symlink_to(NEWER)
    for name in ("registry.yaml", "stubs"):
        (release / name).symlink_to(REAL / name)
    project.write_core()
    project.write_model(str(EXAMPLE), make_node("y", "Linear"))
    _write_sources(release)
    shutil.copytree(FIXTURES / "classic", project.tree)
    shutil.copytree(SMALL / "tree", project.tree, dirs_exist_ok=True)
    shutil.copy(ROOT / "LICENSE", project.tree)  # a package has those of all that is inside
    return project


def _write_sources(release: Path) -> None:
    """Pins and recipes of what is built beside TensorFlow."""
    document, newer = _read(REAL / "release.yaml"), _read(NEWER / "release.yaml")
    chosen = {name: newer["sources"][name] for name in DEPENDENCIES}
    document["sources"] = {"tensorflow": document["sources"]["tensorflow"], **chosen}
    _write(release / "release.yaml", document)
    recipes = _read(NEWER / "recipes.yaml")
    _write(release / "recipes.yaml", {name: recipes[name] for name in DEPENDENCIES})


def without_gcc_48(folder: Path, compiler: str) -> dict[str, str]:
    """An environment with ``compiler`` as the Pi's only one, and an empty store."""
    found = shutil.which(compiler)
    assert found
    folder.mkdir()
    (folder / "arm-linux-gnueabihf-g++").symlink_to(found)
    return {**os.environ, "PATH": str(folder), "TFCROSS_CACHE": str(folder / "store")}


def _read(path: Path) -> dict[str, Any]:
    loaded = yaml.safe_load(path.read_text())
    assert isinstance(loaded, dict)
    return loaded


def _write(path: Path, document: dict[str, Any]) -> None:
    path.write_text(yaml.safe_dump(document, sort_keys=False))
