"""GraphDefs in protobuf's text format, one top-level block at a time.

The parser of the text format is slow and keeps all that it reads: a block at a time, and what a large tensor
holds left out, bounds the memory. ``data`` is bytes, or a mapped file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from google.protobuf import text_format
from google.protobuf.message import DecodeError, EncodeError

from tfcross.graph import messages

_TOKEN = re.compile(
    rb"""[{<}>] | [A-Za-z_]\w*+ | "(?:[^"\\\n]++|\\.)*+" | '(?:[^'\\\n]++|\\.)*+' | \#[^\n]*+ | ["']""",
    re.VERBOSE | re.DOTALL,
)
# The payload of a tensor as one string, or as many numbers; possessive, since a string can have a gigabyte.
_PAYLOAD = re.compile(
    rb"""\btensor_content \s*+ : \s*+ (?: "(?:[^"\\\n]++|\\.)*+" \s*+ | '(?:[^'\\\n]++|\\.)*+' \s*+ )++
    | (?: \b\w++_val \s*+ : \s*+ [\w.+-]++ [\s,;]*+ )++
    | \b\w++_val \s*+ : \s*+ \[ [^][]*+ \]""",
    re.VERBOSE | re.DOTALL,
)
_LARGE_BLOCK = 1 << 16  # bytes; a smaller one is parsed as it is
_LARGE_PAYLOAD = 1 << 13  # bytes of text
_MAX_DEPTH = 100  # as the binary parser's
_LONGEST_REASON = 200


class TextError(Exception):
    """``line`` is where in the file, from 1."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


def _line(data: Any, offset: int) -> int:
    return bytes(data[:offset]).count(b"\n") + 1


def _blocks(data: Any) -> Iterator[tuple[str, int, int]]:
    """Name, start and end of each top-level ``name { … }``; the end is after the brace. Raises TextError."""
    depth, name, start = 0, "", 0
    for token in _TOKEN.finditer(data):
        text = token.group()
        if text in (b"{", b"<"):
            start = token.start() if depth == 0 else start
            depth += 1
        elif text in (b"}", b">"):
            depth -= 1
            if depth == 0:
                yield name, start, token.end()
        elif text in (b'"', b"'"):
            raise TextError(_line(data, token.start()), "a string without an end")
        elif depth == 0 and (text[:1].isalpha() or text[:1] == b"_"):
            name = text.decode()
        if not 0 <= depth <= _MAX_DEPTH:
            raise TextError(
                _line(data, token.start()), "braces that are too deep" if depth > 0 else "a stray brace"
            )
    if depth:
        raise TextError(
            _line(data, len(data)), f"truncated: a block opened on line {_line(data, start)} never ends"
        )


def _parsed(data: Any, start: int, end: int, message: Any, payload: bool = False) -> Any:
    """The message in the text ``data[start:end]``, ``payload``: with all of its tensors. Raises TextError."""
    try:
        text = bytes(data[start:end]) if payload else _without_payload(data, start, end)
        return text_format.Parse(text, message, allow_unknown_field=True)
    except text_format.ParseError as error:
        line = _line(data, start) + (error.GetLine() or 1) - 1
        # The parser quotes the whole line first, which may hold a tensor.
        raise TextError(line, str(error).rpartition("': ")[2][:_LONGEST_REASON]) from None
    except (ValueError, RecursionError, OverflowError, TypeError, DecodeError, EncodeError) as error:
        raise TextError(_line(data, start), str(error)[:_LONGEST_REASON]) from None


def _without_payload(data: Any, start: int, end: int) -> bytes:
    """The text ``data[start:end]`` without what a large tensor holds: its dtype and shape stay."""
    text = bytes(data[start:end])
    if end - start <= _LARGE_BLOCK:
        return text
    kept, at = [], 0
    for match in _PAYLOAD.finditer(text):
        if match.end() - match.start() > _LARGE_PAYLOAD:
            # Lines are counted in errors.
            kept += [text[at : match.start()], b"\n" * text.count(b"\n", match.start(), match.end()), b" "]
            at = match.end()
    return b"".join([*kept, text[at:]])


_BLOCKS = {"node": messages.NodeDef, "versions": messages.VersionDef, "library": messages.FunctionDefLibrary}


def text_graph_parts(data: Any, payload: bool = False) -> Iterator[Any]:
    """The NodeDef, FunctionDef, GradientDef and VersionDef messages of a text GraphDef. Raises TextError.

    ``payload``: with what large tensors hold.
    """
    for name, start, end in _blocks(data):
        message = _BLOCKS.get(name)
        if message is None:
            continue
        parsed = _parsed(data, start + 1, end - 1, message(), payload)
        if name == "library":
            yield from parsed.function
            yield from parsed.gradient
        else:
            yield parsed


def saved_model_bytes(data: Any, payload: bool = False) -> bytes:
    """The binary form of a SavedModel in text; ``payload``: with large tensors. Raises TextError."""
    content: bytes = _parsed(data, 0, len(data), messages.SavedModel(), payload).SerializeToString()
    return content
