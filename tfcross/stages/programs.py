"""TensorFlow's own programs and shared libraries, linked as apps are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tfcross import environment
from tfcross.releases.coreset import CoreSet
from tfcross.releases.recipes import expand_sources
from tfcross.scons.compiling import Compiler
from tfcross.scons.linking import link_program
from tfcross.stages.java import find_javac, jar_node, shared_flags


def link_programs(
    compiler: Compiler,
    programs: Mapping[str, Mapping[str, Any]],
    core: CoreSet,
    tree: str,
    arguments: Sequence[str],
    folder: str,
) -> list[Any]:
    """The nodes of ``programs`` (name: its own objects) and of the jars that belong to them, in ``folder``.

    ``arguments`` link the core and what it needs; ``tree`` is TensorFlow's.
    """
    made = []
    for name, objects in programs.items():
        library = core.shared.get(name)
        own = shared_flags(name, library, tree) if library else []
        more = [f"-l{one}" for one in library.libraries] if library else []
        parts, words = list(objects.values()), [*own, *arguments, *more]
        made.append(link_program(compiler, f"{folder}/{name}", parts, words, shared=library is not None))
        if library and library.jar:
            names = expand_sources(Path(tree), library.java, (), "core.yaml: shared.java")
            javac = find_javac(environment.path())
            made.append(
                jar_node(compiler.env, compiler.runner, javac, f"{folder}/{library.jar}", tree, names)
            )
    return made
