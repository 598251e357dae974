"""Where a release registers its ops and kernels, as data."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tfcross.errors import TfcrossError
from tfcross.registry.data import load_registry_data
from tfcross.registry.sources import ReleaseRegistry
from tfcross.registry.sourcetree import stub_files

RELEASES = Path(__file__).parents[2] / "releases"
FRAMEWORK = "tensorflow/core/framework"


@pytest.mark.parametrize(
    ("version", "macros", "stubs"),
    [
        pytest.param(
            "1.8.0",
            (
                "REGISTER_KERNEL_BUILDER_UNIQ",
                "REGISTER_SYSTEM_KERNEL_BUILDER_UNIQ",
                "REGISTER_OP_UNIQ",
                "REGISTER_SYSTEM_OP_UNIQ",
                "REGISTER_OP_GRADIENT_UNIQ",
            ),
            ("function.h", "op.h", "op_kernel.h"),
            id="1.8.0",
        ),
        pytest.param(
            "2.14.1",
            ("REGISTER_KERNEL_BUILDER_IMPL_3", "REGISTER_OP_IMPL", "REGISTER_OP_GRADIENT_UNIQ"),
            ("function.h", "op.h", "op_kernel.h", "registration/options.h"),
            id="2.14.1",
        ),
    ],
)
def test_innermost_macros_of_a_release_have_stubs(
    version: str, macros: tuple[str, ...], stubs: tuple[str, ...]
) -> None:
    data = load_registry_data(RELEASES / version)
    assert data.macros == macros
    assert data.sources[0] == "tensorflow/core"
    assert stub_files(data.stubs) == tuple(f"{FRAMEWORK}/{name}" for name in stubs)


def edited(folder: Path, old: str, new: str) -> Path:
    """A release "9.9" that is like 1.8.0 but for one place in its registry.yaml."""
    shutil.copytree(RELEASES / "1.8.0" / "stubs", folder / "9.9" / "stubs")
    text = (RELEASES / "1.8.0" / "registry.yaml").read_text()
    assert old in text
    (folder / "9.9" / "registry.yaml").write_text(text.replace(old, new))
    return folder / "9.9"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        pytest.param(
            "  - REGISTER_OP_UNIQ\n",
            "  - REGISTER_OP_UNIQUE\n",
            "9.9/registry.yaml: macros: no header in 9.9/stubs defines REGISTER_OP_UNIQUE; add one.",
            id="macro without stub",
        ),
        pytest.param(
            "sources:",
            "source:",
            "9.9/registry.yaml: unknown key 'source'. Known: data_types, exclude, "
            "graph_version, kernels, macros, sources, types, unknown_attrs.",
            id="unknown key",
        ),
        pytest.param(
            "types: tensorflow/core/framework/types.h",
            "types: 1.8",
            '9.9/registry.yaml: types: 1.8 is not of type string; quote versions, as in "9.0".',
            id="no text",
        ),
        pytest.param(
            "sources: [tensorflow/core, tensorflow/contrib/boosted_trees/ops]",
            "sources: []",
            "9.9/registry.yaml: sources: [] should be non-empty.",
            id="no sources",
        ),
    ],
)
def test_bad_data_is_refused(old: str, new: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(TfcrossError) as caught:
        load_registry_data(edited(tmp_path, old, new))
    assert str(caught.value) == message


TYPES_PROTO = """
enum DataType {
  DT_INVALID = 0;
  // Data types that all computation devices support.
  DT_FLOAT = 1;
  DT_FLOAT_REF = 101;
}
enum SpecializedType {
  ST_INVALID = 0;
}
"""
VERSION_H = (
    "#define TF_GRAPH_DEF_VERSION_MIN_PRODUCER 0\n#define TF_GRAPH_DEF_VERSION 1575  // Updated: 2023\n"
)


def registry_of(tree: Path) -> ReleaseRegistry:
    nothing: Any = None
    sources: Any = SimpleNamespace(tree=SimpleNamespace(path=tree))
    return ReleaseRegistry(nothing, nothing, load_registry_data(RELEASES / "2.14.1"), nothing, sources, None)


def test_the_tree_tells_types_and_version(tmp_path: Path) -> None:
    for name, text in (("framework/types.proto", TYPES_PROTO), ("public/version.h", VERSION_H)):
        (tmp_path / "tensorflow/core" / name).parent.mkdir(parents=True)
        (tmp_path / "tensorflow/core" / name).write_text(text)
    release = registry_of(tmp_path)
    assert release.data_types() == {"DT_INVALID", "DT_FLOAT", "DT_FLOAT_REF"}
    assert release.graph_version() == 1575


def test_a_tree_that_does_not_tell_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TfcrossError) as raised:
        registry_of(tmp_path).graph_version()
    assert str(raised.value) == (
        f"{tmp_path}/tensorflow/core/public/version.h: nothing in it is like "
        r"^#define TF_GRAPH_DEF_VERSION (\d+); give this release's tree."
    )
