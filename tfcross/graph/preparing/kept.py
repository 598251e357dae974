"""Files that are made once for all that they are made from, this program included."""

from __future__ import annotations

import functools
import json
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from tfcross.files import write_json
from tfcross.treehash import FileSet, combined_hash, file_hash, hash_folder

#: Holds the graph and what belongs to it; the folder of the same name in the output folder has the same.
FOLDER = "model"
_RECORD = "made.json"
_OWN_CODE = Path(__file__).parents[1]


def kept(folder: Path, key: Iterable[str], make: Callable[[Path], object]) -> Path:
    """The folder with what ``make`` writes into it; it is called where that is not there as it was made.

    The folder is below ``folder``, under a hash of ``key`` and of the code that reads and writes graphs.
    """
    place = folder / combined_hash([_code_hash(), *key])[:16]
    made = place / FOLDER
    if not _is_right(place):
        shutil.rmtree(place, ignore_errors=True)
        made.mkdir(parents=True)
        make(made)
        write_json(place / _RECORD, _hashes(made))
    return made


def _is_right(place: Path) -> bool:
    try:
        record = json.loads((place / _RECORD).read_text())
    except (OSError, ValueError):  # none yet, or a damaged one
        return False
    return bool(record == _hashes(place / FOLDER))


def _hashes(folder: Path) -> dict[str, str]:
    return {path.name: file_hash(path) for path in folder.iterdir()} if folder.is_dir() else {}


@functools.cache
def _code_hash() -> str:
    return hash_folder(_OWN_CODE, FileSet(keep=("**/*.py",)))
