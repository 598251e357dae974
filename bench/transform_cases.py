"""What bench/transforms.py compares: graphs and transforms, and where ours differs on purpose."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import measure  # noqa: F401 # makes the package importable

from tfcross.graph.rewriting.graphfiles import read_graph
from tfcross.graph.rewriting.inputs import node_of

VARIANTS = """
add_default_attributes
backport_concatv2
backport_tensor_array_v3
flatten_atrous_conv
fold_batch_norms
fold_constants
fold_constants(clear_output_shapes=false)
fold_constants(exclude_op=Identity)
fold_constants(max_constant_size_in_bytes=100)
fold_constants fold_batch_norms
fold_constants fold_old_batch_norms
fold_old_batch_norms
fuse_pad_and_conv
fuse_resize_and_conv
fuse_resize_pad_and_conv
inline_partitionedcall
insert_logging(op=Relu, show_op=true, show_name=true, message="at ")
insert_logging(prefix=c, first_n=3, summarize=5)
merge_duplicate_nodes
obfuscate_names
quantize_nodes
quantize_nodes(fallback_min=-10, fallback_max=10)
quantize_nodes(input_min=0, input_max=1)
quantize_nodes(ignore_op=Relu, ignore_op=Conv2D)
backport_concatv2 quantize_nodes
quantize_weights
quantize_weights(minimum_size=16)
remove_attribute(attribute_name=data_format)
remove_attribute(attribute_name=T, op_name=Conv2D)
remove_control_dependencies
remove_device
remove_nodes(op=Identity)
remove_nodes(op=Identity, op=Relu, op=CheckNumerics)
remove_nodes(op=Reshape, max_inputs=2)
rename_attribute(old_attribute_name=T, new_attribute_name=U)
rename_attribute(old_attribute_name=strides, new_attribute_name=steps, op_name=Conv2D)
rename_op(old_op_name=Relu, new_op_name=Relu6)
round_weights
round_weights(num_steps=16)
set_device(device="/device:CPU:0")
set_device(device="/device:CPU:0", if_default=true)
sort_by_execution_order
sparsify_gather
sparsify_gather(group_init_node=init)
strip_unused_nodes
strip_unused_nodes(type=int32, shape="1,2,3")
strip_unused_nodes remove_nodes(op=Identity) fold_constants fold_batch_norms fold_old_batch_norms
strip_unused_nodes fold_constants quantize_weights(minimum_size=64) sort_by_execution_order obfuscate_names
""".strip().splitlines()

#: Where ours differs from the tool's graph on purpose: transform, graph, what the difference tells, why.
ON_PURPOSE = (
    ("fold_constants", "_lstm", "", "a list of tensors is no constant that can be kept in a file"),
    ("fold_old_batch_norms", "keras_conv", "_bn_offset", "FusedBatchNormV3 is folded, too"),
    ("merge_duplicate_nodes", "_lstm", "", "placeholders are never merged: the app feeds each"),
    ("quantize_nodes", "_lstm", "", "placeholders are never merged: the app feeds each"),
    ("quantize_nodes(input_min", "", "_eightbit/dequantize", "only float placeholders become eight-bit ones"),
    ("obfuscate_names", "", "._class", "colocations follow the names"),
)
#: Further cases: graph, inputs, transforms; LOG is a file with ranges.
FURTHER = (
    ("multiplied", "Relu", 'strip_unused_nodes(name=Relu, type_for_name=quint8, shape_for_name="1,2")'),
    ("multiplied", "Relu", 'strip_unused_nodes(type=float, shape="1,8,8,8") fold_constants'),
    ("faked", "input", "quantize_nodes freeze_requantization_ranges(min_max_log_file=LOG)"),
    (
        "faked",
        "input",
        "quantize_nodes freeze_requantization_ranges("
        "min_max_log_file=LOG, min_percentile=10, max_percentile=30)",
    ),
    ("called", "input", "rename_node(old_node_name=add/y, new_node_name=new)"),
    ("keras_conv", "input", "rename_node(old_node_name=input, new_node_name=new)"),
)
LOG = "".join(
    f";BiasAdd/eightbit/requant_range__print__;__requant_min_max:[{-n}][{n * 1.5}]\n" for n in range(1, 24)
)


@dataclass(frozen=True)
class Case:
    graph: Any
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    transforms: str

    def request(self, content: bytes | None = None, transforms: str = "") -> tuple[bytes, ...]:
        """As the package takes it."""
        return (
            content or self.graph.SerializeToString(),
            ",".join(self.inputs).encode(),
            ",".join(self.outputs).encode(),
            (transforms or self.transforms).encode(),
        )


def further(path: Path, folder: Path) -> list[Case]:
    log = folder / "log.txt"
    log.write_text(LOG)
    graph = read_graph(path)
    return [
        Case(graph, path.stem, (inputs,), ("output",), transforms.replace("LOG", f'"{log}"'))
        for name, inputs, transforms in FURTHER
        if name == path.stem
    ]


def cases_of(path: Path) -> list[Case]:
    graph = read_graph(path)
    taken = {node_of(text) for node in graph.node for text in node.input}
    inputs = tuple(
        node.name for node in graph.node if node.op.startswith("Placeholder") and node.name in taken
    )
    ends = [
        node.name
        for node in graph.node
        if node.name not in taken and node.op not in ("Const", "NoOp", "Placeholder")
    ]
    outputs = ("output",) if "output" in ends or any(n.name == "output" for n in graph.node) else tuple(ends)
    return [Case(graph, path.stem, inputs, outputs, transforms) for transforms in VARIANTS]
