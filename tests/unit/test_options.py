from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tfcross.cli.options import Options, parse_options, require_target
from tfcross.cli.variables import VARIABLES
from tfcross.errors import TfcrossError
from tfcross.graph.cutting.ends import Ends, Input

ROOT = Path(__file__).parents[2]
DEFAULTS = Options(
    target="",
    arch="",
    release="2.14.1",
    models=(),
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
NAMES = (
    "ANDROID_API, ANDROID_ARCH, ANDROID_TYPES, API, ARCH, BITCODE, CC_PREFIX, EMULATOR, EXTRA_KERNELS, "
    "EXTRA_OPS, GRAPH, HOST_OS, INPUTS, IOS_ARCH, LAUNCHER, MIN_SDK_VERSION, MODEL, NDK_ROOT, OFFLINE, "
    "OPS_DIR, OPTFLAGS, OUT, OUTPUTS, PROOF, RELEASE, SIGNATURE, SIZE_BUDGET, SOURCE_<name>, SOURCE_DIR, "
    "TAGS, TARGET, TOOLCHAIN, TOOLCHAIN_ROOT, TRANSFORMS, TYPES, V"
)


def test_an_empty_command_line_gives_the_defaults() -> None:
    assert parse_options({}) == DEFAULTS


def test_an_empty_value_is_the_default() -> None:
    empty = dict.fromkeys(
        ["TARGET", "MODEL", "TYPES", "OPTFLAGS", "OFFLINE", "V", "SOURCE_nsync", "IOS_ARCH"], ""
    )
    assert parse_options(empty) == DEFAULTS


@pytest.mark.parametrize(
    ("arguments", "field", "value"),
    [
        pytest.param({"MODEL": "a.pb,b c.pb"}, "models", ("a.pb", "b c.pb"), id="several models"),
        pytest.param(
            {"MODEL": "b.pb,a.pb,b.pb"}, "models", ("b.pb", "a.pb"), id="a model given twice is one"
        ),
        pytest.param(
            {"OPTFLAGS": "-O3 '-DA=b c'"}, "optflags", ("-O3", "-DA=b c"), id="flags quoted as in a shell"
        ),
        pytest.param({"OFFLINE": "yes"}, "offline", True, id="yes"),
        pytest.param({"OFFLINE": "false"}, "offline", False, id="false"),
        pytest.param({"ANDROID_ARCH": "arm64-v8a"}, "arch", "arm64-v8a", id="Android's name of ARCH"),
        pytest.param({"IOS_ARCH": "arm64", "ARCH": "arm64"}, "arch", "arm64", id="aliases that agree"),
        pytest.param({"EXTRA_OPS": "Tanh, Add,Tanh"}, "extra_ops", ("Tanh", "Add"), id="further ops"),
        pytest.param({"EXTRA_KERNELS": "relu_op.cc"}, "extra_kernels", ("relu_op.cc",), id="further files"),
        pytest.param(
            {"INPUTS": "x=float[1,2]", "OUTPUTS": "y:0,z:1", "SIGNATURE": "s"},
            "ends",
            Ends((Input("x", "DT_FLOAT", (1, 2)),), ("y", "z:1"), "s"),
            id="a model's ends",
        ),
        pytest.param({"TAGS": "serve,gpu"}, "tags", ("serve", "gpu"), id="tags of a SavedModel's graph"),
        pytest.param({"GRAPH": "graph.pbtxt"}, "graph", "graph.pbtxt", id="a checkpoint's graph"),
        pytest.param(
            {"TRANSFORMS": "sort_by_execution_order"},
            "transforms",
            "sort_by_execution_order",
            id="transforms",
        ),
        pytest.param({"OPS_DIR": "my ops"}, "ops_dir", "my ops", id="own ops"),
        pytest.param({"MODEL": "a.pb"}, "types", "full", id="all types are open to a model"),
        pytest.param({"MODEL": "a.pb", "TYPES": "slim"}, "types", "slim", id="types of a model"),
        pytest.param({"ANDROID_TYPES": "__ANDROID_TYPES_FULL__"}, "types", "full", id="the makefile's types"),
        pytest.param({"ANDROID_TYPES": "-D__ANDROID_TYPES_SLIM__"}, "types", "slim", id="as a define"),
        pytest.param(
            {"SOURCE_nsync": "../n", "SOURCE_abseil": "/a", "SOURCE_DIR": "d"},
            "sources",
            (("abseil", "/a"), ("nsync", "../n")),
            id="sources replaced by folders",
        ),
        pytest.param({"V": "1"}, "verbosity", 1, id="verbosity"),
        pytest.param({"LAUNCHER": "ccache  -v"}, "launcher", "ccache -v", id="a launcher with an argument"),
        pytest.param({"CC_PREFIX": "ccache"}, "launcher", "ccache", id="the makefile's launcher"),
        pytest.param({"HOST_OS": "PI"}, "host_os", "PI", id="the makefile's name of this machine"),
        pytest.param(
            {"TOOLCHAIN_ROOT": "/opt/gcc"}, "toolchain_root", "/opt/gcc", id="a folder of compilers"
        ),
        pytest.param(
            {"OPTFLAGS": "-Os -mfpu=neon-vfpv4 -funsafe-math-optimizations -ftree-vectorize"},
            "optflags",
            ("-Os", "-mfpu=neon-vfpv4", "-funsafe-math-optimizations", "-ftree-vectorize"),
            id="the book's flags",
        ),
    ],
)
def test_a_variable_becomes_its_option(arguments: dict[str, str], field: str, value: object) -> None:
    assert getattr(parse_options(arguments), field) == value


@pytest.mark.parametrize(
    ("arguments", "types"),
    [
        pytest.param({}, "desktop", id="nothing said"),
        pytest.param({"MODEL": "a.pb"}, "desktop", id="a model"),
        pytest.param({"TYPES": "slim"}, "slim", id="said"),
        pytest.param({"ANDROID_TYPES": "__ANDROID_TYPES_FULL__"}, "full", id="said as in the makefile"),
    ],
)
def test_a_script_can_have_another_default_for_types(arguments: dict[str, str], types: str) -> None:
    assert parse_options(arguments, types="desktop").types == types


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(
            {"TRAGET": "PI"},
            f"TRAGET: unknown variable (did you mean TARGET?). Known: {NAMES}.",
            id="misspelt",
        ),
        pytest.param(
            {"target": "PI"},
            f"target: unknown variable (did you mean TARGET?). Known: {NAMES}.",
            id="lower case",
        ),
        pytest.param(
            {"CXX": "g++"},
            f"CXX: unknown variable (did you mean TOOLCHAIN?). Known: {NAMES}.",
            id="as make calls it",
        ),
        pytest.param(
            {"CROSS_COMPILE": "arm-linux-gnueabihf-"},
            f"CROSS_COMPILE: unknown variable (did you mean TOOLCHAIN_ROOT?). Known: {NAMES}.",
            id="as Linux's kernel calls it",
        ),
        pytest.param({"JOBS": "3"}, f"JOBS: unknown variable. Known: {NAMES}.", id="like nothing known"),
        pytest.param(
            {"SOURCE_<name>": "x"},
            "SOURCE_<name>: the release has no source '<name>'. Known: abseil, nsync.",
            id="the pattern itself",
        ),
        pytest.param(
            {"SOURCE_nsink": "x"},
            "SOURCE_nsink: the release has no source 'nsink'. Known: abseil, nsync.",
            id="a source that the release does not have",
        ),
        pytest.param({"TYPES": "big"}, "TYPES=big: unknown value. Known: full, slim.", id="types"),
        pytest.param(
            {"ANDROID_TYPES": "x"}, "ANDROID_TYPES=x: unknown value. Known: full, slim.", id="by an alias"
        ),
        pytest.param({"OFFLINE": "maybe"}, "OFFLINE=maybe: unknown value. Known: 0, 1.", id="switch"),
        pytest.param(
            {"ARCH": "armv7", "IOS_ARCH": "arm64"},
            "ARCH=armv7 and IOS_ARCH=arm64 contradict each other; give ARCH only.",
            id="contradiction",
        ),
        pytest.param(
            {"CC_PREFIX": "ccache", "LAUNCHER": "distcc"},
            "LAUNCHER=distcc and CC_PREFIX=ccache contradict each other; give LAUNCHER only.",
            id="two launchers",
        ),
        pytest.param(
            {"MODEL": "a.pb,,b.pb"},
            "MODEL=a.pb,,b.pb: an empty name among the commas; give paths separated by single commas.",
            id="comma too many",
        ),
        pytest.param(
            {"OPTFLAGS": "'-O2"},
            "OPTFLAGS='-O2: no closing quotation; close what the quote opens.",
            id="open quote",
        ),
    ],
)
def test_a_wrong_command_line_is_one_line_that_lists_what_is_known(
    arguments: dict[str, str], message: str
) -> None:
    with pytest.raises(TfcrossError) as raised:
        parse_options(arguments, ["nsync", "abseil"])
    assert str(raised.value) == message


