"""Which NDK is taken, and what is said where none will do; tests/integration has real compilers."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_compilers import ROOT, compiler, program

from tfcross.errors import TfcrossError
from tfcross.targets.profile import load_profile
from tfcross.toolchains.families import resolve_toolchain
from tfcross.toolchains.ndk import read_ndk
from tfcross.toolchains.toolchain import Places, Toolchain

GNU = "arm-linux-androideabi"
BIN = "toolchains/llvm/prebuilt/linux-x86_64/bin"
SDK_FOLDERS = "/usr/lib/android-ndk, /usr/lib/android-sdk/ndk/*"
HOW = "Install an NDK (Android Studio's SDK manager, sdkmanager, developer.android.com) and pass NDK_ROOT="


def ndk(folder: Path, revision: str, apis: tuple[int, ...] = (21,)) -> Path:
    """A folder with an NDK's names for armeabi-v7a; ``revision`` is as Pkg.Revision has it."""
    folder.mkdir(parents=True)
    (folder / "source.properties").write_text(f"Pkg.Desc = Android NDK\nPkg.Revision = {revision}\n")
    for api in apis:
        for name in ("clang++", "clang"):
            path = f"armv7a-linux-androideabi{api}-{name}"
            compiler(folder / BIN, path, "14.0.7", f"armv7a-unknown-linux-androideabi{api}", "clang")
    (folder / BIN / "macros").write_text("#define __ANDROID__ 1\n")
    (folder / BIN / "macros-of-flags").write_text("#define __ANDROID__ 1\n")
    for tool in ("ar", "nm", "strip"):
        program(folder / BIN, f"llvm-{tool}")
        program(folder / BIN, f"{GNU}-{tool}")
    return folder


def resolve(
    places: Places, arch: str = "", release: str = "2.14.1", name: str = "", api: str = ""
) -> Toolchain:
    profile = load_profile(ROOT, "ANDROID", arch or None, release, machine="x86_64", api=api)
    return resolve_toolchain(ROOT, name, profile, "/usr/bin:/bin", "", places=places)


def error_of(places: Places, **more: str) -> str:
    with pytest.raises(TfcrossError) as raised:
        resolve(places, **more)
    return str(raised.value)


@pytest.mark.parametrize(
    ("file", "text", "name", "revision"),
    [
        pytest.param("RELEASE.TXT", "r10e (64-bit)\n", "r10e", (10, 4), id="r10e"),
        pytest.param("source.properties", "Pkg.Revision = 11.2.2725575\n", "r11c", (11, 2), id="r11c"),
        pytest.param("source.properties", "Pkg.Revision = 20.0.5594570\n", "r20", (20,), id="r20"),
        pytest.param("source.properties", "Pkg.Revision=23.1.7779620\n", "r23b", (23, 1), id="no spaces"),
        pytest.param("source.properties", "Pkg.Revision = 27.0.11718014-beta1\n", "r27", (27,), id="a beta"),
    ],
)
def test_an_ndk_says_its_revision(
    tmp_path: Path, file: str, text: str, name: str, revision: tuple[int, ...]
) -> None:
    (tmp_path / file).write_text(text)
    found = read_ndk(tmp_path)
    assert found is not None
    assert (found.name, found.revision) == (name, revision)


@pytest.mark.parametrize("text", ["", "Pkg.Desc = something else\n"])
def test_another_folder_is_no_ndk(tmp_path: Path, text: str) -> None:
    if text:
        (tmp_path / "source.properties").write_text(text)
    assert read_ndk(tmp_path) is None


def test_the_compiler_of_the_api_level_builds_with_llvms_archiver(tmp_path: Path) -> None:
    folder = ndk(tmp_path / "ndk", "25.1.8937393")
    found = resolve(Places(str(folder)))
    assert found.cxx == found.linker == str(folder / BIN / "armv7a-linux-androideabi21-clang++")
    assert (found.family, found.ar, found.sdk) == ("clang", str(folder / BIN / "llvm-ar"), "NDK r25b")
    cpu = ("-march=armv7-a", "-mfloat-abi=softfp", "-mfpu=neon")
    assert found.flags == ("-fno-unique-section-names", *cpu)
    assert found.link_flags == ("-static-libstdc++", *cpu, "-Wl,--gc-sections")


