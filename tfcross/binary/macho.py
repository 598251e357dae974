"""Programs and shared libraries in Mach-O, thin or fat."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from macholib import mach_o
from macholib.MachO import MachO
from macholib.SymbolTable import SymbolTable

from tfcross.binary.binary import Binary
from tfcross.errors import TfcrossError

_CPUS = {
    0x01000007: ("x86_64", "x86-64, 64 bits"),
    0x0100000C: ("aarch64", "ARM64, 64 bits"),
    12: ("arm", "ARM, 32 bits"),
    7: ("x86_32", "x86, 32 bits"),
}
_PLATFORMS = {1: "macOS", 2: "iOS", 7: "iOS simulator"}
_LINKED = (mach_o.MH_EXECUTE, mach_o.MH_DYLIB, mach_o.MH_BUNDLE)
#: Constructors of a unit, as compilers for Apple's systems name them.
_CONSTRUCTORS = "__GLOBAL__sub_I_"
#: Ordinals of libraries in a symbol's n_desc, from which on none is named.
_NO_LIBRARY = 0xFE


def read_macho(path: Path) -> list[Binary]:
    """The program ``path`` for each CPU in it; TfcrossError for a damaged one, and for what is not linked."""
    try:
        file = MachO(str(path))
        if any(header.filetype not in [_name(kind) for kind in _LINKED] for header in file.headers):
            raise TfcrossError(f"{path}: is an object file, not a linked app; pass what the linker made.")
        return [_binary(path, file, header) for header in file.headers]
    except (TfcrossError, MemoryError):
        raise
    except Exception as error:  # the reader trusts what a file says of itself
        told = " ".join(str(error).split()) or type(error).__name__
        raise TfcrossError(f"{path}: damaged Mach-O file: {told}; link again.") from error


def symbol_sizes(path: Path) -> list[tuple[str, int]]:
    """(name, bytes) of what the program ``path``, of one CPU, defines.

    Mach-O keeps no sizes: it is as far as to the next symbol or the end of the section. Of several names for
    one place the last has it all.
    """
    file = MachO(str(path))
    (header,) = file.headers
    sections = _sections(header)
    defined = sorted(
        (symbol.n_value, symbol.n_sect, name.decode(errors="replace"))
        for symbol, name in SymbolTable(file, header).nlists
        if symbol.n_type & mach_o.N_TYPE == mach_o.N_SECT
        and not symbol.n_type & mach_o.N_STAB
        and symbol.n_value >= sections[symbol.n_sect - 1].addr  # the header has a name, and is in no section
    )
    ends = [section.addr + section.size for section in sections]
    limits = [*(value for value, _, _ in defined[1:]), ends[-1]]
    sized = zip(defined, limits, strict=True)
    return [(name, min(limit, ends[section - 1]) - value) for (value, section, name), limit in sized]


def _sections(header: Any) -> list[Any]:
    """All sections in the order by which symbols number them, from 1."""
    return [
        section
        for _, command, parts in header.commands
        if isinstance(command, mach_o.segment_command | mach_o.segment_command_64)
        for section in parts
    ]


def _name(kind: int) -> str:
    return str(mach_o.MH_FILETYPE_SHORTNAMES[kind])


def _binary(path: Path, file: Any, header: Any) -> Binary:
    cpu, shown = _CPUS.get(header.header.cputype, ("", f"CPU type {header.header.cputype}"))
    symbols = [(symbol, name.decode(errors="replace")) for symbol, name in SymbolTable(file, header).nlists]
    return Binary(
        format="Mach-O",
        cpu=cpu,
        isa=", ".join([shown, *_platform(header)]),
        units=_units([name for _, name in symbols]),
        undefined=frozenset(name.removeprefix("_") for symbol, name in symbols if _unresolved(symbol)),
        needed=tuple(name for _, _, name in header.walkRelocatables()),
        content=b"\0".join(_content(path, header)),
    )


def _units(names: list[str]) -> Counter[str] | None:
    units = Counter(name.removeprefix(_CONSTRUCTORS) for name in names if name.startswith(_CONSTRUCTORS))
    return units or None


def _unresolved(symbol: Any) -> bool:
    """Whether no library is named that would bring the undefined symbol."""
    undefined = symbol.n_type & mach_o.N_TYPE == mach_o.N_UNDF and not symbol.n_type & mach_o.N_STAB
    return bool(undefined and (symbol.n_desc >> 8) & 0xFF >= _NO_LIBRARY)


def _content(path: Path, header: Any) -> Iterator[bytes]:
    data = path.read_bytes()
    for _, segment, _ in header.commands:
        if isinstance(segment, mach_o.segment_command | mach_o.segment_command_64):
            begin = header.offset + segment.fileoff
            if segment.segname.rstrip(b"\0") != b"__LINKEDIT":  # symbols' names, which prove nothing
                yield data[begin : begin + segment.filesize]


def _platform(header: Any) -> list[str]:
    for _, command, _ in header.commands:
        if isinstance(command, mach_o.build_version_command):
            return [f"{_PLATFORMS.get(command.platform, 'another platform')} {_version(command.minos)}"]
        if isinstance(command, mach_o.version_min_command):
            return [f"iOS or macOS {_version(command.version)}"]
    return []


def _version(number: int) -> str:
    return f"{number >> 16}.{number >> 8 & 0xFF}"
