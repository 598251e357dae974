"""What ARCH=all puts together: an XCFramework of real Mach-O archives, an AAR."""

from __future__ import annotations

import plistlib
import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from constructed_xcode import construct_xcode
from registering_library import KERNEL, REGISTRY, archive, compile_unit

from tfcross import environment
from tfcross.errors import TfcrossError
from tfcross.output.bundles import Built, package_aar, universal, xcframework
from tfcross.releases.coreset import load_core
from tfcross.targets.profile import load_profile
from tfcross.toolchains.families import resolve_toolchain

ROOT = Path(__file__).parents[2]
INFERENCE = load_core(ROOT / "releases/1.8.0", "android").shared


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> list[Built]:
    """An output folder for each arch of iOS, with two archives and a header."""
    folder = tmp_path_factory.mktemp("ios")
    path = f"{construct_xcode(folder / 'xcode')}:{environment.path()}"
    found = []
    for arch in ("arm64", "simulator-arm64", "simulator-x86_64"):
        profile = load_profile(ROOT, "IOS", arch, "2.14.1")
        built = Built(profile, resolve_toolchain(ROOT, "", profile, path, ""), folder / arch)
        for part in ("lib", "include"):
            (built.folder / part).mkdir(parents=True)
        (built.folder / "include/session.h").write_text("// a header\n")
        for name, text in (("core", KERNEL), ("dependency", REGISTRY)):
            unit = compile_unit(built.toolchain, built.folder, f"{name}.cc", text)
            archive(built.toolchain, built.folder / "lib" / f"lib{name}.a", [unit])
        found.append(built)
    return found


def said(*argv: object) -> str:
    return subprocess.run([str(a) for a in argv], check=True, capture_output=True, text=True).stdout


def test_an_xcframework_has_one_library_for_the_device_and_one_for_the_simulator(
    tmp_path: Path, parts: list[Built]
) -> None:
    made = xcframework(parts, tmp_path, "tensorflow")
    assert made == tmp_path / "tensorflow.xcframework"
    plist = plistlib.loads((made / "Info.plist").read_bytes())
    assert (plist["CFBundlePackageType"], plist["XCFrameworkFormatVersion"]) == ("XFWK", "1.0")
    device, simulator = plist["AvailableLibraries"]
    assert device == {
        "LibraryIdentifier": "ios-arm64",
        "LibraryPath": "libtensorflow.a",
        "HeadersPath": "Headers",
        "SupportedArchitectures": ["arm64"],
        "SupportedPlatform": "ios",
    }
    assert simulator == {
        "LibraryIdentifier": "ios-arm64_x86_64-simulator",
        "LibraryPath": "libtensorflow.a",
        "HeadersPath": "Headers",
        "SupportedArchitectures": ["arm64", "x86_64"],
        "SupportedPlatform": "ios",
        "SupportedPlatformVariant": "simulator",
    }
    tools = parts[0].toolchain
    fat = made / "ios-arm64_x86_64-simulator/libtensorflow.a"
    assert set(said(tools.lipo, "-archs", fat).split()) == {"arm64", "x86_64"}
    thin = made / "ios-arm64/libtensorflow.a"
    assert {"__Z10Registeredv", "__ZN9RegistrarC1EPKc"} <= set(said(tools.nm, "-j", "-g", thin).split())
    for folder in (thin.parent, fat.parent):
        assert sorted(path.name for path in folder.iterdir()) == ["Headers", "libtensorflow.a"]
        assert (folder / "Headers/session.h").is_file()


def test_a_universal_file_is_no_input(tmp_path: Path, parts: list[Built]) -> None:
    thin = [built.folder / "lib/libcore.a" for built in parts[1:]]
    universal(parts[0].toolchain, thin, tmp_path / "fat.a")
    with pytest.raises(TfcrossError) as raised:
        universal(parts[0].toolchain, [tmp_path / "fat.a", thin[0]], tmp_path / "fatter.a")
    assert str(raised.value) == (
        f"{tmp_path}/fat.a: is a universal file already; build its archs anew, one by one."
    )


def test_two_files_for_one_machine_are_refused_as_lipo_says(tmp_path: Path, parts: list[Built]) -> None:
    thin = [built.folder / "lib/libcore.a" for built in parts[:2]]
    with pytest.raises(TfcrossError, match="same architecture"):
        universal(parts[0].toolchain, thin, tmp_path / "fat.a")


def test_an_aar_has_the_classes_and_each_abis_library(tmp_path: Path, parts: list[Built]) -> None:
    built = []
    for arch in ("armeabi-v7a", "x86_64"):
        lib = tmp_path / arch / "lib"
        lib.mkdir(parents=True)
        (lib / "libtensorflow_inference.so").write_text(arch)
        (lib / "tensorflow-inference.jar").write_text("classes")
        profile = load_profile(ROOT, "ANDROID", arch, "1.8.0")
        built.append(replace(parts[0], profile=profile, folder=tmp_path / arch))
    (name, library), *_ = INFERENCE.items()
    made = package_aar(built, name, library, tmp_path / "all")
    assert made == tmp_path / "all/tensorflow-inference.aar"
    with zipfile.ZipFile(made) as aar:
        content = {name: aar.read(name).decode() for name in aar.namelist()}
    assert content.pop("AndroidManifest.xml").splitlines()[1:] == [
        '<manifest xmlns:android="http://schemas.android.com/apk/res/android" '
        'package="org.tensorflow.contrib.android">',
        '    <uses-sdk android:minSdkVersion="21"/>',
        "</manifest>",
    ]
    assert content == {
        "R.txt": "",
        "classes.jar": "classes",
        "jni/armeabi-v7a/libtensorflow_inference.so": "armeabi-v7a",
        "jni/x86_64/libtensorflow_inference.so": "x86_64",
    }


def test_without_a_library_for_java_there_is_no_aar(tmp_path: Path, parts: list[Built]) -> None:
    profile = load_profile(ROOT, "ANDROID", "x86_64", "2.14.1")
    built = replace(parts[0], profile=profile, folder=tmp_path)
    (name, library), *_ = INFERENCE.items()
    assert package_aar([built], name, library, tmp_path) is None
