"""scripts/nightly.py: nights that are really built, what is published of them, and how they end early."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from nights import BAD, GOOD, PACKAGE, PHONE, Nights
from project_build import ROOT
from scripts_run import refused, run_script

#: An emulator that runs nothing and does not end, found by its odd number of seconds.
HANGING = """
timeout: 0.2
retries: 0
builds:
  - target: PI
    archs: [armv7]
    models: {digits: [models/digits.pb]}
    variables: {EMULATOR: "sh -c 'sleep 86399'"}
"""


def lines(run: subprocess.CompletedProcess[str]) -> list[str]:
    return run.stdout.splitlines()


def test_a_night_goes_on_past_failures_and_ends_with_a_table_and_status_1(published: Nights) -> None:
    run = published.runs["first"]
    assert (run.returncode, run.stderr) == (1, "")
    assert [line for line in lines(run) if line.startswith("== ")] == [
        f"== {GOOD}", f"== {BAD}", f"== {PHONE}"
    ]  # fmt: skip
    *table, where = lines(run)[-4:]
    assert [line.split()[:2] for line in table] == [[GOOD, "passed"], [BAD, "FAILED"], [PHONE, "FAILED"]]
    assert "truncated: it ends at byte 9000" in table[1]
    assert "needs the iphoneos SDK" in table[2]
    assert where == f"published in {published.folder}"


def test_what_failed_was_tried_again_and_what_passed_was_not(published: Nights) -> None:
    cells = published.cells("first", "2026-11-21")
    assert [cells[name]["attempts"] for name in (GOOD, BAD, PHONE)] == [1, 2, 2]
    log = (published.folder / "2026-11-22" / BAD / "log.txt").read_text()
    assert [line.split(": ")[0] for line in log.splitlines() if line.startswith("== ")] == [
        "== attempt 1 of 2",
        "== attempt 2 of 2",
    ]


def test_a_good_build_has_the_sizes_and_the_hash_of_what_was_made(published: Nights) -> None:
    folder = published.folder / "2026-11-24" / GOOD
    result = json.loads((folder / "result.json").read_text())
    manifest = json.loads((folder / "manifest.json").read_text())
    assert result["sizes"] == {
        "app": manifest["sizes"]["app"],
        "stripped": manifest["sizes"]["stripped"],
        "archive": manifest["archives"]["libtensorflow-core.a"]["size"],
        "package": (folder / PACKAGE).stat().st_size,
    }
    assert result["sizes"]["stripped"] > 1_000_000
    assert result["revision"] == manifest["revision"]
    digest = hashlib.sha256((folder / PACKAGE).read_bytes()).hexdigest()
    assert result["package"] == {"name": PACKAGE, "sha256": digest}
    subprocess.run(["sha256sum", "--check", "--quiet", f"{PACKAGE}.sha256"], cwd=folder, check=True)
    assert "conv_ops_float.cc" in (folder / "sizes.html").read_text()


def test_a_repeated_night_builds_only_what_had_failed(published: Nights) -> None:
    run = published.runs["again"]
    told = [line for line in lines(run) if line.startswith("   ")]
    assert run.returncode == 1
    assert told[0].startswith("   passed   done before, stripped ")
    assert [line.split()[0] for line in told[1:]] == ["FAILED", "FAILED"]
    first, again = (published.cells(name, "2026-11-21") for name in ("first", "again"))
    assert first[GOOD] == again[GOOD]


def test_a_good_build_whose_package_was_damaged_is_built_again(published: Nights, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(published.folder, folder)
    words = ["--folder", folder, "--date", "2026-11-24", GOOD]
    assert "done before" in published.run(*words).stdout
    (folder / "2026-11-24" / GOOD / PACKAGE).write_bytes(b"half of it")
    run = published.run(*words)
    assert (run.returncode, "done before" in run.stdout) == (0, False)
    assert published.run("--verify", folder).returncode == 0


def test_another_commit_is_another_build(published: Nights) -> None:
    assert "done before" not in published.runs["committed"].stdout
    again, committed = (published.cells(name, "2026-11-21")[GOOD] for name in ("again", "committed"))
    assert again["revision"] != committed["revision"]
    assert again["package"]["sha256"] != committed["package"]["sha256"]  # its manifest names the revision
    assert again["sizes"]["stripped"] == committed["sizes"]["stripped"]


def test_a_broken_build_never_replaces_the_latest_good_one(published: Nights) -> None:
    before, broken, mended = (published.indexes[name] for name in ("committed", "broken", "mended"))
    assert published.cells("broken", "2026-11-22")[GOOD]["status"] == "failed"
    assert before["latest"] == broken["latest"]
    assert broken["latest"][GOOD]["date"] == "2026-11-21"
    assert mended["latest"][GOOD]["date"] == "2026-11-23"
    assert list(mended["latest"]) == [GOOD]


def test_of_four_days_three_are_kept(published: Nights) -> None:
    days = [day["date"] for day in published.indexes["fourth"]["days"]]
    assert days == ["2026-11-22", "2026-11-23", "2026-11-24"]
    names = sorted(path.name for path in published.folder.iterdir())
    assert names == [*days, "SHA256SUMS", "badges", "index.html", "index.json", "latest"]


def test_logs_and_results_name_no_folder_of_this_machine(published: Nights) -> None:
    texts = [*published.folder.rglob("log.txt"), *published.folder.rglob("result.json")]
    assert len(texts) > 9
    here = (str(published.root), str(ROOT))
    assert [path for path in texts if any(folder in path.read_text() for folder in here)] == []


def test_a_published_folder_is_verified(published: Nights) -> None:
    run = published.run("--verify", published.folder)
    assert (run.returncode, run.stdout) == (
        0, f"{published.folder}: all files are as they were published\n"
    )  # fmt: skip


def test_a_published_folder_that_was_changed_is_told_line_by_line(published: Nights, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(published.folder, folder)
    package = folder / "latest" / GOOD / PACKAGE
    content = bytearray(package.read_bytes())
    content[len(content) // 2] ^= 1
    package.write_bytes(content)
    (folder / "2026-11-23" / GOOD / "manifest.json").unlink()
    (folder / "2026-11-23" / GOOD / "more.txt").touch()
    run = run_script("nightly.py", "--verify", folder)
    assert (run.returncode, run.stderr) == (1, "")
    told = run.stdout.splitlines()
    assert [line.split(": ")[0] for line in told] == [
        f"2026-11-23/{GOOD}/manifest.json",
        f"2026-11-23/{GOOD}/more.txt",
        f"latest/{GOOD}/{PACKAGE}",
    ]
    assert told[2].split(": ")[1].startswith(f"sha256 is {hashlib.sha256(content).hexdigest()}, ")


def hanging() -> list[str]:
    """The processes of this machine that are the hanging emulator's."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if words[:2] == [b"sleep", b"86399"]:
            found.append(path.parent.name)
    return found


