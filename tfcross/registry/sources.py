"""What the registry of a release for a target is made from; a build leaves it in the cache."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tfcross import environment
from tfcross.capacity import core_count
from tfcross.errors import TfcrossError
from tfcross.registry.data import RegistryData, load_registry_data
from tfcross.registry.ownops import OwnOps, lay_beside, with_own
from tfcross.registry.preprocess import TargetCompiler
from tfcross.registry.registry import Registry, build_registry
from tfcross.releases.coreset import CoreSet
from tfcross.releases.release import Release
from tfcross.sources.store import Tree
from tfcross.targets.profile import Profile
from tfcross.toolchains.toolchain import Toolchain

#: In the place of types: the kernels of TensorFlow's Python package, with no define of the release's own.
DESKTOP = "desktop"
_VALUE = re.compile(r"^ *(\w+) = \d+;", re.M)


@dataclass(frozen=True)
class RegistrySources:
    """What a registry is made from: a release's data in ``folder`` and ``tree``, seen by ``toolchain``."""

    core: CoreSet
    folder: Path
    profile: Profile
    toolchain: Toolchain
    tree: Tree

    def registry(self, types: str, own: OwnOps | None = None, folder: Path | None = None) -> Registry:
        """What there is for ``types`` (a key of the core's types, or DESKTOP), with the user's ``own`` ops.

        ``folder`` is where links to both can be laid. Takes 20 s where the cache has it not.
        """
        defines = self._defines(types)
        registry = self._build(defines)
        if own is None:
            return registry
        if folder is None:
            with tempfile.TemporaryDirectory(prefix="ops-") as made:
                return with_own(registry, self._build_own(defines, own, Path(made)))
        return with_own(registry, self._build_own(defines, own, folder))

    def _defines(self, types: str) -> tuple[str, ...]:
        if types == DESKTOP:
            return self.profile.defines
        return (*self.core.defines, *self.profile.defines, *self.core.type_defines(types))

    def _build_own(self, defines: Sequence[str], own: OwnOps, folder: Path) -> Registry:
        lay_beside(own, self.tree.path, folder)
        return self._build(defines, folder, own)

    def _build(self, defines: Sequence[str], root: Path | None = None, own: OwnOps | None = None) -> Registry:
        argv = (self.toolchain.cxx, *self.toolchain.flags, f"-std={self.core.cxx_standard}")
        return build_registry(
            data=load_registry_data(self.folder),
            include_root=root or self.tree.path,
            tree_id=self.tree.stamp.read_text() + (own.sha256 if own else ""),
            compiler=TargetCompiler(argv, tuple(defines), self.toolchain.identity),
            jobs=core_count(),
            files=own.files if own else None,
            cache=environment.cache_folder() / "registry",
        )


@dataclass(frozen=True)
class ReleaseRegistry:
    """A release for a profile; ``own`` are the user's ops of OPS_DIR=."""

    release: Release
    core: CoreSet
    data: RegistryData
    profile: Profile
    sources: RegistrySources
    own: OwnOps | None

    def registry(self, types: str) -> Registry:
        """What there is for ``types`` (a key of the core's types, or DESKTOP)."""
        return self.sources.registry(types, self.own)

    def others(self, types: str) -> dict[str, Callable[[], Registry]]:
        """The registries for other TYPES=, by those words."""
        names = (name for name in self.core.types if name != types)
        return {f"TYPES={name}": partial(self.registry, name) for name in names}

    def data_types(self) -> frozenset[str]:
        """The types that graphs of the release may have, as ``DT_FLOAT``."""
        file, enum = self.data.data_types
        return frozenset(_VALUE.findall(self._found(file, rf"^enum {enum} {{([^}}]*)}}")))

    def graph_version(self) -> int:
        """The GraphDef version of the release's runtime. Raises TfcrossError if the source does not tell."""
        file, macro = self.data.graph_version
        return int(self._found(file, rf"^#define {macro} (\d+)"))

    def _found(self, name: str, pattern: str) -> str:
        """What the group of ``pattern`` is in the tree's file ``name``."""
        path = self.sources.tree.path / name
        found = re.search(pattern, path.read_text(encoding="utf-8") if path.is_file() else "", re.M)
        if found is None:
            raise TfcrossError(f"{path}: nothing in it is like {pattern}; give this release's tree.")
        return found[1]
