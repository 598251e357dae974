"""Vocabulary files as the tables of a graph read them: one entry a line, whole or in columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tfcross.errors import TfcrossError, quoted
from tfcross.graph.datatypes import NUMBERS, type_name
from tfcross.graph.tensors import STORAGE, STRING, make_tensor, string_tensor

WHOLE_LINE, LINE_NUMBER = -2, -1
_PARSERS: Mapping[str, Callable[[bytes], int | float]] = {
    "int32": int,
    "int64": int,
    "float": float,
    "double": float,
}


@dataclass(frozen=True)
class Column:
    """``index`` is WHOLE_LINE, LINE_NUMBER or the number of a column; ``dtype`` a DataType number."""

    index: int
    dtype: int


@dataclass(frozen=True)
class Layout:
    """As InitializeTableFromTextFileV2 tells it: ``size`` -1 is all lines, ``offset`` is for line numbers."""

    key: Column
    value: Column
    size: int
    delimiter: bytes
    offset: int


def read_vocabulary(path: Path, layout: Layout) -> tuple[Any, Any]:
    """The keys and the values as TensorProtos. Raises TfcrossError where the table would not be filled."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise TfcrossError(f"{path}: {error.strerror}; the model needs this vocabulary file.") from None
    lines = [line.removesuffix(b"\r") for line in content.split(b"\n")]
    if not lines[-1]:
        lines.pop()
    if layout.size >= 0:
        if len(lines) < layout.size:
            raise TfcrossError(f"{path}: it has {len(lines)} lines, and the model wants {layout.size}.")
        lines = lines[: layout.size]
    if b"" in lines:
        raise TfcrossError(
            f"{path}:{lines.index(b'') + 1}: an empty line, which the model's table does not take."
        )
    rows = [line.split(layout.delimiter) for line in lines] if _has_columns(layout) else []
    return (
        _column(path, layout.key, lines, rows, layout.offset),
        _column(path, layout.value, lines, rows, layout.offset),
    )


def _has_columns(layout: Layout) -> bool:
    return max(layout.key.index, layout.value.index) >= 0


def _column(path: Path, column: Column, lines: list[bytes], rows: list[list[bytes]], offset: int) -> Any:
    shape = (len(lines),)
    if column.index == LINE_NUMBER:
        numbers = np.arange(len(lines), dtype=np.int64) + offset
        return make_tensor(NUMBERS["int64"], shape, numbers.tobytes())
    texts = (
        lines
        if column.index == WHOLE_LINE
        else [_cell(path, rows, at, column.index) for at in range(len(rows))]
    )
    if column.dtype == STRING:
        return string_tensor(shape, texts)
    return make_tensor(column.dtype, shape, _numbers(path, column.dtype, texts))


def _cell(path: Path, rows: list[list[bytes]], at: int, index: int) -> bytes:
    if not 0 <= index < len(rows[at]):
        raise TfcrossError(f"{path}:{at + 1}: {len(rows[at])} columns, and the model wants column {index}.")
    return rows[at][index]


def _numbers(path: Path, dtype: int, texts: list[bytes]) -> bytes:
    parse = _PARSERS.get(type_name(dtype))
    if parse is None:
        raise TfcrossError(
            f"{path}: the model wants values of the type {type_name(dtype)} from it, which no file has."
        )
    numbers = []
    for at, text in enumerate(texts):
        try:
            numbers.append(parse(text))
        except ValueError:
            raise TfcrossError(
                f"{path}:{at + 1}: {quoted(text.decode(errors='backslashreplace'))} is no number."
            ) from None
    try:
        return np.array(numbers, STORAGE[dtype].dtype).tobytes()
    except OverflowError:
        raise TfcrossError(f"{path}: a number is too large for the type {type_name(dtype)}.") from None
