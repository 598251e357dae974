"""The command lines that the README and the pages under docs/ print."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from project_build import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "examples/digits/README.md"]
_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.M | re.S)
_FENCED = re.compile(r"^```.*?^```$", re.M | re.S)
_SPAN = re.compile(r"`([^`\n]+)`")
#: Code in a sentence that is a command: a program of the project with words behind it or a pipe before it.
_COMMAND = re.compile(r"(?:\./bootstrap|scons|eval|bench/\w+\.py|scripts/\w+\.py) .+|\S.* \| scripts/\w+\.py")


def printed(page: Path) -> Iterator[str]:
    """The commands of a page without their comments, each once; those with an ellipsis are only forms."""
    text = page.read_text()
    seen = dict.fromkeys(line for block in _BLOCK.findall(text) for line in _lines(block))
    spans = _SPAN.findall(_FENCED.sub("", text))
    seen |= dict.fromkeys(span for span in spans if _COMMAND.fullmatch(span))
    yield from (command for command in seen if "…" not in command)


def _lines(block: str) -> Iterator[str]:
    for line in block.replace("\\\n", " ").splitlines():
        command = " ".join(re.sub(r"(^|\s)#.*", "", line).split())
        if command:
            yield command
