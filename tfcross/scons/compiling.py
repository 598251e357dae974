"""Compiling units and archiving them: one builder per set of flags."""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tfcross.files import replacing, write_if_changed
from tfcross.scons.actions import Runner, Usage, builder
from tfcross.scons.headerdeps import HeaderDeps
from tfcross.toolchains.toolchain import Toolchain


@dataclass(frozen=True)
class CompileFlags:
    """What a unit is compiled with, beside the toolchain's own flags.

    ``include`` are the project's and ``system_include`` third parties' folders, in order; ``defines`` without
    ``-D``; ``forced`` are headers included first, in order; ``pch`` a header with a precompiled form.
    """

    ccflags: tuple[str, ...] = ()
    defines: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    system_include: tuple[str, ...] = ()
    forced: tuple[str, ...] = ()
    pch: str = ""

    def more(self, **extra: Sequence[str]) -> CompileFlags:
        """These flags with the given lists appended."""
        longer: dict[str, Any] = {key: (*getattr(self, key), *value) for key, value in extra.items()}
        return replace(self, **longer)

    def arguments(self, toolchain: Toolchain) -> list[str]:
        """Arguments of the compiler driver, unquoted, one item each."""
        pch = toolchain.pch_flags(self.pch) if self.pch else ()
        return [
            *toolchain.flags,
            *self.ccflags,
            *(f"-D{define}" for define in self.defines),
            *(f"-I{folder}" for folder in self.include),
            *(word for folder in self.system_include for word in ("-isystem", folder)),
            *pch,
            *(word for header in self.forced for word in ("-include", header)),
        ]


@dataclass(frozen=True)
class Unit:
    """One way to compile: the command without files, its signature, the precompiled header's file or ""."""

    argv: tuple[str, ...]
    signature: str
    pch: str


