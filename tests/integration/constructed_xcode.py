"""A folder that answers as Xcode does: an ``xcrun`` over LLVM's programs and SDKs made of public headers.

What it compiles is real code for Apple's triples: Mach-O objects, ``__APPLE__`` paths in the sources, libc++.
The C headers and the list of what libSystem has are those that zig ships, the C++ headers Debian's libc++.
What is missing is all else of an SDK (CoreFoundation is a few declarations), Apple's linker, and a device.
"""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from tfcross.environment import cache_folder
from tfcross.releases.release import load_release
from tfcross.sources.fetch import fetch_sources

FIXTURE = Path(__file__).parents[1] / "fixtures/apple"
LLVM = Path("/usr/lib/llvm-19")
#: What xcrun calls a program, and what stands in for it.
PROGRAMS = {
    "ar": "llvm-ar",
    "libtool": "llvm-libtool-darwin",
    "lipo": "llvm-lipo",
    "nm": "llvm-nm",
    "strip": "llvm-strip",
}
#: SDK: its triples' end, as a list of exported symbols names them.
SDKS = {
    "iphoneos": ("arm64-ios", "armv7-ios"),
    "iphonesimulator": ("arm64-ios-simulator", "x86_64-ios-simulator"),
    "macosx": ("arm64-macos", "x86_64-macos"),
}
COMPILER = """#!/bin/sh
link=yes sdk=
for word; do
    case $word in
        -c | -E | -S | -M | -fsyntax-only | -v | --version | -print-*) link= ;;
        */SDKs/*.sdk) sdk=$word ;;
    esac
done
[ "$link" ] && set -- -fuse-ld=lld "$@"
exec {llvm}/bin/{program} -w -nostdinc++ "$@" -isystem "$sdk/usr/include/c++/v1"
"""
XCRUN = """#!/bin/sh
developer=${{DEVELOPER_DIR:-{developer}}}
sdk=iphoneos
[ "$1" = --sdk ] && sdk=$2 && shift 2
folder=$developer/Platforms/SDKs/$sdk.sdk
case $1 in
    --show-sdk-path | --show-sdk-version)
        [ -d "$folder" ] || {{ echo "xcrun: error: SDK \\"$sdk\\" cannot be located" >&2; exit 1; }} ;;
esac
case $1 in
    --show-sdk-path) echo "$folder" ;;
    --show-sdk-version) cat "$folder/version" ;;
    --find)
        [ -e "$developer/bin/$2" ] || {{ echo "xcrun: error: unable to find utility $2" >&2; exit 72; }}
        echo "$developer/bin/$2" ;;
esac
"""
CORE_FOUNDATION = """#pragma once
#include <stddef.h>
#ifdef __cplusplus
extern "C" {
#endif
typedef const void* CFTypeRef;
typedef const struct __CFString* CFStringRef;
typedef const struct __CFTimeZone* CFTimeZoneRef;
typedef long CFIndex;
typedef unsigned char Boolean;
typedef unsigned int CFStringEncoding;
enum { kCFStringEncodingUTF8 = 0x08000100 };
CFTimeZoneRef CFTimeZoneCopyDefault(void);
CFStringRef CFTimeZoneGetName(CFTimeZoneRef);
CFIndex CFStringGetLength(CFStringRef);
CFIndex CFStringGetMaximumSizeForEncoding(CFIndex, CFStringEncoding);
Boolean CFStringGetCString(CFStringRef, char*, CFIndex, CFStringEncoding);
void CFRelease(CFTypeRef);
#ifdef __cplusplus
}
#endif
"""