def test_a_build_without_a_target_is_told_the_targets() -> None:
    with pytest.raises(TfcrossError, match=r"^TARGET is not set; pass TARGET=\. Known: LINUX, PI\.$"):
        require_target(DEFAULTS, ["PI", "LINUX"])


SCONSTRUCT = """
from tfcross.cli import options
DefaultEnvironment(tools=[])
variables = Variables(None, ARGUMENTS)
options.declare(variables, {"TARGET": ["LINUX", "PI"]})
Help(options.help_text(variables, ARGUMENTS))
"""


def test_scons_help_shows_every_variable_with_values_default_and_actual_value(tmp_path: Path) -> None:
    (tmp_path / "SConstruct").write_text(SCONSTRUCT)
    command = [sys.executable, "-m", "SCons", "-Q", "-h", "TARGET=PI", "OPTFLAGS=-O3 -g"]
    shown = subprocess.run(
        command, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True
    ).stdout
    aliases = {name for variable in VARIABLES for name in variable.aliases}
    for name in set(NAMES.split(", ")) - aliases:
        assert f"\n{name}: " in shown
    assert (
        "\nTARGET: what to build for; a build needs it (LINUX|PI)\n    default: \n    actual: PI\n" in shown
    )
    assert "    default: -Os\n    actual: -O3 -g\n" in shown
    assert "    aliases: ['ANDROID_ARCH', 'IOS_ARCH']\n" in shown


def test_a_name_that_is_no_utf_8_is_refused():
    with pytest.raises(TfcrossError) as caught:
        parse_options({"TARGET": "PI", "OUT": "out\udcff"})
    assert str(caught.value) == r"OUT='out\udcff': not UTF-8; rename the file or folder."
