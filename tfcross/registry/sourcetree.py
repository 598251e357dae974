"""What TensorFlow's sources include and define, read as text; and the shadow of their headers.

The shadow holds one file for every header that the sources reach: the preprocessor directives of
TensorFlow's own headers, nothing of all others. Code between directives never changes what a macro
expands to, so a preprocessor that reads the shadow expands the sources' macros as over the whole tree.
"""

from __future__ import annotations

import functools
import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_FOREIGN = "third_party/"
_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(["<])([^">\n]+)[">]', re.M)
_DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.M)
_DEFINE = re.compile(r"^[ \t]*#[ \t]*define[ \t]+(\w+)((?:[^\n]*\\\n)*[^\n]*)", re.M)
_UNDEFINE = re.compile(r"^[ \t]*#[ \t]*undef[ \t]+(\w+)", re.M)
_PRAGMA_ONCE = re.compile(r"^[ \t]*#[ \t]*pragma[ \t]+once\b[^\n]*", re.M)
_GUARD = re.compile(r"\bTFCROSS_ONCE_\w+")
_WORD = re.compile(r"\w+(?:[ \t]*##)?")
_TEXT_OR_COMMENT = re.compile(
    r'R"([^()\\\s]{0,16})\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|//(?:\\\n|[^\n])*|/\*.*?\*/',
    re.S,
)


@dataclass(frozen=True)
class SourceTree:
    """``texts``: every file that some start file reaches, by its path below ``root``.

    ``stubs``: the files of it that headers of our own are laid over; every part of the tree has them.
    ``includes``: what each of them includes, as such a path, or as written if it is outside of the tree.
    """

    root: Path
    texts: Mapping[str, str]
    includes: Mapping[str, tuple[str, ...]]
    stubs: tuple[str, ...] = ()

    @property
    def outside(self) -> frozenset[str]:
        """The includes that name no file of TensorFlow's own."""
        named = frozenset(include for includes in self.includes.values() for include in includes)
        return named - self.texts.keys()

    def part(self, files: Iterable[str]) -> SourceTree:
        """The tree that has only ``files`` and what they reach."""
        reached: set[str] = set()
        waiting = [*files, *self.stubs]
        while waiting:
            file = waiting.pop()
            if file not in reached and file in self.texts:
                reached.add(file)
                waiting += self.includes[file]
        kept = sorted(reached)
        texts = {file: self.texts[file] for file in kept}
        return SourceTree(self.root, texts, {file: self.includes[file] for file in kept}, self.stubs)

    @functools.cached_property
    def macros(self) -> Mapping[str, tuple[str, ...]]:
        """Every body that any file gives to a macro, whatever the conditions around it; parameters first."""
        bodies: dict[str, tuple[str, ...]] = {}
        for text in self.texts.values():
            for name, body in _DEFINE.findall(text):
                bodies[name] = (*bodies.get(name, ()), body)
        return bodies

    @functools.cached_property
    def macro_names(self) -> frozenset[str]:
        """Every macro that any file defines or undefines."""
        undefined = (name for text in self.texts.values() for name in _UNDEFINE.findall(text))
        return frozenset(self.macros) | frozenset(undefined)


def read_tree(root: Path, files: Sequence[str], stubs: Path) -> SourceTree:
    """Read ``files`` and whatever of TensorFlow's own they include, at any depth and under any condition.

    ``stubs`` is a folder of headers that are laid over the tree's.
    """
    laid_over = stub_files(stubs)
    exists = functools.cache(lambda file: (root / file).is_file() or (stubs / file).is_file())
    texts: dict[str, str] = {}
    includes: dict[str, tuple[str, ...]] = {}
    waiting = [*files, *laid_over]
    while waiting:
        file = waiting.pop()
        if file in texts:
            continue
        texts[file] = _read(root, file, stubs)
        written = dict.fromkeys(_INCLUDE.findall(texts[file]))
        includes[file] = tuple(
            next(filter(exists, _places(file, quote, name)), name) for quote, name in written
        )
        waiting += (name for name in includes[file] if not name.startswith(_FOREIGN) and exists(name))
    return SourceTree(root, texts, includes, laid_over)