def ended() -> bool:
    """Whether there is none after a while: a signal takes its time."""
    deadline = time.monotonic() + 5
    while hanging() and time.monotonic() < deadline:
        time.sleep(0.05)
    return not hanging()


@pytest.fixture
def hung(published: Nights, tmp_path: Path) -> list[str | Path]:
    """The words for a night whose only build does not end."""
    matrix = published.root / "hanging.yaml"
    matrix.write_text(HANGING)
    return ["--matrix", matrix, "--folder", tmp_path / "hung", "--date", "2026-11-25"]


def test_a_build_that_does_not_end_is_ended_with_all_that_it_started(published, hung, tmp_path):
    run = published.run(*hung)
    assert (run.returncode, run.stderr) == (1, "")
    last = lines(run)[-2]
    assert last.startswith(f"{GOOD}  TIMEOUT once: not done after 0.2 min; it was at: PROVE build/")
    assert ended()
    status = json.loads((tmp_path / "hung" / "index.json").read_text())["days"][0]["cells"][0]["status"]
    assert status == "timeout"


@pytest.mark.parametrize(
    ("number", "status", "message"),
    [
        pytest.param(signal.SIGTERM, 143, "error: terminated.\n", id="told"),
        pytest.param(signal.SIGINT, 130, "error: interrupted.\n", id="interrupted"),
    ],
)
def test_a_night_that_ends_early_leaves_no_process_and_can_be_run_again(
    published, hung, tmp_path, number, status, message
):
    process = published.start(*hung)
    deadline = time.monotonic() + 60
    while not hanging() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert hanging() != []
    process.send_signal(number)
    assert process.communicate(timeout=30) == (f"== {GOOD}\n", message)
    assert process.returncode == status
    assert ended()
    words = ["--folder", tmp_path / "hung", "--date", "2026-11-25", GOOD]
    run = published.run(*words)
    assert run.returncode == 0, run.stdout + run.stderr
    assert published.run("--verify", tmp_path / "hung").returncode == 0


