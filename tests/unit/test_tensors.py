"""Elements of tensors in all of their forms."""

from __future__ import annotations

import numpy as np
import pytest
from google.protobuf import text_format

from tfcross.graph.messages import TensorProto
from tfcross.graph.tensors import BadTensor, array_of, make_tensor, strings_of


def tensor(text: str) -> object:
    return text_format.Parse(text, TensorProto())


TWO = "tensor_shape { dim { size: 2 } }"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            f'dtype: DT_FLOAT {TWO} tensor_content: "\\0\\0\\200?\\0\\0\\0@"', [1.0, 2.0], id="content"
        ),
        pytest.param(f"dtype: DT_FLOAT {TWO} float_val: 1.5 float_val: 2", [1.5, 2.0], id="list"),
        pytest.param(f"dtype: DT_INT64 {TWO} int64_val: 7", [7, 7], id="the last one repeated"),
        pytest.param(
            "dtype: DT_INT8 tensor_shape { dim { size: 3 } } int_val: -1 int_val: 2", [-1, 2, 2], id="int8"
        ),
        pytest.param(f"dtype: DT_INT32 {TWO}", [0, 0], id="zeros"),
        pytest.param(f"dtype: DT_BOOL {TWO} bool_val: true bool_val: false", [True, False], id="bool"),
        pytest.param(f"dtype: DT_HALF {TWO} half_val: 15360 half_val: 49152", [1.0, -2.0], id="half"),
        pytest.param(f"dtype: DT_BFLOAT16 {TWO} half_val: 16256", [16256, 16256], id="bits of bfloat16"),
        pytest.param(
            f"dtype: DT_COMPLEX64 {TWO} scomplex_val: 1 scomplex_val: 2", [1 + 2j, 1 + 2j], id="complex"
        ),
        pytest.param(
            f"dtype: DT_UINT64 {TWO} uint64_val: 18446744073709551615", [2**64 - 1] * 2, id="uint64"
        ),
        pytest.param("dtype: DT_DOUBLE tensor_shape {} double_val: 0.1", 0.1, id="scalar"),
    ],
)
def test_elements_are_read(text: str, expected: object) -> None:
    assert array_of(tensor(text)).tolist() == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(
            f"dtype: DT_RESOURCE {TWO}", "its type resource has no elements of a fixed size", id="type"
        ),
        pytest.param(
            f'dtype: DT_INT32 {TWO} tensor_content: "abc"',
            "2 elements of int32 cannot be in 3 bytes",
            id="size",
        ),
        pytest.param(f"dtype: DT_INT32 {TWO} int_val: [1, 2, 3]", "it lists 3 elements for 2", id="too many"),
        pytest.param(
            "dtype: DT_INT32 tensor_shape { unknown_rank: true }", "its shape is not known", id="rank"
        ),
        pytest.param(
            "dtype: DT_INT32 tensor_shape { dim { size: -1 } }", "its shape is not known", id="dimension"
        ),
        pytest.param(
            "dtype: DT_FLOAT tensor_shape { dim { size: 4611686018427387904 } }",
            "4611686018427387904 elements are more than a graph can hold",
            id="2^62",
        ),
    ],
)
def test_what_is_no_tensor_is_refused(text: str, message: str) -> None:
    with pytest.raises(BadTensor) as error:
        array_of(tensor(text))
    assert str(error.value) == message


def test_strings_are_read() -> None:
    assert strings_of(tensor(f'dtype: DT_STRING {TWO} string_val: "a"')) == [b"a", b"a"]
    assert strings_of(tensor("dtype: DT_STRING tensor_shape {}")) == [b""]
    with pytest.raises(BadTensor, match="1048577 strings, of which it lists 0"):
        strings_of(tensor("dtype: DT_STRING tensor_shape { dim { size: 1048577 } }"))


def test_a_tensor_that_is_made_is_read_back() -> None:
    made = make_tensor(1, (2, 1), np.array([1, 2], np.float32).tobytes())
    assert array_of(made).tolist() == [[1.0], [2.0]]
