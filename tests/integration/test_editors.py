"""compile_commands.json, the doctor and completion, as they are run in a checkout that is built."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from project_build import ROOT, readme_words, run_scons


def script(name: str, *words: str, **options: object) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, ROOT / "scripts" / name, *words]
    return subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload]


def test_an_editor_can_compile_a_unit_with_the_command_that_it_is_told(built):
    run = run_scons(*readme_words(), "compile_commands")
    assert (run.status, run.compiled) == (0, [])
    entries = json.loads((ROOT / "build/compile_commands.json").read_text())
    files = {entry["file"]: entry for entry in entries}
    assert all((ROOT / name).is_file() for name in files)
    entry = next(entry for name, entry in files.items() if name.endswith("common_runtime/lower_case_op.cc"))
    assert [word for word in entry["arguments"] if "pch" in word] == []
    argv = ["-fsyntax-only" if word == "-c" else word for word in entry["arguments"]]
    subprocess.run(argv, cwd=entry["directory"], check=True)
    assert entry["directory"] == str(ROOT)


def test_the_doctor_finds_all_green_where_the_build_runs(built):
    done = script("doctor.py", "TARGET=PI", "OFFLINE=1")
    assert [line for line in done.stdout.splitlines() if not line.startswith("ok  ")] == []
    assert (done.returncode, done.stderr) == (0, "")
    names = {line[5:].partition(":")[0] for line in done.stdout.splitlines()}
    assert {"compiler for PI-armv7", "emulator", "sysroot", "cache", "memory", "sources of 2.14.1"} <= names


def test_the_doctor_tells_how_to_mend_what_is_red(tmp_path):
    done = script("doctor.py", "TARGET=PI", "OFFLINE=1", env={"PATH": str(tmp_path), "HOME": str(tmp_path)})
    lines = done.stdout.splitlines()
    red = next(index for index, line in enumerate(lines) if line.startswith("RED  emulator"))
    assert lines[red + 1].strip().startswith("sudo apt-get install --no-install-recommends qemu-user-static")
    assert next(line for line in lines if "sources of 2.14.1" in line).endswith("0 of 12 are in the cache")
    assert (done.returncode, done.stderr) == (1, "")


def test_bad_words_are_one_line():
    assert script("doctor.py", "TARGET=VAX").stderr.startswith("error: TARGET=VAX: unknown target. Known: ")
    assert script("doctor.py", "PI").stderr == "error: 'PI': not NAME=VALUE. See scripts/doctor.py --help.\n"


def test_completion_is_printed_for_bash():
    done = script("completion.py")
    assert "complete -F _tfcross scons" in done.stdout
    assert subprocess.run(["bash", "-n"], input=done.stdout, text=True, check=False).returncode == 0
    assert Path(script("completion.py").args[1]).stat().st_mode & 0o111
