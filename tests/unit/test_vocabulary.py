"""Vocabulary files as tables read them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tfcross.errors import TfcrossError
from tfcross.graph.freezing.vocabulary import LINE_NUMBER, WHOLE_LINE, Column, Layout, read_vocabulary
from tfcross.graph.tensors import array_of, strings_of

FLOAT, INT32, STRING, INT64 = 1, 3, 7, 9
WORDS, NUMBERS = Column(WHOLE_LINE, STRING), Column(LINE_NUMBER, INT64)


def read(
    folder: Path, content: bytes, key: Column, value: Column, **layout: Any
) -> tuple[list[Any], list[Any]]:
    path = folder / "words.txt"
    path.write_bytes(content)
    chosen = {"size": -1, "delimiter": b"\t", "offset": 0, **layout}
    tensors = read_vocabulary(path, Layout(key, value, **chosen))
    keys, values = (strings_of(t) if t.dtype == STRING else array_of(t).tolist() for t in tensors)
    return keys, values


@pytest.mark.parametrize(
    ("content", "key", "value", "layout", "expected"),
    [
        pytest.param(b"a\nb\n", WORDS, NUMBERS, {}, ([b"a", b"b"], [0, 1]), id="line numbers"),
        pytest.param(
            b"a\r\nb", WORDS, NUMBERS, {}, ([b"a", b"b"], [0, 1]), id="lines of Windows, no last end"
        ),
        pytest.param(b"a\nb\n", NUMBERS, WORDS, {"offset": 5}, ([5, 6], [b"a", b"b"]), id="offset"),
        pytest.param(b"a\nb\nc\n", WORDS, NUMBERS, {"size": 2}, ([b"a", b"b"], [0, 1]), id="the first lines"),
        pytest.param(
            b"a,1,x\nb,-2,y\n",
            Column(2, STRING),
            Column(1, INT32),
            {"delimiter": b","},
            ([b"x", b"y"], [1, -2]),
            id="columns",
        ),
        pytest.param(b"a\t0.5\n", Column(0, STRING), Column(1, FLOAT), {}, ([b"a"], [0.5]), id="floats"),
        pytest.param(b"\xff\xfe\n", WORDS, NUMBERS, {}, ([b"\xff\xfe"], [0]), id="bytes that are no text"),
    ],
)
def test_keys_and_values_are_as_tensorflow_reads_them(
    tmp_path, content, key, value, layout, expected
) -> None:
    assert read(tmp_path, content, key, value, **layout) == expected


@pytest.mark.parametrize(
    ("content", "value", "layout", "message"),
    [
        pytest.param(
            b"a\n\nb\n", NUMBERS, {}, ":2: an empty line, which the model's table does not take.", id="empty"
        ),
        pytest.param(
            b"a\n", NUMBERS, {"size": 3}, ": it has 1 lines, and the model wants 3.", id="too few lines"
        ),
        pytest.param(
            b"a\t1\nb\n", Column(1, INT64), {}, ":2: 1 columns, and the model wants column 1.", id="column"
        ),
        pytest.param(b"a\tx\n", Column(1, INT64), {}, ":1: 'x' is no number.", id="no number"),
        pytest.param(
            b"a\t99999999999\n", Column(1, INT32), {}, ": a number is too large for the type int32.", id="int"
        ),
    ],
)
def test_a_file_that_a_table_would_refuse_is_refused(tmp_path, content, value, layout, message) -> None:
    with pytest.raises(TfcrossError) as error:
        read(tmp_path, content, WORDS, value, **layout)
    assert str(error.value) == f"{tmp_path}/words.txt{message}"


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(
        TfcrossError, match="none.txt: No such file or directory; the model needs this vocabulary"
    ):
        read_vocabulary(tmp_path / "none.txt", Layout(WORDS, NUMBERS, -1, b"\t", 0))
