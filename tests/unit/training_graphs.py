"""Small graphs with variables, functions and savers, and checkpoints for them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from checkpoint_files import FLOAT, Tensor, floats, write_bundle
from google.protobuf import text_format

from tfcross.graph.checkpoints.checkpoint import find_checkpoint, open_checkpoint
from tfcross.graph.checkpoints.stored import StoredTensor
from tfcross.graph.freezing.savedmodel import pick_signature
from tfcross.graph.freezing.source import Source
from tfcross.graph.messages import MetaGraphDef

VARIABLE = """
node { name: "x" op: "Placeholder" attr { key: "dtype" value { type: DT_FLOAT } }
       attr { key: "shape" value { shape { dim { size: -1 } } } } }
node { name: "w" op: "VarHandleOp" attr { key: "dtype" value { type: DT_FLOAT } }
       attr { key: "shape" value { shape { dim { size: 2 } } } } }
"""
READ = """
node { name: "read" op: "ReadVariableOp" input: "w" attr { key: "dtype" value { type: DT_FLOAT } } }
node { name: "y" op: "Mul" input: "x" input: "read" attr { key: "T" value { type: DT_FLOAT } } }
"""
CALL = """
node { name: "call" op: "StatefulPartitionedCall" input: "x" input: "w"
       attr { key: "f" value { func { name: "f" } } }
       attr { key: "Tout" value { list { type: DT_FLOAT } } } }
node { name: "y" op: "Identity" input: "call" attr { key: "T" value { type: DT_FLOAT } } }
"""


def function(name: str, body: str, returned: str = "z:z:0", effects: str = "") -> str:
    """A function of (x: float, v: resource) that returns a float."""
    controls = f'control_ret {{ key: "{effects}" value: "{effects}" }}' if effects else ""
    return f"""
    library {{ function {{
      signature {{ name: "{name}" input_arg {{ name: "x" type: DT_FLOAT }}
                  input_arg {{ name: "v" type: DT_RESOURCE }}
                  output_arg {{ name: "r" type: DT_FLOAT }} }}
      {body}
      ret {{ key: "r" value: "{returned}" }}
      {controls}
    }} }}
    """


OPS = """
op { name: "Mul" output_arg { name: "z" type_attr: "T" } }
op { name: "ReadVariableOp" output_arg { name: "value" type_attr: "dtype" } is_stateful: true }
op { name: "StatefulPartitionedCall" output_arg { name: "output" type_list_attr: "Tout" } is_stateful: true }
op { name: "AssignVariableOp" is_stateful: true }
op { name: "Split" output_arg { name: "output" number_attr: "num_split" type_attr: "T" } }
op { name: "TopKV2" output_arg { name: "values" type_attr: "T" }
     output_arg { name: "indices" type: DT_INT32 } }
"""
MULTIPLIED = """
node_def { name: "value" op: "ReadVariableOp" input: "v" attr { key: "dtype" value { type: DT_FLOAT } } }
node_def { name: "z" op: "Mul" input: "x" input: "value:value:0" attr { key: "T" value { type: DT_FLOAT } } }
"""


def meta_graph(graph: str, signature: Mapping[str, str] | None = None, rest: str = "") -> Any:
    """The MetaGraphDef of a GraphDef's text; ``signature`` has tensors by key, outputs behind a ">"."""
    meta = MetaGraphDef()
    text_format.Merge(graph, meta.graph_def)
    text_format.Parse(OPS, meta.meta_info_def.stripped_op_list)
    for key, tensor in (signature or {}).items():
        side = meta.signature_def["serving_default"]
        info = side.outputs[key.removeprefix(">")] if key.startswith(">") else side.inputs[key]
        info.name, info.dtype = tensor, FLOAT
        info.tensor_shape.dim.add(size=-1)
    text_format.Merge(rest, meta)
    return meta


def stored(folder: Path, tensors: Mapping[str, Tensor] | None = None) -> Mapping[str, StoredTensor]:
    """What a checkpoint gives of ``tensors``; by default the variable w is [2, 3]."""
    write_bundle(folder / "m", tensors or {"w": Tensor(FLOAT, (2,), floats(2, 3))})
    place = find_checkpoint(folder / "m")
    assert place
    return open_checkpoint(place).tensors


def source(folder: Path, graph: str, tensors: Mapping[str, Tensor] | None = None, rest: str = "") -> Source:
    """A model with the signature (x) -> y."""
    meta = meta_graph(graph, {"x": "x:0", ">y": "y:0"}, rest)
    return Source("model", meta, stored(folder, tensors), pick_signature("model", meta, ""), [])
