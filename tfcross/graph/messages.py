"""TensorFlow's graph messages without TensorFlow: the fields that we read and write, in a pool of our own.

The field numbers are those of ``tensorflow/core/framework/*.proto`` and ``core/protobuf/{saved_model,
meta_graph}.proto``; they are a stable wire format. Fields that are not listed are kept out: the parser
treats them as unknown and skips them. The pool is private, so a TensorFlow in the same process is no clash.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from tfcross.graph.datatypes import NUMBERS, REF_OFFSET

DTYPES: Mapping[str, int] = {f"DT_{name.upper()}": number for name, number in NUMBERS.items()} | {
    f"DT_{name.upper()}_REF": number + REF_OFFSET for name, number in NUMBERS.items()
}
"""The enumerators of DataType, as text graphs spell them; DT_INVALID (0) is no type of a value."""

_NAMES = {number: name for name, number in DTYPES.items()} | {0: "DT_INVALID"}

# One message per line: field=number:type. "*" repeated, "{T}" map<string, T>, "|" member of oneof "value".
_MESSAGES = """
GraphDef node=1:*NodeDef library=2:FunctionDefLibrary version=3:int32 versions=4:VersionDef
VersionDef producer=1:int32 min_consumer=2:int32 bad_consumers=3:*int32
NodeDef name=1:string op=2:string input=3:*string device=4:string attr=5:{AttrValue}
NameAttrList name=1:string attr=2:{AttrValue}
AttrValue list=1:|ListValue s=2:|bytes i=3:|int64 f=4:|float b=5:|bool type=6:|DataType
  shape=7:|TensorShapeProto tensor=8:|TensorProto placeholder=9:|string func=10:|NameAttrList
ListValue s=2:*bytes i=3:*int64 f=4:*float b=5:*bool type=6:*DataType shape=7:*TensorShapeProto
  tensor=8:*TensorProto func=9:*NameAttrList
TensorShapeProto dim=2:*Dim unknown_rank=3:bool
Dim size=1:int64 name=2:string
TensorProto dtype=1:DataType tensor_shape=2:TensorShapeProto version_number=3:int32 tensor_content=4:bytes
  float_val=5:*float double_val=6:*double int_val=7:*int32 string_val=8:*bytes scomplex_val=9:*float
  int64_val=10:*int64 bool_val=11:*bool dcomplex_val=12:*double half_val=13:*int32 uint32_val=16:*uint32
  uint64_val=17:*uint64 float8_val=18:bytes
FunctionDefLibrary function=1:*FunctionDef gradient=2:*GradientDef
FunctionDef signature=1:OpDef node_def=3:*NodeDef ret=4:{string} attr=5:{AttrValue} control_ret=6:{string}
GradientDef function_name=1:string gradient_func=2:string
OpDef name=1:string input_arg=2:*ArgDef output_arg=3:*ArgDef attr=4:*AttrDef is_stateful=17:bool
  control_output=20:*string
ArgDef name=1:string type=3:DataType type_attr=4:string number_attr=5:string type_list_attr=6:string
  is_ref=16:bool
AttrDef name=1:string type=2:string default_value=3:AttrValue allowed_values=7:AttrValue
SavedModel saved_model_schema_version=1:int64 meta_graphs=2:*MetaGraphDef
MetaGraphDef meta_info_def=1:MetaInfoDef graph_def=2:GraphDef signature_def=5:{SignatureDef}
MetaInfoDef meta_graph_version=1:string tags=4:*string tensorflow_version=5:string
SignatureDef inputs=1:{TensorInfo} outputs=2:{TensorInfo} method_name=3:string
TensorInfo name=1:|string dtype=2:DataType tensor_shape=3:TensorShapeProto
"""

_Field = descriptor_pb2.FieldDescriptorProto
_SCALARS = {
    name: getattr(_Field, f"TYPE_{name.upper()}")
    for name in ("double", "float", "int64", "uint64", "int32", "uint32", "bool", "string", "bytes")
}


def _set_type(field: Any, kind: str) -> None:
    if kind in _SCALARS:
        field.type = _SCALARS[kind]
        return
    field.type = _Field.TYPE_ENUM if kind == "DataType" else _Field.TYPE_MESSAGE
    field.type_name = f".tensorflow.{kind}"


def _add_map(message: Any, field: Any, kind: str) -> None:
    """A map is, on the wire, a repeated entry message with ``key`` and ``value``."""
    entry = message.nested_type.add(name=field.name.title().replace("_", "") + "Entry")
    entry.options.map_entry = True
    key = entry.field.add(name="key", number=1, label=_Field.LABEL_OPTIONAL)
    _set_type(key, "string")
    value = entry.field.add(name="value", number=2, label=_Field.LABEL_OPTIONAL)
    _set_type(value, kind)
    field.label, field.type = _Field.LABEL_REPEATED, _Field.TYPE_MESSAGE
    field.type_name = f".tensorflow.{message.name}.{entry.name}"


def _add_field(message: Any, text: str) -> None:
    name, _, rest = text.partition("=")
    number, _, kind = rest.partition(":")
    field = message.field.add(name=name, number=int(number), label=_Field.LABEL_OPTIONAL)
    if kind.startswith("{"):
        _add_map(message, field, kind.strip("{}"))
        return
    if kind.startswith("*"):
        field.label = _Field.LABEL_REPEATED
    elif kind.startswith("|"):
        if not message.oneof_decl:
            message.oneof_decl.add(name="value")
        field.oneof_index = 0
    _set_type(field, kind.lstrip("*|"))


def _classes() -> dict[str, Any]:
    file = descriptor_pb2.FileDescriptorProto(
        name="tfcross/graph.proto", package="tensorflow", syntax="proto3"
    )
    enum = file.enum_type.add(name="DataType")
    for name, number in {"DT_INVALID": 0, **DTYPES}.items():
        enum.value.add(name=name, number=number)
    for line in _MESSAGES.replace("\n  ", " ").strip().splitlines():
        name, *fields = line.split()
        message = file.message_type.add(name=name)
        for field in fields:
            _add_field(message, field)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    found = [pool.FindMessageTypeByName(f"tensorflow.{message.name}") for message in file.message_type]
    return {descriptor.name: message_factory.GetMessageClass(descriptor) for descriptor in found}


_CLASSES = _classes()
GraphDef: Any = _CLASSES["GraphDef"]
NodeDef: Any = _CLASSES["NodeDef"]
AttrValue: Any = _CLASSES["AttrValue"]
VersionDef: Any = _CLASSES["VersionDef"]
FunctionDef: Any = _CLASSES["FunctionDef"]
FunctionDefLibrary: Any = _CLASSES["FunctionDefLibrary"]
GradientDef: Any = _CLASSES["GradientDef"]
TensorProto: Any = _CLASSES["TensorProto"]
SavedModel: Any = _CLASSES["SavedModel"]
MetaGraphDef: Any = _CLASSES["MetaGraphDef"]
MetaInfoDef: Any = _CLASSES["MetaInfoDef"]
SignatureDef: Any = _CLASSES["SignatureDef"]


def dtype_name(number: int) -> str:
    """``1`` gives ``DT_FLOAT``; a number that no release knows gives ``DT_<number>``."""
    return _NAMES.get(number) or f"DT_{number}"


def base_dtype(name: str) -> str:
    """``DT_FLOAT_REF`` gives ``DT_FLOAT``; kernels register base types only."""
    return name.removesuffix("_REF")
