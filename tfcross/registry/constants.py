"""The values of named strings in TensorFlow's sources: ``kArgOp``, ``GetPaddingAttrString()``."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tfcross.registry.cpptext import string_value
from tfcross.registry.sourcetree import SourceTree

_NAME = re.compile(r"(?:\w+::|::)*(\w+)(?:\s*\(\s*\))?")
_LITERALS = r'((?:R"([^()\\\s]{0,16})\(.*?\)\2"\s*|"(?:\\.|[^"\\\n])*"\s*)+)'


class Constants:
    """String constants, and functions without arguments that return one, found in the text of a tree.

    The file that asks comes first, then the headers, then the ``.cc`` files beside the headers that
    only declare the name.
    """

    def __init__(self, tree: SourceTree) -> None:
        self._tree = tree
        self._known: dict[tuple[str, str], frozenset[str]] = {}

    def value(self, expression: str, file: str) -> str | None:
        """The string that ``expression`` stands for within ``file``; None if it cannot be told.

        Two headers that give one name different values tell nothing.
        """
        literal = string_value(expression)
        if literal is not None:
            return literal
        match = _NAME.fullmatch(expression.strip())
        if not match:
            return None
        values = self._definitions(match[1], file) or self._definitions(match[1], "")
        return next(iter(values)) if len(values) == 1 else None

    def _definitions(self, name: str, file: str) -> frozenset[str]:
        """Every value that ``file`` gives to ``name``; with no file, that the headers give it."""
        if (name, file) not in self._known:
            own = frozenset(_matches(self._tree.texts.get(file, ""), name))
            self._known[name, file] = own if file else self._in_headers(name)
        return self._known[name, file]

    def _in_headers(self, name: str) -> frozenset[str]:
        headers = [file for file, text in self._tree.texts.items() if file.endswith(".h") and name in text]
        inline = frozenset(value for file in headers for value in _matches(self._tree.texts[file], name))
        return inline or frozenset(value for file in headers for value in _matches(self._beside(file), name))

    def _beside(self, header: str) -> str:
        path = self._tree.root / f"{header.removesuffix('.h')}.cc"
        return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def _matches(text: str, name: str) -> Iterator[str]:
    if name not in text:
        return
    variable = rf"\b{name}\s*(?:\[\s*\])?\s*=\s*{_LITERALS};"
    function = rf"\b{name}\s*\(\s*\)\s*\{{\s*return\s+{_LITERALS};\s*\}}"
    for match in re.finditer(f"(?s){variable}", text):
        yield string_value(match[1]) or ""
    for match in re.finditer(f"(?s){function}", text):
        yield string_value(match[1]) or ""
