"""A graph's ends as a user gives them: what an app feeds and fetches, and which signature tells it."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass

from tfcross.errors import TfcrossError, known, quoted
from tfcross.graph.datatypes import NUMBERS, spec_number, type_name
from tfcross.graph.node import Shape

_TENSOR = re.compile(r"[^\s,=:^\[\]]+(:(0|[1-9][0-9]{0,4}))?")
_INPUT = re.compile(r"(?P<name>[^\s,=\[\]]+)(=(?P<dtype>\w*)(\[(?P<sizes>[^\[\]]*)\])?)?")
_BRACKETS = re.compile(r"\[[^\]]*\]?")
_NEVER_FED = ("resource", "variant")
_SIZE = re.compile(r"[0-9]{1,9}")
_MOST_SIZES = 8  # TensorFlow's kernels take no more
_MOST_ELEMENTS = 1 << 28  # those that the generic runner makes


@dataclass(frozen=True)
class Input:
    """A node that is fed; ``dtype`` "" (else ``DT_FLOAT``) and ``shape`` None are as the graph tells."""

    name: str
    dtype: str = ""
    shape: Shape = None


@dataclass(frozen=True)
class Ends:
    """What the graph is cut to; empty is what the file tells. ``outputs`` as Session::Run takes them."""

    inputs: tuple[Input, ...] = ()
    outputs: tuple[str, ...] = ()
    signature: str = ""

    def variables(self) -> str:
        """The variables that were given, for a message: ``INPUTS=, OUTPUTS=``."""
        given = {"INPUTS=": self.inputs, "OUTPUTS=": self.outputs, "SIGNATURE=": self.signature}
        return ", ".join(name for name, value in given.items() if value)


NO_ENDS = Ends()


def tensor_name(tensor: str) -> str:
    """``x`` for ``x:0``, which Session::Run takes to be the same."""
    return tensor.removesuffix(":0")


def parse_ends(inputs: str, outputs: str, signature: str) -> Ends:
    """The values of INPUTS=, OUTPUTS= and SIGNATURE=. Raises TfcrossError."""
    fed = tuple(_input(word.strip(), inputs) for word in _words(inputs)) if inputs else ()
    fetched = tuple(_output(word.strip(), outputs) for word in outputs.split(",")) if outputs else ()
    names = [each.name for each in fed]
    twice = next((name for name, count in Counter(names).items() if count > 1), None)
    if twice:
        raise TfcrossError(f"INPUTS={inputs}: {quoted(twice)} is there twice; give it once.")
    return Ends(fed, tuple(dict.fromkeys(fetched)), signature)


def input_word(name: str, dtype: str, shape: Shape) -> str:
    """The word of INPUTS= for an input; "…" stands for sizes that nobody knows."""
    sizes = "…" if shape is None else ",".join("?" if size < 0 else str(size) for size in shape)
    return f"{name}={type_word(dtype)}[{sizes}]"


def type_word(dtype: str) -> str:
    """``DT_FLOAT`` gives ``float``."""
    return dtype.removeprefix("DT_").lower()


def require_one(ends: Ends, models: int) -> None:
    """TfcrossError if there are ends and not just one model that they could be meant for."""
    if ends.variables() and models != 1:
        what = f"there are {models}; build one library for each" if models else "none is given; pass MODEL="
        raise TfcrossError(f"{ends.variables()} tell the ends of one model, and {what}.")


def _words(text: str) -> list[str]:
    """The parts between commas that stand outside of brackets."""
    outside = _BRACKETS.sub(lambda match: " " * len(match[0]), text)
    ends = [at for at, char in enumerate(outside) if char == ","] + [len(text)]
    starts = [0, *(end + 1 for end in ends)]
    return [text[start:end] for start, end in zip(starts, ends, strict=False)]


def _output(word: str, text: str) -> str:
    if not _TENSOR.fullmatch(word):
        raise TfcrossError(f"OUTPUTS={text}: {quoted(word)} is no NAME; give names as softmax or split:1.")
    return tensor_name(word)


def _input(word: str, text: str) -> Input:
    match = _INPUT.fullmatch(word)
    if not match or (match["dtype"] == "" and match["sizes"] is None):
        raise TfcrossError(
            f"INPUTS={text}: {quoted(word)} is not NAME=TYPE[SIZES]; write it as x=float[1,224,224,3]."
        )
    name = tensor_name(match["name"])
    if ":" in name or "^" in name:
        raise TfcrossError(
            f"INPUTS={text}: {quoted(name)}: only a node's first output can be fed; name the node."
        )
    return Input(name, _dtype(match["dtype"], text), _shape(match["sizes"], text))


def _dtype(word: str | None, text: str) -> str:
    if not word:
        return ""
    number = spec_number(word.removeprefix("DT_").lower())
    if number is None or number not in NUMBERS.values() or type_name(number) in _NEVER_FED:
        raise TfcrossError(
            f"INPUTS={text}: unknown type {quoted(word)}. {known(NUMBERS.keys() - _NEVER_FED)}"
        )
    return f"DT_{type_name(number).upper()}"


def _shape(sizes: str | None, text: str) -> Shape:
    if sizes is None:
        return None
    shape = tuple(_size(word.strip(), text) for word in sizes.split(",")) if sizes.strip() else ()
    if math.prod(map(abs, shape)) > _MOST_ELEMENTS or len(shape) > _MOST_SIZES:
        raise TfcrossError(
            f"INPUTS={text}: [{sizes}]: at most 8 sizes and 2^28 elements can be fed; give fewer."
        )
    return shape


def _size(word: str, text: str) -> int:
    if word in ("?", "-1"):
        return -1
    if not _SIZE.fullmatch(word):
        raise TfcrossError(
            f"INPUTS={text}: {quoted(word)} is no size; give a number, or ? for one that varies."
        )
    return int(word)
