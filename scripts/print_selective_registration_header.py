#!/usr/bin/env python3
"""Print the header that keeps just the ops and kernels of some graphs in a TensorFlow build.

    scripts/print_selective_registration_header.py --graphs=a.pb,b.pb [TARGET=PI ...] > ops_to_register.h

Build TensorFlow with -DSELECTIVE_REGISTRATION and the header on the include path. It takes the options of
TensorFlow's own tool of that name and the words of a build (TARGET=, RELEASE=, NDK_ROOT=, HOST_OS=, ...), and
needs no TensorFlow: the release's sources tell which kernel a node gets, as they tell a build.
"""

from __future__ import annotations

import argparse
import gc
import sys
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tfcross.cli import script  # noqa: E402

script.start(ROOT)

from tfcross.cli.options import Options, parse_options  # noqa: E402
from tfcross.cli.request import release_registry  # noqa: E402
from tfcross.cli.variables import VARIABLES  # noqa: E402
from tfcross.cli.words import variables_of  # noqa: E402
from tfcross.errors import TfcrossError, known  # noqa: E402
from tfcross.registry.sources import DESKTOP, ReleaseRegistry  # noqa: E402
from tfcross.releases.coreset import load_core  # noqa: E402
from tfcross.releases.release import load_release  # noqa: E402
from tfcross.selection import upstream_header, upstream_pairs  # noqa: E402
from tfcross.selection.rule import KernelRule  # noqa: E402
from tfcross.targets.target import find_host  # noqa: E402

DEFAULT_OPS = "NoOp:NoOp,_Recv:RecvOp,_Send:SendOp"
#: The options that say the same as a word of a build, and that word's name.
WORDS = {
    "release": "RELEASE",
    "target": "TARGET",
    "arch": "ARCH",
    "toolchain": "TOOLCHAIN",
    "types": "TYPES",
    "source_dir": "SOURCE_DIR",
}
TYPES = (DESKTOP, *next(variable.allowed for variable in VARIABLES if variable.name == "TYPES"))


class Parser(argparse.ArgumentParser):
    """Mistakes are TfcrossErrors; each option can be spelled with one dash or two, with _ or -."""

    def error(self, message: str) -> NoReturn:
        raise TfcrossError(f"{message}; see {Path(self.prog).name} --help.")

    def option(self, name: str, default: str | None, text: str) -> None:
        spellings = dict.fromkeys(dash + n for n in (name, name.replace("_", "-")) for dash in ("--", "-"))
        self.add_argument(*spellings, dest=name, default=default, help=text, metavar="…")


def make_parser() -> Parser:
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    styles, forms = "|".join(upstream_header.STYLES), "|".join(upstream_pairs.FORMATS)
    parser.option("graphs", None, "graph files, or lists of ops, separated by commas")
    parser.option("proto_fileformat", upstream_pairs.RAW, f"what they are: {forms} (default: rawproto)")
    parser.option(
        "default_ops", DEFAULT_OPS, f"op:kernel pairs to keep in any case, or all (default: {DEFAULT_OPS})"
    )
    parser.option(
        "style", "upstream", f"{styles}: hashed compiles fast however much is kept (default: upstream)"
    )
    parser.option("release", "", f"TensorFlow release (default: {parse_options({}).release})")
    parser.option("target", "", "whose compiler and defines decide (default: this machine)")
    parser.option("arch", "", "arch of the target (default: the target's own)")
    parser.option("toolchain", "", "another toolchain than the target pins")
    parser.option(
        "types", "", f"slim|full|{DESKTOP}: the kernels' types (default: full; without target {DESKTOP})"
    )
    parser.option("source", "", "folder of a TensorFlow tree to take instead of the release's")
    parser.option("source_dir", "", "folder of downloaded source files, looked into before any network")
    parser.add_argument("--offline", "-offline", action="store_true", help="touch no network")
    parser.add_argument("words", nargs="*", metavar="NAME=VALUE", help="the words of a build")
    return parser


