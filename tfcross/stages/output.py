"""The output folder: archives, headers, link files, manifest; assembled aside, proven, put in place whole."""

from __future__ import annotations

import contextlib
import json
import shlex
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfcross.app.inspection import check_app, for_library, read_app
from tfcross.app.proof import Proof, loading, not_run, run_here
from tfcross.errors import TfcrossError
from tfcross.output.linkflags import LinkFlags
from tfcross.output.manifest import NAME, contents, manifest_text
from tfcross.output.snippets import Library, snippet_files
from tfcross.render import write_if_changed
from tfcross.scons.actions import builder, made_of
from tfcross.scons.compiling import CompileFlags, Compiler
from tfcross.scons.headerdeps import read_depfile
from tfcross.scons.made import Made, files_below, remove
from tfcross.selection.costs import share_lines
from tfcross.stages.dependencies import link_program
from tfcross.stages.models import FOLDER, unproven_lines
from tfcross.targets.profile import Profile
from tfcross.treehash import file_hash


@dataclass(frozen=True)
class Output:
    """``stage`` is where the folder is assembled, ``final`` where it ends up."""

    stage: str
    final: str
    link: LinkFlags
    profile: Profile
    release: str


def stage_headers(
    compiler: Compiler, output: Output, headers: Sequence[str], flags: CompileFlags, order: Any
) -> Any:
    """A stamp node: ``stage/include`` holds what ``headers`` include from the trees, and nothing else.

    The compiler says what that is (``-M``); a file keeps its path below the include folder it was found in.
    """
    roots = sorted((*flags.include, *flags.system_include), key=len, reverse=True)
    folder = Path(output.stage) / "include"
    everything = f"{output.stage}.headers/all.cc"
    write_if_changed(Path(everything), "".join(f'#include "{header}"\n' for header in headers))
    argv = [compiler.toolchain.cxx, *flags.arguments(compiler.toolchain), "-M", "-MF"]

    def run(targets: list[str], sources: list[str]) -> None:
        depfile = Path(f"{sources[0]}.d")
        compiler.runner.run([*argv, str(depfile), sources[0]], "public headers")
        compiler.headers.record(targets[0], depfile)
        part = folder.with_name("include.part")
        remove(part)
        for name in read_depfile(depfile):
            root = next((root for root in roots if name.startswith(f"{root}/")), None)
            if root:
                target = part / name.removeprefix(f"{root}/")
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(name, target)
        remove(folder)
        part.rename(folder)
        write_if_changed(Path(targets[0]), "\n".join(sorted(p.as_posix() for p in folder.rglob("*"))) + "\n")

    made = builder(run, "HDRS", shlex.join(argv), folder=str(folder))(
        compiler.env, target=[f"{output.stage}.headers/stamp"], source=[everything]
    )
    compiler.env.Depends(made, order)
    if str(made[0]) in compiler.stale:
        compiler.env.AlwaysBuild(made)
    return made[0]


def stage_libraries(env: Any, output: Output, archives: Sequence[Any]) -> list[Any]:
    """The archives' nodes below ``stage/lib``."""
    made = builder(_copy, "", "copy")
    return [made(env, target=[f"{output.stage}/lib/{Path(str(a)).name}"], source=[a])[0] for a in archives]


def _copy(targets: list[str], sources: list[str]) -> None:
    part = Path(f"{targets[0]}.part")
    part.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        part.hardlink_to(sources[0])
    if not part.exists():
        shutil.copyfile(sources[0], part)
    part.replace(targets[0])


def link_files(output: Output) -> dict[str, str]:
    """The texts of the link snippets by path: relocatable, each with the core whole."""
    profile = output.profile
    library = Library(profile.name, profile.arch, profile.triple, output.release, output.link)
    return snippet_files(library)


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
        part = Path(f"{targets[0]}.part")
        compiler.runner.run([compiler.toolchain.strip, "-o", str(part), sources[0]], sources[0])
        part.replace(targets[0])

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
        part = Path(f"{targets[0]}.part")
        part.write_text(said)
        part.replace(targets[0])

    how = (*filter(None, [proof.unknown]), str(output.profile.emulator), *runtime)
    signature, needed = shlex.join([*proof.arguments, *how]), [app, stripped, *proof.inputs]
    return builder(run, "PROVE", signature)(compiler.env, target=[log], source=needed)[0]


def _run(profile: Profile, app: str, proof: Proof, environment: Mapping[str, str]) -> str:
    try:
        return run_here(profile, app, proof.arguments, environment)
    except TfcrossError as error:
        raise TfcrossError(f"{error}. {proof.hint}" if proof.hint else str(error)) from None


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
        print("".join(f"        {line}\n" for line in unproven_lines(manifest)), end="", flush=True)

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


def megabytes(path: Path) -> str:
    """The size of ``path`` for people, in millions of bytes."""
    return f"{path.stat().st_size / 1e6:.1f} MB"


def _is_empty(path: Path) -> bool:
    """SCons makes a target's folder before its action runs: a failed one leaves it empty."""
    return path.is_dir() and not any(path.iterdir())
