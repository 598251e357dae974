"""The output folder, put in place whole when all that is in it is made and proven."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfcross.errors import TfcrossError
from tfcross.graph.preparing.kept import FOLDER
from tfcross.output.manifest import NAME, contents, manifest_text
from tfcross.scons.actions import OURS, builder, made_of
from tfcross.scons.made import Made, files_below, remove
from tfcross.scons.uptodate import NIGHTS
from tfcross.selection.costs import measured, share_lines
from tfcross.selection.header import ops_header
from tfcross.stages.build import Plan
from tfcross.stages.core import Core
from tfcross.stages.models import cut_files, descriptions, model_lines
from tfcross.stages.programs import LinkedPrograms
from tfcross.stages.proof import Proven
from tfcross.stages.selection import Selected
from tfcross.stages.staging import Linked, Output, megabytes
from tfcross.treehash import file_hash


@dataclass(frozen=True)
class Parts:
    """The nodes of what an output folder holds, by kind; and of what has to be right before it is put there.

    ``headers`` is the stamp of those in the stage, ``sizes`` the measurement that the manifest repeats,
    ``checked`` are the apps' checks, ``proofs`` what the apps said.
    """

    libraries: Sequence[Any]
    headers: Any
    programs: Sequence[Any]
    graphs: Sequence[Any]
    sizes: Any
    checked: Sequence[Any]
    proofs: Sequence[Any]

    @property
    def nodes(self) -> list[Any]:
        """All of them."""
        made = [*self.libraries, self.headers, self.sizes, *self.checked, *self.programs, *self.graphs]
        return [*made, *self.proofs]


def publish(
    plan: Plan, selected: Selected, core: Core, linked: Linked, programs: LinkedPrograms, proven: Proven
) -> Any:
    """The output folder's node."""
    header = ops_header(
        selected.selection.whole, plan.core.registration_template, plan.core.registration_headers
    )
    parts = Parts(
        libraries=[*linked.libraries, *programs.libraries],
        headers=linked.headers,
        programs=programs.programs,
        graphs=cut_files(selected.models),
        sizes=proven.measured,
        checked=proven.checked,
        proofs=proven.proofs,
    )
    files = {**linked.snippets, "ops_to_register.h": header, **descriptions(selected.models)}

    def shares() -> dict[str, Any]:
        sizes = {name: Path(str(node)).stat().st_size for name, node in core.objects.items()}
        return measured(selected.shares, sizes)

    return output_node(
        core.compiler.env,
        linked.output,
        linked.manifest,
        parts,
        files,
        shares if selected.shares else dict,
    )


def output_node(
    env: Any,
    output: Output,
    manifest: Mapping[str, Any],
    parts: Parts,
    files: Mapping[str, str],
    shares: Callable[[], Mapping[str, Any]] = dict,
) -> Any:
    """The output folder's node (its manifest): replaced whole, when all of ``parts`` are there.

    ``shares`` tells what each model costs, for models.json; {} for one model.
    """

    def run(targets: list[str], sources: list[str]) -> None:
        final = Path(output.final)
        part, old = aside(final)
        for folder in (part, old):
            remove(folder)
        copy_parts(Path(output.stage), parts, part)
        costs = dict(shares())
        said = "".join(Path(str(proof)).read_text() for proof in parts.proofs)
        texts = {
            **files,
            **({"proof.txt": said} if parts.proofs else {}),
            **({"models.json": json.dumps(costs, indent=1) + "\n"} if costs else {}),
        }
        for name, content in texts.items():
            (part / name).parent.mkdir(parents=True, exist_ok=True)
            (part / name).write_text(content, encoding="utf-8")
        hashes = {name: file_hash(part / name) for name in files_below(part)}
        held = contents(hashes, {name: (part / name).stat().st_size for name in hashes})
        sizes = json.loads(Path(str(parts.sizes)).read_text())
        whole = {**manifest, "sizes": sizes, **held}
        check_made(made_of(env), sources)  # last: what changes from here on is in no copy
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
    made = put(env, target=[f"{output.final}/{NAME}"], source=parts.nodes)
    env.Precious(made)
    return made[0]


def aside(final: Path) -> tuple[Path, Path]:
    """Where the new folder is assembled, and where the old one waits: hidden, as no folder of a user's."""
    return final.with_name(f".{final.name}.part"), final.with_name(f".{final.name}.old")


def check_made(made: Made, sources: Sequence[str]) -> None:
    """TfcrossError if any of ``sources`` has another content than was made, whatever its time says."""
    for source in sources:
        wrong = made.wrong(source, thorough=True)
        if wrong:
            raise TfcrossError(f"{wrong}: is not as the build made it; delete it and run again.")


def copy_parts(stage: Path, parts: Parts, folder: Path) -> None:
    """Into ``folder`` what apps use of ``parts``, and the headers of ``stage``; programs can be run there."""
    shutil.copytree(stage / "include", folder / "include", copy_function=shutil.copyfile)
    _copy(parts.libraries, folder / "lib", shutil.copyfile)
    _copy(parts.programs, folder / "bin", shutil.copy)
    _copy(parts.graphs, folder / FOLDER, shutil.copyfile)


def _copy(nodes: Sequence[Any], folder: Path, copy: Callable[[str, Path], Any]) -> None:
    if nodes:
        folder.mkdir()
    for node in nodes:
        copy(str(node), folder / Path(str(node)).name)


def check_output_name(path: Path, made: Made) -> None:
    """TfcrossError if ``path`` exists and is no output folder of ours: it would be replaced.

    Without its manifest it is ours if it has a file that the build put there. No output folder is in the
    build folder, where others have the same name, but those of a night.
    """
    place, nights = path.resolve(), Path(NIGHTS).resolve()
    if place.is_relative_to(Path(OURS).resolve()) and not place.is_relative_to(nights):
        raise TfcrossError(f"OUT: {path} is in the build folder, {Path(OURS)}; pass another OUT=.")
    if not path.exists() or (path / NAME).is_file() or _is_empty(path) or made.has_left(f"{path}/{NAME}"):
        return
    raise TfcrossError(f"OUT: {path} exists and has no {NAME}; move it away, or pass another OUT=.")


def _is_empty(path: Path) -> bool:
    """SCons makes a target's folder before its action runs: a failed one leaves it empty."""
    return path.is_dir() and not any(path.iterdir())
