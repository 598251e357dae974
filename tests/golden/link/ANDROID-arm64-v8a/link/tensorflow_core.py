# Made by tfcross from templates/link/tensorflow_core.py.j2.
"""SCons tool: Environment(tools=["default", "tensorflow_core"], toolpath=["<this folder>"])."""

import os

FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CORE = os.path.join(FOLDER, "lib", "libtensorflow-core.a")
DEPENDENCIES = ["libprotobuf.a", "libdouble-conversion.a"]
LIBRARIES = ["log", "m"]
# The core whole: without that the app builds and then says "No session factory registered".
WHOLE = [word.replace("{FOLDER}", FOLDER) for word in ["-Wl,--whole-archive", "{FOLDER}/lib/libtensorflow-core.a", "-Wl,--no-whole-archive"]]


def exists(env):
    return True


def generate(env):
    env.Append(
        CPPDEFINES=["NDEBUG", "EIGEN_NEON_GEBP_NR=4"],
        CCFLAGS=[*["-fPIC"], "-isystem", os.path.join(FOLDER, "include")],
        CXXFLAGS=["-std=c++17"],
        LINKFLAGS=[*WHOLE, *["-Wl,--gc-sections"]],
        LIBS=[*(env.File(os.path.join(FOLDER, "lib", name)) for name in DEPENDENCIES), *LIBRARIES],
        PROGEMITTER=[_core_first],
        SHLIBEMITTER=[_core_first],
    )


def _core_first(target, source, env):
    env.Depends(target, CORE)
    return target, source
