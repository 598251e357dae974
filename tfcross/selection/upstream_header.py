"""A header of constant expressions that say which ops and kernels to register, for any TensorFlow release.

It is what TensorFlow's own print_selective_registration_header makes: ``ops_to_register.h`` for a build with
``-DSELECTIVE_REGISTRATION`` and nothing else changed. (This project's own builds use ``opsheader``, whose
header also keeps kernels that are not selected from being compiled.)
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

from tfcross.errors import TfcrossError, known
from tfcross.render import render
from tfcross.selection.header import fnv1a, quote
from tfcross.selection.upstream_pairs import Pair

_TEMPLATES = {"upstream": "selective_header.h.j2", "hashed": "selective_header_hashed.h.j2"}
STYLES = tuple(_TEMPLATES)


class Hashed(NamedTuple):
    """A text as the hashed header holds it; ``text`` is a C literal, for a comment."""

    hash: int
    text: str


def selective_header(pairs: Collection[Pair] | None, style: str) -> str:
    """The header that registers ``pairs``, or everything for None, in one of ``STYLES``.

    Raises TfcrossError for no pairs at all: nothing would run.
    """
    if style not in _TEMPLATES:
        raise TfcrossError(f"--style={style}: unknown style. {known(STYLES)}")
    if pairs is None:
        return render("selective_header_all.h.j2")
    if not pairs:
        raise TfcrossError("no node has a kernel, and --default_ops is empty: the header would keep nothing.")
    ops = sorted({pair.op for pair in pairs})
    kernels = [pair.kernel for pair in sorted(pairs) if pair.kernel]
    gradients = "SymbolicGradient" in ops
    if style == "hashed":
        return render(_TEMPLATES[style], ops=_hashed(ops), kernels=_hashed(kernels), gradients=gradients)
    texts = {"ops": map(quote, ops), "kernels": map(quote, kernels)}
    return render(_TEMPLATES[style], gradients=gradients, **texts)


def _hashed(texts: Iterable[str]) -> list[Hashed]:
    """By hash, each once. Blanks do not count: compilers differ in those of a stringised class."""
    return sorted({Hashed(fnv1a(text.replace(" ", "")), quote(text)) for text in texts})
