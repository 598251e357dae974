"""NDK folders that are put together from Debian's packages: an NDK's layout around clang and a C library.

What they compile is real code for Android's triple, with ``__ANDROID__`` defined: softfp calls and
Android's own paths in the sources. What they are not is bionic: the C and C++ libraries are Debian's, so
that programs run under qemu. On 32-bit ARM these are the soft-float ones, whose calls are those of softfp.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

CLANG = "/usr/lib/llvm-19/bin"
HOST = "darwin-x86_64" if sys.platform == "darwin" else "linux-x86_64"
TOOLS = ("ar", "nm", "strip")


def cross_headers(triple: str) -> tuple[str, ...]:
    """Folders with the C and C++ headers of Debian's cross compiler."""
    root = f"/usr/{triple}/include"
    return (f"{root}/c++/12", f"{root}/c++/12/{triple}", root)


@dataclass(frozen=True)
class Abi:
    """One of Android's ABIs, and the Debian packages' names for what stands in for its libraries."""

    clang: str
    gnu: str
    prebuilt: str
    platform: str
    debian: str
    headers: tuple[str, ...]
    emulator: str


ABIS = {
    "armeabi-v7a": Abi(
        "armv7a-linux-androideabi",
        "arm-linux-androideabi",
        "arm-linux-androideabi",
        "arch-arm",
        "arm-linux-gnueabi",
        cross_headers("arm-linux-gnueabi"),
        "qemu-arm-static -L /usr/arm-linux-gnueabi -cpu cortex-a15",
    ),
    "arm64-v8a": Abi(
        "aarch64-linux-android",
        "aarch64-linux-android",
        "aarch64-linux-android",
        "arch-arm64",
        "aarch64-linux-gnu",
        cross_headers("aarch64-linux-gnu"),
        "qemu-aarch64-static -L /usr/aarch64-linux-gnu",
    ),
    "x86": Abi(
        "i686-linux-android",
        "i686-linux-android",
        "x86",
        "arch-x86",
        "i686-linux-gnu",
        cross_headers("i686-linux-gnu"),
        "qemu-i386-static -L /usr/i686-linux-gnu",
    ),
    "x86_64": Abi(
        "x86_64-linux-android",
        "x86_64-linux-android",
        "x86_64",
        "arch-x86_64",
        "x86_64-linux-gnu",
        (
            "/usr/include/c++/12",
            "/usr/include/x86_64-linux-gnu/c++/12",
            "/usr/include",
            "/usr/include/x86_64-linux-gnu",
        ),
        "env",
    ),
}
#: Stands in for a compiler of an NDK. Programs and shared libraries are linked by Debian's GCC.
COMPILER = """#!/bin/sh
link=yes ask=
for word; do
    case $word in
        -c | -E | -S | -M | -fsyntax-only) link= ;;
        -v | --version) link= ask=yes ;;
        -print-*) exec {debian}-g++ "$@" ;;
    esac
done
if [ "$ask" ]; then {answer}; fi
for word; do
    shift
    case $word in
        --target=* | --gcc-toolchain=* | --sysroot=* | -isystem{root}/*) ;;
        -static-libstdc++ | -nostdlib++ | -landroid_support | -lc++* | -lgnustl_static | -L{root}/*)
            [ "$link" ] || set -- "$@" "$word" ;;
        *) set -- "$@" "$word" ;;
    esac
done
[ -z "$link" ] || exec {debian}-g++ "$@" -L{stubs}/{debian} -llog
exec {clang} --target={triple} --sysroot={stubs} -w -nostdinc++ -D_GNU_SOURCE -fno-emulated-tls "$@" {headers}
"""
GCC_ANSWER = "echo 'Target: {gnu}'; echo 'gcc version 4.9.x 20150123 (prerelease) (GCC)'; exit"
PROPERTIES = """#pragma once
#ifdef __cplusplus
extern "C"
#endif
int __system_property_get(const char* name, char* value);
#define PROP_VALUE_MAX 92
"""
#: What an APK's own files are read through; no device, no such files.
ASSETS = """#pragma once
#include <jni.h>
#include <sys/types.h>
#ifdef __cplusplus
extern "C" {
#endif
typedef struct AAssetManager AAssetManager;
typedef struct AAsset AAsset;
typedef struct AAssetDir AAssetDir;
enum { AASSET_MODE_UNKNOWN, AASSET_MODE_RANDOM, AASSET_MODE_STREAMING, AASSET_MODE_BUFFER };
AAssetManager* AAssetManager_fromJava(JNIEnv* env, jobject manager);
AAsset* AAssetManager_open(AAssetManager* manager, const char* name, int mode);
AAssetDir* AAssetManager_openDir(AAssetManager* manager, const char* name);
int AAsset_read(AAsset* asset, void* buffer, size_t count);
off64_t AAsset_seek64(AAsset* asset, off64_t offset, int whence);
off64_t AAsset_getLength64(AAsset* asset);
const void* AAsset_getBuffer(AAsset* asset);
int AAsset_openFileDescriptor64(AAsset* asset, off64_t* start, off64_t* length);
void AAsset_close(AAsset* asset);
const char* AAssetDir_getNextFileName(AAssetDir* folder);
void AAssetDir_close(AAssetDir* folder);
#ifdef __cplusplus
}
#endif
"""
ASSET_CODE = """#include "android/asset_manager.h"
AAssetManager* AAssetManager_fromJava(JNIEnv*, jobject) { return nullptr; }
AAsset* AAssetManager_open(AAssetManager*, const char*, int) { return nullptr; }
AAssetDir* AAssetManager_openDir(AAssetManager*, const char*) { return nullptr; }
int AAsset_read(AAsset*, void*, size_t) { return -1; }
off64_t AAsset_seek64(AAsset*, off64_t, int) { return -1; }
off64_t AAsset_getLength64(AAsset*) { return 0; }
const void* AAsset_getBuffer(AAsset*) { return nullptr; }
int AAsset_openFileDescriptor64(AAsset*, off64_t*, off64_t*) { return -1; }
void AAsset_close(AAsset*) {}
const char* AAssetDir_getNextFileName(AAssetDir*) { return nullptr; }
void AAssetDir_close(AAssetDir*) {}
"""
#: In bionic it takes a pointer to const; the header is one that TensorFlow includes where it calls it.
USABLE_SIZE = """#include_next <sys/sysinfo.h>
#ifdef __cplusplus
#include <malloc.h>
inline size_t malloc_usable_size(const void* memory) {
  return malloc_usable_size(const_cast<void*>(memory));
}
#endif
"""
#: What Android's liblog and libc have and a program of TensorFlow calls; logs go to standard error.
LOG = """#include <cstdio>
extern "C" int __android_log_write(int, const char* tag, const char* text) {
  return std::fprintf(stderr, "%s: %s\\n", tag, text);
}
extern "C" int __system_property_get(const char*, char* value) { return *value = 0; }
"""


