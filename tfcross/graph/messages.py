"""TensorFlow's graph messages without TensorFlow, in a pool of our own.

The field numbers are those of ``tensorflow/core/{framework,protobuf,util}/*.proto``; they are a stable wire
format. All that belongs to a graph is listed, so a message that is read, changed and written is whole. What
is not listed (debug_info, object_graph_def) is kept in binary form, and skipped in text. The pool is private,
so a TensorFlow in the same process is no clash.
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

# One message per line: field=number:type. "*" repeated, "{T}" map<string, T>, "{K,T}" another key, "|" member
# of oneof "value".
_MESSAGES = """
GraphDef node=1:*NodeDef library=2:FunctionDefLibrary version=3:int32 versions=4:VersionDef
VersionDef producer=1:int32 min_consumer=2:int32 bad_consumers=3:*int32
NodeDef name=1:string op=2:string input=3:*string device=4:string attr=5:{AttrValue}
  experimental_debug_info=6:DebugInfo experimental_type=7:FullTypeDef
DebugInfo original_node_names=1:*string original_func_names=2:*string
FullTypeDef type_id=1:FullTypeId args=2:*FullTypeDef s=3:|string i=4:|int64
NameAttrList name=1:string attr=2:{AttrValue}
AttrValue list=1:|ListValue s=2:|bytes i=3:|int64 f=4:|float b=5:|bool type=6:|DataType
  shape=7:|TensorShapeProto tensor=8:|TensorProto placeholder=9:|string func=10:|NameAttrList
ListValue s=2:*bytes i=3:*int64 f=4:*float b=5:*bool type=6:*DataType shape=7:*TensorShapeProto
  tensor=8:*TensorProto func=9:*NameAttrList
TensorShapeProto dim=2:*Dim unknown_rank=3:bool
Dim size=1:int64 name=2:string
TensorProto dtype=1:DataType tensor_shape=2:TensorShapeProto version_number=3:int32 tensor_content=4:bytes
  float_val=5:*float double_val=6:*double int_val=7:*int32 string_val=8:*bytes scomplex_val=9:*float
  int64_val=10:*int64 bool_val=11:*bool dcomplex_val=12:*double half_val=13:*int32
  resource_handle_val=14:*ResourceHandleProto variant_val=15:*VariantTensorDataProto uint32_val=16:*uint32
  uint64_val=17:*uint64 float8_val=18:bytes
VariantTensorDataProto type_name=1:string metadata=2:bytes tensors=3:*TensorProto
ResourceHandleProto device=1:string container=2:string name=3:string hash_code=4:uint64
  maybe_type_name=5:string dtypes_and_shapes=6:*DtypeAndShape
DtypeAndShape dtype=1:DataType shape=2:TensorShapeProto
FunctionDefLibrary function=1:*FunctionDef gradient=2:*GradientDef registered_gradients=3:*RegisteredGradient
FunctionDef signature=1:OpDef node_def=3:*NodeDef ret=4:{string} attr=5:{AttrValue} control_ret=6:{string}
  arg_attr=7:{uint32,ArgAttrs} resource_arg_unique_id=8:{uint32,uint32}
ArgAttrs attr=1:{AttrValue}
GradientDef function_name=1:string gradient_func=2:string
RegisteredGradient gradient_func=1:string registered_op_type=2:string
OpList op=1:*OpDef
OpDef name=1:string input_arg=2:*ArgDef output_arg=3:*ArgDef attr=4:*AttrDef summary=5:string
  description=6:string deprecation=8:OpDeprecation is_aggregate=16:bool is_stateful=17:bool
  is_commutative=18:bool allows_uninitialized_input=19:bool control_output=20:*string
  is_distributed_communication=21:bool
OpDeprecation version=1:int32 explanation=2:string
ArgDef name=1:string description=2:string type=3:DataType type_attr=4:string number_attr=5:string
  type_list_attr=6:string handle_data=7:*DtypeAndShape is_ref=16:bool experimental_full_type=17:FullTypeDef
