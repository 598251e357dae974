#!/usr/bin/env python3
"""Print what lets bash (and zsh, with bashcompinit) complete the words of scons and of the scripts.

Usage: eval "$(scripts/completion.py)"
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tfcross.completion import completion  # noqa: E402
from tfcross.errors import TfcrossError  # noqa: E402


def main(words: list[str]) -> int:
    if words:
        print(__doc__, end="")
        return 0 if set(words) <= {"-h", "--help"} else 2
    try:
        print(completion(ROOT), end="")
    except TfcrossError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
