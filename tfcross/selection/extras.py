"""What the user adds to the set beside the models: ops by name, kernels by file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tfcross.errors import TfcrossError
from tfcross.nearest import did_you_mean
from tfcross.registry.registry import Kernel, Registry
from tfcross.selection.rule import KernelRule


@dataclass(frozen=True)
class Extras:
    """``ops`` come with all of their CPU kernels; ``files`` with all that they register for the CPU.

    A file is named as in the release ("tensorflow/core/kernels/relu_op.cc") or by its last part.
    """

    ops: tuple[str, ...] = ()
    files: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.ops or self.files)


@dataclass(frozen=True)
class Extra:
    """An op with kernels, and the words that asked for it."""

    op: str
    kernels: tuple[Kernel, ...]
    words: str


def find_extras(extras: Extras, rule: KernelRule) -> Iterator[Extra]:
    """What ``extras`` mean. Raises TfcrossError for what is not there, or cannot be built."""
    for op in extras.ops:
        words = f"EXTRA_OPS={op}"
        if op not in rule.registry.ops:
            raise TfcrossError(
                f"{words}: this release defines no such op{did_you_mean(op, rule.registry.ops)}."
            )
        unread = rule.unread(op)
        if unread:
            raise TfcrossError(f"{words}: {unread.text}")
        built = rule.cpu_kernels(op)
        if not built:
            raise TfcrossError(f"{words}: {_why_none(op, rule)}; leave it out.")
        yield Extra(op, built, words)
    for name in extras.files:
        yield from _of_file(name, rule.registry, rule.unavailable)


def _why_none(op: str, rule: KernelRule) -> str:
    lost = [kernel.file for kernel in rule.registry.kernels_of(op) if kernel.on_cpu]
    return f"{lost[0]} is not built: {rule.unavailable[lost[0]]}" if lost else "the op has no CPU kernel"


def _of_file(name: str, registry: Registry, unavailable: Mapping[str, str]) -> Iterator[Extra]:
    words = f"EXTRA_KERNELS={name}"
    files = [file for file in registry.files if file == name or file.endswith(f"/{name}")]
    if not files:
        names = [file.rpartition("/")[2] for file in registry.files]
        near = did_you_mean(name.rpartition("/")[2], names)
        raise TfcrossError(f"{words}: no file of that name registers kernels{near}.")
    if len(files) > 1:
        raise TfcrossError(f"{words}: several files have that name; give one of {', '.join(files)}.")
    if files[0] in unavailable:
        raise TfcrossError(f"{words}: it is not built: {unavailable[files[0]]}; leave it out.")
    by_op: dict[str, list[Kernel]] = {}
    for kernel in registry.kernels_in.get(files[0], ()):
        if kernel.on_cpu and kernel.op in registry.ops:
            by_op.setdefault(kernel.op, []).append(kernel)
    if not by_op:
        raise TfcrossError(f"{words}: it registers no kernel for the CPU; leave it out.")
    for op, kernels in by_op.items():
        yield Extra(op, tuple(kernels), words)
