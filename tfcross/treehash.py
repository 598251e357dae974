"""Which files of a source tree count, and the one hash that says what is in them.

The hash of a tree of regular files can be recomputed in a shell, inside the tree::

    find . -type f -printf '%P\\0' | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum

Names and contents count; modes, owners and times do not, since they differ between the origins of
one version.
"""

from __future__ import annotations

import functools
import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

BLOCK = 1 << 20
MODIFIED = 946684800  # 2000-01-01: no compiler cache takes such a file for one being edited


@dataclass(frozen=True)
class FileSet:
    """The files under a folder that match a pattern of ``keep`` and none of ``drop``.

    A pattern is matched against the whole path, ``/``-separated and relative to the folder: ``*`` and
    ``?`` stay within one component, ``**`` spans any number of them, ``{a,b}`` is either.
    """

    keep: tuple[str, ...] = ("**",)
    drop: tuple[str, ...] = ()

    def __contains__(self, path: object) -> bool:
        text = str(path)
        return bool(_pattern(self.keep).match(text)) and not _pattern(self.drop).match(text)


@functools.cache
def _pattern(globs: tuple[str, ...]) -> re.Pattern[str]:
    alternatives = "|".join(_regex(glob) for glob in globs)
    return re.compile(f"(?:{alternatives})\\Z" if globs else r"(?!)")


_GLOB_TOKENS = re.compile(r"\*\*/|\*\*|\*|\?|\{[^{}]*\}|[^*?{]+|\{")
_GLOB_REGEX = {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*", "?": "[^/]"}


def _regex(glob: str) -> str:
    return "".join(_token_regex(token) for token in _GLOB_TOKENS.findall(glob))


def _token_regex(token: str) -> str:
    if token in _GLOB_REGEX:
        return _GLOB_REGEX[token]
    if token.startswith("{") and token.endswith("}"):
        return "(?:" + "|".join(_regex(choice) for choice in token[1:-1].split(",")) + ")"
    return re.escape(token)


def tree_hash(contents: Mapping[str, str]) -> str:
    """The hash of a tree, from the sha256 of each file's content by its ``/``-separated path."""
    whole = hashlib.sha256()
    for path in sorted(contents, key=os.fsencode):
        whole.update(contents[path].encode() + b"  " + os.fsencode(path) + b"\n")
    return whole.hexdigest()


def link_hash(target: str) -> str:
    """What stands for a symbolic link's content in a tree's hash."""
    return hashlib.sha256(b"link\0" + os.fsencode(target)).hexdigest()


def file_hash(path: Path) -> str:
    """The sha256 of a file's bytes, in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def modified_time(digest: str) -> int:
    """The time of a file with that sha256: what compares times sees another content as another file.

    Seconds since 1970, in 2000 to 2004.
    """
    return MODIFIED + int(digest[:7], 16) // 2


def hash_folder(folder: Path, files: FileSet) -> str:
    """The tree hash of what ``files`` selects under ``folder``, as an unpacked archive would have it."""
    return tree_hash({path: _content_hash(folder / path) for path in _walk(folder) if path in files})


def _walk(folder: Path) -> Iterator[str]:
    for parent, folders, files in os.walk(folder):
        links = [name for name in folders if (Path(parent) / name).is_symlink()]
        for name in [*files, *links]:
            yield (Path(parent) / name).relative_to(folder).as_posix()


def _content_hash(path: Path) -> str:
    return link_hash(str(path.readlink())) if path.is_symlink() else file_hash(path)


def combined_hash(parts: Iterable[str]) -> str:
    """One hash of several, in their order."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