class Compiler:
    """Makes object, precompiled-header and archive nodes with one toolchain."""

    def __init__(
        self,
        env: Any,
        toolchain: Toolchain,
        runner: Runner,
        headers: HeaderDeps,
        stale: frozenset[str] = frozenset(),
    ) -> None:
        self.env, self.toolchain, self.runner, self.headers = env, toolchain, runner, headers
        self.usage: dict[str, Usage] = {}
        self.commands: dict[str, tuple[list[str], str]] = {}  # object: command without files, source
        self.stale = stale  # objects whose headers are not as they were
        self._precompiled: dict[str, Any] = {}
        self._lock = threading.Lock()
        self._builders: dict[tuple[str, ...], Any] = {}
        self._archiver = builder(
            self._archive, "AR", f"archive 2 rcsD {toolchain.archiver} {toolchain.identity}"
        )

    def unit(self, target: str, source: str, flags: CompileFlags, language: str = "") -> Any:
        """The object ``target`` of ``source``; ``language`` ("c", "c++"): not as the file's name says."""
        is_c = language == "c" or (not language and source.endswith(".c"))
        program = self.toolchain.cc if is_c else self.toolchain.cxx
        argv = [program, *flags.arguments(self.toolchain), *(["-x", language] if language else [])]
        pch = flags.pch + self.toolchain.pch_suffix if flags.pch else ""
        node = self._node(argv, "C" if is_c else "C++", target, source, pch)
        self.env.Depends(node, [*flags.forced, *([self._precompiled[flags.pch]] if flags.pch else [])])
        return node

    def precompiled(self, header: str, flags: CompileFlags, text: str) -> tuple[CompileFlags, Any]:
        """Flags that use the precompiled form of ``header``, which gets that ``text``; and its node."""
        write_if_changed(Path(header), text)
        argv = [self.toolchain.cxx, *flags.arguments(self.toolchain), *self.toolchain.pch_creation]
        # clang's names its headers from the root: by way of what the folder is called
        folder = self.runner.environment.get("PWD", "")
        target = header + self.toolchain.pch_suffix
        node = self._node([*argv, "-x", "c++-header"], "PCH", target, header, folder=folder)
        self._precompiled[header] = node
        return replace(flags, pch=header), node

    def _node(
        self, argv: list[str], shown: str, target: str, source: str, pch: str = "", folder: str = ""
    ) -> Any:
        """``folder`` is what the compiler calls its folder, where that is in what it makes."""
        key = (*argv, pch)
        if key not in self._builders:
            signed = [self.toolchain.identity, *argv[1:], *filter(None, [folder])]
            unit = Unit(tuple(argv), "\0".join(signed), pch)
            self._builders[key] = builder(
                lambda t, s: self._compile(unit, t[0], s[0]),
                shown,
                unit.signature,
                lambda t: self._stands(unit, t),
            )
        node = self._builders[key](self.env, target=[target], source=[source])[0]
        self.commands[target] = (argv, source)
        self.env.Precious(node)
        if target in self.stale or not self.headers.knows(target):
            self.env.AlwaysBuild(node)  # `_stands` decides
        return node

    def _compile(self, unit: Unit, target: str, source: str) -> None:
        depfile, keyfile = Path(f"{target}.d"), Path(f"{target}.key")
        depfile.parent.mkdir(parents=True, exist_ok=True)
        keyfile.unlink(missing_ok=True)
        with replacing(Path(target)) as part:
            files = ["-MD", "-MF", str(depfile), "-c", source, "-o", str(part)]
            self.usage[target] = self.runner.run([*self.toolchain.launcher, *unit.argv, *files], source)
            key = self._key(unit, target, depfile)
        keyfile.write_text(key)

    def _stands(self, unit: Unit, target: str) -> bool:
        """Whether ``target`` was made from the very same: SCons forgets what a killed run had done."""
        depfile, keyfile = Path(f"{target}.d"), Path(f"{target}.key")
        made = all(path.is_file() for path in (Path(target), depfile, keyfile))
        return made and keyfile.read_text() == self._key(unit, target, depfile)

    def _key(self, unit: Unit, target: str, depfile: Path) -> str:
        """Hash of the command and of all that the compiler read, but for its own headers."""
        with self._lock:
            self.headers.record(target, depfile, unit.pch)
            contents = self.headers.contents(target)
        text = "\0".join([unit.signature, *contents])
        return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()

    def database(self, folder: Path) -> list[dict[str, Any]]:
        """The entries of compile_commands.json, with ``folder`` as the one that the build runs in.

        Editors' own compilers cannot read a precompiled header: they are told to include its text.
        """
        suffix = self.toolchain.pch_suffix
        return [
            {
                "directory": str(folder),
                "file": source,
                "output": target,
                "arguments": [
                    *("-include" if w == "-include-pch" else w.removesuffix(suffix) for w in argv),
                    *("-c", source, "-o", target),
                ],
            }
            for target, (argv, source) in sorted(self.commands.items())
            if not target.endswith(suffix)
        ]

    def archive(self, target: str, objects: Sequence[Any]) -> Any:
        """The static archive of ``objects``, whose order is the caller's: sorted, for a deterministic one."""
        return self._archiver(self.env, target=[target], source=list(objects))[0]

    def _archive(self, targets: Sequence[str], sources: Sequence[str]) -> None:
        with replacing(Path(targets[0])) as part:
            members = part.with_suffix(".members")  # 650 paths can be longer than a command line may be
            folder = part.with_suffix(".objects")
            names = link_members(sources, folder)
            if self.toolchain.archiver == "libtool":
                members.write_text("".join(f"{name}\n" for name in names))
                argv = ["-static", "-no_warning_for_no_symbols", "-filelist", str(members), "-o", str(part)]
            else:
                members.write_text("\n".join(f'"{name}"' for name in names))
                argv = ["rcsD", str(part), f"@{members}"]
            self.runner.run([self.toolchain.ar, *argv], targets[0])
        members.unlink()
        shutil.rmtree(folder)


def link_members(objects: Sequence[str], folder: Path) -> list[str]:
    """Hard links to ``objects`` in ``folder``, sorted, named after their paths: ``core-function.cc.o``.

    An archive knows its members by file name only, and a core has two of several.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    links = {folder / member: name for name, member in member_names(objects).items()}
    for link, name in links.items():
        link.hardlink_to(name)
    return sorted(str(link) for link in links)


def member_names(objects: Sequence[str]) -> dict[str, str]:
    """How an archive of ``objects`` names each of them."""
    above = os.path.commonpath([str(Path(name).parent) for name in objects])
    return {name: Path(name).relative_to(above).as_posix().replace("/", "-") for name in objects}
