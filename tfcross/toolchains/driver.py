"""What a compiler on this machine says of itself, and a word for its content."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shlex
import shutil
import signal
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tfcross.binary.executable import content_id, program_files
from tfcross.errors import TfcrossError

#: Seconds in which a compiler that is asked about itself has to answer; most take 0.02.
ANSWER_SECONDS = 60
#: What a GCC's driver runs, as it names them itself.
GCC_PROGRAMS = ("cc1", "cc1plus", "as", "collect2")
#: The line of ``clang -###`` with the program that compiles: the driver may be a script in front of it.
_COMPILES = re.compile(r'^ *"[^\n]*" "-cc1" ', re.MULTILINE)


@dataclass(frozen=True)
class Compiler:
    """A compiler driver, and the GCC installation whose libraries it takes (None: it finds none)."""

    path: str
    family: str
    version: str
    machine: str
    banner: str
    libraries: Path | None

    @property
    def label(self) -> str:
        return f"{Path(self.path).name} {self.version}"


def ask(path: str, search_path: str, flags: Iterable[str] = ()) -> Compiler | None:
    """What the driver at ``path`` says to ``-v``; None if it does not answer as gcc or clang do."""
    try:
        said = _run([path, *flags, "-v"], search_path).stdout
    except OSError:
        return None
    version = re.search(r"^(?:.*\s)?(gcc|clang) version (\d+(?:\.\d+)*).*$", said, re.MULTILINE)
    machine = re.search(r"^Target: (\S+)$", said, re.MULTILINE)
    if not version or not machine:
        return None
    banner = f"{version[0]} {machine[0]}"
    libraries = _gcc_libraries(path, search_path) if version[1] == "gcc" else _selected_gcc(said)
    return Compiler(path, version[1], version[2], machine[1], banner, libraries)


def same_machine(gcc_triple: str, triple: str) -> bool:
    """Whether a GCC of ``gcc_triple`` makes code for ``triple``; vendors name theirs differently."""
    cpu, abi = gcc_triple.split("-")[0], gcc_triple.split("-")[-1]
    wanted_cpu, wanted_abi = triple.split("-")[0], triple.split("-")[-1]
    # x86_64-redhat-linux is x86_64-linux-gnu; no other ABI may be left out.
    return cpu == wanted_cpu and (abi == wanted_abi or (abi == "linux" and wanted_abi == "gnu"))


def is_version(version: str, pin: str) -> bool:
    """Whether ``version`` is the pin or a later part of it: 4.8.3 is 4.8, 4.80 is not."""
    return version == pin or version.startswith(pin + ".")


def identity(compiler: Compiler, triple: str, search_path: str, flags: Sequence[str]) -> str:
    """``gcc 12.2.0 arm-linux-gnueabihf 0123456789abcdef``; the last word follows all that compiles.

    That is: the driver, what it runs, the shared libraries that these load, and the macros that exist
    before a first line of ours, which tell the C and C++ libraries' versions.
    Raises TfcrossError when the compiler does not find a C++ library.
    """
    parts = [compiler.banner, _macros(compiler, triple, search_path, flags)]
    parts += [content_id(path) for path in _what_compiles(compiler, search_path, flags)]
    digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    return f"{compiler.family} {compiler.version} {triple} {digest[:16]}"


def identity_files(path: str, search_path: str, flags: Sequence[str]) -> list[str]:
    """The files that ``identity`` follows: while their stats are the same, so is the identity."""
    compiler = ask(path, search_path, flags)
    parts = _what_compiles(compiler, search_path, flags) if compiler else []
    command = [path, *flags, "-std=gnu++11", "-x", "c++", "-M", "-include", "cstddef", "/dev/null"]
    said = _run(command, search_path).stdout
    headers = [word for word in said.split() if word.startswith("/")]
    return [path, *map(str, parts), *headers]


def defined_macros(compiler: Compiler, search_path: str, flags: Sequence[str]) -> frozenset[str]:
    """Names of the macros that are defined with ``flags`` before a first line of source."""
    said = _run([compiler.path, *flags, "-x", "c++", "-E", "-dM", "/dev/null"], search_path).stdout
    return frozenset(re.findall(r"^#define (\w+)", said, re.MULTILINE))


def accepts(driver: str, flag: str, search_path: str) -> bool:
    """Whether ``driver`` knows ``flag``."""
    return _run([driver, flag, "-x", "c++", "-E", "/dev/null"], search_path).returncode == 0


def links_library(driver: str, name: str, search_path: str, flags: Sequence[str]) -> bool:
    """Whether a link by ``driver`` with ``flags`` finds ``-l<name>``, without linking."""
    return any(library_file(driver, f"lib{name}.{kind}", search_path, flags) for kind in ("a", "so"))


def library_file(driver: str, name: str, search_path: str, flags: Sequence[str]) -> str:
    """Where ``driver`` with ``flags`` has the library whose file is ``name``; "" if it has none."""
    said = _run([driver, *flags, f"-print-file-name={name}"], search_path).stdout.strip()
    return said if "/" in said else ""  # what it does not find, a driver answers with the bare name


def _run(command: Sequence[str], search_path: str) -> subprocess.CompletedProcess[str]:
    """Output and errors of ``command`` together, in English; OSError only if it cannot be started.

    TfcrossError if it does not end by itself: then all that it started is killed, too.
    """
    with subprocess.Popen(
        command,
        env={"PATH": search_path, "LC_ALL": "C"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        process_group=0,
    ) as process:
        try:
            said, _ = process.communicate(timeout=ANSWER_SECONDS)
        except BaseException as error:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            if not isinstance(error, subprocess.TimeoutExpired):
                raise
            asked = f"no answer to `{shlex.join(command[1:])}' in {ANSWER_SECONDS} s"
            remedy = "mend it, or pass another TOOLCHAIN= or PATH"
            raise TfcrossError(f"{command[0]}: {asked}; {remedy}.") from None
        return subprocess.CompletedProcess(command, process.returncode, said)


def _gcc_libraries(path: str, search_path: str) -> Path:
    return Path(_run([path, "-print-libgcc-file-name"], search_path).stdout.strip()).parent.resolve()


def _selected_gcc(said: str) -> Path | None:
    chosen = re.search(r"^Selected GCC installation: (.+)$", said, re.MULTILINE)
    return Path(chosen[1]).resolve() if chosen else None


def _macros(compiler: Compiler, triple: str, search_path: str, flags: Sequence[str]) -> str:
    command = [compiler.path, *flags, "-std=gnu++11", "-x", "c++", "-E", "-dM", "-include", "cstddef"]
    result = _run([*command, "/dev/null"], search_path)
    if result.returncode:
        lines = result.stdout.strip().splitlines() or ["no message"]
        reason = next((line for line in lines if "error:" in line), lines[-1])
        raise TfcrossError(f"{compiler.label} finds no C++ library for {triple}: {reason.rstrip('.')}.")
    return "\n".join(sorted(result.stdout.splitlines()))


def _what_compiles(compiler: Compiler, search_path: str, flags: Sequence[str]) -> list[Path]:
    """The files that hold the compiler: the driver is a small front."""
    if compiler.family == "clang":
        behind = _behind_clang(compiler.path, search_path, flags)
    else:
        behind = _behind_gcc(compiler.path, search_path)
    programs = dict.fromkeys([Path(compiler.path).resolve(), *behind])
    return list(dict.fromkeys(file for program in programs for file in program_files(program)))


def _behind_clang(path: str, search_path: str, flags: Sequence[str]) -> list[Path]:
    said = _run([path, *flags, "-###", "-x", "c++", "-c", "/dev/null"], search_path).stdout
    line = _COMPILES.search(said)
    program = Path(shlex.split(line[0])[0]) if line else None
    return [program.resolve()] if program and program.is_file() else []


def _behind_gcc(path: str, search_path: str) -> list[Path]:
    named = [_run([path, f"-print-prog-name={name}"], search_path).stdout.strip() for name in GCC_PROGRAMS]
    programs = [shutil.which(name, path=search_path) for name in named]
    return [Path(name).resolve() for name in programs if name]
