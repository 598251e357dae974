"""What a command line asks for: its profile, and the toolchains that its options lead to."""

from __future__ import annotations

from pathlib import Path

from tfcross import environment
from tfcross.cli.options import Options, require_target
from tfcross.targets.profile import Profile, adjusted, find_host, known_targets, load_profile
from tfcross.toolchains.families import resolve_toolchain
from tfcross.toolchains.fetching import bring_to
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
    return resolve_toolchain(
        root,
        "" if for_host else options.toolchain,
        profile,
        environment.path(),
        options.launcher,
        folder="" if for_host else options.toolchain_root,
        bring=bring_to(environment.cache_folder(), source_dir, options.offline, progress=progress),
        places=Places(options.ndk_root, environment.sdk_places()),
    )
