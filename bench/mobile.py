#!/usr/bin/env python3
"""Build the example's library for Android and iOS, with stand-ins for an NDK and for Xcode, and check it.

    bench/mobile.py                              # both targets and releases: half an hour on two cores
    bench/mobile.py ANDROID --release 2.14.1 --model mnist_beginner.pb
    bench/mobile.py ANDROID --release 1.8.0 --arch x86_64 --program libtensorflow_inference.so

The NDK and Xcode are those of tests/integration (constructed_ndk.py, constructed_xcode.py): real compilers
for Android's and Apple's triples over public headers and libraries. Android's app runs under qemu; of iOS's
the load commands and constructors are read. The JNI library for x86-64 is loaded by this machine's Java and
classifies the digits. Sources are taken from --source-dir, if they are there.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests/integration")]

from tfcross.cli import script  # noqa: E402

script.start(ROOT)

from constructed_ndk import ABIS, construct_ndk  # noqa: E402
from constructed_xcode import construct_xcode  # noqa: E402
from macholib.mach_o import LC_BUILD_VERSION, LC_SEGMENT_64  # noqa: E402
from macholib.MachO import MachO  # noqa: E402

from tfcross import environment  # noqa: E402

MODEL = "examples/digits/digits.pb"
RELEASES = ("2.14.1", "1.8.0")


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("targets", nargs="*", default=["ANDROID", "IOS"])
    parser.add_argument("--model", default=MODEL, help="default: the example's")
    parser.add_argument("--arch", default="", help="default: the target's")
    parser.add_argument("--release", action="append", help="default: both")
    parser.add_argument("--source-dir", default="", help="SOURCE_DIR of the builds")
    parser.add_argument("--work", type=Path, default=Path("/var/tmp/tfcross-mobile"))
    parser.add_argument("--program", action="append", default=[], help="too, as libtensorflow_inference.so")
    options = parser.parse_args(words)
    for target in options.targets:
        for release in options.release or RELEASES:
            if not build(target, release, options):
                return 1
    return 0


def build(target: str, release: str, options: argparse.Namespace) -> bool:
    words = [
        f"TARGET={target}",
        f"RELEASE={release}",
        f"MODEL={options.model}",
        f"OUT={options.work / release}",
    ]
    words += [f"SOURCE_DIR={options.source_dir}"] if options.source_dir else []
    words += [f"ARCH={options.arch}"] if options.arch else []
    path = environment.path()
    if target == "ANDROID":
        abi = options.arch or "armeabi-v7a"
        ndk = options.work / "ndk"
        if not (ndk / "stubs" / ABIS[abi].debian / "liblog.a").exists():
            construct_ndk(ndk, "r25c", abi)
        words += [f"NDK_ROOT={ndk}", f"EMULATOR={ABIS[abi].emulator}"]
    else:
        xcode = options.work / "xcode/path"
        path = f"{xcode if xcode.exists() else construct_xcode(options.work / 'xcode')}:{path}"
    done = run([*words, *options.program], path, options.work / release)
    if done and target == "IOS":
        for path in (ROOT / "build").glob(f"IOS-*/{release}-xcode-*/models/*/proof0/*.checked"):
            describe(path.with_suffix(""))
    library = options.work / release / "ANDROID-x86_64/lib/libtensorflow_inference.so"
    if done and options.arch == "x86_64" and options.program:
        classify_in_java(library.parent, options.work / "java")
    return done


def classify_in_java(libraries: Path, work: Path) -> None:
    """Load Android's library for x86-64 into this machine's Java, whose C library it is linked with here."""
    work.mkdir(parents=True, exist_ok=True)
    jar = libraries / "tensorflow-inference.jar"
    sources = [ROOT / "bench/Classify.java", *(ROOT / "templates/android").rglob("*.java")]
    subprocess.run(["javac", "-nowarn", "-cp", jar, "-d", work, *sources], check=True)
    java = ["java", f"-Djava.library.path={libraries}", "-cp", f"{jar}:{work}", "Classify"]
    subprocess.run([*java, ROOT / MODEL, ROOT / MODEL.replace(".pb", ".csv")], check=True)


def describe(app: Path) -> None:
    """What is in the linked app: its platform and minimum version, and how many constructors it has."""
    (header,) = MachO(str(app)).headers
    for load, command, data in header.commands:
        if load.cmd == LC_BUILD_VERSION:
            minimum = int(command.minos)
            print(f"  {app}: platform {int(command.platform)}, minimum {minimum >> 16}.{minimum >> 8 & 255}")
        for section in data if load.cmd == LC_SEGMENT_64 else ():
            if section.sectname.startswith(b"__mod_init_func"):
                print(f"  {section.size // 8} constructors")


def run(words: list[str], path: str, out: Path) -> bool:
    scons = Path(sys.executable).parent / "scons"
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    own = {**environment.system_environment(), "PATH": path}
    status = subprocess.run([scons, *words], cwd=ROOT, env=own, check=False).returncode
    used, seconds = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic() - begun
    cpu = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
    print(f"{' '.join(words)}: {'built' if status == 0 else 'FAILED'} in {seconds:.0f} s, {cpu:.0f} CPU s")
    for archive in sorted(out.glob("*/lib/*")) if status == 0 else []:
        print(f"  {archive.relative_to(out)}: {archive.stat().st_size / 1e6:.1f} MB")
    return status == 0


if __name__ == "__main__":
    sys.exit(script.run(main, None))
