"""Programs that answer what a compiler driver is asked; the real ones are used in tests/integration."""

from __future__ import annotations

from pathlib import Path

from tfcross.targets.profile import Profile, load_profile

ROOT = Path(__file__).parents[2]
TRIPLE = "arm-linux-gnueabihf"


def pi(release: str = "2.14.1") -> Profile:
    return load_profile(ROOT, "PI", "armv7", release, machine="x86_64")


def program(folder: Path, name: str, script: str = "") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def compiler(
    folder: Path, name: str, version: str, machine: str = TRIPLE, family: str = "gcc", libs: str = ""
) -> Path:
    libs = libs or f"/libs/{version}"
    selected = f"echo Selected GCC installation: {libs};" if family == "clang" else ""
    return program(
        folder,
        name,
        f"""case "$*" in
        *-print-libgcc-file-name) echo {libs}/libgcc.a ;;
        *-print-prog-name=*) echo "${{1#*=}}" ;;
        *-print-file-name=*) for last; do :; done
            here="${{0%/*}}/${{last#*=}}"
            if [ -e "$here" ]; then echo "$here"; else echo "${{last#*=}}"; fi ;;
        *-march=*-dM*) while read -r line; do echo "$line"; done <"${{0%/*}}/macros-of-flags" ;;
        *-dM*) while read -r line; do echo "$line"; done <"${{0%/*}}/macros" ;;
        *) echo 'Target: {machine}'; {selected} echo '{family} version {version} (a vendor)' ;;
        esac""",
    )


def gcc(folder: Path, version: str, suffix: str = "", prefix: str = f"{TRIPLE}-") -> None:
    for name in ("g++", "gcc"):
        compiler(folder, f"{prefix}{name}{suffix}", version)
    for name in ("macros", "macros-of-flags"):
        (folder / name).write_text("#define __GLIBC__ 2\n")
    (folder / "libatomic.a").touch()
    for name in ("ar", "nm", "strip"):
        program(folder, f"{TRIPLE}-{name}")


def clang(folder: Path, libs: str) -> None:
    for name in ("clang++-14", "clang-14"):
        compiler(folder, name, "14.0.6", "arm-unknown-linux-gnueabihf", "clang", libs)
