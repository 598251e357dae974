"""The Java side of a shared library: its flags, and the archive of its classes."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tfcross.errors import TfcrossError
from tfcross.files import replacing
from tfcross.output.bundles import TIME
from tfcross.releases.coreset import SharedLibrary
from tfcross.render import TEMPLATES
from tfcross.scons.actions import Runner, builder

#: Android has run classes of this version since its build tools 3.
JAVA = "8"


def shared_flags(name: str, library: SharedLibrary, tree: str) -> list[str]:
    """What the compiler driver is told for a library that exports just what its version script names."""
    script = f"-Wl,--version-script={tree}/{library.exports}"
    return [f"-Wl,-soname,{name}", script, "-Wl,-z,defs", "-s"]


def find_javac(search_path: str) -> str:
    found = shutil.which("javac", path=search_path)
    if found is None:
        raise TfcrossError("javac is not on PATH; install a JDK (apt-get install default-jdk-headless).")
    return found


def jar_node(env: Any, runner: Runner, javac: str, target: str, tree: str, names: Sequence[str]) -> Any:
    """A jar of the classes of ``names`` below ``tree``, compiled against stubs of Android's own classes."""
    stubs = sorted(path.as_posix() for path in (TEMPLATES / "android").rglob("*.java"))

    def run(targets: list[str], sources: list[str]) -> None:
        classes = Path(f"{targets[0]}.classes")
        shutil.rmtree(classes, ignore_errors=True)
        classes.mkdir(parents=True)
        flags = ["--release", JAVA, "-nowarn", "-encoding", "UTF-8", "-proc:none", "-d", str(classes)]
        runner.run([javac, *flags, *sources], targets[0])
        with replacing(Path(targets[0])) as part:
            write_jar(classes, part, without="android")
        shutil.rmtree(classes)

    made = builder(run, "JAVAC", f"jar 1 {JAVA} {javac}")
    return made(env, target=[target], source=[*(f"{tree}/{name}" for name in names), *stubs])[0]


def write_jar(classes: Path, target: Path, without: str) -> None:
    """All of ``classes`` but the folder ``without``, in sorted order and without times."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(path for path in classes.rglob("*.class")):
            name = path.relative_to(classes).as_posix()
            if not name.startswith(f"{without}/"):
                entry = zipfile.ZipInfo(name, TIME)
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, path.read_bytes())
