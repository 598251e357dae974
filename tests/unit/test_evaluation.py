"""What numpy makes of the ops between constants."""

from __future__ import annotations

import numpy as np
import pytest

from tfcross.graph.construction import make_node
from tfcross.graph.messages import TensorProto
from tfcross.graph.rewriting.arrays import ARRAYS
from tfcross.graph.rewriting.elementwise import ELEMENTWISE
from tfcross.graph.rewriting.evaluation import CannotEvaluate, evaluate
from tfcross.graph.rewriting.tensors import UnreadableTensor, const_node, const_value, read_tensor

EVALUATORS = {**ELEMENTWISE, **ARRAYS}


def floats(*values):
    return np.array(values, np.float32)


def ints(*values):
    return np.array(values, np.int32)


def scalar(number):
    return np.array(number, np.int32)


GRID = np.arange(12, dtype=np.float32).reshape(3, 4)


@pytest.mark.parametrize(
    ("op", "inputs", "attrs", "outputs"),
    [
        ("Add", [floats(1, 2), floats(3)], {}, [[4, 5]]),
        ("Rsqrt", [floats(4, 0.25)], {}, [[0.5, 2]]),
        ("Div", [ints(7, -7), ints(2, 2)], {}, [[3, -3]]),
        ("FloorDiv", [ints(7, -7), ints(2, 2)], {}, [[3, -4]]),
        ("FloorMod", [ints(7, -7), ints(3, 3)], {}, [[1, 2]]),
        ("Equal", [ints(1, 2), ints(1, 3)], {}, [[True, False]]),
        ("Select", [np.array([True, False]), floats(1, 2), floats(3, 4)], {}, [[1, 4]]),
        ("Select", [np.array([True, False]), GRID[:2], -GRID[:2]], {}, [[[0, 1, 2, 3], [-4, -5, -6, -7]]]),
        ("Sum", [GRID, ints(0)], {}, [[12, 15, 18, 21]]),
        ("Mean", [GRID, ints(-1)], {"keep_dims": True}, [[[1.5], [5.5], [9.5]]]),
        ("Prod", [ints(2, 3, 4), scalar(0)], {}, [24]),
        ("Cast", [floats(1.9, -1.9)], {"DstT": "DT_INT32"}, [[1, -1]]),
        ("Shape", [GRID], {}, [[3, 4]]),
        ("Size", [GRID], {}, [12]),
        ("Rank", [GRID], {}, [2]),
        ("Reshape", [GRID, ints(2, -1)], {}, [[[0, 1, 2, 3, 4, 5], [6, 7, 8, 9, 10, 11]]]),
        ("Transpose", [GRID[:2, :2], ints(1, 0)], {}, [[[0, 4], [1, 5]]]),
        ("ExpandDims", [floats(1, 2), scalar(-1)], {}, [[[1], [2]]]),
        ("Squeeze", [floats([1], [2])], {}, [[1, 2]]),
        ("ConcatV2", [floats(1), floats(2, 3), scalar(0)], {}, [[1, 2, 3]]),
        ("Concat", [scalar(0), floats(1), floats(2, 3)], {}, [[1, 2, 3]]),
        ("Pack", [scalar(1), scalar(2)], {}, [[1, 2]]),
        ("Unpack", [GRID[:2, :2]], {"num": 2}, [[0, 1], [4, 5]]),
        ("Split", [scalar(1), GRID[:1]], {"num_split": 2}, [[[0, 1]], [[2, 3]]]),
        ("Range", [scalar(1), scalar(8), scalar(3)], {}, [[1, 4, 7]]),
        ("Fill", [ints(2), floats(3).reshape(())], {}, [[3, 3]]),
        ("Tile", [floats(1, 2), ints(2)], {}, [[1, 2, 1, 2]]),
        ("Pad", [floats(1), ints([1, 2])], {}, [[0, 1, 0, 0]]),
        ("GatherV2", [GRID, ints(2, 0), scalar(0)], {}, [[[8, 9, 10, 11], [0, 1, 2, 3]]]),
        ("Slice", [GRID, ints(1, 1), ints(1, -1)], {}, [[[5, 6, 7]]]),
        ("StridedSlice", [ints(5, 6, 7), ints(1), ints(2), ints(1)], {"shrink_axis_mask": 1}, [6]),
        (
            "StridedSlice",
            [GRID, ints(0, 0), ints(0, 2), ints(1, 1)],
            {"begin_mask": 1, "end_mask": 1},
            [[[0, 1], [4, 5], [8, 9]]],
        ),
        ("StridedSlice", [ints(5, 6), ints(0, 0), ints(0, 1), ints(1, 1)], {"new_axis_mask": 1}, [[[5]]]),
        ("ReverseV2", [floats(1, 2, 3), ints(0)], {}, [[3, 2, 1]]),
        ("ZerosLike", [floats(1, 2)], {}, [[0, 0]]),
        ("InvertPermutation", [ints(2, 0, 1)], {}, [[1, 2, 0]]),
        ("MatMul", [GRID[:1], GRID[:1]], {"transpose_b": True}, [[[14]]]),
        (
            "OneHot",
            [ints(1, 0), scalar(2), floats(1).reshape(()), floats(0).reshape(())],
            {},
            [[[0, 1], [1, 0]]],
        ),
        (
            "Dequantize",
            [np.array([0, 85, 255], np.uint8), floats(-10), floats(20)],
            {"mode": "MIN_FIRST"},
            [[-10, 0, 20]],
        ),
        ("BiasAdd", [floats([1, 2]), floats(10, 20)], {}, [[[11, 22]]]),
        ("AddN", [floats(1), floats(2), floats(3)], {}, [[6]]),
    ],
    ids=lambda item: item if isinstance(item, str) else "",
)
def test_an_op_gives_what_its_kernel_gives(op, inputs, attrs, outputs):
    node = make_node("n", op, [str(number) for number in range(len(inputs))], **attrs)
    results = evaluate(node, inputs, EVALUATORS)
    assert [np.asarray(result).tolist() for result in results] == outputs


