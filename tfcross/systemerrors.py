"""What the system refused, in one line: where, why, what to do about it."""

from __future__ import annotations

import errno
import os
import re
import shutil

_REMEDIES = {
    errno.ENOSPC: "make room",
    errno.EDQUOT: "make room",
    errno.EFBIG: "allow larger files (ulimit -f)",
    errno.EMFILE: "allow more open files (ulimit -n)",
    errno.ENFILE: "let other programs end, which hold too many files",
    errno.ENOMEM: "use fewer jobs (-j1)",
    errno.EAGAIN: "use fewer jobs (-j1)",
    errno.EACCES: "give yourself the right to it",
    errno.EPERM: "give yourself the right to it",
    errno.EROFS: "build where files can be written",
    errno.ENOENT: "put it back",
    errno.EISDIR: "move the folder away",
    errno.ENOTDIR: "move away what stands in the place of its folder",
    errno.EEXIST: "move it away",
    errno.ENOTEMPTY: "let no other program write there",
    errno.ENAMETOOLONG: "build in a folder with a shorter path",
    errno.ENOEXEC: "install it for this machine",
    errno.ETXTBSY: "end the program that is running",
    errno.EIO: "look after the disk (dmesg)",
}


def system_problem(error: OSError, where: str = "") -> str:
    """One line for ``error``, which names no file where it is about ``where``; without ``error: ``."""
    number, path = error.errno, error.filename
    why = error.strerror or str(error)
    if isinstance(error, shutil.Error):  # a list of (from, to, why), the last one as a text
        _, path, told = error.args[0][0]
        match = re.match(r"\[Errno (\d+)\]", str(told))
        number = int(match[1]) if match else None
        why = os.strerror(number) if number else str(told)
    place = os.fsdecode(path) if isinstance(path, str | bytes | os.PathLike) else where
    remedy = _REMEDIES.get(number or 0, "mend that")
    return f"{place}: {why}; {remedy} and run again." if place else f"{why}; {remedy} and run again."
