"""What a command line says with its variables."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from tfcross.cli.variables import PATTERN, SOURCE_PREFIX, VARIABLES, Variable
from tfcross.errors import TfcrossError, known
from tfcross.graph.cutting.ends import NO_ENDS, Ends, parse_ends
from tfcross.nearest import did_you_mean

UNITS = {"": 1, "B": 1, "kB": 1000, "KB": 1000, "MB": 1000**2, "KiB": 1024, "MiB": 1024**2}


@dataclass(frozen=True)
class Options:
    """A command line, checked; target, arch, release, toolchain and host are checked by whoever loads them.

    Empty strings stand for what was not given. ``types``: with a model only its own types are compiled,
    so that all are open to it; a set without a model is kept to those of mobile builds. ``models`` are
    paths as given, in order, each once; so are ``extra_ops``, ``extra_kernels``.
    ``sources`` are (name, folder) pairs sorted by name; ``size_budget`` is in bytes, 0 for none; ``ends``
    are what INPUTS, OUTPUTS and SIGNATURE say; ``tags`` those of a SavedModel's graph.
    """

    target: str
    arch: str
    release: str
    models: tuple[str, ...]
    types: str
    extra_ops: tuple[str, ...]
    extra_kernels: tuple[str, ...]
    ops_dir: str
    optflags: tuple[str, ...]
    toolchain: str
    toolchain_root: str
    ndk_root: str
    api: str
    bitcode: bool
    emulator: tuple[str, ...]
    host_os: str
    launcher: str
    source_dir: str
    sources: tuple[tuple[str, str], ...]
    offline: bool
    out: str
    verbosity: int
    size_budget: int = 0
    ends: Ends = NO_ENDS
    tags: tuple[str, ...] = ("serve",)
    graph: str = ""
    transforms: str = ""
    proof: str = ""


class Declarable(Protocol):
    """What ``declare`` needs of ``SCons.Variables.Variables``."""

    @property
    def Add(self) -> Callable[..., None]: ...  # noqa: N802 (SCons's name)


class Helpful(Protocol):
    """What ``help_text`` needs of ``SCons.Variables.Variables``."""

    @property
    def Update(self) -> Callable[..., None]: ...  # noqa: N802

    @property
    def GenerateHelpText(self) -> Callable[..., str]: ...  # noqa: N802


class _Values(dict[str, str]):
    """Stands in for an Environment, which refuses a variable named TARGET."""

    def subst(self, text: str) -> str:
        return self[text.strip("${}")]


def parse_options(
    arguments: Mapping[str, str], source_names: Collection[str] | None = None, types: str = ""
) -> Options:
    """The options that ``NAME=VALUE`` words give; an empty value is the default.

    ``source_names`` are the sources that SOURCE_<name> may replace (None: any), ``types`` the default of
    TYPES ("": a build's). Raises TfcrossError for an unknown name or value, and for aliases that contradict
    each other.
    """
    for name, text in arguments.items():
        _check_name(name, source_names)
        _check_text(name, text)
    value = {variable.name: _value(variable, arguments) for variable in VARIABLES}
    models = _names("MODEL", value["MODEL"], "paths")
    return Options(
        target=value["TARGET"],
        arch=value["ARCH"],
        release=value["RELEASE"],
        models=models,
        types=value["TYPES"] or types or ("full" if models else "slim"),
        extra_ops=_names("EXTRA_OPS", value["EXTRA_OPS"], "ops"),
        extra_kernels=_names("EXTRA_KERNELS", value["EXTRA_KERNELS"], "files"),
        ops_dir=value["OPS_DIR"],
        optflags=_words("OPTFLAGS", value["OPTFLAGS"]),
        toolchain=value["TOOLCHAIN"],
        toolchain_root=value["TOOLCHAIN_ROOT"],
        ndk_root=value["NDK_ROOT"],
        api=value["API"],
        bitcode=value["BITCODE"] == "1",
        emulator=_words("EMULATOR", value["EMULATOR"]),
        host_os=value["HOST_OS"],
        launcher=" ".join(map(shlex.quote, _words("LAUNCHER", value["LAUNCHER"]))),
        source_dir=value["SOURCE_DIR"],
        sources=_sources(arguments),
        offline=value["OFFLINE"] == "1",
        out=value["OUT"],
        verbosity=int(value["V"]),
        size_budget=parse_size(value["SIZE_BUDGET"], "SIZE_BUDGET"),
        ends=parse_ends(value["INPUTS"], value["OUTPUTS"], value["SIGNATURE"]),
        tags=_names("TAGS", value["TAGS"], "tags"),
        graph=value["GRAPH"],
        transforms=value["TRANSFORMS"],
        proof=value["PROOF"],
    )


def require_target(options: Options, targets: Collection[str]) -> str:
    """The target's name; TfcrossError with what there is to choose from if none was given."""
    if not options.target:
        raise TfcrossError(f"TARGET is not set; pass TARGET=. {known(targets)}")
    return options.target


def declare(variables: Declarable, values: Mapping[str, Collection[str]] | None = None) -> None:
    """Add every variable to an SCons Variables object.

    ``values`` gives by name what free text may be, as the data files know it:
    ``{"TARGET": known_targets(root)}``.
    """
    for variable in VARIABLES:
        if variable.name == PATTERN:  # no identifier, which SCons asks for: told with SOURCE_DIR
            continue
        allowed = "|".join(variable.allowed or (values or {}).get(variable.name, ()))
        help_line = f"{variable.help} ({allowed})" if allowed else variable.help
        variables.Add((variable.name, *variable.aliases), help_line, variable.default)


def help_text(variables: Helpful, arguments: Mapping[str, str]) -> str:
    """What ``scons -h`` shows: each declared variable with its values, default and actual value."""
    values = _Values()
    variables.Update(values, dict(arguments))
    pattern = next(variable for variable in VARIABLES if variable.name == PATTERN)
    return f"{variables.GenerateHelpText(values)}\n{pattern.name}: {pattern.help}\n"


def _sources(arguments: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    given = {name: folder for name, folder in arguments.items() if folder and _is_source(name)}
    return tuple(sorted((name.removeprefix(SOURCE_PREFIX), folder) for name, folder in given.items()))


def _is_source(name: str) -> bool:
    return name.startswith(SOURCE_PREFIX) and name != "SOURCE_DIR"


def _check_name(name: str, source_names: Collection[str] | None) -> None:
    names = [spelling for variable in VARIABLES for spelling in (variable.name, *variable.aliases)]
    if name in names and name != PATTERN:
        return
    if _is_source(name):
        source = name.removeprefix(SOURCE_PREFIX)
        if not source or (source_names is not None and source not in source_names):
            raise TfcrossError(f"{name}: the release has no source '{source}'. {known(source_names or ())}")
        return
    others = {other: variable.name for variable in VARIABLES for other in variable.elsewhere}
    raise TfcrossError(f"{name}: unknown variable{did_you_mean(name, names, others)}. {known(names)}")


def _check_text(name: str, text: str) -> None:
    """Records and manifests are UTF-8: a file's name in other bytes, as from an old archive, fits in none."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise TfcrossError(f"{name}={ascii(text)}: not UTF-8; rename the file or folder.") from None


def _value(variable: Variable, arguments: Mapping[str, str]) -> str:
    """The value given under the variable's name or an alias, in its own spelling."""
    given = {name: arguments[name] for name in (variable.name, *variable.aliases) if arguments.get(name)}
    meant = {name: dict(variable.spellings).get(text, text) for name, text in given.items()}
    if len(set(meant.values())) > 1:
        both = " and ".join(f"{name}={text}" for name, text in given.items())
        raise TfcrossError(f"{both} contradict each other; give {variable.name} only.")
    value = next(iter(meant.values()), variable.default)
    if value and variable.allowed and value not in variable.allowed:
        raise TfcrossError(f"{next(iter(given))}={value}: unknown value. {known(variable.allowed)}")
    return value


def _names(variable: str, text: str, what: str) -> tuple[str, ...]:
    """Names separated by commas, each once."""
    names = [name.strip() for name in text.split(",")] if text else []
    if not all(names):
        raise TfcrossError(
            f"{variable}={text}: an empty name among the commas; give {what} separated by single commas."
        )
    return tuple(dict.fromkeys(names))


def _words(name: str, text: str) -> tuple[str, ...]:
    """``text`` split as a shell does."""
    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        raise TfcrossError(f"{name}={text}: {str(error).lower()}; close what the quote opens.") from error


def parse_size(text: str, name: str) -> int:
    """Bytes for ``"4.5MB"``, which the variable ``name`` has; 0 for ""."""
    if not text:
        return 0
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)", text)
    if not match or match[2] not in UNITS:
        raise TfcrossError(
            f"{name}={text}: not a size; give bytes, or as in 4.5MB. {known(filter(None, UNITS))}"
        )
    return int(float(match[1]) * UNITS[match[2]])