def test_r21_has_gnu_binutils(tmp_path: Path) -> None:
    found = resolve(Places(str(ndk(tmp_path / "ndk", "21.4.7075529"))))
    assert Path(found.ar).name == f"{GNU}-ar"


def test_the_order_of_places(tmp_path: Path) -> None:
    given, named = ndk(tmp_path / "given", "25.2.1"), ndk(tmp_path / "named", "26.0.1")
    for revision in ("18.1.1", "23.0.1", "24.0.1"):
        ndk(tmp_path / "sdk/ndk" / revision, revision)
    bundle = ndk(tmp_path / "bundle/ndk-bundle", "21.0.1")
    sdk = {"ANDROID_HOME": str(tmp_path / "sdk"), "ANDROID_SDK_ROOT": str(tmp_path / "bundle")}
    named_too = {"ANDROID_NDK_HOME": str(named), **sdk}
    assert resolve(Places(str(given), named_too)).root == str(given)
    assert resolve(Places("", named_too)).root == str(named)
    assert resolve(Places("", sdk)).root == str(tmp_path / "sdk/ndk/24.0.1")
    assert resolve(Places("", {"ANDROID_SDK_ROOT": sdk["ANDROID_SDK_ROOT"]})).root == str(bundle)


def test_no_ndk_is_told_with_all_that_was_looked_at(tmp_path: Path) -> None:
    message = error_of(Places("", {"ANDROID_HOME": str(tmp_path), "NDK_ROOT": ""}))
    assert message == (
        "ANDROID armeabi-v7a needs NDK r19 or later for TensorFlow 2.14.1 with ndk-clang; none found: no "
        "NDK_ROOT= given, ANDROID_NDK_ROOT, ANDROID_NDK_HOME, ANDROID_NDK, NDK_ROOT not set, nothing in "
        f"{tmp_path}/ndk/*, $ANDROID_SDK_ROOT/ndk/*, {tmp_path}/ndk-bundle, $ANDROID_SDK_ROOT/ndk-bundle, "
        f"{SDK_FOLDERS}. {HOW}<its folder>."
    )


def test_a_folder_that_is_no_ndk_is_told(tmp_path: Path) -> None:
    assert error_of(Places(str(tmp_path))) == (
        f"NDK_ROOT={tmp_path}: no NDK there (neither source.properties nor RELEASE.TXT tells a revision); "
        "give the folder that holds ndk-build."
    )


def test_gcc_left_with_r18(tmp_path: Path) -> None:
    folder = ndk(tmp_path / "ndk", "21.4.7075529")
    assert error_of(Places(str(folder)), release="1.8.0", name="ndk-gcc") == (
        f"NDK_ROOT={folder} is NDK r21e; ANDROID armeabi-v7a needs NDK r10e to r17 for TensorFlow 1.8.0 with "
        "ndk-gcc. NDK r21e has no GCC (r18 removed it, tensorflow/tensorflow#15322): 1.8.0 builds with its "
        "clang, TOOLCHAIN=ndk-clang; or pass NDK_ROOT= of an NDK r10e to r17."
    )


def test_an_old_ndk_is_refused_with_what_builds_with_it(tmp_path: Path) -> None:
    folder = ndk(tmp_path / "ndk", "12.1.2977051")
    assert error_of(Places("", {"ANDROID_NDK": str(folder)}), release="1.8.0") == (
        f"$ANDROID_NDK={folder} is NDK r12b; ANDROID armeabi-v7a needs NDK r15 or later for TensorFlow 1.8.0 "
        "with ndk-clang. The clang of NDK r12b is too old: 1.8.0 builds with its GCC, TOOLCHAIN=ndk-gcc; or "
        "pass NDK_ROOT= of an NDK r15 or later."
    )


