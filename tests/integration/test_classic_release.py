"""Release 1.8.0 from the command line to the linked app, on a small tree of our own in its layout.

TensorFlow 1.8.0 itself is on GitHub only; this goes through the same code with real compilers. What the tree
registers, it says when a program with the library starts.
"""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from classic_project import PI, Built, Project, make_project, without_gcc_48
from project_build import CXX, members, run_app

from tfcross.graph.construction import make_node

MAKEFILE = f"""
CXX = {CXX}
include OUT/link/flags.mk
tell: tell.cc
\t$(CXX) $(TFCROSS_CXXFLAGS) $< $(TFCROSS_LDLIBS) -o $@
"""
PLACEHOLDER = make_node("x", "Placeholder", dtype="DT_FLOAT")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return make_project(tmp_path_factory.mktemp("classic"))


@pytest.fixture(scope="module")
def full(project: Project) -> Built:
    """Without a model; this is the build that makes protoc and the dependencies."""
    return project.build("full")


@pytest.fixture(scope="module")
def benchmark(project: Project, full: Built) -> Built:
    """The same and TensorFlow's own program."""
    return project.build("benchmark", "benchmark")


@pytest.fixture(scope="module")
def scaled(project: Project, full: Built) -> Built:
    """For one model, library and program at once: both lack the same helper at first."""
    word = project.write_model("scaled/graph.pb", PLACEHOLDER, make_node("y", "Scaled", ["x"], T="DT_INT32"))
    return project.build("out-scaled", "benchmark", word)


@pytest.fixture(scope="module")
def kept(project: Project, scaled: Built) -> Built:
    """For another model, behind the first."""
    word = project.write_model("kept/graph.pb", PLACEHOLDER, make_node("y", "Kept", ["x"], T="DT_FLOAT"))
    return project.build("out-kept", word)


def said(program: Path) -> list[str]:
    done = run_app(program)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_build_without_a_model_has_the_listed_files_and_all_that_they_need(full: Built) -> None:
    assert full.manifest["units"] == [
        "tensorflow/core/common_runtime/direct_session.cc",
        "tensorflow/core/common_runtime/extra_pass.cc",  # whole: all of the folder, but for the test in it
        "tensorflow/core/framework/graph.pb.cc",
        "tensorflow/core/framework/step.pb.cc",
        "tensorflow/core/kernels/first_op.cc",
        "tensorflow/core/kernels/plain_op.cc",
        "tensorflow/core/kernels/scale.cc",  # a helper
        "tensorflow/core/kernels/scaled_op.cc",
        "tensorflow/core/lib/strings/quote.cc",  # a helper
        "tensorflow/core/ops/fixture_ops.cc",
        "tensorflow/core/ops/plain_ops.cc",
        "tensorflow/core/ops/scaled_ops.cc",  # the definition of an op whose kernel is listed
        "tensorflow/core/util/env_var.cc",
        "tensorflow/core/util/version_info.cc",  # generated
    ]


def test_the_helpers_that_were_found_are_told(full: Built) -> None:
    assert (
        "        needed beside the selected kernels: "
        "tensorflow/core/kernels/scale.cc tensorflow/core/lib/strings/quote.cc\n"
    ) in full.run.out


@pytest.mark.parametrize("name", ["libtensorflow-core.a", "libprotobuf.a", "libnsync.a"])
def test_members_of_an_archive_are_unique(full: Built, name: str) -> None:
    names = [member.name for member in members(full.out / "lib" / name)]
    assert names
    assert [name for name, count in Counter(names).items() if count > 1] == []


def test_the_archive_holds_one_member_for_each_unit(full: Built) -> None:
    assert len(list(members(full.archive))) == len(full.manifest["units"])


def test_the_manifest_tells_what_was_built_from_what(full: Built) -> None:
    assert (full.manifest["release"], full.manifest["toolchain"]["name"]) == ("1.8.0", "gcc-12")
    assert {name: source["pinned"] for name, source in full.manifest["sources"].items()} == {
        "tensorflow": False,
        "protobuf": True,
        "nsync": True,
    }
    assert full.manifest["ops"]["Scaled"] == {
        "kind": "release",
        "detail": "tensorflow/core/kernels/scaled_op.cc",
    }


