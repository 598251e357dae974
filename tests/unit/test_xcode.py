"""What is said where there is no Xcode, or one that will not do; tests/integration has real compilers."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_compilers import ROOT, compiler, program

from tfcross.errors import TfcrossError
from tfcross.targets.profile import adjusted, load_profile
from tfcross.toolchains.families import resolve_toolchain
from tfcross.toolchains.toolchain import Places, Toolchain

XCODE = "Xcode from the App Store, then sudo xcode-select -s /Applications/Xcode.app"
INSTALL = f"Install {XCODE}, or set DEVELOPER_DIR"


def xcode(folder: Path, version: str = "17.0", without: str = "") -> Path:
    """A folder whose xcrun answers for an SDK of ``version``, DEVELOPER_DIR's if there is one."""
    tools, sdk = folder / "tools", folder / "iPhoneOS.sdk"
    sdk.mkdir(parents=True)
    for name in ("clang++", "clang"):
        compiler(tools, name, "15.0.0", "arm64-apple-ios12.0", "clang")
    for name in ("macros", "macros-of-flags"):
        (tools / name).write_text("#define __APPLE__ 1\n")
    for name in ("libtool", "nm", "strip", "lipo"):
        program(tools, name)
    if without:
        (tools / without).unlink()
    program(
        folder / "path",
        "xcrun",
        f"""case "$*" in
        *--show-sdk-path) echo {sdk} ;;
        *--show-sdk-version) echo {version} ;;
        *--find*) for last; do :; done
            if [ -e {tools}/$last ]; then echo {tools}/$last; else exit 72; fi ;;
        esac""",
    )
    return folder / "path"


def resolve(
    path: Path, arch: str = "", release: str = "2.14.1", api: str = "", **variables: str
) -> Toolchain:
    profile = load_profile(ROOT, "IOS", arch or None, release, machine="x86_64", api=api)
    return resolve_toolchain(ROOT, "", profile, str(path), "", places=Places("", variables))


def error_of(path: Path, **more: str) -> str:
    with pytest.raises(TfcrossError) as raised:
        resolve(path, **more)
    return str(raised.value)


def test_xcrun_says_where_compiler_and_sdk_are(tmp_path: Path) -> None:
    found = resolve(xcode(tmp_path))
    assert (found.cxx, found.ar) == (str(tmp_path / "tools/clang++"), str(tmp_path / "tools/libtool"))
    assert found.flags == ("-target", "arm64-apple-ios12.0", "-isysroot", str(tmp_path / "iPhoneOS.sdk"))
    assert (found.archiver, found.symbol_prefix, found.sdk) == ("libtool", "_", "iphoneos 17.0")
    assert found.link_flags == (*found.flags, "-Wl,-dead_strip", "-framework", "CoreFoundation")
    assert str(tmp_path) not in found.identity + "".join(found.portable_flags)


def test_without_xcrun(tmp_path: Path) -> None:
    assert error_of(tmp_path) == (
        "IOS arm64 needs the iphoneos SDK 13 or later for TensorFlow 2.14.1; xcrun is not on PATH. On a Mac "
        "install Xcode from the App Store, then sudo xcode-select -s /Applications/Xcode.app; on any other "
        "system there is none: build on a Mac, or put an xcrun on PATH that answers for an SDK you have."
    )


def test_without_an_sdk(tmp_path: Path) -> None:
    program(tmp_path, "xcrun", "echo 'xcrun: error: SDK \"iphoneos\" cannot be located' >&2; exit 1")
    said = 'xcrun: error: SDK "iphoneos" cannot be located'
    assert error_of(tmp_path, DEVELOPER_DIR="/Library/Developer/CommandLineTools") == (
        "IOS arm64 needs the iphoneos SDK 13 or later for TensorFlow 2.14.1; xcrun --sdk iphoneos "
        f"--show-sdk-path says '{said}', with DEVELOPER_DIR=/Library/Developer/CommandLineTools. "
        f"{INSTALL} to another Xcode."
    )


def test_an_sdk_that_is_too_old_for_the_release(tmp_path: Path) -> None:
    assert error_of(xcode(tmp_path, "12.4")) == (
        "IOS arm64 needs the iphoneos SDK 13 or later for TensorFlow 2.14.1; the one that xcrun finds is "
        f"12.4 ({tmp_path}/iPhoneOS.sdk). Select another Xcode: DEVELOPER_DIR=/Applications/Xcode….app, or "
        "xcode-select -s."
    )


def test_armv7_left_with_xcode_14(tmp_path: Path) -> None:
    assert error_of(xcode(tmp_path, "16.2"), arch="armv7", release="1.8.0").startswith(
        "IOS armv7 needs the iphoneos SDK 8.0 to 15 for TensorFlow 1.8.0; the one that xcrun finds is 16.2 "
    )


@pytest.mark.parametrize(
    ("version", "api", "message"),
    [
        pytest.param(
            "17.0",
            "9.0",
            "API=9.0: 11.0 is the oldest of the iphoneos SDK 17.0; pass API=11.0 or later.",
            id="the SDK's floor",
        ),
        pytest.param(
            "13.0",
            "14.0",
            "API=14.0: the iphoneos SDK is 13.0; pass API= of no more than that.",
            id="newer than the SDK",
        ),
    ],
)
def test_a_minimum_version_that_the_sdk_does_not_have(
    tmp_path: Path, version: str, api: str, message: str
) -> None:
    assert error_of(xcode(tmp_path, version), api=api) == message


def test_a_tool_that_is_missing(tmp_path: Path) -> None:
    assert error_of(xcode(tmp_path, without="lipo")) == (
        "xcrun --sdk iphoneos finds no lipo, with the Xcode that xcode-select -p names. "
        f"{INSTALL} to another Xcode."
    )


def test_bitcode_is_for_targets_that_have_it() -> None:
    ios, pi = load_profile(ROOT, "IOS", None, "1.8.0"), load_profile(ROOT, "PI", None, "1.8.0")
    assert adjusted(ios, (), True).ccflags == (*ios.ccflags, "-fembed-bitcode")
    with pytest.raises(TfcrossError, match=r"^BITCODE=1: PI has no bitcode; leave BITCODE out\.$"):
        adjusted(pi, (), True)


def test_the_users_own_emulator_runs_what_nothing_here_does() -> None:
    android = load_profile(ROOT, "ANDROID", None, "2.14.1")
    assert not android.runs_here
    with_emulator = adjusted(android, ("qemu-arm-static", "-L", "/sysroot"), False)
    assert with_emulator.runs_here
    assert with_emulator.emulator is not None
    assert with_emulator.emulator.arguments == ("-L", "/sysroot")
