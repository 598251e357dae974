"""How an answer is compared with the one that is expected, and the files in between."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tfcross.app.answers import Answers, Stored, Tolerance
from tfcross.app.comparison import compare, compare_saved, feed_words
from tfcross.app.tensorfiles import load_stored, read_saved, write_feed
from tfcross.errors import TfcrossError

DEFAULT = Tolerance()
NAN, INF = float("nan"), float("inf")


def floats(*values: float) -> Any:
    return np.array(values, np.float32)


def texts(*values: bytes) -> Any:
    return np.array(values, object)


def ints(*values: int, dtype: str = "int64") -> Any:
    return np.array(values, dtype)


@pytest.mark.parametrize(
    ("expected", "found"),
    [
        pytest.param(floats(1, 100), floats(1.0009, 100), id="within a part of the largest"),
        pytest.param(floats(NAN, INF, -INF), floats(NAN, INF, -INF), id="what is no number"),
        pytest.param(np.array([0.5, 0.25]), floats(0.5, 0.25), id="answers of double precision"),
        pytest.param(ints(2**62 + 1), ints(2**62 + 1), id="integers"),
        pytest.param(ints(3), ints(3, dtype="uint8"), id="integers of another width"),
        pytest.param(np.array([True]), np.array([True]), id="bools"),
        pytest.param(texts(b"a\0"), texts(b"a\0"), id="texts"),
        pytest.param(floats(), floats(), id="nothing"),
        pytest.param(np.array(2j), np.array(2j + 1e-6), id="complex numbers"),
    ],
)
def test_what_is_near_enough(expected: Any, found: Any) -> None:
    assert compare(expected, found, DEFAULT).wrong == 0


@pytest.mark.parametrize(
    ("expected", "found", "text", "wrong"),
    [
        pytest.param(
            np.array([[1, 2], [3, 4]], np.float32),
            np.array([[1, 2.5], [3, 4.25]], np.float32),
            "the largest difference 0.5 is at [0, 1]: expected 2.0, found 2.5",
            2,
            id="floats",
        ),
        pytest.param(
            floats(1, NAN, 2),
            floats(1, 7, 2),
            "the largest difference inf is at [1]: expected nan, found 7.0",
            1,
            id="a number for a NaN",
        ),
        pytest.param(
            floats(1, 2),
            floats(NAN, 2),
            "the largest difference inf is at [0]: expected 1.0, found nan",
            1,
            id="a NaN for a number",
        ),
        pytest.param(
            floats(INF),
            floats(-INF),
            "the largest difference inf is at [0]: expected inf, found -inf",
            1,
            id="the other infinity",
        ),
        pytest.param(
            ints(5, 2**62),
            ints(5, 2**62 + 1),
            "the largest difference 1 is at [1]: expected 4611686018427387904, found 4611686018427387905",
            1,
            id="integers that are one as floats",
        ),
        pytest.param(
            ints(0, dtype="uint8"),
            ints(255, dtype="uint8"),
            "the largest difference 255 is at [0]: expected 0, found 255",
            1,
            id="bytes",
        ),
        pytest.param(
            np.array([True, True]),
            np.array([True, False]),
            "differs at [1]: expected True, found False",
            1,
            id="bools",
        ),
        pytest.param(
            texts(b"a", b"b"),
            texts(b"a", b"c\n"),
            "differs at [1]: expected b'b', found b'c\\n'",
            1,
            id="texts",
        ),
        pytest.param(
            np.zeros((2, 3)),
            np.zeros((3, 2)),
            "expected the shape [2, 3], found [3, 2]",
            1,
            id="another shape",
        ),
        pytest.param(
            np.zeros((1,)),
            np.zeros(()),
            "expected the shape [1], found []",
            1,
            id="a scalar, which would broadcast",
        ),
        pytest.param(
            floats(1), ints(1), "expected float (float32), found integer (int64)", 1, id="another kind"
        ),
        pytest.param(texts(b"1"), ints(1), "expected string (text), found integer (int64)", 1, id="no text"),
        pytest.param(
            floats(1), None, "has no elements that could be compared, as a handle", 1, id="a handle"
        ),
    ],
)
def test_what_is_wrong_is_told_where_it_is_most(expected: Any, found: Any, text: str, wrong: int) -> None:
    difference = compare(expected, found, DEFAULT)
    assert (difference.text, difference.wrong) == (text, wrong)


@pytest.mark.parametrize(
    ("tolerance", "wrong"),
    [
        pytest.param(Tolerance(), 1, id="default"),
        pytest.param(Tolerance(absolute=0.3, relative=0), 0, id="absolute"),
        pytest.param(Tolerance(absolute=0.2, relative=0), 1, id="too small"),
        pytest.param(Tolerance(absolute=0, relative=0.03), 0, id="of the largest, 10"),
        pytest.param(Tolerance(absolute=0.2, relative=0.03), 0, id="the larger of the two"),
    ],
)
def test_a_tolerance_is_absolute_or_of_the_largest(tolerance: Tolerance, wrong: int) -> None:
    assert compare(floats(1, -10), floats(1.25, -10), tolerance).wrong == wrong


def test_integers_are_exact_whatever_the_tolerance() -> None:
    assert compare(ints(7), ints(8), Tolerance(absolute=9)).wrong == 1


def stored(path: Path, key: str = "", dtype: str = "DT_FLOAT", shape: Any = (-1, 2)) -> Stored:
    return Stored("x", str(path), key, dtype, shape)


def test_feeds_become_files_of_the_runner_and_its_words(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    big_endian = np.array([[1, 2]], ">f4")
    np.savez(path, in_x=big_endian, in_s=np.array(["ä", "bc"]))
    text = Stored("s", str(path), "in_s", "DT_STRING", (2,))
    answers = Answers(
        (stored(path, "in_x"), text), (Stored("y", str(path), "in_x"), Stored("z:1", str(path), "in_x"))
    )
    assert feed_words(answers, tmp_path) == [
        *("--inputs", "x=float[1,2],s=string[2]"),
        *("--feed", f"x={tmp_path}/feed0.npy", "--feed", f"s={tmp_path}/feed1.strings"),
        *("--outputs", "y,z:1", "--save", str(tmp_path)),
    ]
    fed = (tmp_path / "feed0.npy").read_bytes()
    assert fed.startswith(b"\x93NUMPY\x01\0")
    assert fed.endswith(struct.pack("<2f", 1, 2))
    assert (tmp_path / "feed1.strings").read_bytes() == struct.pack("<4Q", 1, 2, 2, 0)[:24] + "ä".encode() + (
        struct.pack("<Q", 2) + b"bc"
    )


def test_a_file_of_any_kind_is_the_value_of_a_text(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"RIFF\0\0")
    path, word = write_feed(stored(tmp_path / "a.wav", dtype="DT_STRING", shape=()), tmp_path / "feed0")
    assert (path.name, word) == ("feed0.strings", "x=string[]")
    assert path.read_bytes() == struct.pack("<2Q", 0, 6) + b"RIFF\0\0"


@pytest.mark.parametrize(
    ("array", "dtype", "message"),
    [
        pytest.param(
            np.zeros((1, 2)),
            "DT_FLOAT",
            "is float64, and the input 'x' is float; save it as ….astype('float32').",
            id="another type",
        ),
        pytest.param(
            np.zeros((1, 2)),
            "DT_STRING",
            "is float64, and the input 'x' is string; save it as numpy.array(…, dtype='S').",
            id="no text",
        ),
        pytest.param(
            np.array([["a", "b"]]),
            "DT_INT32",
            "is text, and the input 'x' is int32; save it as ….astype('int32').",
            id="text",
        ),
        pytest.param(
            np.zeros((2, 3), "f4"),
            "DT_FLOAT",
            "has the shape [2, 3], and the input is x=float[?,2]; give its shape.",
            id="another shape",
        ),
        pytest.param(
            np.zeros((1, 2), "f4"),
            "DT_BFLOAT16",
            "the input 'x' is of the type bfloat16, which no file can feed; prove the model with a program "
            "(docs/models.md#the-proof).",
            id="a type without files",
        ),
        pytest.param(
            np.array([["a", None]], object),
            "DT_STRING",
            "holds Python objects; save text as numpy.array(…, dtype='S').",
            id="objects",
        ),
        pytest.param(
            np.zeros((1, 2), "M8[s]"),
            "DT_INT64",
            "no tensor has the type datetime64[s]; save numbers or text.",
            id="times",
        ),
    ],
)
def test_an_array_that_the_input_cannot_take_is_told(
    array: Any, dtype: str, message: str, tmp_path: Path
) -> None:
    np.savez(tmp_path / "a.npz", in_x=array)
    with pytest.raises(TfcrossError) as caught:
        write_feed(stored(tmp_path / "a.npz", "in_x", dtype), tmp_path / "feed0")
    assert str(caught.value) == f"{tmp_path}/a.npz: in_x: {message}"


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros(100))
    (tmp_path / "x.npy").write_bytes((tmp_path / "x.npy").read_bytes()[:300])
    with pytest.raises(TfcrossError, match=r"x\.npy: cannot be read: .*; save it again\."):
        load_stored(stored(tmp_path / "x.npy"))


def test_what_the_runner_saves_is_read(tmp_path: Path) -> None:
    np.save(tmp_path / "0.npy", floats(1, 2))
    (tmp_path / "1.strings").write_bytes(struct.pack("<3Q", 1, 2, 1) + b"\0" + struct.pack("<Q", 0))
    np.save(tmp_path / "2.npy", np.array([0x3F80, 0xC000], "<u2").view("V2"))
    assert read_saved(tmp_path, 0).tolist() == [1, 2]  # type: ignore[union-attr]
    assert read_saved(tmp_path, 1).tolist() == [b"\0", b""]  # type: ignore[union-attr]
    assert read_saved(tmp_path, 2).tolist() == [1, -2]  # type: ignore[union-attr]
    assert read_saved(tmp_path, 3) is None


def test_each_answer_gets_a_line_and_the_first_wrong_one_is_the_error(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, out_y=floats(1, 2), out_n=ints(4, 5))
    answers = Answers((), (Stored("y", str(path), "out_y"), Stored("n", str(path), "out_n")))
    np.save(tmp_path / "0.npy", floats(1, 2))
    np.save(tmp_path / "1.npy", ints(4, 5))
    assert compare_saved(answers, tmp_path) == (
        "answer y: no difference; at most 2e-05 is allowed\nanswer n: no difference; it must be equal\n"
    )
    np.save(tmp_path / "0.npy", floats(1.5, 3))
    np.save(tmp_path / "1.npy", ints(4, 6))
    with pytest.raises(TfcrossError) as caught:
        compare_saved(answers, tmp_path)
    assert str(caught.value) == (
        "proof: output 'y': the largest difference 1 is at [1]: expected 2.0, found 3.0; at most 2e-05 is "
        f"allowed; 2 elements are wrong; 1 more output is wrong. {path}: out_y and the model do not agree: "
        "correct one of them, or give a `tolerance` (docs/models.md#the-proof)."
    )