def parse(words: list[str]) -> argparse.Namespace:
    """The command line. Raises TfcrossError, also for values that are not allowed."""
    parser = make_parser()
    chosen = parser.parse_intermixed_args(words)
    if chosen.graphs is None:
        parser.error("--graphs is missing: pass graph files, separated by commas")
    _check("proto_fileformat", chosen.proto_fileformat, upstream_pairs.FORMATS)
    _check("style", chosen.style, upstream_header.STYLES)
    if chosen.types:
        _check("types", chosen.types, TYPES)
    chosen.build = build_options(chosen)
    return chosen


def build_options(chosen: argparse.Namespace) -> Options:
    """The options of a build by these words; its types can be DESKTOP, its target none."""
    words = variables_of(chosen.words, "scripts/print_selective_registration_header.py")
    for option, name in WORDS.items():
        _say_once(words, name, f"--{option}", getattr(chosen, option))
    if chosen.source:
        release = load_release(ROOT, parse_options(words).release)
        _say_once(words, f"SOURCE_{load_core(release.folder).tree}", "--source", chosen.source)
    if chosen.offline:
        words["OFFLINE"] = "1"
    desktop = words.get("TYPES") == DESKTOP
    if desktop:
        del words["TYPES"]
    options = parse_options(words, types="full" if words.get("TARGET") and not desktop else DESKTOP)
    if options.models:
        raise TfcrossError(f"MODEL={words['MODEL']}: not for this script; write --graphs={words['MODEL']}.")
    return options


def _say_once(words: dict[str, str], name: str, option: str, value: str) -> None:
    """Let ``words`` say under ``name`` what ``option`` does."""
    if value and words.setdefault(name, value) != value:
        raise TfcrossError(f"{option}={value} and {name}={words[name]} contradict each other; give one only.")


def _check(option: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise TfcrossError(f"--{option}={value}: unknown value. {known(allowed)}")


def make_header(chosen: argparse.Namespace) -> str:
    """The header's text; warnings go to stderr. A mistake in a graph is told before anything is fetched."""
    names = [name.strip() for name in chosen.graphs.split(",")]
    if not all(names):
        raise TfcrossError(f"--graphs={chosen.graphs}: an empty name; give paths separated by single commas.")
    paths = [Path(name) for name in names]
    everything = chosen.default_ops == "all"
    pairs = set() if everything else set(upstream_pairs.parse_default_ops(chosen.default_ops))
    if chosen.proto_fileformat == upstream_pairs.OPS_LIST:
        pairs.update(*map(upstream_pairs.read_ops_list, paths))
    else:
        graphs = [upstream_pairs.read_graph(path, chosen.proto_fileformat) for path in paths]
        pairs |= set() if everything else pairs_of(graphs, chosen)
    return upstream_header.selective_header(None if everything else pairs, chosen.style)


def pairs_of(graphs: list[upstream_pairs.GraphNodes], chosen: argparse.Namespace) -> set[upstream_pairs.Pair]:
    """What ``graphs`` need of the release; tells on stderr what is left out."""
    release = requested_registry(chosen)
    rule = KernelRule(release.registry(chosen.build.types), inserted=release.core.inserted)
    pairs: set[upstream_pairs.Pair] = set()
    for graph in graphs:
        picked = upstream_pairs.pick_pairs(graph, rule)
        print("".join(f"warning: {line}\n" for line in picked.warnings), end="", file=sys.stderr)
        pairs |= picked.pairs
    return pairs


def requested_registry(chosen: argparse.Namespace) -> ReleaseRegistry:
    """The release as a build with these words has it; without a target for this machine."""
    target = chosen.build.target or find_host(ROOT, chosen.build.host_os)
    return release_registry(ROOT, replace(chosen.build, target=target))


def main(words: list[str]) -> int:
    gc.disable()  # one run, which ends before there is much to collect
    print(make_header(parse(words)), end="")
    return 0


if __name__ == "__main__":
    sys.exit(script.run(main, lambda: make_parser().format_help()))
