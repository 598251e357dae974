"""The node of ``scons … package``: the output folder as one file, beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tfcross import environment
from tfcross.checkout import revision
from tfcross.output.manifest import NAME, check_contents, load_manifest, manifest_text
from tfcross.output.package import (
    Part,
    file_sums,
    folder_files,
    licence_files,
    package_name,
    tarball,
    with_sums,
    write_package,
)
from tfcross.output.sbom import NAME as SBOM
from tfcross.output.sbom import bill_of_materials
from tfcross.releases.release import Release
from tfcross.scons.actions import builder
from tfcross.stages.build import Plan
from tfcross.stages.core import Core
from tfcross.stages.sources import Sources


def package(plan: Plan, sources: Sources, core: Core, published: Any) -> list[Any]:
    """The nodes of the output folder as one file; ``published`` is its manifest."""
    built = {recipe.name for recipe, _ in core.archives}
    inside = [name for name in plan.core.include if name in built or not plan.recipes[name].archive]
    licences = {name: plan.recipes[name].licence for name in inside} | {plan.core.tree: "LICENSE"}
    parts = [
        Part(name, Path(sources.links[name]), file, plan.release.source(name).license)
        for name, file in sorted(licences.items())
    ]
    date = environment.source_date()
    return package_nodes(core.compiler.env, published, parts, plan.release, revision(plan.root), date)


def package_nodes(
    env: Any, published: Any, parts: Sequence[Part], release: Release, revision: str, date: int
) -> list[Any]:
    """The tarball's and its sum's nodes; ``published`` is the output folder's manifest.

    Nothing is packed that is not as the manifest tells.
    """
    folder = Path(str(published)).parent
    name = package_name(release.version, folder.name)

    def run(targets: list[str], sources: list[str]) -> None:
        manifest, held = load_manifest(folder / NAME), folder_files(folder)
        check_contents(folder, {n: digest for n, digest in file_sums(held).items() if n != NAME}, manifest)
        text = manifest_text({**manifest, **({"revision": revision} if revision else {})})
        files = {
            **held,
            **licence_files(parts),
            NAME: text.encode(),
            SBOM: bill_of_materials(manifest, parts, release, date),
        }
        content = tarball(name, with_sums(files), date)
        digest = write_package(Path(targets[0]), content)
        print(f"        {len(content) / 1e6:.1f} MB, sha256 {digest}", flush=True)

    signature = "\0".join([revision, str(date), *(str(part) for part in parts)])
    targets = [f"{folder.parent}/{name}.tar.gz", f"{folder.parent}/{name}.tar.gz.sha256"]
    return list(builder(run, "PACK", signature)(env, target=targets, source=[published]))
