"""What ``scons TARGET=PI MODEL=examples/digits/digits.pb`` leaves in ``out/PI-armv7``."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from project_build import (
    ARMV7,
    DIGITS,
    OUT,
    ROOT,
    VFP_ARGUMENTS,
    VFPV4,
    Run,
    arm_attributes,
    members,
    readme_words,
)

from tfcross.output.manifest import load_manifest

ARCHIVES = (
    "libabseil.a",
    "libdouble-conversion.a",
    "libfarmhash.a",
    "libhighwayhash.a",
    "libnsync.a",
    "libprotobuf.a",
    "libtensorflow-core.a",
)


@pytest.fixture(scope="module")
def manifest(built: Run) -> Any:
    return json.loads((OUT / "manifest.json").read_text())


def files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def test_the_command_of_the_readme_is_the_one_that_was_run():
    assert readme_words() == ["TARGET=PI", "MODEL=examples/digits/digits.pb"]


def test_the_emulated_app_was_as_accurate_as_the_readme_says(built):
    said = (OUT / "proof.txt").read_text()
    assert "\naccuracy 0.981 (353 of 360)\n" in f"\n{said}"
    assert "accuracy 0.981 (353 of 360)" in (ROOT / "README.md").read_text()
    difference = re.search(r"largest difference to the expected probabilities (\S+)", said)
    assert difference
    assert float(difference[1]) <= 1e-5


def test_the_proven_app_starts_without_a_word_of_complaint(built):
    assert "unknown op" not in (OUT / "proof.txt").read_text()


def test_the_output_folder_is_complete_and_holds_nothing_else(built):
    assert sorted(path.name for path in OUT.iterdir()) == [
        "BUILD.bazel",
        "include",
        "lib",
        "link",
        "manifest.json",
        "ops_to_register.h",
        "proof.txt",
    ]
    assert sorted(path.name for path in (OUT / "lib").iterdir()) == list(ARCHIVES)
    assert sorted(path.relative_to(OUT / "link").as_posix() for path in files(OUT / "link")) == [
        "cmake/tensorflow-core-config-version.cmake",
        "cmake/tensorflow-core-config.cmake",
        "flags.mk",
        "flags.sh",
        "tensorflow-core.bazelrc",
        "tensorflow-core.pc",
        "tensorflow_core.py",
    ]
    assert (OUT / "include/tensorflow/core/public/session.h").is_file()
    assert not OUT.with_name(".PI-armv7.part").exists()
    assert not OUT.with_name(".PI-armv7.old").exists()


@pytest.mark.parametrize("name", ARCHIVES)
def test_an_archive_has_unique_members_in_order_and_no_times_or_owners(built, name):
    found = list(members(OUT / "lib" / name))
    names = [member.name for member in found]
    assert [name for name, count in Counter(names).items() if count > 1] == []
    assert names == sorted(names)
    assert {member.stamp for member in found} == {(0, 0, 0, "644")}


@pytest.mark.parametrize("name", ARCHIVES)
def test_every_object_is_armv7_with_vfpv4_and_hard_float(built, name):
    wrong = {
        member.name: attributes
        for member in members(OUT / "lib" / name)
        if (attributes := arm_attributes(member.content))
        and (attributes["TAG_CPU_ARCH"], attributes["TAG_FP_ARCH"], attributes["TAG_ABI_VFP_ARGS"])
        != (ARMV7, VFPV4, VFP_ARGUMENTS)
    }
    assert wrong == {}


def test_the_manifest_names_the_model_by_its_hash(manifest):
    sha256 = hashlib.sha256((DIGITS / "digits.pb").read_bytes()).hexdigest()
    assert manifest["models"] == [{"name": "digits.pb", "sha256": sha256}]


def test_the_manifest_names_what_was_built_for_what(manifest):
    assert {key: manifest[key] for key in ("arch", "release", "target", "triple")} == {
        "arch": "armv7",
        "release": "2.14.1",
        "target": "PI",
        "triple": "arm-linux-gnueabihf",
    }
    assert manifest["toolchain"]["name"] == "clang-14"
    assert manifest["flags"]["optimisation"] == ["-Os"]
    assert manifest["flags"]["types"] == "full"
    assert {name: source["pinned"] for name, source in manifest["sources"].items()} == dict.fromkeys(
        manifest["sources"], True
    )


def test_the_manifest_tells_of_every_op_why_it_is_in(manifest):
    reasons = {op: f"{reason['kind']}: {reason['detail']}" for op, reason in manifest["ops"].items()}
    of_the_graph = {op: why for op, why in reasons.items() if why.startswith("graph: ")}
    assert of_the_graph == {
        "ArgMax": "graph: labels",
        "BiasAdd": "graph: conv1/biased",
        "Conv2D": "graph: conv1/sum",
        "MatMul": "graph: dense/sum",
        "MaxPool": "graph: pool1",
        "Placeholder": "graph: images",
        "Relu": "graph: conv1/relu",
        "Reshape": "graph: flat",
        "Softmax": "graph: probabilities",
    }
    of_the_runtime = [op for op, why in reasons.items() if re.match(r"runtime: \w", why)]
    assert {"Const", "Identity", "NoOp", "_Arg", "_Retval", "_Recv", "_Send"} <= set(of_the_runtime)
    assert {*of_the_graph, *of_the_runtime} == set(reasons)


def test_the_selective_header_names_every_kernel_of_the_manifest(manifest):
    header = (OUT / "ops_to_register.h").read_text()
    assert '"Conv2DOp<CPUDevice, float>"' in header
    assert [text for _, text in manifest["kernels"] if f'"{text}"' not in header] == []


def test_the_manifest_is_valid_under_the_published_schema_and_as_it_was_written(built):
    assert load_manifest(OUT / "manifest.json")["link"]["core"] == "libtensorflow-core.a"


def test_the_manifest_has_the_size_and_hash_of_every_archive(manifest):
    assert manifest["archives"] == {
        name: {
            "size": (OUT / "lib" / name).stat().st_size,
            "sha256": hashlib.sha256((OUT / "lib" / name).read_bytes()).hexdigest(),
        }
        for name in ARCHIVES
    }


def test_the_manifest_tells_what_each_file_registers(manifest):
    relu = manifest["registering"]["tensorflow/core/kernels/relu_op.cc"]
    assert relu == {"ops": [], "kernels": [["Relu", "ReluOp<CPUDevice, float>"]]}
    kernels = [pair for part in manifest["registering"].values() for pair in part["kernels"]]
    assert sorted(kernels) == manifest["kernels"]


def test_every_unit_of_the_manifest_is_in_the_archive(manifest):
    assert len(list(members(OUT / "lib/libtensorflow-core.a"))) == len(manifest["units"])


def test_nothing_in_the_output_names_a_folder_of_this_machine(built):
    home = str(Path.home()).encode()
    folders = [str(ROOT).encode(), *([home + b"/"] if len(home) > 5 else [])]
    naming = [path.name for path in files(OUT) if any(folder in path.read_bytes() for folder in folders)]
    assert naming == []
