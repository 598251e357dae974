"""What large tensors hold is left out of text graphs before they are parsed."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from tfcross.capacity import peak_kib
from tfcross.errors import TfcrossError
from tfcross.graph.model import load_model

TYPE = "dtype: DT_FLOAT tensor_shape { dim { size: 100 } dim { size: 1000 } }"
SMALL = (
    'node { name: "s" op: "Const" attr { key: "value" value { tensor { dtype: DT_INT32 tensor_shape '
    "{ dim { size: 2 } } int_val: 7 int_val: 9 } } } }\n"
)
MOST_MEMORY = 150_000  # kB more than before, for 60 MB of text


def const(payload: str) -> str:
    return (
        f'node {{ name: "w" op: "Const"\nattr {{ key: "value" value {{ tensor {{ {TYPE} {payload} }} }} }}\n'
        'attr { key: "dtype" value { type: DT_FLOAT } } }\n'
    )


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param('tensor_content: "' + r"\001\042a\"" * 20_000 + '"', id="a string"),
        pytest.param(r"tensor_content: 'a\'b' " + '"' + "x" * 100_000 + '"', id="two strings"),
        pytest.param("float_val: -1.5e-7\n" * 20_000, id="many numbers"),
        pytest.param("float_val: [" + "0.25, " * 20_000 + "1]", id="a list"),
    ],
)
def test_dtype_and_shape_of_a_large_tensor_stay(tmp_path: Path, payload: str) -> None:
    path = tmp_path / "m.pbtxt"
    path.write_text(const(payload) + SMALL)
    large, small = load_model(path).nodes
    tensor = large.attrs["value"].value
    assert (tensor.dtype, tensor.shape, tensor.values) == ("DT_FLOAT", (100, 1000), None)
    assert large.attrs["dtype"].value == "DT_FLOAT"
    assert small.attrs["value"].value.values == (7, 9)


def test_errors_behind_a_large_tensor_name_their_line(tmp_path: Path) -> None:
    path = tmp_path / "m.pbtxt"
    text = const("float_val: 1\n" * 20_000)
    path.write_text(text.replace("type: DT_FLOAT } } }", "type: DT_NOPE } } }"))
    with pytest.raises(TfcrossError, match=r"m\.pbtxt: line 20003: "):
        load_model(path)


def test_a_long_string_takes_no_more_memory_than_it_has(tmp_path: Path) -> None:
    path = tmp_path / "m.pbtxt"
    path.write_text(const('tensor_content: "' + r"\001" * 15_000_000 + '"') + SMALL)
    before = peak_kib(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    assert len(load_model(path).nodes) == 2
    assert peak_kib(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) - before < MOST_MEMORY
