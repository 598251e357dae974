#!/usr/bin/env python3
"""Print the link snippet of one kind of app project for a library that is built.

Usage: scripts/link_flags.py TARGET=PI FORMAT=cmake [ARCH=armv7] [OUT=out]

What is printed names the output folder by its whole path; the same snippets, relocatable, are in its link/.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tfcross.cli import script  # noqa: E402

script.start(ROOT)

from tfcross.cli.options import parse_options, require_target  # noqa: E402
from tfcross.cli.words import variables_of  # noqa: E402
from tfcross.errors import TfcrossError, known  # noqa: E402
from tfcross.output.manifest import NAME, link_flags, load_manifest, run_first  # noqa: E402
from tfcross.output.snippets import Library, load_formats, print_snippet  # noqa: E402
from tfcross.targets.profile import load_profile  # noqa: E402
from tfcross.targets.target import find_host, known_targets  # noqa: E402


def main(words: list[str]) -> int:
    print(_snippet(words), end="")
    return 0


def _usage() -> str:
    forms = load_formats().values()
    return f"{__doc__}\nFORMAT=\n" + "".join(f"    {form.name:<12}{form.description}\n" for form in forms)


def _snippet(words: list[str]) -> str:
    arguments = variables_of(words, "scripts/link_flags.py")
    name = arguments.pop("FORMAT", "")
    if not name:
        raise TfcrossError(f"FORMAT is not set; pass FORMAT=. {known(load_formats())}")
    options = parse_options(arguments)
    target = require_target(options, known_targets(ROOT))
    profile = load_profile(ROOT, target, options.arch or None, options.release, host=find_host(ROOT))
    folder = Path(options.out) / profile.name
    manifest = load_manifest(folder / NAME)
    library = Library(
        profile.name,
        manifest["arch"],
        manifest["triple"],
        manifest["release"],
        link_flags(manifest),
        run_first(manifest),
    )
    return print_snippet(name, library, folder)


if __name__ == "__main__":
    sys.exit(script.run(main, _usage))
