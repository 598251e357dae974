"""Nodes of TensorFlow's core: the runtime, the selected kernels and ops, and the helpers that these need."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfcross.files import write_if_changed
from tfcross.registry.ownops import is_own
from tfcross.releases.coreset import CoreSet
from tfcross.render import render
from tfcross.scons.compiling import CompileFlags, Compiler
from tfcross.selection.header import ops_header
from tfcross.selection.selection import FileSelection, Selection


@dataclass(frozen=True)
class CoreFolders:
    """``tree``: TensorFlow's sources; ``gen``: generated ones; ``work``: the profile's build folder; ``own``:
    where the user's sources are, as ``ownops`` lays them."""

    tree: str
    gen: str
    work: str
    own: str = ""

    def root(self, name: str, generated: bool) -> str:
        """Where the file ``name`` is below."""
        return self.own if is_own(name) else self.gen if generated else self.tree


class CoreBuild:
    """Makes the objects of one profile. ``order`` are nodes that every unit waits for (generated headers)."""

    def __init__(
        self,
        compiler: Compiler,
        core: CoreSet,
        flags: CompileFlags,
        folders: CoreFolders,
        order: Sequence[Any],
    ) -> None:
        self.compiler, self.core, self.folders, self.order = compiler, core, folders, list(order)
        self.plain = flags
        if compiler.toolchain.precompiles:
            text = render("precompiled.h.j2", defines=core.pch_defines, headers=core.pch_headers)
            self.usual, pch = compiler.precompiled(f"{folders.work}/precompiled.h", flags, text)
            compiler.env.Depends(pch, self.order)
        else:  # a unit's own `#define` of the name then says the same
            self.usual = flags.more(defines=[f"{name}=" for name in core.pch_defines])

    def _unit(self, target: str, name: str, forced: tuple[str, ...] = ()) -> Any:
        generated = name.endswith(".pb.cc") or name in self.core.generated
        root = self.folders.root(name, generated)
        flags = self.plain if name in self.core.pch_without else self.usual
        node = self.compiler.unit(target, f"{root}/{name}", flags.more(forced=forced))
        self.compiler.env.Depends(node, self.order)
        return node

    def units(self, names: Iterable[str], selection: Selection) -> dict[str, Any]:
        """Objects by source path; those of files that register something are for ``selection``."""
        registering = frozenset(selection.registry.files)
        return {
            name: self.registering(name, selection.of_file(name))
            if name in registering
            else self._unit(f"{self.folders.work}/core/{name}.o", name)
            for name in names
        }

    def registering(self, name: str, selection: FileSelection) -> Any:
        """The object of a file that registers ops or kernels, for what ``selection`` keeps of it.

        Models that keep the same of a file share its object: the folder is named after the selection.
        """
        header = f"{self.folders.work}/selections/{selection.key}/ops_to_register.h"
        text = ops_header(selection, self.core.registration_template, self.core.registration_headers)
        write_if_changed(Path(header), text)
        target = f"{self.folders.work}/registering/{name}.{selection.key}.o"
        return self._unit(target, name, (header,))
