"""Nodes that measure an app: what its bytes are made of, whether it keeps within its budget, reports."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

from tfcross import programs
from tfcross.binary.macho import symbol_sizes
from tfcross.binary.sizes import measure, over_budget, table
from tfcross.binary.symbols import Symbol, demangle, sized_symbols
from tfcross.binary.treemap import treemap
from tfcross.errors import TfcrossError
from tfcross.files import write_if_changed
from tfcross.output.manifest import NAME
from tfcross.scons.actions import builder
from tfcross.scons.compiling import Compiler
from tfcross.stages.build import Plan
from tfcross.stages.staging import Linked


def measure_app(plan: Plan, compiler: Compiler, linked: Linked, app: Any, stripped: Any) -> Any:
    """The node of the measurement; it fails where the app, ``stripped``, has more bytes than its budget."""
    toolchain, environment, budget = compiler.toolchain, compiler.runner.environment, plan.options.size_budget
    members, registering = linked.members, linked.manifest["registering"]
    macho = bool(toolchain.symbol_prefix)  # whose symbols have no sizes

    def symbols(path: str) -> list[Symbol]:
        argv = [toolchain.nm, *([] if macho else ["-S"]), "-p", "--defined-only", path]
        remedy = f"Remove {path} and build again."
        said = programs.run(argv, install="Install the toolchain.", remedy=remedy, environment=environment)
        return sized_symbols(said, sized=not macho)

    def symbols_of(program: str) -> list[Symbol]:
        if macho:
            return [Symbol(name, size) for name, size in symbol_sizes(Path(program))]
        return symbols(program)

    def run(targets: list[str], sources: list[str]) -> None:
        program, shipped, *archives = sources
        own = symbols_of(program)
        plain = [symbol.name.removeprefix(toolchain.symbol_prefix) for symbol in own]
        shown = demangle(plain, "c++filt")
        found = measure(
            own,
            [replace(symbol, name=shown[name]) for symbol, name in zip(own, plain, strict=True)],
            {Path(name).name: symbols(name) for name in archives},
            members,
            registering,
        )
        found |= {"app": Path(program).stat().st_size, "stripped": Path(shipped).stat().st_size}
        problem = over_budget(budget, found, _before(plan.final / NAME))
        if problem:
            raise TfcrossError(problem)
        write_if_changed(Path(targets[0]), json.dumps(found, indent=1, sort_keys=True) + "\n")

    signature = "\0".join(
        [toolchain.identity, str(budget), json.dumps([members, registering], sort_keys=True)]
    )
    needed = [app, stripped, *linked.libraries]
    return builder(run, "SIZES", signature)(compiler.env, target=[f"{app}.sizes"], source=needed)[0]


def _before(manifest: Path) -> dict[str, Any] | None:
    """How large the app was that is in the output folder."""
    try:
        sizes = json.loads(manifest.read_text())["sizes"]
    except (OSError, ValueError, KeyError):
        return None
    return dict(sizes)


def report_sizes(env: Any, measured: Any, name: str, folder: str) -> list[Any]:
    """The nodes of ``<folder>/sizes-<name>.json`` and ``.html``; the table is shown."""

    def run(targets: list[str], sources: list[str]) -> None:
        text = Path(sources[0]).read_text()
        sizes = json.loads(text)
        write_if_changed(Path(targets[0]), text)
        write_if_changed(Path(targets[1]), treemap(f"{name}: what the app is made of", sizes))
        print("".join(f"        {line}\n" for line in table(sizes).splitlines()), end="", flush=True)

    targets = [f"{folder}/sizes-{name}.{kind}" for kind in ("json", "html")]
    return list(builder(run, "SIZES", shlex.join(targets))(env, target=targets, source=[measured]))
