"""An output folder whose core is three objects: what registers itself in it, an app that links it prints."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tfcross.output.linkflags import LinkFlags
from tfcross.output.snippets import Library, snippet_files

CORE = {
    "registry.cc": """
        #include "registry.h"
        std::vector<std::string>& Registered() { static std::vector<std::string> names; return names; }
        Registrar::Registrar(const char* name) { Registered().push_back(name); }
    """,
    "session.cc": '#include "registry.h"\nstatic Registrar session("session factory");\n',
    "kernel.cc": '#include "registry.h"\n#include "dependency.h"\nstatic Registrar kernel(Prefix());\n',
}
HEADERS = {
    "registry.h": """
        #pragma once
        #if !defined(NDEBUG) || SIZE != 3 || __cplusplus < 201703L
        #error the app is not compiled with the library's flags
        #endif
        #include <string>
        #include <vector>
        struct Registrar { explicit Registrar(const char* name); };
        std::vector<std::string>& Registered();
    """,
    "dependency.h": "const char* Prefix();\n",
}
#: The first dependency uses the second, so that their order counts.
DEPENDENCIES = {
    "libdependency.a": {
        "dependency.cc": """
            #include "dependency.h"
            const char* Name();
            const char* Prefix() { return Name(); }
        """,
        "unused.cc": "int unused_of_the_dependency = 1;\n",
    },
    "libname.a": {"name.cc": 'const char* Name() { return "kernel"; }\n'},
}
APP = """
    #include <algorithm>
    #include <cstdio>
    #include "registry.h"
    int main() {
      std::sort(Registered().begin(), Registered().end());
      for (const auto& name : Registered()) std::puts(name.c_str());
    }
"""
#: What the app prints where the core is linked whole.
WHOLE = ["kernel", "session factory"]
FLAGS = LinkFlags(
    cxx_standard="c++17",
    defines=("NDEBUG", "SIZE=3"),
    ccflags=("-fno-common",),
    core="libtensorflow-core.a",
    dependencies=tuple(DEPENDENCIES),
    libraries=("pthread", "m"),
    link_flags=("-Wl,--gc-sections",),
    whole_archive="gnu",
)
HERE = Library("LINUX-x86_64", "x86_64", "x86_64-linux-gnu", "2.14.1", FLAGS)


def run(*argv: object, **options: object) -> str:
    """What the program prints; it has to succeed."""
    words = [str(word) for word in argv]
    done = subprocess.run(words, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload]
    assert done.returncode == 0, f"{words}\n{done.stdout}{done.stderr}"
    return str(done.stdout)


def make_library(folder: Path, library: Library = HERE) -> Path:
    """An output folder for this machine in ``folder``: archives, headers and the snippets of ``library``."""
    for part in ("include", "lib", "objects"):
        (folder / part).mkdir(parents=True)
    for name, text in {**HEADERS, **snippet_files(library)}.items():
        path = folder / (name if name not in HEADERS else f"include/{name}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for archive, sources in {FLAGS.core: CORE, **DEPENDENCIES}.items():
        objects = [_object(folder, name, text) for name, text in sources.items()]
        run("ar", "rcsD", folder / "lib" / archive, *objects)
    return folder


def _object(folder: Path, name: str, text: str) -> Path:
    source = folder / "objects" / name
    source.write_text(text)
    run(
        "g++", *FLAGS.compile_arguments(str(folder)), "-ffunction-sections", "-c", source, "-o", f"{source}.o"
    )
    return source.with_name(f"{name}.o")
