"""The pinned toolchains as installed on this machine: what they compile, link and run."""

from __future__ import annotations

import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from tfcross import environment
from tfcross.targets.profile import Profile, load_profile
from tfcross.toolchains.families import resolve_toolchain
from tfcross.toolchains.toolchain import Toolchain

ROOT = Path(__file__).parents[2]
TOOLCHAINS = ("gcc-12", "clang-14")
#: Multiplies and adds four floats at once, which only NEON with fused multiply-add does.
NEON = """
#include <arm_neon.h>
#include <cstdio>
#include <vector>
int main() {
  std::vector<float> x{1, 2, 3, 4};
  float32x4_t v = vld1q_f32(x.data());
  vst1q_f32(x.data(), vfmaq_f32(v, v, v));
  std::printf("%g %g %g %g\\n", x[0], x[1], x[2], x[3]);
}
"""
#: 64-bit atomics, which armv6 has no instruction for.
ATOMIC = """
#include <atomic>
#include <cstdio>
#include <thread>
std::atomic<long long> sum{40};
int main() {
  std::thread([] { sum += 2; }).join();
  std::printf("%lld\\n", sum.load());
}
"""


def resolve(profile: Profile, name: str, launcher: str = "") -> Toolchain:
    return resolve_toolchain(ROOT, name, profile, environment.path(), launcher)


def build(folder: Path, profile: Profile, toolchain: Toolchain, source: str) -> Path:
    """Compiles with the toolchain's compiler and links with its linker, as the build does."""
    (folder / "app.cc").write_text(source)
    compile_ = [*toolchain.launcher, toolchain.cxx, *toolchain.flags, "-std=c++11", "-O1", "-Wall", "-Werror"]
    libraries = [f"-l{name}" for name in profile.libraries]
    for command in (
        [*compile_, "-c", "app.cc", "-o", "app.o"],
        [toolchain.linker, *toolchain.link_flags, "app.o", "-o", "app", *libraries],
    ):
        subprocess.run(command, cwd=folder, env=environment.compiler_environment(), check=True)
    return folder / "app"


def run(profile: Profile, app: Path, *extra: str) -> subprocess.CompletedProcess[str]:
    """Runs ``app`` as the profile says; ``extra`` arguments go to the emulator, where the last one wins."""
    emulator = profile.emulator
    before = [emulator.program, *emulator.arguments, *extra] if emulator else []
    return subprocess.run([*before, str(app)], capture_output=True, text=True, check=False, cwd=app.parent)


def arm_attributes(file: Path) -> dict[str, int | str]:
    """What ``readelf -A`` shows of the file itself: tag to value."""
    with file.open("rb") as stream:
        section = ELFFile(stream).get_section_by_name(".ARM.attributes")
        attributes = next(section.iter_subsections()).iter_subsubsections()
        return {str(attribute.tag): attribute.value for attribute in next(attributes).iter_attributes()}


@pytest.mark.parametrize("name", TOOLCHAINS)
def test_the_armv7_code_has_neon_with_fused_multiply_add_and_hard_float(tmp_path: Path, name: str) -> None:
    profile = load_profile(ROOT, "PI", "armv7", "2.14.1")
    build(tmp_path, profile, resolve(profile, name), NEON)
    attributes = arm_attributes(tmp_path / "app.o")
    assert attributes["TAG_CPU_ARCH"] == 10  # v7
    assert attributes["TAG_FP_ARCH"] == 5  # VFPv4
    assert attributes["TAG_ADVANCED_SIMD_ARCH"] == 2  # NEONv1 with fused multiply-add
    assert attributes["TAG_ABI_VFP_ARGS"] == 1  # arguments in VFP registers


@pytest.mark.parametrize("name", TOOLCHAINS)
def test_the_armv7_app_runs_on_a_cortex_a7_and_dies_on_an_arm1176(tmp_path: Path, name: str) -> None:
    profile = load_profile(ROOT, "PI", "armv7", "2.14.1")
    app = build(tmp_path, profile, resolve(profile, name), NEON)
    assert run(profile, app).stdout == "2 6 12 20\n"
    assert run(profile, app, "-cpu", "arm1176").returncode == -signal.SIGILL


@pytest.mark.parametrize("name", TOOLCHAINS)
def test_the_armv6_code_has_no_neon_and_its_atomics_link(tmp_path: Path, name: str) -> None:
    profile = load_profile(ROOT, "PI", "armv6", "2.14.1")
    app = build(tmp_path, profile, resolve(profile, name), ATOMIC)
    attributes = arm_attributes(tmp_path / "app.o")
    assert attributes["TAG_CPU_ARCH"] == 6  # v6
    assert attributes["TAG_FP_ARCH"] == 2  # VFPv2
    assert "TAG_ADVANCED_SIMD_ARCH" not in attributes
    assert run(profile, app).stdout == "42\n"


def undefined(toolchain: Toolchain, file: Path) -> set[str]:
    listed = subprocess.run(
        [toolchain.nm, "-u", str(file)], capture_output=True, text=True, check=True
    ).stdout
    return set(listed.split()) - {"U", "w"}


def test_only_armv6_calls_libatomic_and_without_it_nothing_links(tmp_path: Path) -> None:
    for arch, calls in (("armv7", set()), ("armv6", {"__atomic_fetch_add_8", "__atomic_load_8"})):
        profile = load_profile(ROOT, "PI", arch, "1.8.0")
        toolchain = resolve(profile, "gcc-12")
        assert "atomic" in toolchain.fitted(profile).libraries
        build(tmp_path, profile, toolchain, ATOMIC)
        assert {name for name in undefined(toolchain, tmp_path / "app.o") if "atomic" in name} == calls
    with pytest.raises(subprocess.CalledProcessError):
        build(tmp_path, replace(profile, libraries=("pthread",)), toolchain, ATOMIC)