@pytest.mark.parametrize(
    ("op", "inputs", "attrs", "reason"),
    [
        ("Erf", [floats(1)], {}, "Erf is not evaluated"),
        (
            "Fill",
            [ints(1 << 20, 1 << 20), floats(1).reshape(())],
            {},
            "a result of the shape [1048576, 1048576] is too large",
        ),
        ("Tile", [floats(1), ints(1 << 30)], {}, "a result of the shape [1073741824] is too large"),
        ("Range", [scalar(0), scalar(9), scalar(0)], {}, "a range without an end"),
        ("FloorDiv", [ints(1), ints(0)], {}, "it divides by zero"),
        ("Cast", [floats(3e9)], {"DstT": "DT_INT32"}, "a value is beyond int32"),
        ("GatherV2", [GRID, ints(3), scalar(0)], {}, "an index that is not there"),
        ("Sum", [GRID, ints(2)], {}, "there is no axis 2"),
        ("Add", [floats(1), ints(1)], {}, "its inputs are float32 and int32"),
    ],
    ids=lambda item: item if isinstance(item, str) else "",
)
def test_what_is_not_certain_is_not_evaluated(op, inputs, attrs, reason):
    node = make_node("n", op, [str(number) for number in range(len(inputs))], **attrs)
    with pytest.raises(CannotEvaluate) as error:
        evaluate(node, inputs, EVALUATORS)
    assert str(error.value) == reason


@pytest.mark.parametrize(
    "dtype", ["float32", "float64", "float16", "int8", "uint8", "int16", "int32", "int64", "bool"]
)
def test_tensors_come_back_as_they_were(dtype):
    array = np.array([[0, 1], [1, 0]], dtype)
    restored = const_value(const_node("c", array))
    assert restored.dtype == array.dtype
    assert restored.tolist() == array.tolist()


def test_strings_come_back_as_they_were():
    assert const_value(const_node("c", np.array([b"a", b"\xff"], object))).tolist() == [b"a", b"\xff"]


def tensor(shape, **fields):
    message = TensorProto(**fields)
    for size in shape:
        message.tensor_shape.dim.add(size=size)
    return message


@pytest.mark.parametrize(
    ("message", "values"),
    [
        pytest.param(tensor([3], dtype=1, float_val=[1, 2]), [1, 2, 2], id="the last one fills"),
        pytest.param(tensor([2], dtype=3), [0, 0], id="none is zeros"),
        pytest.param(tensor([2], dtype=19, half_val=[0x3C00, 0xC000]), [1, -2], id="halves are bits"),
        pytest.param(tensor([2], dtype=6, int_val=[-1, 127]), [-1, 127], id="small numbers"),
        pytest.param(tensor([2], dtype=7, string_val=[b"a"]), [b"a", b"a"], id="strings"),
    ],
)
def test_listed_values_fill_a_tensor(message, values):
    assert read_tensor(message).tolist() == values


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        pytest.param(
            tensor([2], dtype=1, tensor_content=b"1234"), "its value has 4 bytes, which is not", id="short"
        ),
        pytest.param(tensor([-1], dtype=1), "its value has no complete shape", id="no shape"),
        pytest.param(
            tensor([1 << 40], dtype=1), "its value stands for 1099511627776 elements and lists 0", id="huge"
        ),
        pytest.param(tensor([1], dtype=20), "values of DT_RESOURCE are not evaluated", id="resource"),
    ],
)
def test_a_tensor_that_is_none_is_refused(message, reason):
    with pytest.raises(UnreadableTensor) as error:
        read_tensor(message)
    assert str(error.value).startswith(reason)
