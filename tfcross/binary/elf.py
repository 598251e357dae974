"""Programs and shared libraries in ELF."""

from __future__ import annotations

import struct
from collections import Counter
from typing import IO, Any

from elftools.elf.elffile import ELFFile

from tfcross.binary.binary import Binary
from tfcross.errors import TfcrossError

_CPUS = {"EM_ARM": "arm", "EM_AARCH64": "aarch64", "EM_X86_64": "x86_64", "EM_386": "x86_32"}
_STT_FILE = 4
#: Of a symbol's record: where st_info is in it, and its size.
_INFO = {32: (12, 16), 64: (4, 24)}
# Values of attributes: "Addenda to, and Errata in, the ABI for the Arm Architecture".
_ARM = {
    "TAG_CPU_ARCH": {6: "v6", 9: "v6k", 10: "v7", 13: "v7E-M", 14: "v8"},
    "TAG_FP_ARCH": {
        1: "VFPv1",
        2: "VFPv2",
        3: "VFPv3",
        4: "VFPv3-D16",
        5: "VFPv4",
        6: "VFPv4-D16",
        7: "FP v8",
    },
    "TAG_ADVANCED_SIMD_ARCH": {1: "NEON", 2: "NEON with fused multiply-add", 3: "NEON v8"},
    "TAG_ABI_VFP_ARGS": {0: "soft-float calls", 1: "hard-float calls"},
}


def read_elf(stream: IO[bytes], shown: str) -> Binary:
    """The program in ``stream``; TfcrossError for a damaged one, and for what is not linked."""
    try:
        elf = ELFFile(stream)
        if elf["e_type"] not in ("ET_EXEC", "ET_DYN"):
            raise TfcrossError(f"{shown}: is an object file, not a linked app; pass what the linker made.")
        segments = list(elf.iter_segments())
        dynamic: Any = next((part for part in segments if part["p_type"] == "PT_DYNAMIC"), None)
        return Binary(
            format="ELF",
            cpu=_CPUS.get(elf["e_machine"], ""),
            isa=_isa(elf),
            units=_units(elf),
            undefined=frozenset(_undefined(dynamic)) if dynamic else frozenset(),
            needed=tuple(tag.needed for tag in dynamic.iter_tags("DT_NEEDED")) if dynamic else (),
            content=b"\0".join(part.data() for part in segments if part["p_type"] == "PT_LOAD"),
        )
    except (TfcrossError, MemoryError):
        raise
    except Exception as error:  # the reader trusts what a file says of itself
        told = " ".join(str(error).split()) or type(error).__name__
        raise TfcrossError(f"{shown}: damaged ELF file: {told}; link again.") from error


def _undefined(dynamic: Any) -> list[str]:
    return [s.name for s in dynamic.iter_symbols() if s["st_shndx"] == "SHN_UNDEF" and s.name]


def _units(elf: Any) -> Counter[str] | None:
    """The names in symbols of type FILE: one for each object that was linked."""
    table = elf.get_section_by_name(".symtab")
    if table is None:
        return None
    data, (info, size) = table.data(), _INFO[elf.elfclass]
    names = elf.get_section(table["sh_link"])
    order = "<I" if elf.little_endian else ">I"
    units = Counter(
        names.get_string(struct.unpack_from(order, data, at)[0]).rpartition("/")[2]
        for at in range(0, len(data), size)
        if data[at + info] & 0xF == _STT_FILE
    )
    return units or None


def _isa(elf: Any) -> str:
    machine = f"{elf.get_machine_arch()}, {elf.elfclass} bits"
    attributes = elf.get_section_by_name(".ARM.attributes")
    if attributes is None:
        return machine
    given = {
        attribute.tag: attribute.value
        for part in attributes.iter_subsections()
        for scope in part.iter_subsubsections()
        for attribute in scope.iter_attributes()
    }
    known = [_ARM[tag].get(given.get(tag, 0), "") for tag in _ARM]
    return ", ".join([machine, *(word for word in known if word)])