def construct_ndk(
    folder: Path, revision: str, abi: str = "armeabi-v7a", apis: tuple[int, ...] = (21,)
) -> Path:
    """An NDK of ``revision`` (as r21e) for one ABI in ``folder``; more ABIs may be added by further calls."""
    number, letter = int(revision[1:].rstrip("abcde")), revision[-1] if revision[-1].isalpha() else "a"
    folder.mkdir(parents=True, exist_ok=True)
    if number < 11:
        (folder / "RELEASE.TXT").write_text(f"{revision} (64-bit)\n")
    else:
        minor = ord(letter) - ord("a")
        text = f"Pkg.Desc = Android NDK\nPkg.Revision = {number}.{minor}.1234567\n"
        (folder / "source.properties").write_text(text)
    (folder / "ndk-build").touch()
    one = ABIS[abi]
    llvm = folder / "toolchains/llvm/prebuilt" / HOST / "bin"
    gcc = folder / "toolchains" / f"{one.prebuilt}-4.9" / "prebuilt" / HOST / "bin"
    if number >= 15:
        names = [f"{one.clang}{api}-clang" for api in apis] if number >= 19 else ["clang"]
        for name in names:
            _compiler(folder, llvm / f"{name}++", one, "clang++", apis[0])
            _compiler(folder, llvm / name, one, "clang", apis[0])
    if number <= 17:
        _compiler(folder, gcc / f"{one.gnu}-g++", one, "clang++", apis[0], GCC_ANSWER.format(gnu=one.gnu))
        _compiler(folder, gcc / f"{one.gnu}-gcc", one, "clang", apis[0], GCC_ANSWER.format(gnu=one.gnu))
    _libraries(folder, one)
    _tools(llvm if number >= 19 else gcc, "llvm-" if number >= 22 else f"{one.gnu}-")
    if number <= 18:
        _folders(folder, one, abi, number, apis)
    return folder


