"""Tensors as files: those of a model's user, and those that templates/run_graph.cc reads and writes.

numpy is imported when it is needed: reading a build should not wait for it.
"""

from __future__ import annotations

import math
import struct
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfcross.app.answers import Stored
from tfcross.errors import TfcrossError, quoted
from tfcross.graph.cutting.ends import input_word, type_word
from tfcross.graph.datatypes import NUMBERS

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

_BROKEN = (
    ValueError,
    OSError,
    EOFError,
    KeyError,
    MemoryError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
)
#: Types that NumPy has no type for, or the runner takes no file of.
_NEVER_FED = ("bfloat16", "resource", "variant", "qint8", "quint8", "qint16", "quint16", "qint32")


def load_stored(stored: Stored) -> Array:
    """The array; strings are bytes, in an array of objects. Raises TfcrossError."""
    import numpy as np  # noqa: PLC0415

    if not stored.key and Path(stored.path).suffix != ".npy":
        return np.array(Path(stored.path).read_bytes(), object)
    try:
        loaded = np.load(stored.path, allow_pickle=False)
        array = np.asarray(loaded[stored.key] if stored.key else loaded)
    except _BROKEN as error:
        pickled = "allow_pickle" in str(error)
        what = "holds Python objects; save text as numpy.array(…, dtype='S')" if pickled else "cannot be read"
        raise TfcrossError(
            f"{stored.where}: {what}{'' if pickled else f': {error}; save it again'}."
        ) from error
    return _plain(array, stored)


def _plain(array: Array, stored: Stored) -> Array:
    """In this machine's byte order; text as UTF-8."""
    import numpy as np  # noqa: PLC0415

    kind = array.dtype.kind
    if kind in "SU":
        texts = [text.encode() if kind == "U" else text for text in array.ravel().tolist()]
        return _objects(texts, array.shape)
    if kind not in "biufc" or array.dtype.itemsize > 16:
        raise TfcrossError(f"{stored.where}: no tensor has the type {array.dtype}; save numbers or text.")
    return np.ascontiguousarray(array.astype(array.dtype.newbyteorder("="))).reshape(array.shape)


def write_feed(stored: Stored, target: Path) -> tuple[Path, str]:
    """A file for the runner, ``target`` with an ending, and the word of INPUTS= for what is in it.

    Raises TfcrossError where the array is not what the model's input takes.
    """
    import numpy as np  # noqa: PLC0415

    array = load_stored(stored)
    _check_type(array, stored)
    if stored.shape is not None and not _fits(array.shape, stored.shape):
        takes = input_word(stored.tensor, stored.dtype, stored.shape)
        raise TfcrossError(
            f"{stored.where}: has the shape {list(array.shape)}, and the input is {takes}; give its shape."
        )
    word = input_word(stored.tensor, stored.dtype, array.shape)
    if array.dtype == object:
        path = target.with_suffix(".strings")
        path.write_bytes(_string_bytes(array))
        return path, word
    path = target.with_suffix(".npy")
    with path.open("wb") as stream:
        np.lib.format.write_array(stream, array, version=(1, 0), allow_pickle=False)
    return path, word


def read_saved(folder: Path, number: int) -> Array | None:
    """The output of that number in what the runner saved; None for one that has no elements, as a handle."""
    import numpy as np  # noqa: PLC0415

    strings = folder / f"{number}.strings"
    if strings.is_file():
        return _read_strings(strings.read_bytes())
    path = folder / f"{number}.npy"
    if not path.is_file():
        return None
    array: Array = np.load(path, allow_pickle=False)
    if array.dtype.kind == "V":  # bfloat16 is the upper half of a float
        return (array.view("<u2").astype("<u4") << 16).view("<f4")
    return array


def _check_type(array: Array, stored: Stored) -> None:
    from tfcross.graph.tensors import STORAGE  # noqa: PLC0415 (numpy)

    word = type_word(stored.dtype)
    storage = STORAGE.get(NUMBERS.get(word, 0))
    has = "text" if array.dtype == object else str(array.dtype)
    if word == "string" and array.dtype == object:
        return
    if word in _NEVER_FED or (storage is None and word != "string"):
        raise TfcrossError(
            f"{stored.where}: the input {quoted(stored.tensor)} is of the type {word}, which no file can "
            "feed; prove the model with a program (docs/models.md#the-proof)."
        )
    if storage is None or array.dtype != storage.dtype:
        import numpy as np  # noqa: PLC0415

        save = "numpy.array(…, dtype='S')" if storage is None else f"….astype('{np.dtype(storage.dtype)}')"
        raise TfcrossError(
            f"{stored.where}: is {has}, and the input {quoted(stored.tensor)} is {word}; save it as {save}."
        )


def _fits(sizes: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    pairs = zip(sizes, shape, strict=False)
    return len(sizes) == len(shape) and all(told in (-1, size) for size, told in pairs)


def _objects(texts: list[bytes], shape: tuple[int, ...]) -> Array:
    import numpy as np  # noqa: PLC0415

    array = np.empty(len(texts), object)
    array[:] = texts
    return array.reshape(shape)


def _string_bytes(array: Array) -> bytes:
    """As templates/run_graph_files.h describes it."""
    texts = array.ravel().tolist()
    head = struct.pack(f"<{1 + array.ndim}Q", array.ndim, *array.shape)
    return head + b"".join(struct.pack("<Q", len(text)) + text for text in texts)


def _read_strings(data: bytes) -> Array:
    (rank,) = struct.unpack_from("<Q", data)
    shape = struct.unpack_from(f"<{rank}Q", data, 8)
    at, texts = 8 + 8 * rank, []
    for _ in range(math.prod(shape)):
        (size,) = struct.unpack_from("<Q", data, at)
        texts.append(data[at + 8 : at + 8 + size])
        at += 8 + size
    return _objects(texts, shape)
