"""Apps for iOS, linked with and without ``-force_load``, and what is said of them."""

from __future__ import annotations

import shutil
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from apple_tools import TRIPLE, archived, compiled, linked, make_sdk
from small_library import run

from tfcross.app.inspection import Finding, check_app, for_library, read_app
from tfcross.output.linkflags import LinkFlags

FLAGS = LinkFlags("c++17", (), (), "libtensorflow-core.a", ("libprotobuf.a",), ("c++",), (), "force_load")
CORE = {
    "direct_session.cc": """
        namespace tensorflow {
        struct DirectSessionFactory { virtual ~DirectSessionFactory(); };
        DirectSessionFactory::~DirectSessionFactory() {}
        void Register(const char*, const void*);
        static DirectSessionFactory factory;
        static struct Start { Start() { Register("DIRECT_SESSION", &factory); } } start;
        }
    """,
    "relu_op.cc": """
        namespace tensorflow {
        void Register(const char*, const void*);
        static struct Start { Start() { Register("ReluOp<CPUDevice, float>", "Relu"); } } start;
        }
    """,
    "register.cc": """
        namespace tensorflow {
        const void* volatile last;
        void Register(const char* name, const void* what) { last = name; last = what; }
        }
    """,
}
MANIFEST: dict[str, Any] = {
    "target": "IOS",
    "arch": "arm64",
    "triple": TRIPLE,
    "cpu": "aarch64",
    "ops": {"Relu": {"kind": "graph", "detail": "r"}},
    "models": [{"name": "m.pb", "sha256": "0" * 64}],
    "registering": {
        "tensorflow/core/kernels/relu_op.cc": {"ops": [], "kernels": [["Relu", "ReluOp<CPUDevice, float>"]]}
    },
    "sources": {"protobuf": {"version": "3.21.12"}},
    "session_factory": "tensorflow::DirectSessionFactory",
    "link": asdict(FLAGS),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ios")
    make_sdk(path)
    archived(path / "lib/libtensorflow-core.a", path, CORE)
    archived(path / "lib/libprotobuf.a", path, {"message_lite.cc": "int message;\n"})
    compiled(path, "app.cc", "namespace tensorflow { extern const void* volatile last; }\nint main() {}\n")
    return path


def findings(app: Path) -> list[Finding]:
    return check_app(for_library(read_app(app), MANIFEST, str(app)), MANIFEST)


def test_an_app_with_the_core_whole_is_right(folder: Path) -> None:
    app = linked(folder, "app.cc.o", " ".join(FLAGS.link_arguments(".")))
    assert findings(app) == [
        Finding(True, "Mach-O for ARM64, 64 bits, iOS or macOS 11.0"),
        Finding(True, "the session factory, 1 kernels and 0 op definitions are in it"),
        Finding(True, "protobuf 3.21.12 is there once"),
        Finding(True, "64-bit atomics are resolved"),
    ]


def test_an_app_without_force_load_is_told_the_flag(folder: Path) -> None:
    plain = replace(FLAGS, whole_archive="gnu").link_arguments(".")
    app = linked(folder, "app.cc.o", " ".join(word for word in plain if "whole" not in word))
    assert [finding.text for finding in findings(app) if finding.ok is False] == [
        "core was not linked whole-archive, or not at all: the session factory and "
        "1 kernel (ReluOp<CPUDevice, float>) missing; link it as -Wl,-force_load,…/lib/libtensorflow-core.a"
    ]


def test_the_right_one_of_a_fat_app_is_looked_at(folder: Path, tmp_path: Path) -> None:
    app = linked(folder, "app.cc.o", " ".join(FLAGS.link_arguments(".")))
    shutil.copy(app, tmp_path / "arm64")
    run("llvm-lipo-14", "-create", tmp_path / "arm64", "-output", tmp_path / "fat")
    assert [finding.ok for finding in findings(tmp_path / "fat")] == [True, True, True, True]


def test_an_apps_stripped_file_says_what_cannot_be_known(folder: Path, tmp_path: Path) -> None:
    app = linked(folder, "app.cc.o", " ".join(FLAGS.link_arguments(".")))
    run("llvm-strip-14", app, "-o", tmp_path / "stripped")
    found = findings(tmp_path / "stripped")
    assert [finding.ok for finding in found] == [True, None, True, None, True]
    assert found[1].text == "it is stripped: what is known is only what is in its strings"
