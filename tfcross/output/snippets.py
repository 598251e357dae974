"""Link snippets: what an app's project includes to use the library, one format for each kind of project."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from tfcross.documents import load_document
from tfcross.errors import TfcrossError, known
from tfcross.output.linkflags import LinkFlags
from tfcross.render import TEMPLATES, filters, render

FOLDER = TEMPLATES / "link"
#: Stands for the output folder in arguments, until a snippet says how it spells that.
ROOT = "\0"


@dataclass(frozen=True)
class Format:
    """``triples`` are patterns of the targets that it is for; ``files``: path below the output folder →
    template; ``prints`` is the template of what is printed for one folder."""

    name: str
    description: str
    triples: tuple[str, ...]
    files: tuple[tuple[str, str], ...]
    prints: str

    def fits(self, triple: str) -> bool:
        return any(fnmatch(triple, pattern) for pattern in self.triples)


@dataclass(frozen=True)
class Library:
    """What a snippet is about; ``name`` is the output folder's, as ``PI-armv7``.

    ``first`` are sentences that say what an app has to run first.
    """

    name: str
    arch: str
    triple: str
    release: str
    flags: LinkFlags
    first: tuple[str, ...] = ()


def load_formats(folder: Path = FOLDER) -> dict[str, Format]:
    """Every format by name, in the order of ``formats.yaml``."""
    document = load_document(folder / "formats.yaml", "formats")
    return {
        name: Format(
            name,
            entry["description"],
            tuple(entry.get("triples", ["*"])),
            tuple(entry["files"].items()),
            entry.get("prints") or next(iter(entry["files"].values())),
        )
        for name, entry in document.items()
    }


def snippet_files(library: Library) -> dict[str, str]:
    """The texts of all formats for the library's target, by path below the output folder: relocatable."""
    return {
        path: _text(template, library)
        for form in load_formats().values()
        if form.fits(library.triple)
        for path, template in form.files
    }


def print_snippet(name: str, library: Library, folder: Path) -> str:
    """The text of format ``name`` for the output folder ``folder``; it may be kept anywhere.

    Raises TfcrossError for a format that does not exist, or is not for the library's target.
    """
    formats = load_formats()
    fitting = [form.name for form in formats.values() if form.fits(library.triple)]
    if name not in formats:
        raise TfcrossError(f"FORMAT={name}: unknown format. {known(fitting)}")
    if name not in fitting:
        patterns = " or ".join(formats[name].triples)
        raise TfcrossError(
            f"FORMAT={name}: is for {patterns}; {library.name} is {library.triple}. {known(fitting)}"
        )
    return _text(formats[name].prints, library, str(folder.absolute()))


def _text(template: str, library: Library, folder: str = "") -> str:
    """The template for ``library`` in ``folder`` ("": found by where the snippet's file is)."""
    flags = library.flags
    return render(
        f"{FOLDER.name}/{template}",
        told="".join(f" {sentence}." for sentence in library.first),
        folder=folder,
        flags=flags,
        compile=flags.compile_arguments(ROOT),
        link=flags.link_arguments(ROOT),
        whole=flags.whole_core(ROOT),
        name=library.name,
        arch=library.arch,
        version=library.release,
    )


def _shell(arguments: Sequence[str], root: str, wrap: str = "", dollar: str = "$") -> str:
    """One line that a shell splits into ``arguments``; ROOT in them becomes ``root``, as it stands.

    A word with ROOT in it is put between two ``wrap``; other dollar signs are spelled ``dollar``.
    """
    words = []
    for argument in arguments:
        parts = [shlex.quote(part).replace("$", dollar) if part else "" for part in argument.split(ROOT)]
        mark = wrap if len(parts) > 1 else ""
        words.append(f"{mark}{root.join(parts)}{mark}")
    return " ".join(words)


def _string(text: str) -> str:
    """In double quotes, as Python, Ruby, Groovy and Starlark read it."""
    return json.dumps(text, ensure_ascii=False)


def _strings(texts: Sequence[str], root: str = "") -> str:
    """A list of strings for Python and Starlark."""
    return json.dumps([text.replace(ROOT, root) for text in texts], ensure_ascii=False)


def _cmake(texts: Sequence[str]) -> str:
    """What stands between double quotes for a CMake list."""
    escapes = str.maketrans({"\\": "\\\\", '"': '\\"', "$": "\\$", ";": "\\;"})
    return ";".join(text.translate(escapes) for text in texts)


def _prefixed(names: Sequence[str], prefix: str) -> list[str]:
    return [prefix + name for name in names]


filters.update(
    shell=_shell, quoted=shlex.quote, string=_string, strings=_strings, cmake=_cmake, prefixed=_prefixed
)