FULL = [
    "gradient Kept",
    "kernel (SizedOp<CPUDevice, float, true>) for Linear of 8 bytes",
    "kernel LinearOp for Linear of 1 bytes",
    "kernel LinearOp for NoOp of 1 bytes",
    "kernel ScaledOp<CPUDevice, float> for Scaled of 40 bytes",
    "kernel ScaledOp<CPUDevice, int32> for Scaled of 40 bytes",
    "kernel SizedOp<CPUDevice, char, false> for Placeholder of 1 bytes",
    "kernel SizedOp<CPUDevice, float, false > for Dropped of 4 bytes",
    "kernel SizedOp<CPUDevice, float, false > for Kept of 4 bytes",
    "kernel SizedOp<CPUDevice, int32, false > for Kept of 4 bytes",
    "kernel SystemOp for _System of 1 bytes",
    "op Dropped",
    "op Kept",
    "op Linear",
    "op NoOp",
    "op Placeholder",
    "op Scaled",
    "op _System",
    "pass Extra",
]


def test_the_app_of_the_example_has_all_that_the_lists_register_and_no_more(full: Built) -> None:
    lines = full.proven
    assert sorted(lines[: len(FULL)]) == FULL
    assert lines[len(FULL) :] == ["app with v1.8.0", 'RAN \'Linear\': name: "y" op: "Linear"']


def test_the_program_has_what_the_app_has(benchmark: Built) -> None:
    lines = said(benchmark.out / "bin" / "benchmark")
    assert sorted(lines[: len(FULL)]) == FULL
    assert lines[len(FULL) :] == ["benchmark of 'v1.8.0'", "report 'nothing': 1 steps"]


def test_what_only_the_program_needs_is_not_in_the_library(full: Built, benchmark: Built) -> None:
    helper = "        needed beside the selected kernels: tensorflow/core/util/stopwatch.cc\n"
    assert helper in benchmark.run.out
    assert benchmark.archive.read_bytes() == full.archive.read_bytes()


def test_a_plain_build_after_the_program_compiles_and_archives_nothing(
    project: Project, benchmark: Built
) -> None:
    assert project.build("benchmark", "benchmark").run.made("C++", "LINK", "OUT") == []
    plain = project.build("benchmark")
    assert plain.run.made("C++", "PCH", "NM", "AR", "LINK") == []
    assert not (plain.out / "bin").exists()
    assert plain.manifest["units"] == benchmark.manifest["units"]


SCALED = [
    "kernel LinearOp for NoOp of 1 bytes",
    "kernel ScaledOp<CPUDevice, int32> for Scaled of 40 bytes",
    "kernel SizedOp<CPUDevice, char, false> for Placeholder of 1 bytes",
    "op NoOp",
    "op Placeholder",
    "op Scaled",
]
KEPT = [
    "kernel LinearOp for NoOp of 1 bytes",
    "kernel SizedOp<CPUDevice, char, false> for Placeholder of 1 bytes",
    "kernel SizedOp<CPUDevice, float, false > for Kept of 4 bytes",
    "kernel SystemOp for _System of 1 bytes",  # its file has it whatever is selected
    "op Kept",
    "op NoOp",
    "op Placeholder",
    "op _System",
]


def test_the_app_of_a_model_has_its_kernels_and_ops_and_no_others(scaled: Built, kept: Built) -> None:
    for built, registered, op in ((scaled, SCALED, "Scaled"), (kept, KEPT, "Kept")):
        lines = built.proven
        assert sorted(lines[: len(registered)]) == registered
        session, first, second = lines[len(registered) :]
        assert session == "app with v1.8.0"
        assert first.startswith('RAN \'Placeholder\': name: "x" op: "Placeholder" ')
        assert second.startswith(f'RAN \'{op}\': name: "y" op: "{op}" input: "x" ')


def test_the_program_for_a_model_has_what_the_app_has(scaled: Built) -> None:
    lines = said(scaled.out / "bin" / "benchmark")
    assert sorted(lines[: len(SCALED)]) == SCALED
    assert lines[len(SCALED) :] == ["benchmark of 'v1.8.0'", "report 'nothing': 1 steps"]


def test_an_app_that_make_links_with_the_emitted_flags_says_the_same(
    project: Project, kept: Built, tmp_path: Path
) -> None:
    (tmp_path / "Makefile").write_text(MAKEFILE.replace("OUT", str(kept.out)))
    (tmp_path / "tell.cc").write_bytes((project.folder / "kept" / "tell.cc").read_bytes())
    subprocess.run(["make", "-s", "tell"], cwd=tmp_path, check=True, capture_output=True)
    done = run_app(tmp_path / "tell", project.folder / "kept" / "graph.pb")
    assert sorted(done.stdout.splitlines()) == sorted(kept.proven)


