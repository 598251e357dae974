"""What INPUTS=, OUTPUTS= and SIGNATURE= say."""

from __future__ import annotations

import random

import pytest

from tfcross.errors import TfcrossError
from tfcross.graph.cutting.ends import Ends, Input, input_word, parse_ends, require_one

TYPES = (
    "bfloat16, bool, complex128, complex64, double, float, float8_e4m3fn, float8_e5m2, half, int16, int32, "
    "int64, int8, qint16, qint32, qint8, quint16, quint8, string, uint16, uint32, uint64, uint8"
)


@pytest.mark.parametrize(
    ("text", "inputs"),
    [
        pytest.param("x", (Input("x"),), id="the name alone"),
        pytest.param("x:0=float", (Input("x", "DT_FLOAT"),), id="first output, type"),
        pytest.param("a/b=float32[1,8,8,3]", (Input("a/b", "DT_FLOAT", (1, 8, 8, 3)),), id="numpy's type"),
        pytest.param("x=DT_INT32[]", (Input("x", "DT_INT32", ()),), id="the enumerator, a scalar"),
        pytest.param("x=[?,-1, 3]", (Input("x", "", (-1, -1, 3)),), id="sizes that vary, no type"),
        pytest.param(
            "x=float[1,2], y=string[],z",
            (Input("x", "DT_FLOAT", (1, 2)), Input("y", "DT_STRING", ()), Input("z")),
            id="several",
        ),
        pytest.param("", (), id="none"),
    ],
)
def test_inputs_are_names_with_type_and_shape(text: str, inputs: tuple[Input, ...]) -> None:
    assert parse_ends(text, "", "").inputs == inputs


def test_outputs_are_names_each_once() -> None:
    assert parse_ends("", "softmax:0, split:1,softmax", "serve") == Ends((), ("softmax", "split:1"), "serve")


@pytest.mark.parametrize(
    ("inputs", "outputs", "message"),
    [
        pytest.param(
            "x=float[1,2",
            "",
            "INPUTS=x=float[1,2: 'x=float[1,2' is not NAME=TYPE[SIZES]; write it as x=float[1,224,224,3].",
            id="an open bracket",
        ),
        pytest.param(
            "x=,y",
            "",
            "INPUTS=x=,y: 'x=' is not NAME=TYPE[SIZES]; write it as x=float[1,224,224,3].",
            id="nothing behind the sign",
        ),
        pytest.param(
            "x,,y",
            "",
            "INPUTS=x,,y: '' is not NAME=TYPE[SIZES]; write it as x=float[1,224,224,3].",
            id="an empty name",
        ),
        pytest.param(
            "x=flaot[1]", "", f"INPUTS=x=flaot[1]: unknown type 'flaot'. Known: {TYPES}.", id="type"
        ),
        pytest.param(
            "x=resource", "", f"INPUTS=x=resource: unknown type 'resource'. Known: {TYPES}.", id="a handle"
        ),
        pytest.param(
            "x=float_ref",
            "",
            f"INPUTS=x=float_ref: unknown type 'float_ref'. Known: {TYPES}.",
            id="a reference",
        ),
        pytest.param(
            "x=float[1,n]",
            "",
            "INPUTS=x=float[1,n]: 'n' is no size; give a number, or ? for one that varies.",
            id="size",
        ),
        pytest.param(
            "x=float[99999,99999]",
            "",
            "INPUTS=x=float[99999,99999]: [99999,99999]: at most 8 sizes and 2^28 elements can be fed; "
            "give fewer.",
            id="too large",
        ),
        pytest.param(
            "x:1=float",
            "",
            "INPUTS=x:1=float: 'x:1': only a node's first output can be fed; name the node.",
            id="another output",
        ),
        pytest.param("x,y,x:0", "", "INPUTS=x,y,x:0: 'x' is there twice; give it once.", id="twice"),
        pytest.param(
            "", "y,^z", "OUTPUTS=y,^z: '^z' is no NAME; give names as softmax or split:1.", id="control"
        ),
        pytest.param(
            "", "y:٣", "OUTPUTS=y:٣: 'y:٣' is no NAME; give names as softmax or split:1.", id="another digit"
        ),
        pytest.param(
            "", "y:01", "OUTPUTS=y:01: 'y:01' is no NAME; give names as softmax or split:1.", id="a zero"
        ),
        pytest.param("", "y,", "OUTPUTS=y,: '' is no NAME; give names as softmax or split:1.", id="a comma"),
    ],
)
def test_what_cannot_be_read_is_told(inputs: str, outputs: str, message: str) -> None:
    with pytest.raises(TfcrossError) as caught:
        parse_ends(inputs, outputs, "")
    assert str(caught.value) == message


def test_ends_are_those_of_one_model() -> None:
    ends = parse_ends("x", "y", "")
    require_one(ends, 1)
    require_one(Ends(), 2)
    with pytest.raises(TfcrossError) as caught:
        require_one(ends, 2)
    assert str(caught.value) == (
        "INPUTS=, OUTPUTS= tell the ends of one model, and there are 2; build one library for each."
    )
    with pytest.raises(TfcrossError) as caught:
        require_one(Ends(signature="s"), 0)
    assert str(caught.value) == "SIGNATURE= tell the ends of one model, and none is given; pass MODEL=."


@pytest.mark.parametrize(
    ("shape", "word"), [((1, -1), "x=int32[1,?]"), ((), "x=int32[]"), (None, "x=int32[…]")]
)
def test_an_input_is_written_as_it_is_read(shape: tuple[int, ...] | None, word: str) -> None:
    assert input_word("x", "DT_INT32", shape) == word


def test_whatever_is_written_is_read_or_refused_in_one_line() -> None:
    chance, read = random.Random("ends"), 0
    pieces = [*"x=,[]1? \n^é", "a/b", "float", "int32", ":0", ":1", "-1"]
    for _ in range(10_000):
        inputs, outputs = ("".join(chance.choices(pieces, k=chance.randint(1, 12))) for _ in range(2))
        try:
            parse_ends(inputs, outputs, "")
            read += 1
        except TfcrossError as error:
            assert "\n" not in str(error)
    assert 100 < read < 9_000
