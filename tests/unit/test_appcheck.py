"""What is said of a linked app."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from test_manifest import manifest as small_manifest

from tfcross.app.inspection import check_app, for_library, read_app
from tfcross.binary.binary import Binary
from tfcross.errors import TfcrossError

MANIFEST: dict[str, Any] = {
    **small_manifest(),
    "ops": {
        "Relu": {"kind": "graph", "detail": "r"},
        "MatMul": {"kind": "graph", "detail": "m"},
        "NoOp": {"kind": "runtime", "detail": "always"},
    },
    "registering": {
        "tensorflow/core/ops/nn_ops.cc": {"ops": ["MatMul", "NoOp", "Relu"], "kernels": []},
        "tensorflow/core/kernels/relu_op.cc": {"ops": [], "kernels": [["Relu", "ReluOp<CPUDevice, float>"]]},
        "tensorflow/core/kernels/matmul_op.cc": {"ops": [], "kernels": [["MatMul", "MatMulOp<float>"]]},
        "tensorflow/core/kernels/no_op.cc": {"ops": [], "kernels": [["NoOp", "NoOp"]]},
    },
    "sources": {"protobuf": {"version": "3.21.12"}},
    "session_factory": "tensorflow::DirectSessionFactory",
}
FACTORY = "N10tensorflow20DirectSessionFactoryE"
TEXTS = ("ReluOp<CPUDevice, float>", "MatMulOp<float>", "NoOp", "Relu", "MatMul", FACTORY)
UNITS = (
    "app.cc",
    "nn_ops.cc",
    "relu_op.cc",
    "matmul_op.cc",
    "no_op.cc",
    "message_lite.cc",
    "direct_session.cc",
)
FLAGS = "-Wl,--whole-archive …/lib/libtensorflow-core.a -Wl,--no-whole-archive"


def content(*texts: str) -> bytes:
    return b"code\0" + b"".join(text.encode() + b"\0" for text in texts)


RIGHT = Binary("ELF", "arm", "ARM, v7", Counter(UNITS), frozenset(), ("libc.so.6",), content(*TEXTS))
STRIPPED = replace(RIGHT, units=None)


def said(binary: Binary, ops: tuple[str, ...] | None = None) -> list[tuple[bool | None, str]]:
    return [(finding.ok, finding.text) for finding in check_app(binary, MANIFEST, ops)]


def wrong(binary: Binary, ops: tuple[str, ...] | None = None) -> list[str]:
    return [text for ok, text in said(binary, ops) if ok is False]


def test_an_app_with_all_of_the_library_is_right() -> None:
    assert said(RIGHT) == [
        (True, "ELF for ARM, v7"),
        (True, "the session factory, 3 kernels and 3 op definitions are in it"),
        (True, "protobuf 3.21.12 is there once"),
        (True, "64-bit atomics are resolved"),
    ]


def test_only_the_models_ops_and_the_runtimes_own_count() -> None:
    without_relu = replace(
        RIGHT,
        units=Counter(set(UNITS) - {"relu_op.cc"}),
        content=content(*(t for t in TEXTS if t[:4] != "Relu")),
    )
    assert wrong(without_relu, ("MatMul",)) == []
    assert len(wrong(without_relu)) == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(
            {"units": Counter(["app.cc"]), "content": content("x")},
            "core was not linked whole-archive, or not at all: the session factory and "
            "3 kernels (MatMulOp<float>, NoOp, ReluOp<CPUDevice, float>) and 3 ops (MatMul, NoOp, Relu) "
            f"missing; link it as {FLAGS}",
            id="nothing of the core",
        ),
        pytest.param(
            {"units": Counter(["app.cc", "nn_ops.cc", "no_op.cc"]), "content": content("NoOp", "Relu")},
            "core was not linked whole-archive: the session factory and "
            f"2 kernels (MatMulOp<float>, ReluOp<CPUDevice, float>) missing; link it as {FLAGS}",
            id="a part of the core",
        ),
        pytest.param(
            {"content": content(*TEXTS[1:])},
            "1 kernel (ReluOp<CPUDevice, float>) missing: it was linked with another "
            "lib/libtensorflow-core.a than this one, which is for m.pb; link again",
            id="another core",
        ),
        pytest.param(
            {"units": Counter([*UNITS, "message_lite.cc"])},
            "protobuf is there twice, linked statically; take the other one out of the link, "
            "protobuf 3.21.12 is the library's own",
            id="protobuf twice",
        ),
        pytest.param(
            {"needed": ("libprotobuf.so.23", "libc.so.6")},
            "protobuf is there twice: the library's own (protobuf 3.21.12) and libprotobuf.so.23; "
            "link lib/libprotobuf.a only, and generate the app's messages for it",
            id="protobuf of the system",
        ),
        pytest.param(
            {"undefined": frozenset({"__atomic_load_8", "read"})},
            "64-bit atomics are unresolved (__atomic_load_8): put -latomic behind the archives",
            id="atomics",
        ),
    ],
)
def test_what_is_wrong_names_the_missing_flag(change: dict[str, Any], message: str) -> None:
    assert wrong(replace(RIGHT, **change)) == [message]


def test_atomics_of_a_shared_library_are_resolved() -> None:
    needs = replace(RIGHT, undefined=frozenset({"__atomic_load_8"}), needed=("libatomic.so.1",))
    assert wrong(needs) == []


def test_an_op_that_the_library_does_not_have_is_named() -> None:
    assert wrong(RIGHT, ("Add", "Relu")) == [
        "1 op (Add) of the model: not in the library, which is for m.pb; build it with MODEL= that model"
    ]


def test_of_a_stripped_app_it_is_said_what_cannot_be_known() -> None:
    assert [text for ok, text in said(STRIPPED) if ok is None] == [
        "it is stripped: what is known is only what is in its strings",
        "whether protobuf was linked twice statically",
    ]
    assert wrong(STRIPPED) == []


def test_a_stripped_app_without_the_core_is_still_found_out() -> None:
    assert wrong(replace(STRIPPED, content=content("x")))[0].startswith("core was not linked whole-archive")


def test_a_short_string_that_a_stripped_app_lacks_proves_nothing() -> None:
    found = said(replace(STRIPPED, content=content(*TEXTS[:3], FACTORY)))
    assert (
        None,
        "2 op definitions (MatMul, Relu): not among its strings, but the compiler may have changed them",
    ) in (found)
    assert [text for ok, text in found if ok is False] == []


def test_an_app_for_another_cpu_is_refused() -> None:
    other = replace(RIGHT, cpu="x86_64", isa="x64")
    assert for_library([other, RIGHT], MANIFEST, "app") is RIGHT
    with pytest.raises(TfcrossError) as caught:
        for_library([other], MANIFEST, "app")
    assert str(caught.value) == (
        "app: is ELF for x64; the library PI-armv7 is for arm-linux-gnueabihf. "
        "Pass an app that is built for it, or another --library."
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"PK\3\4 an apk", "neither ELF nor Mach-O; pass the linked app, ", id="a package"),
        pytest.param(b"", "neither ELF nor Mach-O; pass the linked app, ", id="an empty file"),
        pytest.param(b"\x7fELF", "damaged ELF file: ", id="a cut ELF"),
        pytest.param(b"\xcf\xfa\xed\xfe\x0c", "damaged Mach-O file: ", id="a cut Mach-O"),
    ],
)
def test_a_file_that_is_no_app_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "app").write_bytes(content)
    with pytest.raises(TfcrossError, match=f"app: {message}"):
        read_app(tmp_path / "app")


def test_an_app_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        TfcrossError, match="app: cannot be read: No such file or directory; pass the linked app"
    ):
        read_app(tmp_path / "app")
