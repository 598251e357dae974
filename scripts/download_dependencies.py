#!/usr/bin/env python3
"""Fetch every source of a release, and build nothing.

Usage: scripts/download_dependencies.py [RELEASE=2.14.1] [SOURCE_DIR=<folder>] [OFFLINE=1]
                                        [SOURCE_<name>=<folder> …]

Prints one line per source: name, version, where it came from, and the seconds it took (0 from the store).
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tfcross.cli import script  # noqa: E402

script.start(ROOT)

from tfcross.cli.options import parse_options  # noqa: E402
from tfcross.cli.words import variables_of  # noqa: E402
from tfcross.environment import cache_folder  # noqa: E402
from tfcross.releases.release import load_release  # noqa: E402
from tfcross.sources.fetch import fetch_sources  # noqa: E402
from tfcross.sources.store import Tree  # noqa: E402


def main(words: list[str]) -> int:
    began = time.monotonic()
    trees = _fetch(words)
    for tree in trees:
        print(f"{tree.name} {tree.version}  {tree.origin}  {tree.seconds:.1f} s")
    print(f"{len(trees)} sources in {time.monotonic() - began:.1f} s")
    return 0


def _fetch(words: list[str]) -> list[Tree]:
    arguments = variables_of(words, "scripts/download_dependencies.py")
    release = load_release(ROOT, parse_options(arguments).release)
    options = parse_options(arguments, list(release.sources))
    trees = fetch_sources(
        release,
        store=cache_folder(),
        source_dir=Path(options.source_dir) if options.source_dir else None,
        overrides={name: Path(folder) for name, folder in options.sources},
        offline=options.offline,
        progress=True,
    )
    return list(trees.values())


if __name__ == "__main__":
    sys.exit(script.run(main, __doc__))