def as_a_user(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """The script without root's right to write where nobody may."""
    drop = ["setpriv", "--bounding-set=-dac_override", "--inh-caps=-dac_override"] if os.getuid() == 0 else []
    argv = [*drop, sys.executable, ROOT / "scripts/nightly.py", *words]
    return subprocess.run(argv, capture_output=True, text=True, check=False)


def test_a_read_only_folder_is_one_line(tmp_path):
    folder = tmp_path / "read-only"
    folder.mkdir(mode=0o555)
    run = as_a_user("--folder", folder)
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr == (
        f"error: {folder}: cannot be written: Permission denied; mend its rights, or pass another --folder.\n"
    )
    assert list(folder.iterdir()) == []


def test_a_folder_that_becomes_read_only_is_one_line(published, tmp_path):
    folder = tmp_path / "published"
    shutil.copytree(published.folder, folder)
    (folder / "latest").chmod(0o555)
    (folder / "2026-11-24").chmod(0o555)
    words = ["--folder", folder, "--date", "2026-11-24", "--matrix", published.root / "nightly.yaml", PHONE]
    run = as_a_user(*words)
    assert run.returncode == 2
    assert run.stderr.splitlines() == [run.stderr.strip()]
    assert run.stderr.startswith(f"error: {folder}/2026-11-24/")
    assert run.stderr.endswith("Permission denied; mend that and run again.\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param(
            ["--workflow", "jenkins"],
            "--workflow jenkins: unknown service. Known: github, gitlab.",
            id="service",
        ),
        pytest.param(
            ["--date", "25.11.2026"], "--date 25.11.2026: not a date; give one as 2026-11-25.", id="date"
        ),
        pytest.param(
            ["--keep", "3"],
            "--keep: unknown option. "
            "Known: --date, --folder, --help, --list, --matrix, --verify, --workflow, -h.",
            id="option",
        ),
        pytest.param(
            ["TARGET=PI"],
            "TARGET=: variables of builds stand in nightly.yaml. See scripts/nightly.py --help.",
            id="variable",
        ),
        pytest.param(
            ["--matrix", "nowhere.yaml"],
            "nowhere.yaml: cannot be read: No such file or directory.",
            id="matrix",
        ),
    ],
)  # fmt: skip
def test_wrong_words_are_one_line(words, message):
    assert refused("nightly.py", *words) == message


def test_an_unknown_build_is_one_line():
    assert refused("nightly.py", "PI").startswith("PI: no such build in the matrix. Known: LINUX-")


def test_a_folder_without_sums_is_not_verified(tmp_path):
    assert refused("nightly.py", "--verify", tmp_path) == (
        f"{tmp_path}/SHA256SUMS: cannot be read: No such file or directory; "
        "give a folder that nightly.py made."
    )


def test_help_and_the_list_build_nothing():
    assert run_script("nightly.py", "--help").stdout.startswith("Build the matrix of nightly.yaml")
    listed = run_script("nightly.py", "--list").stdout.splitlines()
    assert listed[0] == (
        "PI-armv7-2.14.1-digits: scons TARGET=PI ARCH=armv7 RELEASE=2.14.1 MODEL=examples/digits/digits.pb"
    )
