"""Why the link flags are what they are: registrations of a small archive, linked with and without them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tfcross.linkflags import LinkFlags

LIBRARY = {
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
        #include <string>
        #include <vector>
        struct Registrar { explicit Registrar(const char* name); };
        std::vector<std::string>& Registered();
    """,
    "dependency.h": "const char* Prefix();\n",
}
DEPENDENCY = {
    "dependency.cc": '#include "dependency.h"\nconst char* Prefix() { return "kernel"; }\n',
    "unused.cc": "int unused_of_the_dependency = 1;\n",
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
FLAGS = LinkFlags("c++17", (), (), "libcore.a", ("libdependency.a",), ("m",), (), "gnu")


def run(*argv: object) -> str:
    return subprocess.run([str(a) for a in argv], check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An output folder with a core and a dependency, and the app's object beside it."""
    root = tmp_path_factory.mktemp("out")
    for folder in ("include", "lib"):
        (root / folder).mkdir()
    for name, text in HEADERS.items():
        (root / "include" / name).write_text(text)
    for archive, sources in (
        ("libcore.a", LIBRARY),
        ("libdependency.a", DEPENDENCY),
        ("app", {"app.cc": APP}),
    ):
        for name, text in sources.items():
            (root / name).write_text(text)
            run("g++", *FLAGS.compile_arguments(str(root)), "-c", root / name, "-o", root / f"{name}.o")
        if archive != "app":
            run("ar", "rcsD", root / "lib" / archive, *(root / f"{name}.o" for name in sources))
    return root


def link_and_run(output: Path, arguments: list[str]) -> list[str]:
    app = output / "app"
    run("g++", output / "app.cc.o", *arguments, "-o", app)
    return run(app).splitlines()


def test_without_the_flags_the_linker_drops_every_registration(output: Path) -> None:
    plain = [a for a in FLAGS.link_arguments(str(output)) if "whole-archive" not in a]
    assert link_and_run(output, plain) == []


def test_with_the_emitted_flags_every_registration_is_there(output: Path) -> None:
    assert link_and_run(output, FLAGS.link_arguments(str(output))) == ["kernel", "session factory"]


def test_dropping_unused_sections_drops_no_registration(output: Path) -> None:
    arguments = ["-Wl,--gc-sections", *FLAGS.link_arguments(str(output))]
    assert link_and_run(output, arguments) == ["kernel", "session factory"]


def test_a_dependency_gives_only_what_is_used(output: Path) -> None:
    link_and_run(output, FLAGS.link_arguments(str(output)))
    assert "unused_of_the_dependency" not in run("nm", output / "app")
