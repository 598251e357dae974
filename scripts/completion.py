#!/usr/bin/env python3
"""Print what lets bash (and zsh, with bashcompinit) complete the words of scons and of the scripts.

Usage: eval "$(scripts/completion.py)"
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tfcross.cli import script  # noqa: E402

script.start(ROOT)

from tfcross.cli.completion import completion  # noqa: E402
from tfcross.errors import TfcrossError  # noqa: E402


def main(words: list[str]) -> int:
    if words:
        raise TfcrossError(f"{words[0]}: it takes no words. See scripts/completion.py --help.")
    print(completion(ROOT), end="")
    return 0


if __name__ == "__main__":
    sys.exit(script.run(main, __doc__))
