"""The manifest of an output folder."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from fake_compilers import ROOT, pi
from small_registry import model, node, rule, typed

from tfcross.cli.options import Options
from tfcross.graph.model import Placeholder
from tfcross.graph.preparing.wanted import Prepared
from tfcross.output.linkflags import LinkFlags
from tfcross.releases.coreset import load_core
from tfcross.releases.release import load_release
from tfcross.selection.rule import KernelRule
from tfcross.selection.selector import select
from tfcross.sources.store import Tree
from tfcross.stages.build import Plan
from tfcross.stages.manifest import make_manifest
from tfcross.stages.models import BuildModel, model_facts
from tfcross.stages.selection import Selected
from tfcross.toolchains.toolchain import Toolchain

OPTIONS = Options(
    target="PI",
    arch="",
    release="2.14.1",
    models=("models/m.pb",),
    types="slim",
    extra_ops=(),
    extra_kernels=(),
    ops_dir="",
    optflags=("-Os",),
    toolchain="",
    toolchain_root="",
    ndk_root="",
    api="",
    bitcode=False,
    emulator=(),
    host_os="",
    launcher="",
    source_dir="",
    sources=(),
    offline=False,
    out="out",
    verbosity=0,
)
TOOLCHAIN = Toolchain(
    "clang-14",
    "clang",
    "14.0.6",
    "id",
    *(f"/usr/bin/{n}" for n in "abcdef"),
    ("-mfpu=neon",),
    (),
    (),
    (),
    (),
    (),
    True,
)
LINK = LinkFlags(
    "c++17", ("NDEBUG",), ("-mfpu=neon",), "libtensorflow-core.a", ("libnsync.a",), ("m",), (), "gnu"
)
ADD = model(node("sum", "Add", T=typed("float")))
RELEASE = load_release(ROOT, "2.14.1")
CORE = replace(load_core(RELEASE.folder), session_factory="a::Factory")
PLAN = Plan(ROOT, OPTIONS, RELEASE, CORE, {}, pi(), TOOLCHAIN, TOOLCHAIN)


def selected(kernels: KernelRule) -> Selected:
    return Selected((BuildModel(Prepared(ADD, ADD.path, ADD.sha256)),), select([ADD], kernels))


def manifest(folder: Path = Path("/home/me"), units: tuple[str, ...] = ("b.cc", "a.cc")) -> dict[str, Any]:
    trees = {
        "nsync": Tree("nsync", folder / "nsync", folder / "stamp", "5" * 64, "1.25.0", "PyPI nsync 1", True),
        "eigen": Tree(
            "eigen", folder / "eigen", folder / "stamp", "6" * 64, "3.4", "Debian sid eigen3", True
        ),
    }
    return make_manifest(PLAN, trees, selected(rule(always={"_Arg": "feeds"})), units, LINK)


def test_the_manifest_tells_what_was_built_from_what() -> None:
    assert manifest() == {
        "release": "2.14.1",
        "target": "PI",
        "arch": "armv7",
        "triple": "arm-linux-gnueabihf",
        "cpu": "arm",
        "toolchain": {"name": "clang-14", "version": "14.0.6", "identity": "id"},
        "flags": {"target": ["-mfpu=neon"], "optimisation": ["-Os"], "types": "slim"},
        "extras": {"ops": [], "kernels": [], "own": ""},
        "sources": {
            "eigen": {
                "version": "3.4",
                "tree_sha256": "6" * 64,
                "origin": "Debian sid eigen3",
                "pinned": True,
                "patches": {},
            },
            "nsync": {
                "version": "1.25.0",
                "tree_sha256": "5" * 64,
                "origin": "PyPI nsync 1",
                "pinned": True,
                "patches": {},
            },
        },
        "models": [
            {
                "name": "m.pb",
                "sha256": "0" * 64,
                "unproven": "no node looks like an output. Pass OUTPUTS=…, or put a proof.yaml "
                "beside the model (docs/models.md#the-proof).",
            }
        ],
        "ops": {
            "Add": {"kind": "graph", "detail": "sum"},
            "_Arg": {"kind": "runtime", "detail": "feeds"},
            "_DeviceArg": {
                "kind": "runtime",
                "detail": "tensorflow/core/ops/function_ops.cc always registers it",
            },
            "_ListToArray": {
                "kind": "runtime",
                "detail": "tensorflow/core/kernels/function_ops.cc always registers it",
            },
        },
        "kernels": [
            ["Add", "BinaryOp<CPUDevice, functor::add<float>>"],
            ["_Arg", "ArgOp"],
            ["_ListToArray", "PassOn"],
        ],
        "units": ["a.cc", "b.cc"],
        "registering": {
            "tensorflow/core/kernels/add_op.cc": {
                "ops": [],
                "kernels": [["Add", "BinaryOp<CPUDevice, functor::add<float>>"]],
            },
            "tensorflow/core/kernels/function_ops.cc": {
                "ops": [],
                "kernels": [["_Arg", "ArgOp"], ["_ListToArray", "PassOn"]],
            },
            "tensorflow/core/ops/function_ops.cc": {
                "ops": ["_Arg", "_DeviceArg", "_ListToArray"],
                "kernels": [],
            },
            "tensorflow/core/ops/math_ops.cc": {"ops": ["Add"], "kernels": []},
        },
        "session_factory": "a::Factory",
        "link": {
            "cxx_standard": "c++17",
            "defines": ["NDEBUG"],
            "ccflags": ["-mfpu=neon"],
            "core": "libtensorflow-core.a",
            "dependencies": ["libnsync.a"],
            "libraries": ["m"],
            "link_flags": [],
            "whole_archive": "gnu",
        },
    }


def test_neither_the_machine_nor_the_order_shows() -> None:
    text = json.dumps(manifest(), sort_keys=True)
    assert text == json.dumps(manifest(Path("/elsewhere"), ("a.cc", "b.cc")), sort_keys=True)
    assert "/home/me" not in text


def test_the_manifest_names_each_patch_with_its_hash() -> None:
    tree = Tree("tensorflow", Path("/t"), Path("/s"), "7" * 64, "2.14.1", "Debian", True)
    made = make_manifest(PLAN, {"tensorflow": tree}, selected(rule()), (), LINK)
    patches = made["sources"]["tensorflow"]["patches"]
    assert sorted(patches) == [
        "c-kernels-slim.patch",
        "concat-variant-slim.patch",
        "function-ops-constexpr.patch",
        "multi-device-iterator-constexpr.patch",
        "quantized-meta-plain.patch",
        "quantized-neon-plain.patch",
    ]
    assert {len(digest) for digest in patches.values()} == {64}


def test_of_a_cut_graph_the_manifest_tells_its_ends_and_its_file() -> None:
    placeholders = (Placeholder("x", "DT_FLOAT", (-1, 2)), Placeholder("z", "DT_INT32", None))
    cut = replace(ADD, placeholders=placeholders, outputs=("sum",), replaced=frozenset())
    assert model_facts(cut, "model/m.pb", "7" * 64, "input 'z' (int32) has no shape.") == {
        "name": "m.pb",
        "sha256": "0" * 64,
        "inputs": ["x=float[?,2]", "z=int32[…]"],
        "outputs": ["sum"],
        "graph": {"name": "model/m.pb", "sha256": "7" * 64},
        "unproven": "input 'z' (int32) has no shape.",
    }
