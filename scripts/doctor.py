#!/usr/bin/env python3
"""Say what this machine has and lacks for a build; each red line is followed by the command that mends it.

Usage: scripts/doctor.py [TARGET=PI] [ARCH=armv7] [RELEASE=…] [TOOLCHAIN=…] [TOOLCHAIN_ROOT=…] [NDK_ROOT=…]
                         [API=…] [OFFLINE=1]

Without TARGET every target is looked at, without ARCH its default.

Exit status: 0 if all is green, 1 if something is red, 2 for wrong usage.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tfcross.cli import script  # noqa: E402

script.start(ROOT)

from tfcross import environment  # noqa: E402
from tfcross.cli.doctor import Check, Machine, check_machine, check_sources, check_target  # noqa: E402
from tfcross.cli.options import Options, parse_options  # noqa: E402
from tfcross.cli.words import variables_of  # noqa: E402
from tfcross.releases.release import load_release  # noqa: E402
from tfcross.sources.origins.network import Network  # noqa: E402
from tfcross.sources.origins.progress import Progress  # noqa: E402
from tfcross.sources.store import Store  # noqa: E402
from tfcross.targets.profile import load_host_profile, load_profile  # noqa: E402
from tfcross.targets.target import find_host, known_targets, own_arch  # noqa: E402
from tfcross.toolchains.toolchain import Places  # noqa: E402


def main(words: list[str]) -> int:
    options = parse_options(variables_of(words, "scripts/doctor.py"))
    checks = list(dict.fromkeys(_checks(options)))
    green, red, plain = ("\033[32m", "\033[31m", "\033[0m") if sys.stdout.isatty() else ("", "", "")
    for check in checks:
        print(f"{green}ok  {plain}" if check.ok else f"{red}RED {plain}", f"{check.name}: {check.found}")
        if not check.ok:
            print(f"       {check.mend}")
    return int(any(not check.ok for check in checks))


def _checks(options: Options) -> Iterator[Check]:
    release = load_release(ROOT, options.release)
    store = environment.cache_folder()
    network = Network(Store(store), Progress(False), release.sources.values())
    offline = "OFFLINE=1 touches no network" if options.offline else ""
    places = Places(options.ndk_root, environment.sdk_places())
    machine = Machine(
        ROOT, environment.path(), store, lambda origin: offline or network.refusal(origin), places
    )
    yield from check_machine(machine)
    here = find_host(ROOT, options.host_os)
    host = load_host_profile(ROOT, options.release, here)
    for target in [options.target] if options.target else _targets(here):
        profile = load_profile(
            ROOT, target, options.arch or None, options.release, host=here, api=options.api
        )
        yield from check_target(machine, profile, host, options.toolchain, options.toolchain_root)
    yield from check_sources(machine, release)


def _targets(here: str) -> list[str]:
    """All that can be built for from here: of those that stand for the machine that builds, this one."""
    return [name for name in known_targets(ROOT) if name == here or own_arch(ROOT, name) is None]


if __name__ == "__main__":
    sys.exit(script.run(main, __doc__))