AttrDef name=1:string type=2:string default_value=3:AttrValue description=4:string has_minimum=5:bool
  minimum=6:int64 allowed_values=7:AttrValue
SavedModel saved_model_schema_version=1:int64 meta_graphs=2:*MetaGraphDef
MetaGraphDef meta_info_def=1:MetaInfoDef graph_def=2:GraphDef saver_def=3:SaverDef
  collection_def=4:{CollectionDef} signature_def=5:{SignatureDef} asset_file_def=6:*AssetFileDef
MetaInfoDef meta_graph_version=1:string stripped_op_list=2:OpList tags=4:*string tensorflow_version=5:string
  tensorflow_git_version=6:string stripped_default_attrs=7:bool function_aliases=8:{string}
SaverDef filename_tensor_name=1:string save_tensor_name=2:string restore_op_name=3:string max_to_keep=4:int32
  sharded=5:bool keep_checkpoint_every_n_hours=6:float version=7:CheckpointFormatVersion
CollectionDef node_list=1:|NodeList bytes_list=2:|BytesList int64_list=3:|Int64List float_list=4:|FloatList
  any_list=5:|AnyList
NodeList value=1:*string
BytesList value=1:*bytes
Int64List value=1:*int64
FloatList value=1:*float
AnyList value=1:*Any
Any type_url=1:string value=2:bytes
SignatureDef inputs=1:{TensorInfo} outputs=2:{TensorInfo} method_name=3:string defaults=4:{TensorProto}
TensorInfo name=1:|string dtype=2:DataType tensor_shape=3:TensorShapeProto coo_sparse=4:|CooSparse
CooSparse values_tensor_name=1:string indices_tensor_name=2:string dense_shape_tensor_name=3:string
AssetFileDef tensor_info=1:TensorInfo filename=2:string
BundleHeaderProto num_shards=1:int32 endianness=2:int32 version=3:VersionDef
BundleEntryProto dtype=1:DataType shape=2:TensorShapeProto shard_id=3:int32 offset=4:int64 size=5:int64
  crc32c=6:fixed32 slices=7:*TensorSliceProto
TensorSliceProto extent=1:*Extent
Extent start=1:int64 length=2:|int64
SavedTensorSlices meta=1:SavedTensorSliceMeta data=2:SavedSlice
SavedTensorSliceMeta tensor=1:*SavedSliceMeta versions=2:VersionDef
SavedSliceMeta name=1:string shape=2:TensorShapeProto type=3:DataType slice=4:*TensorSliceProto
SavedSlice name=1:string slice=2:TensorSliceProto data=3:TensorProto
CheckpointState model_checkpoint_path=1:string all_model_checkpoint_paths=2:*string
  all_model_checkpoint_timestamps=3:*double last_preserved_timestamp=4:double