def stub_files(stubs: Path) -> tuple[str, ...]:
    """The headers in the folder ``stubs``, sorted."""
    return tuple(sorted(path.relative_to(stubs).as_posix() for path in stubs.rglob("*.h")))


def _read(root: Path, file: str, stubs: Path) -> str:
    """The file's text with our stub, if there is one, behind it."""
    parts = [base / file for base in (root, stubs)]
    return "\n".join(p.read_text(encoding="utf-8", errors="surrogateescape") for p in parts if p.is_file())


def _places(file: str, quote: str, include: str) -> Iterator[str]:
    """Where, below the root, a file may be that ``file`` includes.

    The folder third_party wraps other projects (Eigen), so nothing of it is TensorFlow's own.
    """
    if not include.startswith(_FOREIGN):
        if quote == '"':
            yield posixpath.normpath(posixpath.join(posixpath.dirname(file), include))
        yield include


def names_that_expand_to(macros: Mapping[str, Sequence[str]], targets: Iterable[str]) -> frozenset[str]:
    """``targets`` and every macro whose body, or the body of a macro it names, uses one of them.

    ``NAME_##x`` counts as a use of all names that begin with ``NAME_``.
    """
    words = {name: _words(bodies) for name, bodies in macros.items()}
    expanding = set(targets)
    while True:
        uses = _user_of(expanding)
        new = {name for name, used in words.items() if name not in expanding and uses(used)}
        if not new:
            return frozenset(expanding)
        expanding |= new


def _words(texts: Iterable[str]) -> frozenset[str]:
    words = set().union(*(_WORD.findall(text) for text in texts))
    return frozenset("".join(word.split()) for word in words)


def _user_of(names: Iterable[str]) -> Callable[[frozenset[str]], bool]:
    """A test whether a set of words uses one of ``names``, whole or as the start of a pasted name."""
    plain = frozenset(names)
    pasted = frozenset(f"{name[:end]}##" for name in plain for end in range(1, len(name) + 1))
    return lambda words: not plain.isdisjoint(words) or not pasted.isdisjoint(words)


def files_that_use(tree: SourceTree, files: Iterable[str], names: Iterable[str]) -> list[str]:
    """Those of ``files`` whose text has one of the macros ``names`` in it, in their order."""
    uses = _user_of(names)
    return [file for file in files if uses(_words([tree.texts[file]]))]


def directives_only(text: str, names: frozenset[str]) -> str:
    """A header without its code; the whole header if its code uses one of the macros ``names``."""
    text = _TEXT_OR_COMMENT.sub(lambda match: " " if match[0][0] == "/" else match[0], text)
    if names.isdisjoint(_WORD.findall(_DIRECTIVE.sub("", text))):
        text = "\n".join(_DIRECTIVE.findall(text))
    return text + "\n"


def _guarded(file: str, text: str) -> str:
    """``#pragma once`` as a macro, which, unlike the pragma, can be forgotten between two sources."""
    guard = "TFCROSS_ONCE_" + re.sub(r"\W", "_", file)
    pragma = _PRAGMA_ONCE.search(text)
    return f"#ifndef {guard}\n#define {guard}\n{_PRAGMA_ONCE.sub('', text)}\n#endif\n" if pragma else text


def write_shadow(tree: SourceTree, folder: Path, names: frozenset[str]) -> frozenset[str]:
    """Write the shadow of every header of ``tree`` and of every include outside of it; link the sources.

    The code of headers that use one of the macros ``names`` is kept. The links make the shadow the only
    place where a preprocessor has to look. Returns all macros that the sources and headers may define.
    """
    headers = {file: text for file, text in tree.texts.items() if not file.endswith(".cc")}
    shadows = {file: _guarded(file, directives_only(text, names)) for file, text in headers.items()}
    sources = tree.texts.keys() - headers.keys()
    for parent in {(folder / file).parent for file in (*tree.texts, *tree.outside)}:
        parent.mkdir(parents=True, exist_ok=True)
    for file, text in {**dict.fromkeys(tree.outside, ""), **shadows}.items():
        (folder / file).write_text(text, encoding="utf-8", errors="surrogateescape")
    for file in sources:
        (folder / file).symlink_to((tree.root / file).absolute())
    guards = (guard for text in shadows.values() for guard in _GUARD.findall(text))
    return tree.macro_names | frozenset(guards)
