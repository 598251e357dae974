"""Builds of several targets or archs, one scons after the other, and the package of those of one target."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from tfcross import environment
from tfcross.cli.options import Options
from tfcross.cli.request import requested_profile, requested_toolchain
from tfcross.errors import TfcrossError
from tfcross.output.bundles import Built, package_aar, xcframework
from tfcross.output.package import (
    bundle_files,
    folder_files,
    package_files,
    package_name,
    tarball,
    with_sums,
    write_package,
)
from tfcross.releases.coreset import load_core
from tfcross.releases.release import load_release
from tfcross.systemerrors import system_problem
from tfcross.targets.plan import plan, summary, words
from tfcross.targets.target import find_host, package_kind
from tfcross.toolchains.sdks import UnfitSdkError


def build_several(
    root: Path,
    options: Options,
    arguments: Mapping[str, str],
    argv: Sequence[str],
) -> int:
    """Run scons for each build of the matrix, in a folder each; 0 if all succeeded, else 2.

    ``arguments`` are the command line's variables, ``argv`` all its words. One that fails stops no other.
    What the SDK at hand is too old or too new for is left out, unless that is all. A target whose archs are
    all there is put into its package.
    """
    host = find_host(root, options.host_os)
    pairs = _possible(root, options, plan(root, options.target, options.arch, options.release, host))
    others = [word for word in argv[1:] if word.startswith("-") or "=" not in word]
    results: list[tuple[str, bool]] = []
    for target, arch in pairs:
        print(f"== {target}-{arch}", flush=True)
        command = [sys.executable, argv[0], *others, *words(arguments, target, arch)]
        results.append((f"{target}-{arch}", subprocess.run(command, check=False).returncode == 0))
    done = dict(results)
    for target in dict.fromkeys(target for target, _ in pairs):
        archs = [arch for name, arch in pairs if name == target]
        if all(done[f"{target}-{arch}"] for arch in archs):
            made = _bundle(root, options, target, archs)
            if made and "package" in others:
                _pack(options, target, archs, made)
    print(summary(results), end="", flush=True)
    return 0 if all(done.values()) else 2


def _possible(root: Path, options: Options, pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """``pairs`` without those that the SDK is not for; what else they lack, their own builds will say."""
    kept = []
    for target, arch in pairs:
        wanted = replace(options, target=target, arch=arch)
        try:
            requested_toolchain(root, wanted, requested_profile(root, wanted))
        except UnfitSdkError as error:
            print(f"== {target}-{arch} is left out: {error}", flush=True)
            continue
        except TfcrossError:
            pass
        kept.append((target, arch))
    if not kept:
        asked = f"TARGET={options.target} ARCH={options.arch}"
        raise TfcrossError(f"{asked}: nothing is left to build; pass another SDK, see above.")
    return kept


def _bundle(root: Path, options: Options, target: str, archs: Sequence[str]) -> Path | None:
    """The XCFramework or AAR of the archs; None where the target has none, or no library for one was made."""
    kind = package_kind(root, target)
    if not kind:
        return None
    wanted = [replace(options, target=target, arch=arch) for arch in archs]
    profiles = [requested_profile(root, one) for one in wanted]
    out = Path(options.out)
    parts = [Built(one, requested_toolchain(root, options, one), out / one.name) for one in profiles]
    try:
        if kind == "xcframework":
            made: Path | None = xcframework(parts, out / f"{target}-all", "tensorflow")
        else:
            core = load_core(load_release(root, options.release).folder, profiles[0].platform)
            jars = ((name, library) for name, library in core.shared.items() if library.jar)
            aars = (package_aar(parts, name, library, out / f"{target}-all") for name, library in jars)
            made = next(filter(None, aars), None)
    except OSError as error:
        raise TfcrossError(system_problem(error, str(out))) from error
    if made:
        print(f"  PACK  {made}", flush=True)
    return made


def _pack(options: Options, target: str, archs: Sequence[str], bundle: Path) -> None:
    """The bundle as one file, with the papers of the archs' own packages."""
    out, name = Path(options.out), package_name(options.release, f"{target}-all")
    names = {arch: package_name(options.release, f"{target}-{arch}") for arch in archs}
    parts = {arch: package_files((out / f"{one}.tar.gz").read_bytes()) for arch, one in names.items()}
    files = folder_files(bundle) if bundle.is_dir() else {"": bundle.read_bytes()}
    own = {f"{bundle.name}/{path}".rstrip("/"): content for path, content in files.items()}
    content = tarball(name, with_sums(bundle_files(own, parts)), environment.source_date())
    digest = write_package(out / f"{name}.tar.gz", content)
    print(f"  PACK  {out / name}.tar.gz: {len(content) / 1e6:.1f} MB, sha256 {digest}", flush=True)
