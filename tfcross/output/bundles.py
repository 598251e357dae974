"""One package of a target's archs: an XCFramework for Apple's, an AAR for Android's."""

from __future__ import annotations

import plistlib
import shutil
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tfcross import programs
from tfcross.environment import compiler_environment
from tfcross.errors import TfcrossError
from tfcross.files import replacing
from tfcross.releases.coreset import SharedLibrary
from tfcross.targets.profile import Profile
from tfcross.toolchains.toolchain import Toolchain

#: The first bytes of a universal (fat) file, with 32-bit and with 64-bit offsets.
UNIVERSAL = (bytes.fromhex("cafebabe"), bytes.fromhex("cafebabf"))
#: SDK: the platform and its variant, as an XCFramework names them.
PLATFORMS = {"iphoneos": ("ios", ""), "iphonesimulator": ("ios", "simulator"), "macosx": ("macos", "")}
#: The same time in every package: equal inputs give equal packages.
TIME = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Built:
    """One arch that was built: its output folder, and the toolchain that it was built with."""

    profile: Profile
    toolchain: Toolchain
    folder: Path

    @property
    def archives(self) -> list[str]:
        """The core and what it needs."""
        return [str(path) for path in sorted((self.folder / "lib").glob("*.a"))]


def xcframework(parts: Sequence[Built], folder: Path, name: str) -> Path:
    """``folder/<name>.xcframework``: for each platform one library of all archives, of all its archs.

    A device and a simulator of one machine cannot be in one universal file; that is what this is for.
    """
    target = folder / f"{name}.xcframework"
    part = folder / f"{name}.xcframework.part"
    shutil.rmtree(part, ignore_errors=True)
    libraries = []
    for sdk in dict.fromkeys(built.profile.names["sdk"] for built in parts):
        same = [built for built in parts if built.profile.names["sdk"] == sdk]
        libraries.append(_slice(same, sdk, part, name))
    with (part / "Info.plist").open("wb") as stream:
        plistlib.dump(xcframework_plist(libraries), stream)
    shutil.rmtree(target, ignore_errors=True)
    part.rename(target)
    return target


def _slice(parts: Sequence[Built], sdk: str, folder: Path, name: str) -> dict[str, object]:
    """The library and headers for one SDK; gives its entry for Info.plist."""
    archs = sorted(built.profile.names["lipo"] for built in parts)
    platform, variant = PLATFORMS[sdk]
    identifier = "-".join(filter(None, (platform, "_".join(archs), variant)))
    own = folder / identifier
    own.mkdir(parents=True)
    thin = [merge_archives(built, own / f"{built.profile.arch}.a") for built in parts]
    universal(parts[0].toolchain, thin, own / f"lib{name}.a")
    for file in thin:
        file.unlink(missing_ok=True)
    shutil.copytree(parts[0].folder / "include", own / "Headers")
    return {
        "LibraryIdentifier": identifier,
        "LibraryPath": f"lib{name}.a",
        "HeadersPath": "Headers",
        "SupportedArchitectures": archs,
        "SupportedPlatform": platform,
        **({"SupportedPlatformVariant": variant} if variant else {}),
    }


def xcframework_plist(libraries: Sequence[Mapping[str, object]]) -> dict[str, object]:
    return {
        "AvailableLibraries": list(libraries),
        "CFBundlePackageType": "XFWK",
        "XCFrameworkFormatVersion": "1.0",
    }


def merge_archives(built: Built, target: Path) -> Path:
    """One archive of the core and all that it needs."""
    _run([built.toolchain.ar, "-static", "-no_warning_for_no_symbols", "-o", str(target), *built.archives])
    return target


def universal(toolchain: Toolchain, thin: Sequence[Path], target: Path) -> None:
    """``target`` with each of the ``thin`` files, which are for one machine each; one alone is copied."""
    for file in thin:
        if file.read_bytes()[:4] in UNIVERSAL:
            raise TfcrossError(f"{file}: is a universal file already; build its archs anew, one by one.")
    if len(thin) == 1:
        shutil.copyfile(thin[0], target)
    else:
        _run([toolchain.lipo, "-create", *map(str, thin), "-output", str(target)])


def package_aar(parts: Sequence[Built], name: str, library: SharedLibrary, folder: Path) -> Path | None:
    """An AAR of the ``library`` in files called ``name``, in ``folder``; None where it was not built."""
    libraries = {built.profile.names["abi"]: built.folder / "lib" / name for built in parts}
    classes = parts[0].folder / "lib" / library.jar
    if not all(path.is_file() for path in (classes, *libraries.values())):
        return None
    folder.mkdir(parents=True, exist_ok=True)
    api = str(min(int(built.profile.api) for built in parts))
    return aar(libraries, classes, folder / Path(library.jar).with_suffix(".aar"), library.package, api)


def aar(libraries: Mapping[str, Path], classes: Path, target: Path, package: str, api: str) -> Path:
    """An AAR of Java ``classes`` (a jar) and one shared library for each ABI."""
    manifest = (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f'<manifest xmlns:android="http://schemas.android.com/apk/res/android" package="{package}">\n'
        f'    <uses-sdk android:minSdkVersion="{api}"/>\n</manifest>\n'
    )
    with replacing(target) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
        entries = {
            "AndroidManifest.xml": manifest.encode(),
            "classes.jar": classes.read_bytes(),
            "R.txt": b"",
        }
        entries |= {f"jni/{abi}/{file.name}": file.read_bytes() for abi, file in sorted(libraries.items())}
        for name, content in entries.items():
            entry = zipfile.ZipInfo(name, TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return target


def _run(argv: Sequence[str]) -> None:
    install = "Select an Xcode that has it (xcode-select -s)."
    remedy = "Build the archs anew."
    programs.run(argv, install=install, remedy=remedy, environment=compiler_environment())
