"""Linking programs and shared libraries."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tfcross.files import replacing
from tfcross.scons.actions import builder
from tfcross.scons.compiling import Compiler


def link_program(
    compiler: Compiler, target: str, inputs: Sequence[Any], arguments: Iterable[str], shared: bool = False
) -> Any:
    """A program linked from nodes in their order, then ``arguments`` (whole-archive groups, libraries).

    A ``shared`` library is linked alike, but for the flags of programs.
    """
    toolchain, runner = compiler.toolchain, compiler.runner
    kind = ("-shared",) if shared else toolchain.program_flags
    flags, tail = (*kind, *toolchain.link_flags), list(arguments)
    end = toolchain.link_tail

    def run(targets: list[str], sources: list[str]) -> None:
        with replacing(Path(targets[0])) as part:
            runner.run([toolchain.linker, *flags, *sources, *tail, *end, "-o", str(part)], targets[0])

    signature = shlex.join([toolchain.identity, *flags, *tail, *end])
    return builder(run, "LINK", signature)(compiler.env, target=[target], source=list(inputs))[0]
