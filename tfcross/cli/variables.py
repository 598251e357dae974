"""The variables of the command line, each declared once."""

from __future__ import annotations

from dataclasses import dataclass

#: ``SOURCE_<name>=<folder>`` replaces the release's source <name>.
SOURCE_PREFIX = "SOURCE_"


@dataclass(frozen=True)
class Variable:
    """One variable. ``allowed`` is empty for free text; ``spellings`` maps other values to allowed ones.

    ``elsewhere`` is what other build systems call it: such a word is refused with a hint.
    """

    name: str
    help: str
    default: str = ""
    allowed: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    spellings: tuple[tuple[str, str], ...] = ()
    elsewhere: tuple[str, ...] = ()


SWITCH = (("no", "0"), ("false", "0"), ("off", "0"), ("yes", "1"), ("true", "1"), ("on", "1"))
VARIABLES = (
    Variable("TARGET", "what to build for; a build needs it", elsewhere=("BOARD", "PLATFORM", "DEVICE")),
    Variable(
        "ARCH", "arch of the target, or all (default: the target's own)", aliases=("ANDROID_ARCH", "IOS_ARCH")
    ),
    Variable("RELEASE", "TensorFlow release", "2.14.1"),
    Variable(
        "MODEL",
        "graphs, SavedModels or checkpoints, separated by commas; without: the whole portable op set",
        elsewhere=("GRAPHS", "PB"),
    ),
    Variable("INPUTS", "what an app feeds the model, as x=float[1,8,8,3]; the graph is cut behind it"),
    Variable("OUTPUTS", "what an app fetches, separated by commas; the graph is cut to what that needs"),
    Variable("SIGNATURE", "signature of a SavedModel (default: serving_default, or the only one)"),
    Variable("TAGS", "tags of a SavedModel's graph, separated by commas", "serve"),
    Variable("GRAPH", "file of a checkpoint's graph (default: the .meta, graph.pb or graph.pbtxt beside it)"),
    Variable(
        "TRANSFORMS",
        "what to do with each graph before anything is selected, as 'fold_constants fold_batch_norms'",
    ),
    Variable("PROOF", "answers that the model has to give: an .npz file with in_<input> and out_<output>"),
    Variable(
        "TYPES",
        "types that kernels are compiled for: slim is what mobile builds have (default: full with MODEL)",
        "",
        ("slim", "full"),
        ("ANDROID_TYPES",),
        (("__ANDROID_TYPES_SLIM__", "slim"), ("__ANDROID_TYPES_FULL__", "full"))
        + (("-D__ANDROID_TYPES_SLIM__", "slim"), ("-D__ANDROID_TYPES_FULL__", "full")),
    ),
    Variable("EXTRA_OPS", "further ops, separated by commas, with all of their kernels"),
    Variable("EXTRA_KERNELS", "further files of the release, as relu_op.cc, with all of their kernels"),
    Variable("OPS_DIR", "folder with sources of your own ops, which models may use"),
    Variable(
        "OPTFLAGS",
        "optimisation flags of everything that runs on the target",
        "-Os",
        elsewhere=("CFLAGS", "CXXFLAGS", "CCFLAGS", "CPPFLAGS", "COPTS"),
    ),
    Variable(
        "TOOLCHAIN",
        "another toolchain than the target pins",
        elsewhere=("CC", "CXX", "COMPILER", "CMAKE_TOOLCHAIN_FILE"),
    ),
    Variable(
        "TOOLCHAIN_ROOT",
        "folder of the toolchain's programs, or with them in its bin (default: PATH)",
        elsewhere=("CROSS_COMPILE", "CROSS_PREFIX", "SYSROOT", "SDKROOT"),
    ),
    Variable(
        "NDK_ROOT",
        "folder of the Android NDK (default: the environment's and the usual places)",
        elsewhere=("ANDROID_NDK", "ANDROID_NDK_HOME", "NDK"),
    ),
    Variable(
        "API",
        "oldest system that apps run on: Android's API level, iOS's version (default: the target's)",
        aliases=("ANDROID_API", "MIN_SDK_VERSION"),
    ),
    Variable("BITCODE", "Apple's bitcode in every object, for old Xcodes", "0", ("0", "1"), spellings=SWITCH),
    Variable("EMULATOR", "command that runs the target's programs here (default: the target's own)"),
    Variable("HOST_OS", "what this machine is; PI for a build on a Raspberry Pi (default: found out)"),
    Variable("LAUNCHER", "program that starts each compile: ccache, distcc, icecc", aliases=("CC_PREFIX",)),
    Variable("SOURCE_DIR", "folder of downloaded source files, looked into before any network"),
    Variable(
        "SOURCE_<name>", "folder that replaces the release's source <name>, as SOURCE_protobuf=../protobuf"
    ),
    Variable(
        "OFFLINE",
        "touch no network; list what is missing",
        "0",
        ("0", "1"),
        spellings=SWITCH,
    ),
    Variable("OUT", "folder for results", "out", elsewhere=("DESTDIR", "PREFIX", "OUTPUT")),
    Variable("SIZE_BUDGET", "most bytes that the stripped app of the proof may have, as 4.5MB"),
    Variable("V", "1 shows whole command lines", "0", ("0", "1"), elsewhere=("VERBOSE",)),
)
PATTERN = SOURCE_PREFIX + "<name>"
