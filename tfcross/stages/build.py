"""The stages of one build as SConstruct calls them; each leaves its result on the Build."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar

from tfcross import environment
from tfcross.app.proof import EXAMPLE, proof_of
from tfcross.checkout import revision
from tfcross.cli.options import Options
from tfcross.files import write_if_changed
from tfcross.output.linkflags import LinkFlags
from tfcross.output.manifest import run_first
from tfcross.output.package import Part
from tfcross.registry.ownops import find_own
from tfcross.registry.sources import RegistrySources
from tfcross.releases.coreset import check_files, load_core
from tfcross.releases.recipes import Recipe, expand_sources, load_recipes, wanted_recipes
from tfcross.releases.release import Release
from tfcross.scons.actions import MADE, OURS, Runner
from tfcross.scons.compiling import CompileFlags, Compiler, member_names
from tfcross.scons.folder import lock_folder, save_usage
from tfcross.scons.headerdeps import HeaderDeps
from tfcross.scons.made import Made
from tfcross.selection.costs import find_shares, measured
from tfcross.selection.extras import Extras
from tfcross.selection.header import ops_header
from tfcross.selection.rule import core_rule
from tfcross.selection.selection import Selection, plain_files
from tfcross.selection.selector import select, select_all
from tfcross.sources.fetch import fetch_sources
from tfcross.sources.store import Tree
from tfcross.stages import output
from tfcross.stages.closing import Closures, ClosureTools
from tfcross.stages.codegen import write_generated
from tfcross.stages.core import CoreBuild, CoreFolders
from tfcross.stages.dependencies import Dependency, generate_protos, host_flags, proto_unit
from tfcross.stages.manifest import make_manifest
from tfcross.stages.models import cut_files, descriptions, read_models
from tfcross.stages.packaging import package
from tfcross.stages.programs import link_programs
from tfcross.stages.proof import build_proof, check_proof, run_proof
from tfcross.stages.sizing import measure_app, report_sizes
from tfcross.stages.sources import link_trees, tree_keys
from tfcross.stages.staging import Output, link_files, stage_headers, stage_libraries
from tfcross.targets.profile import Profile
from tfcross.toolchains.toolchain import Toolchain


class Build:
    """One run of SCons. Paths are relative to the project's folder, in which SCons runs."""

    current: ClassVar[Build | None] = None

    def __init__(self, root: Path, options: Options, release: Release, env: Any) -> None:
        Build.current = self
        self.root, self.options, self.release, self.env = root, options, release, env
        self.core = load_core(release.folder)
        self.runner = Runner(environment.compiler_environment(), bool(options.verbosity))
        self.headers: HeaderDeps | None = None
        self.goals: list[Any] = []
        self.closures: Closures
        self._lock = lock_folder(Path(OURS))
        self.made = env[MADE] = Made(Path(OURS) / "made.jsonl")
        env.SConsignFile("build/sconsign")
        env.Decider("content")  # SCons keeps whole seconds: times alone miss a quick second build

    # 2 profile, 3 toolchain

    def use(self, profile: Profile, toolchain: Toolchain, host: Toolchain) -> None:
        """Build for ``profile`` with ``toolchain``, and tools for this machine with ``host``."""
        self.profile, self.toolchain, self.host = profile, toolchain, host
        self.core = load_core(self.release.folder, profile.platform)
        self.recipes = load_recipes(self.release.folder, profile.platform)
        api = f"-{profile.api}" if profile.api else ""
        self.base = f"build/{profile.name}/{self.release.version}-{toolchain.name}{api}"
        self.work = self.base if self.options.types == "full" else f"{self.base}-{self.options.types}"
        self.final = Path(self.options.out) / profile.name
        output.check_output_name(self.final, self.made)

    # 7 model, before anything that takes time: a mistake in MODEL shows at once

    def read_models(self) -> None:
        """The graphs, and what will surprise in them."""
        self.built_models = read_models(self.options, Path("build/models"))
        self.models = [built.model for built in self.built_models]
        for model in self.models:
            print("".join(f"note: {model.path}: {note}\n" for note in model.notes), end="", flush=True)

    # 4 fetch

    def fetch(self) -> None:
        """Every source of the release, verified and unpacked."""
        source_dir = Path(self.options.source_dir) if self.options.source_dir else None
        self.trees: dict[str, Tree] = fetch_sources(
            self.release,
            store=environment.cache_folder(),
            source_dir=source_dir,
            overrides={name: Path(folder) for name, folder in self.options.sources},
            offline=self.options.offline,
            progress=True,
        )
        self.links = link_trees(self.trees, Path("build/src") / self.release.version)
        check_files(self.core, Path(self.links[self.core.tree]))

    # 5 dependencies

    def generate_sources(self) -> None:
        """Host protoc; the protos' C++ and the small generated headers, which no target changes."""
        self.gen = f"build/gen/{self.release.version}"
        write_generated(self.core.generated, Path(self.gen))
        self.headers = HeaderDeps(Path("build"), tree_keys(self.trees, self.links))
        stale = frozenset(self.headers.stale())
        self.compiler = Compiler(self.env, self.toolchain, self.runner, self.headers, stale)
        self.host_compiler = Compiler(self.env, self.host, self.runner, self.headers, stale)
        recipe = next(recipe for recipe in self.recipes.values() if recipe.host_tool)
        folder = f"build/host/{self.release.version}-{self.host.name}"
        assert recipe.host_tool
        dependency = Dependency(
            self.host_compiler,
            recipe,
            self.links[recipe.name],
            host_flags(self.core.cxx_standard),
            folder,
            self.profile.cpu,
        )
        protoc = dependency.host_tool(recipe.host_tool)
        tree = self.links[self.core.tree]
        names = expand_sources(
            Path(tree), self.core.proto_sources, self.core.proto_exclude, "core.yaml: protos"
        )
        own = f"{self.links[recipe.name]}/{recipe.include[0]}"
        roots = {tree: self._key(self.core.tree), own: self._key(recipe.name)}
        stamp = f"{self.gen}.stamp"
        self.protos = generate_protos(self.env, self.runner, protoc, names, roots, stamp, self.gen)

    def _key(self, source: str) -> str:
        return self.trees[source].stamp.read_text()

    # 6 registry, 8 selection

    def select(self) -> None:
        """What the models need, from what the release's sources register under the profile's defines."""
        tree = self.trees[self.core.tree]
        sources = RegistrySources(self.core, self.release.folder, self.profile, self.toolchain, tree)
        self.own = find_own(self.options.ops_dir)
        self.own_folder = f"{Path(self.links[self.core.tree]).parent.as_posix()}/own"
        registry = sources.registry(self.options.types, self.own, Path(self.own_folder))
        extras = Extras(self.options.extra_ops, self.options.extra_kernels)
        rule = core_rule(self.core, registry)
        if self.models:
            self.selection: Selection = select(self.models, rule, extras)
            alone = [select([model], rule) for model in self.models]
            names = [str(model.path) for model in self.models]
            self.shares = find_shares(names, alone) if len(self.models) > 1 else []
        else:
            self.selection = select_all(self.core.portable, rule, extras)
            self.shares = []

    # 9 core

    def compile_core(self) -> None:
        """Objects of runtime, selection and helpers, the dependencies' archives, what is missing."""
        flags = self._target_flags()
        folders = CoreFolders(self.links[self.core.tree], self.gen, self.work, self.own_folder)
        self.core_build = CoreBuild(self.compiler, self.core, flags, folders, [self.protos])
        self.model_work = f"{self.work}/models/{self.selection.key}"
        inputs = [vars(self.core), asdict(flags), self.toolchain.identity, self._key(self.core.tree)]
        digest = hashlib.sha256(repr(inputs).encode()).hexdigest()[:16]
        self.closures = Closures(self.compiler, self.model_work, digest, self._closure_tools())
        helpers = self.closures.helpers("helpers")
        runtime = (*self.core.runtime, *map(proto_unit, self.core.proto_units))
        whole = () if self.models else self._whole_set()
        own = plain_files(self.own, self.selection) if self.own else ()
        names = dict.fromkeys([*self.selection.files, *own, *runtime, *whole, *helpers.files])
        self.objects = self.core_build.units(names, self.selection)
        self.archives = self._dependencies(flags)
        self.closed = self.closures.add("core", self.objects, [a for _, a in self.archives], helpers)
        self.compile_flags = flags

    def compile_programs(self, names: Iterable[str]) -> None:
        """Objects of TensorFlow's own programs ``names``, and of what the core lacks for them."""
        have = [*self.objects.values(), *(a for _, a in self.archives)]
        self.programs: dict[str, dict[str, Any]] = {}
        for name in names:
            helpers = self.closures.helpers(name)
            files = dict.fromkeys([*self.core.programs[name], *helpers.files])
            own = [file for file in files if file not in self.objects]
            self.programs[name] = self.core_build.units(own, self.selection)
            self.closures.add(name, self.programs[name], have, helpers)

    def _whole_set(self) -> list[str]:
        tree = Path(self.links[self.core.tree])
        files = expand_sources(tree, self.core.whole_sources, self.core.whole_exclude, "core.yaml: whole")
        return [*files, *map(proto_unit, self.core.whole_protos)]

    def _target_flags(self) -> CompileFlags:
        tree = self.links[self.core.tree]
        third = [
            f"{self.links[name]}/{part}" for name in self.core.include for part in self.recipes[name].include
        ]
        return CompileFlags(
            ccflags=(f"-std={self.core.cxx_standard}", *self.core.ccflags, *self.options.optflags),
            defines=(*self.core.defines, *self.profile.defines, *self.core.type_defines(self.options.types)),
            include=(self.gen, tree),
            system_include=tuple(os.path.normpath(folder) for folder in third),
        )

    def _dependencies(self, flags: CompileFlags) -> list[tuple[Recipe, Any]]:
        texts = [
            Path(self.core_build.folders.root(name, False), name).read_text(errors="replace")
            for name in self._written_files()
        ]
        plain = CompileFlags(ccflags=flags.ccflags, defines=("NDEBUG",))
        folder, cpu = f"{self.base}/deps", self.profile.cpu  # types are TensorFlow's own
        return [
            (recipe, Dependency(self.compiler, recipe, self.links[name], plain, folder, cpu).archive())
            for name, recipe in wanted_recipes(self.recipes, texts).items()
            if recipe.archive
        ]

    def _written_files(self) -> list[str]:
        made = (".pb.cc", *self.core.generated)
        return [name for name in self.objects if not name.endswith(made)]

    def _closure_tools(self) -> ClosureTools:
        return ClosureTools(
            nm=self.toolchain.nm,
            symbol_prefix=self.toolchain.symbol_prefix,
            demangler="c++filt",
            ctags="ctags",
            roots=(Path(self.links[self.core.tree]), Path(self.gen)),
            folders=self.core.definer_folders,
            exclude=self.core.definer_exclude,
            symbols=self.core.definer_symbols,
        )

    # 10 link

    def link(self) -> None:
        """The core archive, and the output folder's libraries, headers and link files."""
        members = [self.objects[name] for name in sorted(self.objects)]
        archive = self.compiler.archive(f"{self.model_work}/libtensorflow-core.a", members)
        self.env.Depends(archive, self.closed)  # not on the programs', which need not be asked for
        used = [(recipe.archive, node) for recipe, node in self.archives]
        self.output = Output(
            stage=f"{self.model_work}/out",
            final=str(self.final),
            link=self._link_flags([name for name, _ in used]),
            profile=self.profile,
            release=self.release.version,
        )
        self.libraries = stage_libraries(self.env, self.output, [archive, *(node for _, node in used)])
        self.include = stage_headers(
            self.compiler, self.output, self.core.public_headers, self.compile_flags, [self.protos]
        )
        self.manifest = make_manifest(
            self.options,
            self.profile,
            self.release,
            self.toolchain,
            self.trees,
            [built.facts() for built in self.built_models],
            self.selection,
            self.objects,
            self.output.link,
            self.core.session_factory,
            self.own,
        )
        self.files = link_files(self.output, run_first(self.manifest))

    def _link_flags(self, dependencies: list[str]) -> LinkFlags:
        return LinkFlags(
            cxx_standard=self.core.cxx_standard,
            defines=self.compile_flags.defines,
            ccflags=self.profile.ccflags,
            core="libtensorflow-core.a",
            dependencies=tuple(dependencies),
            libraries=self.profile.libraries,
            link_flags=self.profile.ldflags,
            whole_archive=self.profile.whole_archive,
        )

    # 11 proof

    def prove(self) -> None:
        """For each model an app that is linked as apps are, and has in it all that it should; where this
        machine can run it, what it says. Without a model it is the example's."""
        self.proofs, self.checked = [], []
        for number, proof in enumerate([built.proof() for built in self.built_models] or [proof_of(EXAMPLE)]):
            work = f"{self.model_work}/proof{number}"
            app = build_proof(self.compiler, self.output, proof, self.libraries, self.include, work)
            self.checked.append(check_proof(self.env, app, self.manifest))
            stripped = output.strip_app(self.compiler, app)
            if number == 0:
                self.measured = self._measure(app, stripped)
            log = f"{work}/proof.txt"
            self.proofs.append(run_proof(self.compiler, self.output, proof, app, stripped, log))

    def _measure(self, app: Any, stripped: Any) -> Any:
        """What the app's bytes are made of."""
        objects = {str(node): name for name, node in self.objects.items()}
        members = {member: objects[name] for name, member in member_names(list(objects)).items()}
        return measure_app(
            self.env,
            self.toolchain,
            self.runner.environment,
            app,
            stripped,
            self.libraries,
            members,
            self.manifest["registering"],
            self.options.size_budget,
            str(self.final),
        )

    def report_sizes(self) -> list[Any]:
        """The nodes of the reports about sizes."""
        return report_sizes(self.env, self.measured, self.profile.name, self.options.out)

    # 12 package

    def publish(self) -> Any:
        """The output folder's node."""
        header = ops_header(
            self.selection.whole, self.core.registration_template, self.core.registration_headers
        )
        parts = [*self.libraries, self.include, self.measured, *self.checked, *self._programs()]
        parts += cut_files(self.built_models)
        own = descriptions(self.built_models)
        files = {**self.files, "ops_to_register.h": header, **own}
        return output.publish(
            self.env, self.output, self.manifest, parts, self.proofs, files, self._measure_shares
        )

    def _programs(self) -> list[Any]:
        """TensorFlow's own programs."""
        core, tree = self.core, self.links[self.core.tree]
        arguments = self.output.link.link_arguments(self.output.stage)
        made = link_programs(self.compiler, self.programs, core, tree, arguments, f"{self.model_work}/bin")
        self.env.Depends(made, [*self.libraries, *self.closures.nodes])
        return made

    def _measure_shares(self) -> dict[str, Any]:
        """What each of several models costs, when the objects are there; {} for one model."""
        if not self.shares:
            return {}
        return measured(self.shares, {name: Path(str(o)).stat().st_size for name, o in self.objects.items()})

    def write_compile_commands(self) -> None:
        """``build/compile_commands.json``, for editors: how the target's objects are compiled."""
        path, entries = Path("build/compile_commands.json"), self.compiler.database(self.root)
        write_if_changed(path, json.dumps(entries, indent=1) + "\n")
        print(f"        {path}: {len(entries)} units", flush=True)

    def package(self, published: Any) -> list[Any]:
        """The nodes of the output folder as one file."""
        built = {recipe.name for recipe, _ in self.archives}
        inside = [n for n in self.core.include if n in built or not self.recipes[n].archive]
        licences = {name: self.recipes[name].licence for name in inside} | {self.core.tree: "LICENSE"}
        parts = [
            Part(name, Path(self.links[name]), file, self.release.source(name).license)
            for name, file in sorted(licences.items())
        ]
        date = environment.source_date()
        return package(self.env, published, parts, self.release, revision(self.root), date)

    # after the build

    def save(self) -> None:
        """Keep what this pass learned: each object's headers, what each compile cost, what was made."""
        self.made.save()
        if self.headers is not None:
            usage = {**self.compiler.usage, **self.host_compiler.usage}
            self.headers.save()
            save_usage(Path("build/usage.json"), usage)

    @property
    def again(self) -> bool:
        return hasattr(self, "closures") and self.closures.changed
