"""What every family of toolchains is asked for and answers with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from tfcross.targets.profile import Profile
from tfcross.toolchains.download import Bring
from tfcross.toolchains.search import Search

#: Has a precompiled header hold the templates that it uses.
INSTANTIATE = "-fpch-instantiate-templates"


@dataclass(frozen=True)
class Places:
    """Where the user and the environment say that compilers are.

    ``ndk`` is NDK_ROOT and ``folder`` TOOLCHAIN_ROOT ("": not given).
    """

    ndk: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    folder: str = ""


@dataclass(frozen=True)
class Request:
    """One toolchain file to be found for one profile.

    ``launcher`` are the words of the compile launcher; ``bring`` downloads a toolchain (None: nothing may).
    """

    search: Search
    launcher: tuple[str, ...]
    bring: Bring | None = None
    places: Places = field(default_factory=Places)

    @property
    def profile(self) -> Profile:
        return self.search.profile


@dataclass(frozen=True)
class Toolchain:
    """The programs (absolute paths) and flags that build for one profile.

    ``flags`` go first on every compile by ``cxx`` or ``cc``, ``link_flags`` on every link by
    ``linker``: they say target and CPU, nothing else. ``linker`` is a compiler driver over the same
    C++ library. ``identity`` changes with the compiler's content and the C and C++ libraries'
    versions, not with folders; it belongs in every signature. ``launcher`` goes before a compile.
    ``ccflags`` and ``libraries`` are the profile's, as this compiler's own libraries want them.
    ``program_flags`` go on links of programs only, ``link_tail`` after all else. ``archiver`` is how
    ``ar`` is spoken to ("ar" or "libtool"), ``symbol_prefix`` what the object format puts before a name.
    ``precompiles``: whether to compile with precompiled headers.
    ``runtime`` are the shared libraries (absolute paths) that a program loads of the toolchain's own.
    ``pch_instantiates`` is false for a clang that is too old for it (before 11, of Apple's before 13).
    ``root`` is the SDK's folder on this machine ("": none), and ``sdk`` which one it is.
    """

    name: str
    family: str
    version: str
    identity: str
    cxx: str
    cc: str
    linker: str
    ar: str
    nm: str
    strip: str
    flags: tuple[str, ...]
    link_flags: tuple[str, ...]
    launcher: tuple[str, ...]
    ccflags: tuple[str, ...]
    libraries: tuple[str, ...]
    runtime: tuple[str, ...] = ()
    precompiles: bool = True
    program_flags: tuple[str, ...] = ()
    link_tail: tuple[str, ...] = ()
    lipo: str = ""
    archiver: str = "ar"
    symbol_prefix: str = ""
    pch_instantiates: bool = True
    root: str = ""
    sdk: str = ""

    @property
    def portable_flags(self) -> list[str]:
        """``flags`` without folders of this machine."""
        return [flag.replace(self.root, "$SDK") if self.root else flag for flag in self.flags]

    @property
    def pch_suffix(self) -> str:
        return ".pch" if self.family == "clang" else ".gch"

    @property
    def pch_creation(self) -> tuple[str, ...]:
        """Arguments that make a precompiled header: with the templates that it uses, and without times."""
        if self.family != "clang":
            return ()
        templates = (INSTANTIATE,) if self.pch_instantiates else ()
        return (*templates, "-Xclang", "-fno-pch-timestamp")

    def pch_flags(self, header: str) -> tuple[str, str]:
        """Arguments that use the precompiled form of ``header``, which is at ``header + pch_suffix``."""
        if self.family == "clang":
            return ("-include-pch", header + self.pch_suffix)
        return ("-include", header)

    def fitted(self, profile: Profile) -> Profile:
        """``profile`` as apps have to be built for it: this toolchain's flags, the libraries that it has."""
        return replace(profile, ccflags=self.ccflags, libraries=self.libraries)
