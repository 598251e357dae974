#!/usr/bin/env python3
"""Tell what an error of an app, a linker or a compiler means, how to see that it is so, and what to type.

    ./app 2>&1 | scripts/explain_error.py
    scripts/explain_error.py build.log
    scripts/explain_error.py "No OpKernel was registered to support Op 'Mul'" [--json]

A word that is a file's name is read, anything else is taken as the error's text. Exit status: 0 if something
in it is known, 1 if nothing is, 2 for a mistake.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tfcross.cli import script  # noqa: E402

script.start(ROOT)

from tfcross.app.explanations import explain_text, load_entries  # noqa: E402
from tfcross.errors import TfcrossError, known  # noqa: E402
from tfcross.render import render  # noqa: E402

FLAGS = ("--json",)
MOST = 50_000_000  # bytes of one log


def read(words: list[str]) -> str:
    """The text that ``words`` give, or stdin without any."""
    if not words:
        if sys.stdin.isatty():
            print("Paste the error, then press Ctrl-D.", file=sys.stderr)
        return sys.stdin.buffer.read(MOST).decode(errors="replace")
    return "\n".join(_content(word) for word in words)


def _content(word: str) -> str:
    path = Path(word)
    try:
        if len(word) > 255 or not path.is_file():
            return word
        with path.open("rb") as stream:
            return stream.read(MOST).decode(errors="replace")
    except OSError as error:
        raise TfcrossError(f"{word}: {error.strerror}; pass a log file, or the error's text.") from None


def main(words: list[str]) -> int:
    unknown = [word for word in words if word.startswith("--") and word not in FLAGS]
    if unknown:
        raise TfcrossError(f"{unknown[0]}: unknown option. {known(FLAGS)}")
    entries = load_entries(ROOT)
    explanations = explain_text(read([word for word in words if word not in FLAGS]), entries)
    if "--json" in words:
        print(json.dumps([asdict(explanation) for explanation in explanations], indent=1, ensure_ascii=False))
    elif explanations:
        print(render("explanations.txt.j2", explanations=explanations), end="")
    else:
        print(f"None of the {len(entries)} known errors is in it; docs/troubleshooting.md has more.")
    return 0 if explanations else 1


if __name__ == "__main__":
    sys.exit(script.run(main, __doc__))
