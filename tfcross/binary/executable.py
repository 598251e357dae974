"""What a program of this machine is made of: its file, and the shared libraries that do its work."""

from __future__ import annotations

import functools
import hashlib
import re
import subprocess
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from tfcross.errors import TfcrossError

#: The head of a GNU build-id note with a SHA-1: name size 4, value size 20, type 3, "GNU".
BUILD_ID = bytes.fromhex("04000000 14000000 03000000") + b"GNU\0"
#: Libraries that all kinds of programs load, and that no code of a compiler's making depends on.
COMMON = frozenset(("System.B", "bsd", "c", "c++", "c++abi", "dl", "edit", "ffi", "gcc_s", "iconv", "lzma",
                    "m", "md", "ncurses", "ncursesw", "pthread", "rt", "stdc++", "tinfo", "unwind", "xml2",
                    "z", "z3", "zstd"))  # fmt: skip
_ELF = b"\x7fELF"
_MACHO = tuple(bytes.fromhex(word) for word in ("cffaedfe", "cefaedfe", "cafebabe", "cafebabf"))
_LIBRARY = re.compile(r"(?:.*/)?(?:lib(.+?)(?:-[\d.]+)?(?:\.musl-\w+)?(?:\.\d+)*\.(?:so|dylib)\b.*|ld[-.].+)")
#: A line of what glibc's and musl's loaders print: "libz.so.1 => /lib/libz.so.1 (0x…)".
_LOADED = re.compile(r"^\s*(\S+) => (/.+?) \(0x[0-9a-f]+\)$", re.MULTILINE)

Stamp = tuple[int, int]


def program_files(program: Path) -> list[Path]:
    """``program`` and the shared libraries that it loads, wherever they lie, but for the common ones.

    All without links; in the order in which programs name them, so that it is the same on every machine.
    What is neither ELF nor Mach-O (a script) is all there is. TfcrossError for a damaged one.
    """
    program = program.resolve()
    with program.open("rb") as stream:
        magic = stream.read(4)
    if magic != _ELF and magic not in _MACHO:
        return [program]
    try:
        if magic in _MACHO:
            return _all_below(program, lambda file: _macho_libraries(file, program.parent))
        places = _loaded(program)
        return _all_below(program, lambda file: _elf_libraries(file, places))
    except MemoryError:
        raise
    except Exception as error:  # whatever damaged tables lead the two readers to
        if isinstance(error, OSError) and error.errno:  # the system's, not a reader's own
            raise
        problem = f"{program}: a damaged program, or a library of it is ({error})"
        raise TfcrossError(f"{problem}; install its package anew.") from error


def content_id(path: Path) -> str:
    """A word that follows the file's content: an ELF program's build id (0.1 ms), else its sha256."""
    return _content_id(path, _stamp(path))


def _stamp(path: Path) -> Stamp:
    """What changes with the file: with it, what was read is kept for this run."""
    status = path.stat()
    return status.st_mtime_ns, status.st_size


@functools.cache
def _content_id(path: Path, stamp: Stamp) -> str:
    with path.open("rb") as stream:
        head = stream.read(4096)
        at = head.find(BUILD_ID)
        if at >= 0:
            return head[at + len(BUILD_ID) :][:20].hex()
        stream.seek(0)
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _all_below(program: Path, libraries: Callable[[Path], Iterable[Path]]) -> list[Path]:
    files = {program: None}
    todo = [program]
    while todo:
        new = [library for library in libraries(todo.pop(0)) if library not in files]
        files |= dict.fromkeys(new)
        todo += dict.fromkeys(new)
    return list(files)


def is_common(name: str) -> bool:
    """Whether the library that a program calls ``name`` is one of COMMON, or the loader."""
    match = _LIBRARY.fullmatch(name)
    return match is not None and (match[1] or "c") in COMMON


def _loaded(program: Path) -> Mapping[str, Path]:
    """Where the program's own loader finds each library: it alone knows all rules (RUNPATH, its cache, …)."""
    interpreter, _ = _read_elf(program, _stamp(program))
    if not interpreter:
        return {}
    try:
        asked = [interpreter, "--list", str(program)]
        said = subprocess.run(asked, env={}, capture_output=True, text=True, errors="replace", check=False)
    except OSError:  # a program of another system, which does not run here
        return {}
    return {name: Path(place).resolve() for name, place in _LOADED.findall(said.stdout)}


def _elf_libraries(file: Path, places: Mapping[str, Path]) -> list[Path]:
    _, needed = _read_elf(file, _stamp(file))
    return [places[name] for name in needed if name in places and not is_common(name)]


@functools.cache
def _read_elf(path: Path, stamp: Stamp) -> tuple[str, tuple[str, ...]]:
    """The loader that an ELF file asks for ("": none), and the libraries that it names."""
    from elftools.elf.elffile import ELFFile  # 70 ms

    with path.open("rb") as stream:
        segments: list[Any] = list(ELFFile(stream).iter_segments())
        loader = next((part.get_interp_name() for part in segments if part["p_type"] == "PT_INTERP"), "")
        dynamic = next((part for part in segments if part["p_type"] == "PT_DYNAMIC"), None)
        tags = dynamic.iter_tags("DT_NEEDED") if dynamic else ()
        return loader, tuple(tag.needed for tag in tags)


def _macho_libraries(file: Path, executable: Path) -> list[Path]:
    """Those that are files of their own: the system's are in a cache of dyld's. ``executable``: the program's
    folder."""
    needed, folders = _read_macho(file, _stamp(file))
    libraries = []
    for name in needed:
        below = [f"{folder}/{name.removeprefix('@rpath/')}" for folder in folders]
        places = below if name.startswith("@rpath/") else [name]
        paths = [Path(_expand(place, file.parent, executable)) for place in places]
        libraries += [path.resolve() for path in paths if path.is_file() and not is_common(name)][:1]
    return libraries


def _expand(place: str, loader: Path, executable: Path) -> str:
    return place.replace("@loader_path", str(loader)).replace("@executable_path", str(executable))


@functools.cache
def _read_macho(path: Path, stamp: Stamp) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The libraries that a Mach-O file names, and the folders for those that begin with @rpath."""
    from macholib.mach_o import rpath_command
    from macholib.MachO import MachO

    headers = MachO(str(path)).headers
    needed = dict.fromkeys(name for header in headers for _, _, name in header.walkRelocatables())
    folders = [
        text.rstrip(b"\0").decode()
        for header in headers
        for _, command, text in header.commands
        if isinstance(command, rpath_command)
    ]
    return tuple(needed), tuple(dict.fromkeys(folders))
