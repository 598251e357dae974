"""What pasted errors are taken for, and that the advice leads somewhere."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tfcross.app.explanations import Entry, explain_text, load_entries
from tfcross.errors import TfcrossError

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "scripts" / "explain_error.py"
ENTRIES = load_entries(ROOT)
EXAMPLES = [
    pytest.param(entry.key, example, id=f"{entry.key}-{number}")
    for entry in ENTRIES
    for number, example in enumerate(entry.data["examples"])
]


def run(*words: str, text: str = "") -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, SCRIPT, *words]
    return subprocess.run(argv, input=text, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("key", "example"), EXAMPLES)
def test_a_real_message_is_explained_by_its_own_entry_alone(key: str, example: str) -> None:
    assert [one.key for one in explain_text(f"some words\n{example}\n", ENTRIES)] == [key]


@pytest.mark.parametrize("entry", ENTRIES, ids=[entry.key for entry in ENTRIES])
def test_texts_name_only_what_a_pattern_can_find(entry: Entry) -> None:
    names = {name for pattern in entry.patterns for name in pattern.groupindex}
    texts = [entry.data["title"], entry.data["means"], *entry.data["see"], *entry.data["do"]]
    assert {name for text in texts for name in re.findall(r"\{([a-z]+)\}", text)} <= names


@pytest.mark.parametrize("entry", ENTRIES, ids=[entry.key for entry in ENTRIES])
def test_the_page_has_the_section(entry: Entry) -> None:
    page, _, anchor = entry.data["page"].partition("#")
    headings = re.findall(r"^#+ (.*)$", (ROOT / page).read_text(), re.MULTILINE)
    anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert not anchor or anchor in anchors


@pytest.mark.parametrize("entry", ENTRIES, ids=[entry.key for entry in ENTRIES])
def test_scripts_that_are_named_are_there(entry: Entry) -> None:
    named = re.findall(r"scripts/\w+\.py", " ".join([*entry.data["see"], *entry.data["do"]]))
    assert [name for name in named if not (ROOT / name).is_file()] == []


def test_names_of_the_message_stand_in_the_advice() -> None:
    (one,) = explain_text("a\nb\nNo OpKernel was registered to support Op 'Mul' used by {{node m}}", ENTRIES)
    assert (one.line, one.title) == (3, "No kernel for op Mul")
    assert "scripts/list_ops.py TARGET=… Mul" in one.see[1]


def test_equal_messages_are_explained_once_and_in_the_order_of_the_text() -> None:
    ops = [f"Op type not registered '{op}'" for op in "AAB"]
    text = "\n".join([ops[0], "Illegal instruction", *ops[1:]])
    found = explain_text(text, ENTRIES)
    assert [(one.line, one.title) for one in found] == [
        (1, "Op A is not in the library"),
        (2, "The CPU lacks an instruction"),
        (4, "Op B is not in the library"),
    ]


def test_a_pattern_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "answers").mkdir()
    text = "bad: {title: t, patterns: ['('], means: m, see: [s], do: [d], page: p, examples: [e]}\n"
    (tmp_path / "answers" / "errors.yaml").write_text(text)
    with pytest.raises(TfcrossError, match=r"^answers/errors\.yaml: bad: '\(' is no pattern: missing \)"):
        load_entries(tmp_path)


def test_the_script_reads_words_files_and_its_input(tmp_path: Path) -> None:
    log = tmp_path / "build.log"
    log.write_text("ld: undefined reference to `__atomic_load_8'\n")
    assert run(str(log)).stdout == (
        "line 1: Atomics that the linker does not find\n"
        "\n"
        "  __atomic_load_8 is a call where the CPU has no instruction for it: 64-bit atomics on ARMv6. It "
        "is\n"
        "  in libatomic.\n"
        "\n"
        "  To see that it is so:\n"
        "    nm libtensorflow-core.a | grep 'U __atomic_'\n"
        "\n"
        "  What to do:\n"
        "    add -latomic after the archives, and outside any -Wl,--as-needed group before them\n"
        "\n"
        "  More: docs/troubleshooting.md#undefined-__atomic\n"
    )
    assert run("Illegal instruction").stdout.startswith("line 1: The CPU lacks an instruction\n")
    piped = run("--json", text="x\nNo session factory registered for the given session options\n")
    assert [(one["key"], one["line"]) for one in json.loads(piped.stdout)] == [("no_session_factory", 2)]


def test_the_script_says_when_it_knows_nothing() -> None:
    nothing = run("all is well")
    assert (nothing.returncode, nothing.stdout.count("\n")) == (1, 1)
    wrong = run("--jsn")
    assert (wrong.returncode, wrong.stderr) == (2, "error: --jsn: unknown option. Known: --json.\n")


def test_a_log_of_many_megabytes_takes_little_time() -> None:
    log = "In file included from a.h:1: note: template argument deduction failed\n" * 200_000
    assert explain_text(log, ENTRIES) == []