def construct_xcode(folder: Path, version: str = "17.0", sdks: tuple[str, ...] = tuple(SDKS)) -> Path:
    """Puts an Xcode with ``sdks`` of ``version`` into ``folder``; the folder with ``xcrun`` is given back."""
    headers = darwin_headers()
    developer = folder / "Developer"
    for name in sdks:
        _sdk(developer / "Platforms/SDKs" / f"{name}.sdk", name, version, headers)
    (developer / "bin").mkdir(parents=True, exist_ok=True)
    for name, program in PROGRAMS.items():
        if not (developer / "bin" / name).is_symlink():
            (developer / "bin" / name).symlink_to(LLVM / "bin" / program)
    for name in ("clang", "clang++"):
        _script(developer / "bin" / name, COMPILER.format(llvm=LLVM, program=name))
    _script(folder / "path/xcrun", XCRUN.format(developer=developer))
    return folder / "path"


def darwin_headers() -> Path:
    """The folder with Darwin's public C headers and the list of libSystem's symbols, from the store."""
    release = load_release(FIXTURE, "sdk")
    return fetch_sources(release, store=cache_folder())["darwin-headers"].path / "lib/libc"


def _sdk(folder: Path, name: str, version: str, headers: Path) -> None:
    for part in ("usr/include/c++", "usr/include/CoreFoundation", "usr/include/sys", "usr/lib"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    (folder / "version").write_text(f"{version}\n")
    settings = {"CanonicalName": f"{name}{version}", "Version": version, "MaximumDeploymentTarget": version}
    (folder / "SDKSettings.json").write_text(json.dumps(settings))
    public = headers / "include/any-darwin-any"
    for entry in (*public.iterdir(), *(public / "sys").iterdir()):
        link = folder / "usr/include" / entry.relative_to(public)
        if not link.exists():
            link.symlink_to(entry)
    (folder / "usr/include/sys/syscall.h").touch()  # zig leaves it out, and only its name is asked for
    if not (folder / "usr/include/c++/v1").exists():
        (folder / "usr/include/c++/v1").symlink_to(LLVM / "include/c++/v1")
    for header in ("CFTimeZone.h", "CoreFoundation.h"):
        (folder / "usr/include/CoreFoundation" / header).write_text(CORE_FOUNDATION)
    targets = SDKS[name]
    _system_list(headers / "darwin/libSystem.tbd", folder / "usr/lib/libSystem.tbd", targets)
    libraries = [LLVM / "lib" / library for library in ("libc++.so.1", "libc++abi.so.1")]
    _symbol_list(folder / "usr/lib/libc++.tbd", "/usr/lib/libc++.1.dylib", targets, exported(libraries))
    framework = folder / "System/Library/Frameworks/CoreFoundation.framework"
    framework.mkdir(parents=True, exist_ok=True)
    functions = [f"_{symbol}" for symbol in re.findall(r"\b(CF\w+)\(", CORE_FOUNDATION)]
    install = "/System/Library/Frameworks/CoreFoundation.framework/CoreFoundation"
    _symbol_list(framework / "CoreFoundation.tbd", install, targets, functions)


def _system_list(source: Path, target: Path, targets: tuple[str, ...]) -> None:
    """libSystem's own list, which zig has for macOS, for ``targets``: its public functions are the same."""
    text = re.sub(r"targets:(\s+)\[[^\]]*\]", rf"targets:\1[ {', '.join(targets)} ]", source.read_text())
    target.write_text(text)


def _symbol_list(target: Path, install: str, targets: tuple[str, ...], symbols: list[str]) -> None:
    shown = ", ".join(f"'{symbol}'" for symbol in symbols)
    target.write_text(
        f"--- !tapi-tbd\ntbd-version: 4\ntargets: [ {', '.join(targets)} ]\ninstall-name: '{install}'\n"
        f"exports:\n  - targets: [ {', '.join(targets)} ]\n    symbols: [ {shown} ]\n...\n"
    )


def exported(libraries: list[Path]) -> list[str]:
    """What ELF libraries export, named as Mach-O names it."""
    argv = [LLVM / "bin/llvm-nm", "-D", "--defined-only", "-j", "--no-sort", *libraries]
    said = subprocess.run(argv, check=True, capture_output=True, text=True).stdout
    return sorted({f"_{line.split('@')[0]}" for line in said.splitlines() if line and not line.endswith(":")})


def _script(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
