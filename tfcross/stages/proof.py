"""The proof's app: linked as apps are, looked into and run."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfcross.app.inspection import check_app, for_library, read_app
from tfcross.app.proof import EXAMPLE, Proof, loading, not_run, proof_of, run_and_compare
from tfcross.errors import TfcrossError
from tfcross.files import replacing, write_if_changed, write_whole
from tfcross.output.manifest import manifest_text
from tfcross.scons.actions import builder
from tfcross.scons.compiling import CompileFlags, Compiler
from tfcross.scons.linking import link_program
from tfcross.scons.made import remove
from tfcross.stages.build import Plan
from tfcross.stages.core import Core
from tfcross.stages.selection import Selected
from tfcross.stages.sizing import measure_app
from tfcross.stages.staging import Linked, Output, megabytes
from tfcross.targets.profile import Profile
from tfcross.treehash import combined_hash


@dataclass(frozen=True)
class Proven:
    """Nodes of what each proof said, of what was found in its app, and of what the first app's bytes are."""

    proofs: tuple[Any, ...]
    checked: tuple[Any, ...]
    measured: Any


def prove(plan: Plan, selected: Selected, core: Core, linked: Linked) -> Proven:
    """For each model an app that is linked as apps are, and has in it all that it should; where this
    machine can run it, what it says. Without a model it is the example's."""
    compiler, proofs, checked, measured = core.compiler, [], [], None
    for number, proof in enumerate([built.proof() for built in selected.models] or [proof_of(EXAMPLE)]):
        work = f"{core.work}/{_folder(number, proof)}"
        app = build_proof(compiler, linked.output, proof, linked.libraries, linked.headers, work)
        checked.append(check_proof(compiler.env, app, linked.manifest))
        stripped = strip_app(compiler, app)
        if number == 0:
            measured = measure_app(plan, compiler, linked, app, stripped)
        proofs.append(run_proof(compiler, linked.output, proof, app, stripped, f"{work}/proof.txt"))
    return Proven(tuple(proofs), tuple(checked), measured)


def _folder(number: int, proof: Proof) -> str:
    """Of its own where answers are compared: the same model without them, or with others, stays as it is."""
    if not proof.answers:
        return f"proof{number}"
    return f"proof{number}-{combined_hash([*proof.arguments, repr(proof.answers)])[:8]}"


def build_proof(
    compiler: Compiler, output: Output, proof: Proof, libraries: Sequence[Any], headers: Any, work: str
) -> Any:
    """The linked app that proves the model: compiled and linked with exactly what apps are told."""
    flags = CompileFlags(ccflags=tuple(output.link.compile_arguments(output.stage)))
    flags = flags.more(ccflags=["-O1", "-ffunction-sections", "-fdata-sections"])
    app = compiler.unit(f"{work}/{proof.name}.o", proof.source, flags)
    compiler.env.Depends(app, headers)
    linked = link_program(
        compiler,
        f"{work}/{proof.name}",
        [app],
        output.link.link_arguments(output.stage),
    )
    compiler.env.Depends(linked, list(libraries))
    return linked


def check_proof(env: Any, app: Any, manifest: Mapping[str, Any]) -> Any:
    """A node that holds what was found in the linked app; it exists only if nothing is wrong."""

    def run(targets: list[str], sources: list[str]) -> None:
        app = Path(sources[0])
        findings = check_app(for_library(read_app(app), manifest, str(app)), manifest)
        wrong = next((finding.text for finding in findings if finding.ok is False), None)
        if wrong:
            raise TfcrossError(f"{app}: {wrong}")
        write_if_changed(Path(targets[0]), "".join(f"{finding.text}\n" for finding in findings))

    return builder(run, "CHECK", manifest_text(manifest))(env, target=[f"{app}.checked"], source=[app])[0]


def strip_app(compiler: Compiler, app: Any) -> Any:
    """The node of ``app`` without its symbols, as it would be shipped."""

    def run(targets: list[str], sources: list[str]) -> None:
        with replacing(Path(targets[0])) as part:
            compiler.runner.run([compiler.toolchain.strip, "-o", str(part), sources[0]], sources[0])

    signature = f"strip {compiler.toolchain.identity}"
    return builder(run, "STRIP", signature)(compiler.env, target=[f"{app}.stripped"], source=[app])[0]


def run_proof(compiler: Compiler, output: Output, proof: Proof, app: Any, stripped: Any, log: str) -> Any:
    """A node that holds what the app printed; it exists only if the app succeeded.

    Where nothing here runs programs of the profile, it says so: then the app was linked only.
    """

    runtime = compiler.toolchain.runtime

    def run(targets: list[str], sources: list[str]) -> None:
        if output.profile.runs_here and not proof.unknown:
            libraries = Path(f"{sources[0]}.libraries")
            environment = loading(runtime, libraries, compiler.runner.environment)
            said = _run(output.profile, sources[0], proof, environment)
            remove(libraries)
        else:
            said = not_run(output.profile, proof)
        sizes = [megabytes(Path(name)) for name in sources[:2]]
        said += f"{proof.name}: {sizes[0]}, stripped {sizes[1]}\n"
        print("".join(f"        {line}\n" for line in said.splitlines()), end="", flush=True)
        write_whole(Path(targets[0]), said)

    how = (*filter(None, [proof.unknown]), str(output.profile.emulator), *runtime)
    how = (*how, *([repr(proof.answers)] if proof.answers else []))
    signature, needed = shlex.join([*proof.arguments, *how]), [app, stripped, *proof.inputs]
    return builder(run, "PROVE", signature)(compiler.env, target=[log], source=needed)[0]


def _run(profile: Profile, app: str, proof: Proof, environment: Mapping[str, str]) -> str:
    try:
        return run_and_compare(profile, app, proof, environment, Path(f"{app}.tensors"))
    except TfcrossError as error:
        raise TfcrossError(f"{error}. {proof.hint}" if proof.hint else str(error)) from None