def _folders(folder: Path, one: Abi, abi: str, number: int, apis: tuple[int, ...]) -> None:
    made = [f"platforms/android-{api}/{one.platform}/usr/lib" for api in apis]
    made += ["sources/android/support/include"]
    if number >= 13:
        made += ["sources/cxx-stl/llvm-libc++/include", f"sources/cxx-stl/llvm-libc++/libs/{abi}"]
        made += ["sources/cxx-stl/llvm-libc++abi/include"]
    if number <= 17:
        made += [f"sources/cxx-stl/gnu-libstdc++/4.9/{part}" for part in ("include", f"libs/{abi}/include")]
    if number >= 14:
        made += [f"sysroot/usr/include/{one.gnu}"]
    for name in made:
        (folder / name).mkdir(parents=True, exist_ok=True)


def _compiler(folder: Path, path: Path, one: Abi, program: str, api: int, answer: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    triple = f"{one.clang}{api}"
    headers = [*one.headers[:2], _own_headers(folder), *one.headers[2:]]
    text = COMPILER.format(
        debian=one.debian,
        clang=f"{CLANG}/{program}",
        triple=triple,
        headers=" ".join(f"-isystem {header}" for header in headers),
        answer=answer or f"exec {CLANG}/{program} --target={triple} -v",
        root=folder,
        stubs=folder / "stubs",
    )
    path.write_text(text)
    path.chmod(0o755)


def _own_headers(folder: Path) -> Path:
    """A folder with those of Android's headers that TensorFlow includes and a GNU C library lacks."""
    include = folder / "stubs/include"
    if not include.exists():
        include.mkdir(parents=True)
        (include / "android").mkdir()
        (include / "android/log.h").symlink_to("/usr/include/android/android/log.h")
        (include / "android/asset_manager.h").write_text(ASSETS)
        (include / "android/asset_manager_jni.h").write_text("#include <android/asset_manager.h>\n")
        (include / "log").symlink_to("/usr/include/android/log")
        (include / "jni.h").symlink_to("/usr/include/android/nativehelper/jni.h")
        (include / "sys").mkdir()
        (include / "sys/system_properties.h").write_text(PROPERTIES)
        (include / "sys/sysinfo.h").write_text(USABLE_SIZE)
        (include / "stdlib.h").write_text("#include_next <stdlib.h>\n#include <malloc.h>\n")
    return include


def _libraries(folder: Path, one: Abi) -> None:
    """liblog and libandroid for one ABI."""
    stubs = folder / "stubs" / one.debian
    stubs.mkdir(parents=True, exist_ok=True)
    for name, text in (("log", LOG), ("android", ASSET_CODE)):
        source, target = stubs / f"{name}.cc", stubs / f"{name}.o"
        source.write_text(text)
        include = f"-I{_own_headers(folder)}"
        subprocess.run([f"{one.debian}-g++", include, "-fPIC", "-c", source, "-o", target], check=True)
        (stubs / f"lib{name}.a").unlink(missing_ok=True)
        subprocess.run([f"{CLANG}/llvm-ar", "rcsD", stubs / f"lib{name}.a", target], check=True)


def _tools(folder: Path, prefix: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for tool in TOOLS:
        link = folder / f"{prefix}{tool}"
        if not link.is_symlink():
            link.symlink_to(f"{CLANG}/llvm-{tool}")
