"""Every transform: the module of its function, which has its name, and the arguments that it takes."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tfcross.errors import TfcrossError, known, quoted
from tfcross.graph.transforms.arguments import Arguments

EVERY = ("ignore_errors",)


@dataclass(frozen=True)
class Transform:
    """``module`` is in this package; ``in_functions``: also the bodies of functions are transformed."""

    name: str
    module: str
    arguments: tuple[str, ...] = ()
    in_functions: bool = True


_RANGES = ("input_min", "input_max", "fallback_min", "fallback_max")
_PLACEHOLDERS = ("type", "shape", "name", "type_for_name", "shape_for_name")
_FOLDING = ("exclude_op", "exclude_node", "clear_output_shapes", "max_constant_size_in_bytes")
_LOGGING = ("op", "prefix", "message", "show_name", "show_op", "first_n", "summarize")
_PERCENTILES = ("min_percentile", "max_percentile")

TRANSFORMS = {
    transform.name: transform
    for transform in (
        Transform("add_default_attributes", "defaults"),
        Transform("backport_concatv2", "attributes"),
        Transform("backport_tensor_array_v3", "attributes", in_functions=False),
        Transform("flatten_atrous_conv", "convolutions"),
        Transform("fold_batch_norms", "batchnorms"),
        Transform("fold_constants", "folding", _FOLDING),
        Transform("fold_old_batch_norms", "batchnorms"),
        Transform("freeze_requantization_ranges", "logs", ("min_max_log_file", *_PERCENTILES), False),
        Transform("fuse_pad_and_conv", "convolutions"),
        Transform("fuse_resize_and_conv", "convolutions"),
        Transform("fuse_resize_pad_and_conv", "convolutions"),
        Transform("inline_partitionedcall", "calls", in_functions=False),
        Transform("insert_logging", "logs", _LOGGING, in_functions=False),
        Transform("merge_duplicate_nodes", "duplicates"),
        Transform("obfuscate_names", "renaming"),
        Transform("quantize_nodes", "eightbit", (*_RANGES, "ignore_op"), in_functions=False),
        Transform("quantize_weights", "weights", ("minimum_size", "per_channel")),
        Transform("remove_attribute", "attributes", ("attribute_name", "op_name")),
        Transform("remove_control_dependencies", "pruning"),
        Transform("remove_device", "attributes"),
        Transform("remove_nodes", "pruning", ("op", "max_inputs")),
        Transform("rename_attribute", "attributes", ("old_attribute_name", "new_attribute_name", "op_name")),
        Transform("rename_node", "renaming", ("old_node_name", "new_node_name"), in_functions=False),
        Transform("rename_op", "attributes", ("old_op_name", "new_op_name")),
        Transform("round_weights", "weights", ("num_steps",)),
        Transform("set_device", "attributes", ("device", "if_default")),
        Transform("sort_by_execution_order", "pruning"),
        Transform("sparsify_gather", "gathers", ("input_checkpoint", "group_init_node"), in_functions=False),
        Transform("strip_unused_nodes", "pruning", _PLACEHOLDERS, in_functions=False),
    )
}


def check_calls(calls: Sequence[Arguments]) -> None:
    """Every transform and every argument must be known. Raises TfcrossError."""
    if not calls:
        raise TfcrossError("transforms: there is none; give at least one, as --transforms='fold_constants'.")
    for call in calls:
        transform = TRANSFORMS.get(call.transform)
        if transform is None:
            raise TfcrossError(f"transforms: unknown transform {_choice(call.transform, TRANSFORMS)}")
        allowed = (*transform.arguments, *EVERY)
        for key in call.values:
            if key not in allowed:
                raise TfcrossError(f"transforms: {call.transform}: unknown argument {_choice(key, allowed)}")


def _choice(name: str, allowed: Iterable[str]) -> str:
    return f"{quoted(name)}{nearest(name, allowed)}. {known(allowed)}"


def nearest(name: str, allowed: Iterable[str]) -> str:
    """``"; nearest: 'x'"`` for a message, or nothing."""
    close = difflib.get_close_matches(name[:200], allowed, 1)
    return f"; nearest: {quoted(close[0])}" if close else ""
