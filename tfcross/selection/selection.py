"""What a library registers: ops and kernels with their reasons, and the files that hold them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from tfcross.registry.ownops import OwnOps, is_own
from tfcross.registry.registry import Registry


@dataclass(frozen=True)
class Reason:
    """Why an op is in: ``kind`` is ``graph``, ``function``, ``runtime``, ``extra`` or ``release`` (no model);
    ``detail`` names what asked for it."""

    kind: str
    detail: str


@dataclass(frozen=True)
class FileSelection:
    """What one file (or, as ``Selection.whole``, the library) registers: ops, (op, class text); sorted."""

    ops: tuple[str, ...]
    kernels: tuple[tuple[str, str], ...]
    gradients: bool

    @property
    def key(self) -> str:
        """Names this selection: 16 hex digits that two equal ones share."""
        return _digest([self.ops, self.kernels, self.gradients])


@dataclass(frozen=True)
class Selection:
    """``ops`` and ``kernels`` (op, class text) are what to register; ``files`` hold them; all sorted.

    ``reasons`` has every selected op, with the first thing that asked for it. ``gradients``: whether the
    runtime may ask for the gradient function of an op.
    """

    ops: tuple[str, ...]
    kernels: tuple[tuple[str, str], ...]
    files: tuple[str, ...]
    reasons: Mapping[str, Reason]
    gradients: bool
    registry: Registry

    @property
    def key(self) -> str:
        """Names this selection: 16 hex digits that two equal ones share."""
        return self.whole.key

    @property
    def whole(self) -> FileSelection:
        """Everything that the library registers."""
        return FileSelection(self.ops, self.kernels, self.gradients)

    def of_file(self, file: str) -> FileSelection:
        """The part of the selection that ``file`` can register."""
        ops = {op.name for op in self.registry.ops_in.get(file, ())}
        kernels = {(kernel.op, kernel.class_text) for kernel in self.registry.kernels_in.get(file, ())}
        return FileSelection(
            tuple(sorted(ops & self._op_set)), tuple(sorted(kernels & self._kernel_set)), self.gradients
        )

    @cached_property
    def _op_set(self) -> frozenset[str]:
        return frozenset(self.ops)

    @cached_property
    def _kernel_set(self) -> frozenset[tuple[str, str]]:
        return frozenset(self.kernels)


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:16]


def plain_files(own: OwnOps, selection: Selection) -> list[str]:
    """Those of the user's files that register nothing, if any that does is selected: what it may call."""
    if not any(map(is_own, selection.files)):
        return []
    return [file for file in own.files if file not in selection.registry.files]