@pytest.mark.parametrize(
    ("model", "there"),
    [
        pytest.param("scaled", {"SizedOp<char, false>", "ScaledOp<int>"}, id="the other type"),
        pytest.param("kept", {"SizedOp<char, false>", "SizedOp<float, false>"}, id="other files"),
    ],
)
def test_no_other_class_is_instantiated(request: pytest.FixtureRequest, model: str, there: set[str]) -> None:
    archive = request.getfixturevalue(model).archive
    names = subprocess.run(
        ["arm-linux-gnueabihf-nm", "-C", archive], capture_output=True, text=True, check=True
    ).stdout
    found = re.findall(r"tensorflow::(S\w+Op)<tensorflow::CPUDevice, (\w+(?:, \w+)?)>", names)
    assert {f"{name}<{types}>" for name, types in found} == there
    assert "RefusingOp" not in names


def test_a_second_model_compiles_registering_files_and_its_app_only(kept: Built) -> None:
    stems = [re.sub(r"\.[0-9a-f]{16}\.o$", "", name.rpartition("/")[2]) for name in kept.run.compiled]
    assert sorted(stems) == ["first_op.cc", "fixture_ops.cc", "tell.o"]
    assert [
        name for name in kept.run.compiled if "/registering/" not in name and "/proof0/" not in name
    ] == []


def refused(project: Project, *words: str, **options: object) -> str:
    """The one line that scons says to ``words``, without ``error: ``."""
    run = project.scons(*words, **options)
    assert run.status == 2, run.out + run.err
    assert "Traceback" not in run.out + run.err
    assert len(run.errors) == 1, run.err
    return run.errors[0].removeprefix("error: ")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(
            {"portable": {"tensorflow/core/kernels": ["first_op", "scale_op"]}},
            "portable: tensorflow/core/kernels/scale_op.cc is not in the source tree "
            "(did you mean scaled_op.cc?); correct the list, or give the tree of this release "
            "(SOURCE_tensorflow=).",
            id="a file that is not there",
        ),
        pytest.param(
            {"portable": {"tensorflow/core/kernels": ["first_op", "scaled_op", "first_op"]}},
            "portable: tensorflow/core/kernels/first_op.cc is listed twice; take one out.",
            id="a file twice",
        ),
        pytest.param(
            {"whole": {"sources": ["tensorflow/core/graph/*.cc"]}},
            "whole: 'tensorflow/core/graph/*.cc' matches no file in the source tree; correct the pattern.",
            id="a pattern without a file",
        ),
        pytest.param(
            {"programs": {"benchmark": ["tensorflow/tools/benchmark/benchmark_models.cc"]}},
            "programs: tensorflow/tools/benchmark/benchmark_models.cc is not in the source tree "
            "(did you mean benchmark_model.cc?); correct the list, or give the tree of this release "
            "(SOURCE_tensorflow=).",
            id="a program's file that is not there",
        ),
    ],
)
def test_a_list_that_is_wrong_is_told_in_one_line(
    project: Project, full: Built, change: dict[str, object], message: str
) -> None:
    project.write_core(**change)
    try:
        assert refused(project, *PI, "TOOLCHAIN=gcc-12") == f"core.yaml: {message}"
    finally:
        project.write_core()


def test_without_gcc_48_the_pin_is_told_with_the_ways_out(project: Project, tmp_path: Path) -> None:
    message = refused(project, *PI, "OFFLINE=1", env=without_gcc_48(tmp_path / "bin", CXX))
    assert message.startswith(
        "PI pins gcc 4.8 for TensorFlow 1.8.0; arm-linux-gnueabihf-g++-4.8 is not on PATH "
        "(found: arm-linux-gnueabihf-g++ 12."
    )
    assert message.endswith(", or pass TOOLCHAIN= another. Known: clang-14, gcc-12.")


def test_an_unknown_release_is_refused_with_those_that_are_known(project: Project) -> None:
    assert refused(project, "TARGET=PI", "RELEASE=1.9.0") == (
        "RELEASE: unknown release '1.9.0'. Known: 1.8.0, 2.14.1."
    )
