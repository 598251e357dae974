"""A registry and models of a few ops, for tests of what is made from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from tfcross.graph.model import FunctionBody, Model
from tfcross.graph.node import AttrSummary, FunctionRef, Node
from tfcross.registry.opdef import AttrDef, OpDef
from tfcross.registry.parser import Kernel, Problem
from tfcross.registry.registry import Registry
from tfcross.selection.rule import KernelRule

FLOAT, INT32 = 1, 3
MATH, ARRAY, FUNCTION, DATASET = (
    f"tensorflow/core/ops/{n}_ops.cc" for n in ("math", "array", "function", "dataset")
)
T = AttrDef("T", "type", allowed=(FLOAT, INT32))


def kernel(op: str, text: str, file: str, types: tuple[int, ...] = (), **more: object) -> Kernel:
    constraints = (("T", types),) if types else ()
    plain = Kernel(op, "CPU", "", 0, constraints, (), text, f"tensorflow/core/kernels/{file}.cc", False)
    return replace(plain, **more)  # type: ignore[arg-type]


OPS = (
    OpDef("Add", MATH, attrs=(T,)),
    OpDef("MatMul", MATH, attrs=(T,)),
    OpDef("Placeholder", ARRAY, attrs=(AttrDef("dtype", "type"),)),
    OpDef("Identity", ARRAY, attrs=(T,)),
    OpDef("CudnnRNN", ARRAY),
    OpDef("SymbolicGradient", FUNCTION),
    OpDef("_Arg", FUNCTION, system=True),
    OpDef("_DeviceArg", FUNCTION, system=True),
    OpDef("_ListToArray", FUNCTION),
    OpDef("WrapDatasetVariant", DATASET),
)
KERNELS = (
    kernel("Add", "BinaryOp<CPUDevice, functor::add<float>>", "add_op", (FLOAT,)),
    kernel("Add", "BinaryOp<CPUDevice, functor::add<int32>>", "add_op", (INT32,)),
    kernel("Add", "BinaryOp<GPUDevice, functor::add<float>>", "add_op", (FLOAT,), device="GPU"),
    kernel("MatMul", "MatMulOp<CPUDevice, float>", "matmul_op", (FLOAT,)),
    kernel("Placeholder", "PlaceholderOp", "constant_op"),
    kernel("Identity", "IdentityOp", "identity_op", device="DEFAULT"),
    kernel("CudnnRNN", "CudnnRNNOp<GPUDevice>", "cudnn_op", device="GPU"),
    kernel("SymbolicGradient", "SymbolicGradientOp", "gradient_op"),
    kernel("_Arg", "ArgOp", "function_ops", system=True),
    kernel("_ListToArray", "PassOn", "function_ops", system=True),
    kernel("WrapDatasetVariant", "WrapOp", "wrap_op"),
)


def registry(problems: Sequence[Problem] = (), more: Sequence[Kernel] = ()) -> Registry:
    return Registry({op.name: op for op in OPS}, (*KERNELS, *more), problems=tuple(problems))


def rule(
    always: Mapping[str, str] | None = None,
    inserted: Mapping[str, Sequence[str]] | None = None,
    unavailable: Mapping[str, str] | None = None,
    of: Registry | None = None,
) -> KernelRule:
    """The rule of the small registry, or ``of`` another."""
    return KernelRule(of or registry(), always or {}, inserted or {}, unavailable or {})


def node(name: str, op: str, function: str = "", **attrs: AttrSummary) -> Node:
    return Node(name, op, (), "", attrs, function)


def typed(name: str) -> AttrSummary:
    return AttrSummary("type", f"DT_{name.upper()}")


def calls(name: str) -> AttrSummary:
    return AttrSummary("func", FunctionRef(name, {}))


def model(*nodes: Node, functions: Mapping[str, Sequence[Node]] | None = None) -> Model:
    bodies = {name: FunctionBody(name, tuple(body), (), "") for name, body in (functions or {}).items()}
    return Model(Path("m.pb"), nodes, bodies, (), (), "0" * 64, 0, 0, ())
