"""Objects, archives and apps for iOS from clang and LLVM's linker, with stubs for the system's libraries."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from small_library import run

TRIPLE = "arm64-apple-ios11.0"
LIBRARY_STUB = """--- !tapi-tbd
tbd-version: 4
targets: [ arm64-ios ]
install-name: '/usr/lib/{name}.dylib'
exports:
  - targets: [ arm64-ios ]
    symbols: [ dyld_stub_binder, ___cxa_guard_acquire, ___cxa_guard_release, __ZdlPv,
               __ZTVN10__cxxabiv117__class_type_infoE ]
...
"""


def make_sdk(folder: Path) -> None:
    """``folder/sdk`` with the libraries that a linker looks for."""
    (folder / "sdk/usr/lib").mkdir(parents=True)
    for name in ("libSystem", "libc++"):
        (folder / f"sdk/usr/lib/{name}.tbd").write_text(LIBRARY_STUB.format(name=name))


def compiled(folder: Path, name: str, text: str) -> Path:
    """The object ``folder/<name>.o`` of a C++ source that includes nothing."""
    source = folder / name
    source.write_text(text)
    run("clang++-14", "-target", TRIPLE, "-O1", "-fno-exceptions", "-c", source, "-o", f"{source}.o")
    return folder / f"{name}.o"


def archived(archive: Path, folder: Path, sources: Mapping[str, str]) -> None:
    archive.parent.mkdir(exist_ok=True)
    run("llvm-ar-14", "rcs", archive, *(compiled(folder, name, text) for name, text in sources.items()))


def linked(folder: Path, objects: str, flags: str) -> Path:
    """An app that LLVM's version of Apple's linker makes; ``flags`` as a shell reads them."""
    driver = f"clang-14 -target {TRIPLE} -isysroot sdk -mlinker-version=700 -fuse-ld=/usr/bin/ld64.lld-14"
    run("sh", "-ec", f"{driver} {objects} {flags} -o app", cwd=folder)
    return folder / "app"