def test_the_release_that_pins_gcc_4_8_builds_with_gcc_12_by_name() -> None:
    profile = load_profile(ROOT, "PI", "armv7", "1.8.0")
    found = resolve(profile, "gcc-12")
    flags = ("--sysroot=/usr/arm-linux-gnueabihf", *profile.ccflags)
    assert (found.name, found.flags, found.fitted(profile)) == ("gcc-12", flags, profile)


@pytest.mark.parametrize("name", TOOLCHAINS)
def test_the_books_flags_are_taken_after_the_profiles(tmp_path: Path, name: str) -> None:
    profile = load_profile(ROOT, "PI", "armv7", "1.8.0")
    book = ("-Os", "-mfpu=neon-vfpv4", "-funsafe-math-optimizations", "-ftree-vectorize")
    toolchain = resolve(profile, name)
    app = build(tmp_path, profile, replace(toolchain, flags=(*toolchain.flags, *book)), NEON)
    assert run(profile, app).stdout == "2 6 12 20\n"


@pytest.mark.parametrize("name", TOOLCHAINS)
def test_the_64_bit_app_runs(tmp_path: Path, name: str) -> None:
    profile = load_profile(ROOT, "PI", "aarch64", "2.14.1")
    app = build(tmp_path, profile, resolve(profile, name), NEON)
    with app.open("rb") as stream:
        assert ELFFile(stream).get_machine_arch() == "AArch64"
    assert run(profile, app).stdout == "2 6 12 20\n"


@pytest.mark.parametrize("name", TOOLCHAINS)
def test_this_machines_app_runs_by_itself(tmp_path: Path, name: str) -> None:
    profile = load_profile(ROOT, "LINUX", None, "2.14.1")
    assert run(profile, build(tmp_path, profile, resolve(profile, name), ATOMIC)).stdout == "42\n"


def test_clang_and_gcc_take_the_same_c_plus_plus_library() -> None:
    profile = load_profile(ROOT, "PI", "armv7", "2.14.1")
    assert resolve(profile, "clang-14").linker == resolve(profile, "gcc-12").cxx


@pytest.mark.parametrize("name", TOOLCHAINS)
def test_a_precompiled_header_is_used(tmp_path: Path, name: str) -> None:
    profile = load_profile(ROOT, "PI", "armv7", "2.14.1")
    toolchain = resolve(profile, name)
    header = tmp_path / "first.h"
    header.write_text("inline int answer() { return 42; }\n")
    compiled = f"{header}{toolchain.pch_suffix}"
    compiler = [toolchain.cxx, *toolchain.flags]
    subprocess.run([*compiler, "-x", "c++-header", str(header), "-o", compiled], check=True)
    header.rename(tmp_path / "gone.h")  # only the precompiled form is left, so it must be what is read
    (tmp_path / "use.cc").write_text("int main() { return answer(); }\n")
    if toolchain.family == "clang":  # clang checks that the header is still what it was
        (tmp_path / "gone.h").rename(header)
    use = [
        *compiler,
        *toolchain.pch_flags(str(header)),
        "-c",
        str(tmp_path / "use.cc"),
        "-o",
        str(tmp_path / "o"),
    ]
    subprocess.run(use, check=True)


def test_a_launcher_starts_the_compiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CCACHE_DIR", str(tmp_path / "ccache"))
    profile = load_profile(ROOT, "PI", "armv7", "2.14.1")
    toolchain = resolve(profile, "gcc-12", "ccache")
    build(tmp_path, profile, toolchain, ATOMIC)
    counts = subprocess.run(
        [*toolchain.launcher, "--print-stats"],
        env=environment.compiler_environment(),
        capture_output=True,
        text=True,
    ).stdout.split()
    assert counts[counts.index("cache_miss") + 1] == "1"


def test_identities_differ_by_compiler_and_target_and_are_cheap() -> None:
    pi = load_profile(ROOT, "PI", "armv7", "2.14.1")
    pi64 = load_profile(ROOT, "PI", "aarch64", "2.14.1")
    resolve(pi, "clang-14")  # programs are in the page cache from here on
    start = time.monotonic()
    found = [resolve(profile, name).identity for profile in (pi, pi64) for name in TOOLCHAINS]
    assert time.monotonic() - start < 4 * 1.0
    assert len(set(found)) == 4
    assert found[0] == resolve(pi, "gcc-12").identity


@pytest.mark.parametrize("name", TOOLCHAINS)
def test_a_cross_compiler_does_not_look_into_this_machines_own_headers(name):
    toolchain = resolve(load_profile(ROOT, "PI", "armv7", "2.14.1"), name)
    asked = [toolchain.cxx, *toolchain.flags, "-x", "c++", "-E", "-v", "/dev/null"]
    said = subprocess.run(
        asked, env=environment.compiler_environment(), capture_output=True, text=True, check=True
    )
    searched = said.stderr.partition("#include <...>")[2].partition("End of search list")[0].split("\n ")[1:]
    folders = {str(Path(folder.strip()).resolve()) for folder in searched}
    assert "/usr/arm-linux-gnueabihf/include" in folders
    assert folders.isdisjoint({"/usr/include", "/usr/local/include"})
