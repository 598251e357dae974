"""Runs the project's own build in its checkout, as the README says, and reads what it leaves."""

from __future__ import annotations

import io
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from elftools.elf.elffile import ELFFile

ROOT = Path(__file__).parents[2]
OUT = ROOT / "out" / "PI-armv7"
DIGITS = ROOT / "examples" / "digits"
#: What a checkout is made of.
LINKS = ("SConstruct", "tfcross", "templates", "toolchains", "targets", "releases", "examples")
CXX = "arm-linux-gnueabihf-g++-12"
# Values of the ARM ELF attributes: "Addenda to, and Errata in, the ABI for the ARM Architecture".
ARMV7, VFPV4, VFP_ARGUMENTS = 10, 5, 1


@dataclass(frozen=True)
class Run:
    """What a run of scons said; ``compiled`` are the objects that it made, as it names them."""

    status: int
    out: str
    err: str
    seconds: float

    def made(self, *kinds: str) -> list[str]:
        """The files of those lines that begin with one of ``kinds``, as in ``  C++   build/x.o``."""
        lines = [line.split(maxsplit=1) for line in self.out.splitlines() if line.startswith("  ")]
        return [words[1] for words in lines if len(words) == 2 and words[0] in kinds]

    @property
    def compiled(self) -> list[str]:
        return self.made("C", "C++", "PCH")

    @property
    def errors(self) -> list[str]:
        return [line for line in self.err.splitlines() if line.startswith("error: ")]


def readme_words() -> list[str]:
    """The README's main command, without ``./bootstrap scons``: this Python is what bootstrap made."""
    lines = (ROOT / "README.md").read_text().splitlines()
    command = next(line for line in lines if line.startswith("./bootstrap scons TARGET="))
    return shlex.split(command)[2:]


def start_scons(*words: str, cwd: Path = ROOT, **options: object) -> subprocess.Popen[str]:
    program = Path(sys.executable).parent / "scons"
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([program, *words], cwd=cwd, text=True, **pipes, **options)  # type: ignore[call-overload]


def run_scons(*words: str, cwd: Path = ROOT, **options: object) -> Run:
    begun = time.monotonic()
    process = start_scons(*words, cwd=cwd, **options)
    out, err = process.communicate()
    return Run(process.returncode, out, err, time.monotonic() - begun)


def copied_checkout(folder: Path) -> Path:
    """The checkout with its build folder, as hard links: what is made anew replaces one, and changes none."""
    folder.mkdir(exist_ok=True)
    for name in LINKS:
        (folder / name).symlink_to(ROOT / name)
    ignored = shutil.ignore_patterns(".lock", "bootstrap.*", "1.8.0*")
    shutil.copytree(ROOT / "build", folder / "build", symlinks=True, copy_function=os.link, ignore=ignored)
    for path in (folder / "build").glob("*.*"):  # SCons' own records are written in place
        content = path.read_bytes()
        path.unlink()
        path.write_bytes(content)
    return folder


def run_app(app: Path, *words: str | Path, cpu: str = "cortex-a7") -> subprocess.CompletedProcess[str]:
    """``app`` under the emulator, with an empty environment."""
    argv = ["qemu-arm-static", "-L", "/usr/arm-linux-gnueabihf", "-cpu", cpu, app, *words]
    path = {"PATH": os.environ["PATH"]}
    return subprocess.run(argv, env=path, capture_output=True, text=True, check=False)


@dataclass(frozen=True)
class Member:
    """A member of an archive; ``stamp`` is what could differ between machines: time, owner, group, mode."""

    name: str
    stamp: tuple[int, int, int, str]
    content: bytes


def members(archive: Path) -> Iterator[Member]:
    """The members of a GNU archive in their order, without the symbol index and the table of long names."""
    data, at, long_names = archive.read_bytes(), 8, b""
    assert data.startswith(b"!<arch>\n")
    while at < len(data):
        head, at = data[at : at + 60], at + 60
        name, size = head[:16].rstrip(), int(head[48:58])
        content, at = data[at : at + size], at + size + size % 2
        if name == b"//":
            long_names = content
        elif name != b"/":
            if name.startswith(b"/"):
                name = long_names[int(name[1:]) :].split(b"\n")[0]
            stamp = (int(head[16:28]), int(head[28:34]), int(head[34:40]), head[40:48].decode().strip())
            yield Member(name.decode().removesuffix("/"), stamp, content)


def arm_attributes(content: bytes) -> dict[str, object]:
    """What ``readelf -A`` shows of an object, by tag."""
    section = ELFFile(io.BytesIO(content)).get_section_by_name(".ARM.attributes")
    found = [
        (attribute.tag, attribute.value)
        for part in section.iter_subsections()
        for subsection in part.iter_subsubsections()
        for attribute in subsection.iter_attributes()
    ]
    return {"TAG_ABI_VFP_ARGS": 0, "TAG_FP_ARCH": 0, "TAG_CPU_ARCH": 0} | dict(found)
