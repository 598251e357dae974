"""What an app has to give its compiler and linker to use the library."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


def whole_archive_flags(archives: Sequence[str], style: str) -> list[str]:
    """Arguments for the compiler driver that keep every object of ``archives``.

    Ops register in static initialisers that nothing refers to, so a linker drops them: the app links, then
    fails with "No session factory registered". ``archives`` are in link order; one item per argument,
    unquoted; [] for none. ``style`` is "gnu" or "force_load" (Apple); anything else raises ValueError.
    """
    if style not in ("gnu", "force_load"):
        raise ValueError(f"whole-archive style '{style}': not gnu or force_load")
    if not archives:
        return []
    if style == "gnu":
        return ["-Wl,--whole-archive", *archives, "-Wl,--no-whole-archive"]
    return [f"-Wl,-force_load,{archive}" for archive in archives]


@dataclass(frozen=True)
class LinkFlags:
    """All that an app needs, relative to the output folder; names of archives without folder.

    ``core`` is linked whole, ``dependencies`` in order after it, ``libraries`` (without ``-l``) last.
    """

    cxx_standard: str
    defines: tuple[str, ...]
    ccflags: tuple[str, ...]
    core: str
    dependencies: tuple[str, ...]
    libraries: tuple[str, ...]
    link_flags: tuple[str, ...]
    whole_archive: str

    @property
    def names(self) -> list[str]:
        """The dependencies as linkers name them: ``protobuf`` for ``libprotobuf.a``."""
        return [name.removeprefix("lib").removesuffix(".a") for name in self.dependencies]

    def compile_arguments(self, root: str) -> list[str]:
        """For the compiler, one item per argument, unquoted; ``root`` is the output folder."""
        return [
            *self.ccflags,
            f"-std={self.cxx_standard}",
            *(f"-D{define}" for define in self.defines),
            "-isystem",
            f"{root}/include",
        ]

    def link_arguments(self, root: str) -> list[str]:
        """For the compiler driver after the app's objects, one item per argument, unquoted."""
        return [
            *self.whole_core(root),
            *(f"{root}/lib/{name}" for name in self.dependencies),
            *self.link_flags,
            *(f"-l{name}" for name in self.libraries),
        ]

    def whole_core(self, root: str) -> list[str]:
        """Those of ``link_arguments`` that keep every object of the core."""
        return whole_archive_flags([f"{root}/lib/{self.core}"], self.whole_archive)