def test_a_release_pins_its_own_range(tmp_path: Path) -> None:
    folder = ndk(tmp_path / "ndk", "17.2.4988734")
    assert error_of(Places(str(folder))) == (
        f"NDK_ROOT={folder} is NDK r17c; ANDROID armeabi-v7a needs NDK r19 or later for TensorFlow 2.14.1 "
        "with ndk-clang. Pass NDK_ROOT= of an NDK r19 or later."
    )


@pytest.mark.parametrize(
    ("revision", "name", "api", "floor"),
    [
        pytest.param("21.4.1", "r21e", "15", "16", id="r21"),
        pytest.param("25.0.1", "r25", "18", "19", id="r25"),
        pytest.param("26.3.1", "r26d", "19", "21", id="r26"),
    ],
)
def test_an_api_below_the_ndks_floor(tmp_path: Path, revision: str, name: str, api: str, floor: str) -> None:
    assert error_of(Places(str(ndk(tmp_path / "ndk", revision))), api=api) == (
        f"API={api}: {floor} is the oldest of NDK {name}; pass API={floor} or later."
    )


def test_an_api_below_the_archs_floor(tmp_path: Path) -> None:
    assert error_of(Places(str(ndk(tmp_path / "ndk", "21.4.1"))), arch="arm64-v8a", api="19") == (
        "API=19: 21 is the oldest of ANDROID arm64-v8a; pass API=21 or later."
    )


def test_an_api_that_the_ndk_has_no_compiler_for(tmp_path: Path) -> None:
    folder = ndk(tmp_path / "ndk", "25.0.1", apis=(21, 24))
    assert error_of(Places(str(folder)), api="23") == (
        f"API=23: NDK r25 has no {BIN}/armv7a-linux-androideabi23-clang++; pass API= one that it has. "
        "Known: 21, 24."
    )


def test_a_program_that_is_missing_is_named(tmp_path: Path) -> None:
    folder = ndk(tmp_path / "ndk", "25.0.1")
    (folder / BIN / "llvm-nm").unlink()
    assert error_of(Places(str(folder))) == (
        f"NDK r25 in {folder} has no {BIN}/llvm-nm; unpack it anew, or pass NDK_ROOT= of another."
    )


def test_armeabi_is_for_1_8_0_and_ndks_before_r17(tmp_path: Path) -> None:
    with pytest.raises(TfcrossError) as raised:
        load_profile(ROOT, "ANDROID", "armeabi", "2.14.1")
    assert str(raised.value) == (
        "targets/ANDROID.yaml: arch 'armeabi' is for TensorFlow 1.8.0; pass RELEASE=, or another ARCH=."
    )
    folder = ndk(tmp_path / "ndk", "17.2.1")
    assert error_of(Places(str(folder)), arch="armeabi", release="1.8.0").startswith(
        f"NDK_ROOT={folder} is NDK r17c; ANDROID armeabi needs NDK r15 to r16 for TensorFlow 1.8.0 with ndk-"
    )


def test_the_ndks_folder_is_in_no_portable_flag(tmp_path: Path) -> None:
    folder = ndk(tmp_path / "ndk", "25.0.1")
    found = resolve(Places(str(folder)))
    assert str(folder) not in found.identity + "".join(found.portable_flags)


@pytest.mark.parametrize("knows", [True, False])
def test_an_old_clang_is_not_asked_for_what_it_does_not_know(tmp_path: Path, knows: bool) -> None:
    folder = ndk(tmp_path / "ndk", "21.4.7075529")
    if not knows:
        path = folder / BIN / "armv7a-linux-androideabi21-clang++"
        refuse = '-fpch-instantiate-templates*) echo "error: unknown argument"; exit 1 ;;'
        path.write_text(path.read_text().replace(" *-dM*)", f" {refuse}\n*-dM*)", 1))
    creation = resolve(Places(str(folder))).pch_creation
    assert creation == (*(["-fpch-instantiate-templates"] if knows else []), "-Xclang", "-fno-pch-timestamp")
