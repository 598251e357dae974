#!/usr/bin/env python3
"""Print the header that keeps just the ops and kernels of some graphs in a TensorFlow build.

    scripts/print_selective_registration_header.py --graphs=a.pb,b.pb > ops_to_register.h

Build TensorFlow with -DSELECTIVE_REGISTRATION and the header on the include path. It takes the options of
TensorFlow's own tool of that name, and needs no TensorFlow: the release's sources tell which kernel a node
gets.
"""

from __future__ import annotations

import argparse
import gc
import platform
import sys
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tfcross.cli import script  # noqa: E402

script.start(ROOT)

from tfcross import environment  # noqa: E402
from tfcross.capacity import core_count  # noqa: E402
from tfcross.cli.options import parse_options  # noqa: E402
from tfcross.errors import TfcrossError, known  # noqa: E402
from tfcross.registry.data import load_registry_data  # noqa: E402
from tfcross.registry.registry import Registry, build_registry  # noqa: E402
from tfcross.releases.coreset import CoreSet, load_core  # noqa: E402
from tfcross.releases.release import Release, load_release  # noqa: E402
from tfcross.selection import upstream_header, upstream_pairs  # noqa: E402
from tfcross.selection.rule import KernelRule  # noqa: E402
from tfcross.sources.fetch import fetch_sources  # noqa: E402
from tfcross.targets.profile import load_profile  # noqa: E402
from tfcross.toolchains.families import resolve_toolchain  # noqa: E402
from tfcross.toolchains.toolchain import Places  # noqa: E402

DEFAULT_OPS = "NoOp:NoOp,_Recv:RecvOp,_Send:SendOp"
#: The kernels of TensorFlow's Python package: none of the release's own defines for devices.
DESKTOP = "desktop"


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
    parser.option("release", parse_options({}).release, "TensorFlow release (default: %(default)s)")
    parser.option("target", "", "whose compiler and defines decide (default: this machine)")
    parser.option("arch", "", "arch of the target (default: the target's own)")
    parser.option("toolchain", "", "another toolchain than the target pins")
    parser.option(
        "types", "", f"slim|full|{DESKTOP}: the kernels' types (default: full; without target {DESKTOP})"
    )
    parser.option("source", "", "folder of a TensorFlow tree to take instead of the release's")
    parser.option("source_dir", "", "folder of downloaded source files, looked into before any network")
    parser.add_argument("--offline", "-offline", action="store_true", help="touch no network")
    return parser


def parse(words: list[str]) -> argparse.Namespace:
    """The command line. Raises TfcrossError, also for values that are not allowed."""
    parser = make_parser()
    chosen = parser.parse_args(words)
    if chosen.graphs is None:
        parser.error("--graphs is missing: pass graph files, separated by commas")
    _check("proto_fileformat", chosen.proto_fileformat, upstream_pairs.FORMATS)
    _check("style", chosen.style, upstream_header.STYLES)
    return chosen


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
    release = load_release(ROOT, chosen.release)
    core = load_core(release.folder)
    registry = load_registry(release, core, chosen)
    pairs: set[upstream_pairs.Pair] = set()
    for graph in graphs:
        picked = upstream_pairs.pick_pairs(graph, KernelRule(registry, inserted=core.inserted))
        print("".join(f"warning: {line}\n" for line in picked.warnings), end="", file=sys.stderr)
        pairs |= picked.pairs
    return pairs


def load_registry(release: Release, core: CoreSet, chosen: argparse.Namespace) -> Registry:
    """What the release's sources register for the target."""
    types = chosen.types or ("full" if chosen.target else DESKTOP)
    _check("types", types, (*core.types, DESKTOP))
    target = chosen.target or platform.system().upper()
    defines = () if types == DESKTOP else (*core.defines, *core.type_defines(types))
    profile = load_profile(ROOT, target, chosen.arch or None, release.version)
    toolchain = resolve_toolchain(
        ROOT, chosen.toolchain, profile, environment.path(), "", places=Places("", environment.sdk_places())
    )
    tree = fetch_sources(
        release,
        [core.tree],
        store=environment.cache_folder(),
        source_dir=Path(chosen.source_dir) if chosen.source_dir else None,
        overrides={core.tree: Path(chosen.source)} if chosen.source else {},
        offline=chosen.offline,
        progress=True,
    )[core.tree]
    return build_registry(
        data=load_registry_data(release.folder),
        include_root=tree.path,
        compiler=[toolchain.cxx, *toolchain.flags, f"-std={core.cxx_standard}"],
        defines=[*defines, *profile.defines],
        jobs=core_count(),
        tree_id=tree.stamp.read_text(),
        compiler_id=toolchain.identity,
        cache=environment.cache_folder() / "registry",
    )


def main(words: list[str]) -> int:
    gc.disable()  # one run, which ends before there is much to collect
    print(make_header(parse(words)), end="")
    return 0


if __name__ == "__main__":
    sys.exit(script.run(main, lambda: make_parser().format_help()))
