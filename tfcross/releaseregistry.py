"""The registry of a release for a target, for scripts that build nothing; a build leaves it in the cache."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from . import environment
from .coreset import CoreSet, load_core
from .errors import TfcrossError
from .fetch import fetch_sources
from .options import Options, require_target
from .profile import Profile, find_host, known_targets, load_profile
from .registry import Registry, build_registry
from .registrydata import RegistryData, load_registry_data
from .release import Release, load_release
from .store import Tree
from .toolchain import Toolchain, resolve_toolchain
from .toolfetch import bring_to

_VERSION = re.compile(r"^#define TF_GRAPH_DEF_VERSION (\d+)", re.M)


@dataclass(frozen=True)
class ReleaseRegistry:
    """``registry`` tells what the release registers for ``profile`` under the defines of TYPES=."""

    release: Release
    core: CoreSet
    data: RegistryData
    profile: Profile
    toolchain: Toolchain
    tree: Tree

    def registry(self, types: str) -> Registry:
        """What there is for ``types`` (a key of the core's types); takes 20 s where the cache has it not."""
        return self.under((*self.core.defines, *self.profile.defines, *self.core.type_defines(types)))

    def under(self, defines: Sequence[str]) -> Registry:
        """What there is under other defines."""
        return build_registry(
            data=self.data,
            include_root=self.tree.path,
            compiler=[self.toolchain.cxx, *self.toolchain.flags, f"-std={self.core.cxx_standard}"],
            defines=defines,
            jobs=len(os.sched_getaffinity(0)),
            tree_id=self.tree.stamp.read_text(),
            compiler_id=self.toolchain.identity,
            cache=environment.cache_folder() / "registry",
        )

    def others(self, types: str) -> dict[str, Callable[[], Registry]]:
        """The registries for other TYPES=, by those words."""
        names = (name for name in self.core.types if name != types)
        return {f"TYPES={name}": partial(self.registry, name) for name in names}

    def graph_version(self) -> int:
        """The GraphDef version of the release's runtime. Raises TfcrossError if the source does not tell."""
        path = self.tree.path / "tensorflow/core/public/version.h"
        found = _VERSION.search(path.read_text(encoding="utf-8")) if path.is_file() else None
        if not found:
            raise TfcrossError(f"{path}: no TF_GRAPH_DEF_VERSION in it; give this release's tree.")
        return int(found[1])


def release_registry(root: Path, options: Options, progress: bool = True) -> ReleaseRegistry:
    """What a build with ``options`` would read; fetches TensorFlow's source if it is not there."""
    release = load_release(root, options.release)
    core = load_core(release.folder)
    here = find_host(root, options.host_os)
    target = require_target(options, known_targets(root))
    profile = load_profile(root, target, options.arch or None, release.version, host=here)
    source_dir = Path(options.source_dir) if options.source_dir else None
    toolchain = resolve_toolchain(
        root,
        options.toolchain,
        profile,
        environment.path(),
        "",
        folder=options.toolchain_root,
        bring=bring_to(environment.cache_folder(), source_dir, options.offline, progress=progress),
    )
    trees = fetch_sources(
        release,
        [core.tree],
        store=environment.cache_folder(),
        source_dir=source_dir,
        overrides={name: Path(folder) for name, folder in options.sources if name == core.tree},
        offline=options.offline,
        progress=progress,
    )
    return ReleaseRegistry(
        release, core, load_registry_data(release.folder), profile, toolchain, trees[core.tree]
    )
