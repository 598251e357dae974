"""Damaged programs: an answer or one line."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest
from apple_tools import compiled, linked, make_sdk

from tfcross.app.inspection import read_app
from tfcross.binary.executable import program_files
from tfcross.errors import TfcrossError

SEED = 20261128
SOURCE = "struct A { A(); } static a; A::A() {} int main() { return 0; }\n"


@pytest.fixture(scope="module")
def elf(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("elf")
    (folder / "a.cc").write_text(SOURCE)
    subprocess.run(["arm-linux-gnueabihf-g++-12", "a.cc", "-o", "a"], cwd=folder, check=True)
    return (folder / "a").read_bytes()


def mutated(content: bytes, chance: random.Random) -> bytes:
    """Changed where a format has its tables: mostly near the start and the end, and sometimes cut."""
    changed = bytearray(content)
    for _ in range(chance.randint(1, 6)):
        span = chance.choice([64, 512, 4096, len(changed)])
        at = chance.randrange(span) if chance.random() < 0.7 else len(changed) - 1 - chance.randrange(span)
        changed[at % len(changed)] = chance.choice([0, 1, 0x7F, 0xFF, chance.randrange(256)])
    return bytes(changed[: chance.randrange(len(changed))] if chance.random() < 0.1 else changed)


def count_unreadable(content: bytes, path: Path, times: int) -> int:
    chance, refused = random.Random(SEED), 0
    for _ in range(times):
        path.write_bytes(mutated(content, chance))
        try:
            assert path in program_files(path)
        except TfcrossError as error:
            assert str(error).startswith(f"{path}: a damaged program")
            assert "\n" not in str(error)
            refused += 1
    return refused


def count_refused(content: bytes, path: Path, times: int) -> int:
    chance, refused = random.Random(SEED), 0
    for _ in range(times):
        path.write_bytes(mutated(content, chance))
        try:
            read_app(path)
        except TfcrossError as error:
            assert str(error).startswith(f"{path}: ")
            assert "\n" not in str(error)
            refused += 1
    return refused


def test_a_damaged_elf_file_is_read_or_refused(elf: bytes, tmp_path: Path) -> None:
    assert 10 < count_refused(elf, tmp_path / "app", 400) < 400


def test_a_damaged_macho_file_is_read_or_refused(tmp_path: Path) -> None:
    make_sdk(tmp_path)
    compiled(tmp_path, "app.cc", SOURCE)
    app = linked(tmp_path, "app.cc.o", "-lc++")
    assert 10 < count_refused(app.read_bytes(), tmp_path / "damaged", 400) < 400


def test_a_damaged_program_of_a_compilers_has_an_identity_or_is_refused(elf: bytes, tmp_path: Path) -> None:
    assert 10 < count_unreadable(elf, tmp_path / "cc1plus", 200) < 200
    make_sdk(tmp_path)
    compiled(tmp_path, "app.cc", SOURCE)
    macho = linked(tmp_path, "app.cc.o", "-lc++").read_bytes()
    assert 10 < count_unreadable(macho, tmp_path / "clang", 200) < 200
