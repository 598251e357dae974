"""What the system refused is told with its own cause, and with what helps against that."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest

from tfcross.systemerrors import system_problem


def refusal(number: int, path: str | None = "build/x") -> OSError:
    return OSError(number, os.strerror(number), path)


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (errno.ENOSPC, "build/x: No space left on device; make room and run again."),
        (errno.EDQUOT, "build/x: Disk quota exceeded; make room and run again."),
        (errno.EFBIG, "build/x: File too large; allow larger files (ulimit -f) and run again."),
        (errno.EMFILE, "build/x: Too many open files; allow more open files (ulimit -n) and run again."),
        (errno.ENOENT, "build/x: No such file or directory; put it back and run again."),
        (errno.EACCES, "build/x: Permission denied; give yourself the right to it and run again."),
        (errno.EROFS, "build/x: Read-only file system; build where files can be written and run again."),
        (errno.EISDIR, "build/x: Is a directory; move the folder away and run again."),
        (errno.EIO, "build/x: Input/output error; look after the disk (dmesg) and run again."),
        (errno.EXDEV, "build/x: Invalid cross-device link; mend that and run again."),
    ],
)
def test_each_cause_has_its_own_words(number: int, message: str) -> None:
    assert system_problem(refusal(number), "target") == message


def test_only_a_full_disk_is_told_to_make_room() -> None:
    told = [number for number in errno.errorcode if "make room" in system_problem(refusal(number))]
    assert sorted(told) == sorted([errno.ENOSPC, errno.EDQUOT])


def test_a_really_full_device_is_told() -> None:
    with pytest.raises(OSError) as caught:  # noqa: PT011
        os.write(os.open("/dev/full", os.O_WRONLY), b"x")
    assert system_problem(caught.value, "out/a") == "out/a: No space left on device; make room and run again."


def test_without_a_place_only_the_cause_is_told() -> None:
    assert system_problem(refusal(errno.ENOSPC, None)) == "No space left on device; make room and run again."


def test_a_failed_copy_of_a_tree_names_its_first_file(tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/gone").symlink_to("nowhere")
    with pytest.raises(shutil.Error) as caught:
        shutil.copytree(tmp_path / "tree", tmp_path / "copy")
    assert system_problem(caught.value, "target") == (
        f"{tmp_path}/copy/gone: No such file or directory; put it back and run again."
    )