"""

_FULL_TYPES = """
UNSET=0 VAR=1 ANY=2 PRODUCT=3 NAMED=4 FOR_EACH=20 CALLABLE=100 BOOL=200 UINT8=201 UINT16=202 UINT32=203
UINT64=204 INT8=205 INT16=206 INT32=207 INT64=208 HALF=209 FLOAT=210 DOUBLE=211 COMPLEX64=212 COMPLEX128=213
STRING=214 BFLOAT16=215 TENSOR=1000 ARRAY=1001 OPTIONAL=1002 LITERAL=1003 ENCODED=1004 SHAPE_TENSOR=1005
DATASET=10102 RAGGED=10103 ITERATOR=10104 MUTEX_LOCK=10202 LEGACY_VARIANT=10203
"""
_ENUMS: Mapping[str, Mapping[str, int]] = {
    "DataType": {"DT_INVALID": 0, **DTYPES},
    "CheckpointFormatVersion": {"LEGACY": 0, "V1": 1, "V2": 2},
    "FullTypeId": {
        f"TFT_{name}": int(number) for name, number in (pair.split("=") for pair in _FULL_TYPES.split())
    },
}

_Field = descriptor_pb2.FieldDescriptorProto
_SCALARS = {
    name: getattr(_Field, f"TYPE_{name.upper()}")
    for name in [
        "double",
        "float",
        "int64",
        "uint64",
        "int32",
        "uint32",
        "fixed32",
        "bool",
        "string",
        "bytes",
    ]
}


def _set_type(field: Any, kind: str) -> None:
    if kind in _SCALARS:
        field.type = _SCALARS[kind]
        return
    field.type = _Field.TYPE_ENUM if kind in _ENUMS else _Field.TYPE_MESSAGE
    field.type_name = f".tensorflow.{kind}"


def _add_map(message: Any, field: Any, kind: str) -> None:
    """A map is, on the wire, a repeated entry message with ``key`` and ``value``."""
    entry = message.nested_type.add(name=field.name.title().replace("_", "") + "Entry")
    entry.options.map_entry = True
    key = entry.field.add(name="key", number=1, label=_Field.LABEL_OPTIONAL)
    key_kind, _, value_kind = kind.rpartition(",")
    _set_type(key, key_kind or "string")
    value = entry.field.add(name="value", number=2, label=_Field.LABEL_OPTIONAL)
    _set_type(value, value_kind)
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
    for enum_name, enumerators in _ENUMS.items():
        enum = file.enum_type.add(name=enum_name)
        for name, number in enumerators.items():
            enum.value.add(name=name, number=number)
    for line in _MESSAGES.replace("\n  ", " ").strip().splitlines():
        name, *fields = line.split()
        message = file.message_type.add(name=name)
        for field in fields:
            _add_field(message, field)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    descriptors = [pool.FindMessageTypeByName(f"tensorflow.{message.name}") for message in file.message_type]
    return {descriptor.name: message_factory.GetMessageClass(descriptor) for descriptor in descriptors}


_CLASSES = _classes()
GraphDef: Any = _CLASSES["GraphDef"]
NodeDef: Any = _CLASSES["NodeDef"]
AttrValue: Any = _CLASSES["AttrValue"]
VersionDef: Any = _CLASSES["VersionDef"]
FunctionDef: Any = _CLASSES["FunctionDef"]
FunctionDefLibrary: Any = _CLASSES["FunctionDefLibrary"]
GradientDef: Any = _CLASSES["GradientDef"]
OpDef: Any = _CLASSES["OpDef"]
TensorProto: Any = _CLASSES["TensorProto"]
TensorShapeProto: Any = _CLASSES["TensorShapeProto"]
SavedModel: Any = _CLASSES["SavedModel"]
MetaGraphDef: Any = _CLASSES["MetaGraphDef"]
MetaInfoDef: Any = _CLASSES["MetaInfoDef"]
SignatureDef: Any = _CLASSES["SignatureDef"]
AssetFileDef: Any = _CLASSES["AssetFileDef"]
TensorInfo: Any = _CLASSES["TensorInfo"]
SaverDef: Any = _CLASSES["SaverDef"]
BundleHeaderProto: Any = _CLASSES["BundleHeaderProto"]
BundleEntryProto: Any = _CLASSES["BundleEntryProto"]
SavedTensorSlices: Any = _CLASSES["SavedTensorSlices"]
SavedSlice: Any = _CLASSES["SavedSlice"]
CheckpointState: Any = _CLASSES["CheckpointState"]
TensorSliceProto: Any = _CLASSES["TensorSliceProto"]


def dtype_name(number: int) -> str:
    """``1`` gives ``DT_FLOAT``; a number that no release knows gives ``DT_<number>``."""
    return _NAMES.get(number) or f"DT_{number}"


def base_dtype(name: str) -> str:
    """``DT_FLOAT_REF`` gives ``DT_FLOAT``; kernels register base types only."""
    return name.removesuffix("_REF")
