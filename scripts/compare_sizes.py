#!/usr/bin/env python3
"""Print what grew and shrank between two libraries, as their manifests tell it.

Usage: scripts/compare_sizes.py OLD/manifest.json NEW/manifest.json

Bytes in the linked app by archive, source file, op, kernel and type; the largest growth first.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tfcross.cli import script  # noqa: E402

script.start(ROOT)

from tfcross.binary.sizes import changes  # noqa: E402
from tfcross.errors import TfcrossError  # noqa: E402
from tfcross.output.manifest import load_manifest  # noqa: E402


def main(words: list[str]) -> int:
    if len(words) != 2:
        raise TfcrossError(f"{len(words)} files are given; pass an old and a new manifest.json.")
    before, after = (_sizes(Path(word)) for word in words)
    for key in ("app", "stripped"):
        print(f"{after[key] - before[key]:>+10}  {key} (now {after[key]})")
    for group, name, more in changes(before, after):
        print(f"{more:>+10}  {group}: {name}")
    return 0


def _sizes(path: Path) -> dict[str, Any]:
    manifest = load_manifest(path)
    if "sizes" not in manifest:
        raise TfcrossError(f"{path}: has no sizes; build again.")
    return dict(manifest["sizes"])


if __name__ == "__main__":
    sys.exit(script.run(main, __doc__))
