from __future__ import annotations

import os
from pathlib import Path

import pytest

from tfcross.binary.executable import content_id, is_common, program_files


def test_a_build_id_stands_for_an_elf_files_content(tmp_path: Path) -> None:
    note = bytes.fromhex("040000001400000003000000474e5500") + bytes(range(20))
    (tmp_path / "elf").write_bytes(b"\x7fELF" + bytes(100) + note + b"code")
    (tmp_path / "script").write_bytes(b"abc")
    assert content_id(tmp_path / "elf") == "000102030405060708090a0b0c0d0e0f10111213"
    assert (
        content_id(tmp_path / "script") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )


def test_a_file_that_was_written_again_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "script"
    file.write_bytes(b"abd")
    before = content_id(file)
    file.write_bytes(b"abc")
    os.utime(file, ns=(1, 1))
    assert before != content_id(file)
    assert content_id(file) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_script_is_all_there_is_and_links_are_followed(tmp_path: Path) -> None:
    (tmp_path / "script").write_text("#!/bin/sh\n")
    (tmp_path / "link").symlink_to("script")
    assert program_files(tmp_path / "link") == [tmp_path.resolve() / "script"]


@pytest.mark.parametrize(
    ("name", "common"),
    [
        ("libc.so.6", True),
        ("libc.musl-x86_64.so.1", True),
        ("ld-linux-x86-64.so.2", True),
        ("libstdc++.so.6", True),
        ("/usr/lib/libSystem.B.dylib", True),
        ("/usr/lib/libc++.1.dylib", True),
        ("libLLVM-14.so.1", False),
        ("libLLVM.so.19.1", False),
        ("libclang-cpp.so.14", False),
        ("libbfd-2.40-armhf.so", False),
        ("libmpfr.so.6", False),
        ("libcc1.so.0", False),
        ("@rpath/libLLVM.dylib", False),
        ("plugin.so", False),
    ],
)
def test_what_makes_code_is_told_from_what_every_program_loads(name: str, common: bool) -> None:
    assert is_common(name) == common
