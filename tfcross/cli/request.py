"""What a command line asks for: its profile, its toolchains, the registry of its release."""

from __future__ import annotations

from pathlib import Path

from tfcross import environment
from tfcross.cli.options import Options, require_target
from tfcross.registry.data import load_registry_data
from tfcross.registry.ownops import find_own
from tfcross.registry.sources import RegistrySources, ReleaseRegistry
from tfcross.releases.coreset import load_core
from tfcross.releases.release import load_release
from tfcross.sources.fetch import fetch_sources
from tfcross.targets.profile import Profile, adjusted, load_profile
from tfcross.targets.target import find_host, known_targets
from tfcross.toolchains.download import bring_to
from tfcross.toolchains.families import resolve_toolchain
from tfcross.toolchains.toolchain import Places, Toolchain


def requested_profile(root: Path, options: Options) -> Profile:
    """The profile of TARGET=, ARCH=, RELEASE=, API=, EMULATOR= and BITCODE=; TfcrossError for a wrong one."""
    target = require_target(options, known_targets(root))
    here = find_host(root, options.host_os)
    profile = load_profile(root, target, options.arch or None, options.release, host=here, api=options.api)
    return adjusted(profile, options.emulator, options.bitcode)


def requested_toolchain(
    root: Path, options: Options, profile: Profile, *, for_host: bool = False, progress: bool = True
) -> Toolchain:
    """What TOOLCHAIN=, TOOLCHAIN_ROOT= and NDK_ROOT= lead to for ``profile``.

    ``for_host``: those are the target's; tools for this machine are built by the compiler that is pinned.
    Raises TfcrossError as ``resolve_toolchain`` does.
    """
    source_dir = Path(options.source_dir) if options.source_dir else None
    folder = "" if for_host else options.toolchain_root
    return resolve_toolchain(
        root,
        "" if for_host else options.toolchain,
        profile,
        environment.path(),
        options.launcher,
        bring=bring_to(environment.cache_folder(), source_dir, options.offline, progress=progress),
        places=Places(options.ndk_root, environment.sdk_places(), folder),
    )


def release_registry(root: Path, options: Options, progress: bool = True) -> ReleaseRegistry:
    """What a build with ``options`` would read; fetches TensorFlow's source if it is not there."""
    release = load_release(root, options.release)
    profile = requested_profile(root, options)
    core = load_core(release.folder, profile.platform)
    toolchain = requested_toolchain(root, options, profile, progress=progress)
    source_dir = Path(options.source_dir) if options.source_dir else None
    trees = fetch_sources(
        release,
        [core.tree],
        store=environment.cache_folder(),
        source_dir=source_dir,
        overrides={name: Path(folder) for name, folder in options.sources if name == core.tree},
        offline=options.offline,
        progress=progress,
    )
    sources = RegistrySources(core, release.folder, profile, toolchain, trees[core.tree])
    data = load_registry_data(release.folder)
    return ReleaseRegistry(release, core, data, profile, sources, find_own(options.ops_dir))
