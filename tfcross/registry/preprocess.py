"""Run a target's compiler as a preprocessor over TensorFlow's sources, as few processes as possible.

A compiler takes 15 to 35 ms to start and 3 ms to expand a source over the shadow headers. So one
process takes many sources; between two of them all macros are set back to what the compiler and its
command line define.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tfcross.errors import TfcrossError

_RESET = "tfcross_reset.h"
_FILE_MARK = re.compile(r'^[ \t]*tfcross_file\("([^"\n]+)"\)[ \t]*$', re.M)
_PREDEFINED = re.compile(r"^#define (\w+)(.*)$", re.M)


@dataclass(frozen=True)
class TargetCompiler:
    """As whom sources are read: ``argv`` is the program with the target's flags.

    ``defines`` are "NAME" or "NAME=value"; ``identity`` changes whenever the program does.
    """

    argv: tuple[str, ...]
    defines: tuple[str, ...]
    identity: str

    @property
    def command(self) -> tuple[str, ...]:
        """What compiles a source, without its files."""
        return (*self.argv, *(f"-D{define}" for define in self.defines))


@dataclass(frozen=True)
class Preprocessor:
    """``command`` is the compiler with the target's flags and defines, as for compiling a C++ source.

    ``shadow`` has every file that can be included; no other folder is searched.
    """

    command: tuple[str, ...]
    shadow: Path

    def expand(self, files: Sequence[str], jobs: int, batch: int = 24) -> Iterator[tuple[str, str]]:
        """Each of ``files`` (paths below the shadow) with its expanded text, in order.

        ``batch`` files go into one process. Raises TfcrossError with the compiler's first complaint.
        """
        groups = [files[start : start + batch] for start in range(0, len(files), batch)]
        with ThreadPoolExecutor(max(1, jobs)) as pool:
            for group, output in zip(groups, pool.map(self._expand_group, groups), strict=True):
                yield from _split(group, output)

    def write_reset(self, macros: Iterable[str]) -> None:
        """The header between two sources: every one of ``macros`` as it was before the first."""
        predefined = dict(_PREDEFINED.findall(self._run(["-dM"], "")))
        names = sorted(name for name in macros if not name.startswith("__has_") and name != "defined")
        lines = [f"#undef {name}" for name in names]
        lines += [f"#define {name}{predefined[name]}" for name in names if name in predefined]
        (self.shadow / _RESET).write_text("\n".join(lines) + "\n", encoding="utf-8")

    def _expand_group(self, files: Sequence[str]) -> str:
        lines = [f'tfcross_file("{file}")\n#include "{file}"\n#include "{_RESET}"\n' for file in files]
        return self._run(["-P"], "".join(lines))

    def _run(self, options: Sequence[str], source: str) -> str:
        """What ``-E`` makes of ``source``."""
        places = ["-nostdinc", "-nostdinc++", f"-I{self.shadow}"]
        command = [*self.command, "-w", "-E", *options, *places, "-x", "c++", "-"]
        try:
            done = subprocess.run(command, input=source.encode(), capture_output=True, check=False)
        except OSError as error:
            raise TfcrossError(
                f"registry: {self.command[0]} cannot be run: {error.strerror}. Install the toolchain."
            ) from error
        if done.returncode:
            raise TfcrossError(f"registry: {self._complaint(done.stderr.decode(errors='replace'))}")
        return done.stdout.decode("utf-8", errors="surrogateescape")

    def _complaint(self, output: str) -> str:
        """The first error line, with paths as in the source tree."""
        lines = [line for line in output.splitlines() if "error:" in line] or output.splitlines()
        first = lines[0] if lines else "no message"
        return f"{self.command[0]} -E fails: {first.replace(f'{self.shadow}/', '')}"


def _split(files: Sequence[str], output: str) -> Iterator[tuple[str, str]]:
    """A batch's output, cut at the markers in front of each file."""
    _, *parts = _FILE_MARK.split(output)
    texts: Mapping[str, str] = dict(zip(parts[::2], parts[1::2], strict=True))
    for file in files:
        yield file, texts[file]
