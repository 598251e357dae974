"""The output folder, put in place whole when all that is in it is made and proven."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tfcross.errors import TfcrossError
from tfcross.graph.preparing.kept import FOLDER
from tfcross.output.manifest import NAME, contents, manifest_text
from tfcross.scons.actions import builder, made_of
from tfcross.scons.compiling import Compiler
from tfcross.scons.made import Made, files_below, remove
from tfcross.selection.costs import share_lines
from tfcross.stages.models import model_lines
from tfcross.stages.staging import Output, megabytes
from tfcross.treehash import file_hash


def strip_app(compiler: Compiler, app: Any) -> Any:
    """The node of ``app`` without its symbols, as it would be shipped."""

    def run(targets: list[str], sources: list[str]) -> None:
        part = Path(f"{targets[0]}.part")
        compiler.runner.run([compiler.toolchain.strip, "-o", str(part), sources[0]], sources[0])
        part.replace(targets[0])

    signature = f"strip {compiler.toolchain.identity}"
    return builder(run, "STRIP", signature)(compiler.env, target=[f"{app}.stripped"], source=[app])[0]


def publish(
    env: Any,
    output: Output,
    manifest: Mapping[str, Any],
    parts: Sequence[Any],
    proofs: Sequence[Any],
    files: Mapping[str, str],
    shares: Callable[[], Mapping[str, Any]] = dict,
) -> Any:
    """The output folder's node (its manifest): replaced whole, when ``parts`` and ``proofs`` are there.

    ``shares`` tells what each model costs, for models.json; {} for one model.
    """

    def run(targets: list[str], sources: list[str]) -> None:
        final, part, old = (Path(output.final + suffix) for suffix in ("", ".part", ".old"))
        check_made(made_of(env), sources)
        for folder in (part, old):
            remove(folder)
        _copy_parts(Path(output.stage), sources, part)
        costs = dict(shares())
        said = "".join(Path(str(proof)).read_text() for proof in proofs)
        texts = {
            **files,
            **({"proof.txt": said} if proofs else {}),
            **({"models.json": json.dumps(costs, indent=1) + "\n"} if costs else {}),
        }
        for name, content in texts.items():
            (part / name).parent.mkdir(parents=True, exist_ok=True)
            (part / name).write_text(content, encoding="utf-8")
        hashes = {name: file_hash(part / name) for name in files_below(part)}
        held = contents(hashes, {name: (part / name).stat().st_size for name in hashes})
        whole = {**manifest, **_sizes(sources), **held}
        (part / NAME).write_text(manifest_text(whole), encoding="utf-8")
        if final.exists() or final.is_symlink():
            final.rename(old)
        part.rename(final)
        remove(old)
        core = final / "lib" / output.link.core
        print("".join(f"        {line}\n" for line in (share_lines(costs) if costs else ())), end="")
        print(f"        {core}: {megabytes(core)}; for make: {final}/link/flags.mk", flush=True)
        print("".join(f"        {line}\n" for line in model_lines(manifest)), end="", flush=True)

    signature = "\0".join(["output 2", manifest_text(manifest), *files, *files.values(), output.stage])
    put = builder(run, "OUT", signature, folder=output.final)
    made = put(env, target=[f"{output.final}/{NAME}"], source=[*parts, *proofs])
    env.Precious(made)
    return made[0]


def check_made(made: Made, sources: Sequence[str]) -> None:
    """TfcrossError if any of ``sources`` has another content than was made, whatever its time says."""
    for source in sources:
        wrong = made.wrong(source, thorough=True)
        if wrong:
            raise TfcrossError(f"{wrong}: is not as the build made it; delete it and run again.")


def _copy_parts(stage: Path, sources: Sequence[str], folder: Path) -> None:
    """The staged headers, and those of ``sources`` that are libraries or programs."""
    shutil.copytree(stage / "include", folder / "include", copy_function=shutil.copyfile)
    (folder / "lib").mkdir()
    for source in sources:
        if source.endswith((".a", ".so", ".jar")):
            shutil.copyfile(source, folder / "lib" / Path(source).name)
        elif "/bin/" in source:
            (folder / "bin").mkdir(exist_ok=True)
            shutil.copy(source, folder / "bin" / Path(source).name)
        elif source.endswith(".pb"):
            (folder / FOLDER).mkdir(exist_ok=True)
            shutil.copyfile(source, folder / FOLDER / Path(source).name)


def _sizes(sources: Sequence[str]) -> dict[str, Any]:
    measured = [source for source in sources if source.endswith(".sizes")]
    return {"sizes": json.loads(Path(measured[-1]).read_text())} if measured else {}


def check_output_name(path: Path, made: Made) -> None:
    """TfcrossError if ``path`` exists and is no output folder of ours: it would be replaced.

    Without its manifest it is ours if it has a file that the build put there.
    """
    if not path.exists() or (path / NAME).is_file() or _is_empty(path) or made.has_left(f"{path}/{NAME}"):
        return
    raise TfcrossError(f"OUT: {path} exists and has no {NAME}; move it away, or pass another OUT=.")


def _is_empty(path: Path) -> bool:
    """SCons makes a target's folder before its action runs: a failed one leaves it empty."""
    return path.is_dir() and not any(path.iterdir())
