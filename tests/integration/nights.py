"""Nights that scripts/nightly.py really builds, in a copy of the built checkout with a git of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from project_build import DIGITS, ROOT, copied_checkout

GOOD, BAD, PHONE = "PI-armv7-2.14.1-digits", "PI-armv7-2.14.1-cut", "IOS-arm64-2.14.1-digits"
PACKAGE = "tensorflow-core-2.14.1-PI-armv7.tar.gz"
MATRIX = """
keep_days: 3
retries: 1
builds:
  - {target: PI, archs: [armv7], models: {digits: [models/digits.pb]}}
  - {target: PI, archs: [armv7], models: {cut: [models/cut.pb]}}
  - {target: IOS, archs: [arm64], models: {digits: [models/digits.pb]}}
"""


@dataclass
class Nights:
    """``root`` is the checkout; ``runs`` and ``indexes`` are what each run said and left, by its name."""

    root: Path
    folder: Path
    runs: dict[str, subprocess.CompletedProcess[str]] = field(default_factory=dict)
    indexes: dict[str, dict[str, Any]] = field(default_factory=dict)

    def start(self, *words: object, **options: Any) -> subprocess.Popen[str]:
        argv = [sys.executable, self.root / "scripts/nightly.py", *words]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(argv, cwd=self.root, text=True, **pipes, **options)  # type: ignore[call-overload, no-any-return]

    def run(self, *words: object, **options: Any) -> subprocess.CompletedProcess[str]:
        process = self.start(*words, **options)
        out, err = process.communicate()
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def night(self, name: str, date: str) -> None:
        self.runs[name] = self.run("--folder", self.folder, "--date", date)
        self.indexes[name] = json.loads((self.folder / "index.json").read_text())

    def model(self, name: str, good: bool) -> None:
        """A model of the matrix: the digits, or the first half of their bytes."""
        path = self.root / "models" / name
        content = (DIGITS / "digits.pb").read_bytes()
        path.write_bytes(content if good else content[:9_000])

    def commit(self, message: str) -> None:
        git = ["git", "-C", str(self.root), "-c", "user.name=t", "-c", "user.email=t@localhost"]
        subprocess.run([*git, "add", "nightly.yaml", "note", "scripts"], check=True)
        subprocess.run([*git, "commit", "-q", "-m", message], check=True)

    def cells(self, name: str, date: str) -> dict[str, dict[str, Any]]:
        """The builds of the day ``date`` by their names, as the index told them after the run ``name``."""
        day = next(day for day in self.indexes[name]["days"] if day["date"] == date)
        return {cell["cell"]: cell for cell in day["cells"]}


def nights(folder: Path) -> Nights:
    """Four days: a good build beside two that fail, a repeated day, a broken model, a mended one."""
    root = copied_checkout(folder / "checkout")
    shutil.copytree(ROOT / "scripts", root / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(DIGITS, root / "models")
    shutil.copy(ROOT / "pyproject.toml", root)
    (root / "nightly.yaml").write_text(MATRIX)
    (root / "note").write_text("one\n")
    subprocess.run(["git", "init", "-q", str(root)], check=True, env=os.environ)
    made = Nights(root, folder / "published")
    made.model("digits.pb", good=True)
    made.model("cut.pb", good=False)
    made.commit("one")
    made.night("first", "2026-11-21")
    made.night("again", "2026-11-21")
    (root / "note").write_text("two\n")
    made.commit("two")
    made.night("committed", "2026-11-21")
    made.model("digits.pb", good=False)
    made.night("broken", "2026-11-22")
    made.model("digits.pb", good=True)
    made.night("mended", "2026-11-23")
    made.night("fourth", "2026-11-24")
    return made
