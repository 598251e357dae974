from __future__ import annotations

import pytest
from google.protobuf import text_format

from tfcross.graph import messages
from tfcross.graph.construction import (
    attr_value,
    graph_bytes,
    make_const,
    make_node,
    make_placeholder,
    shape_attr,
)
from tfcross.graph.messages import AttrValue, GraphDef, NodeDef


def test_a_node_has_the_bytes_that_tensorflow_writes():
    node = make_node("y", "Relu", ["x"], T="DT_FLOAT")
    assert node.SerializeToString() == b"\n\x01y\x12\x04Relu\x1a\x01x*\x07\n\x01T\x12\x020\x01"


def test_a_constant_has_the_bytes_that_tensorflow_writes():
    node = make_const("c", "DT_INT32", [2], b"\1\0\0\0\2\0\0\0")
    tensor = b"\x08\x03\x12\x04\x12\x02\x08\x02\x22\x08\1\0\0\0\2\0\0\0"
    value = b"*\x1d\n\x05value\x12\x14B\x12" + tensor
    dtype = b"*\x0b\n\x05dtype\x12\x020\x03"
    assert node.SerializeToString(deterministic=True) == b"\n\x01c\x12\x05Const" + dtype + value


def test_an_unknown_dimension_is_minus_one_on_the_wire():
    node = make_placeholder("images", "DT_FLOAT", [-1, 8])
    assert [dim.size for dim in node.attr["shape"].shape.dim] == [-1, 8]
    assert b"\x08" + b"\xff" * 9 + b"\x01" in node.SerializeToString()


def test_a_scalar_shape_is_present_and_not_unknown():
    attr = shape_attr([])
    assert attr.WhichOneof("value") == "shape"
    assert not attr.shape.unknown_rank


@pytest.mark.parametrize(
    ("value", "field", "stored"),
    [
        pytest.param(True, "b", True, id="bool"),
        pytest.param(7, "i", 7, id="int"),
        pytest.param(0.5, "f", 0.5, id="float"),
        pytest.param("SAME", "s", b"SAME", id="text"),
        pytest.param(b"\xff", "s", b"\xff", id="bytes"),
        pytest.param("DT_HALF", "type", 19, id="type"),
        pytest.param(AttrValue(placeholder="T"), "placeholder", "T", id="AttrValue"),
    ],
)
def test_attribute_values_go_to_the_field_of_their_kind(value, field, stored):
    attr = attr_value(value)
    assert attr.WhichOneof("value") == field
    assert getattr(attr, field) == stored


def test_a_sequence_of_ints_becomes_a_list():
    assert list(attr_value([1, 2, 2, 1]).list.i) == [1, 2, 2, 1]


def test_a_value_that_no_attribute_can_hold_is_refused():
    with pytest.raises(TypeError, match="no attribute of a node can hold None"):
        attr_value(None)


@pytest.mark.parametrize(
    ("number", "name"),
    [
        pytest.param(0, "DT_INVALID", id="none"),
        pytest.param(1, "DT_FLOAT", id="float"),
        pytest.param(9, "DT_INT64", id="int64"),
        pytest.param(21, "DT_VARIANT", id="variant"),
        pytest.param(25, "DT_FLOAT8_E4M3FN", id="float8"),
        pytest.param(101, "DT_FLOAT_REF", id="reference"),
        pytest.param(77, "DT_77", id="unknown"),
    ],
)
def test_types_have_their_wire_numbers(number, name):
    assert messages.dtype_name(number) == name


def test_a_reference_type_has_its_base_type():
    assert messages.base_dtype("DT_RESOURCE_REF") == "DT_RESOURCE"
    assert messages.base_dtype("DT_INT8") == "DT_INT8"


def test_a_graph_is_written_the_same_each_time_and_read_back():
    nodes = [make_node("y", "MatMul", ["a", "b"], transpose_b=False, T="DT_FLOAT", transpose_a=True)]
    content = graph_bytes(nodes, producer=26, min_consumer=12)
    assert content == graph_bytes([NodeDef.FromString(nodes[0].SerializeToString())], 26, 12)
    graph = GraphDef.FromString(content)
    assert (graph.versions.producer, graph.versions.min_consumer) == (26, 12)
    assert sorted(graph.node[0].attr) == ["T", "transpose_a", "transpose_b"]


def test_our_messages_are_not_in_the_default_pool():
    from google.protobuf import descriptor_pool

    with pytest.raises(KeyError):
        descriptor_pool.Default().FindMessageTypeByName("tensorflow.GraphDef")


def test_what_belongs_to_a_graph_is_whole_after_reading_and_writing():
    text = """
      node { name: "a" op: "Cast" experimental_debug_info { original_node_names: "b" }
             experimental_type { type_id: TFT_PRODUCT args { type_id: TFT_TENSOR } } }
      library {
        function { signature { name: "f" input_arg { name: "x" type: DT_INT32 description: "d" } }
                   arg_attr { key: 0 value { attr { key: "shape" value { i: 1 } } } }
                   resource_arg_unique_id { key: 1 value: 2 } }
        registered_gradients { gradient_func: "g" registered_op_type: "Op" }
      }
    """
    graph = text_format.Parse(text, GraphDef())
    again = GraphDef.FromString(graph.SerializeToString())
    assert again.node[0].experimental_type.args[0].type_id == 1000
    assert again.library.function[0].resource_arg_unique_id[1] == 2
    assert text_format.MessageToString(again) == text_format.MessageToString(
        text_format.Parse(text, GraphDef())
    )


def test_fields_that_are_not_listed_are_kept_in_binary_form():
    debug_info = b"\x2a\x06\x0a\x04a.py"
    assert GraphDef.FromString(b"\x0a\x03\x0a\x01x" + debug_info).SerializeToString().endswith(debug_info)
