"""Names that mean something where they stand: in a recipe's shell, in HTML, in C++11."""

from __future__ import annotations

import random
import subprocess
import time
from pathlib import Path

import pytest
from small_registry import kernel, registry

from tfcross.app.explanations import explain_text, load_entries
from tfcross.check.optable import Reasons, main_attr, op_rows
from tfcross.check.purposes import load_purposes
from tfcross.errors import TfcrossError
from tfcross.output.linkflags import LinkFlags
from tfcross.output.snippets import Library, print_snippet
from tfcross.render import render
from tfcross.selection.header import quote

ROOT = Path(__file__).parents[2]
FLAGS = LinkFlags("c++17", (), (), "libcore.a", (), (), (), "gnu")
LIBRARY = Library("PI-armv7", "armv7", "arm-linux-gnueabihf", "2.14.1", FLAGS)
SEED = 20261128


@pytest.mark.parametrize(
    "name", ["$(touch pwned)", "`touch pwned`", "it's", 'a "b"', "a b", "$HOME", "ä;touch x"]
)
def test_a_folders_name_is_no_command_in_a_makefile(tmp_path: Path, name: str) -> None:
    text = print_snippet("make", LIBRARY, tmp_path / name)
    (tmp_path / "Makefile").write_text(f"{text}\nall:\n\t@printf '%s\\n' $(TFCROSS_LDLIBS)\n")
    done = subprocess.run(["make", "-s"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[1] == f"{tmp_path / name}/lib/libcore.a"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["Makefile"]


def test_a_files_name_is_text_in_the_table_of_ops() -> None:
    strange = kernel("Add", "AddOp<CPUDevice>", "<img src=x onerror=alert(1)>", (1,))
    rows = op_rows(registry(more=[strange]), load_purposes(ROOT), Reasons())
    pairs = [(row, main_attr(row)) for row in rows]
    text = render("ops.html.j2", rows=rows, pairs=pairs, columns=[], place="here")
    assert "<img" not in text
    assert text.count("&lt;img src=x onerror=alert(1)&gt;") == 2


def test_an_ops_name_is_no_trigraph(tmp_path: Path) -> None:
    (tmp_path / "a.cc").write_text(
        f"int main() {{ return sizeof({quote('a??/b??(')}) == 9 ? 0 : 1; }}\n"  # 8 characters and the end
    )
    subprocess.run(["g++", "-std=c++11", "-w", "a.cc", "-o", "a"], cwd=tmp_path, check=True)
    assert subprocess.run([tmp_path / "a"], check=False).returncode == 0


def test_a_long_log_of_errors_is_explained_in_a_time_that_grows_with_it() -> None:
    entries = load_entries(ROOT)
    lines = [f"app.o: undefined reference to `__atomic_load_{number}'\n" for number in range(20_000)]

    def seconds(count: int) -> float:
        begun = time.process_time()
        assert explain_text("".join(lines[:count]), entries)
        return time.process_time() - begun

    assert seconds(20_000) < 10 * max(seconds(5_000), 0.05)


def test_what_is_no_error_at_all_is_no_error_of_ours() -> None:
    entries, chance = load_entries(ROOT), random.Random(SEED)
    for _ in range(100):
        text = "".join(chance.choice("abc'\"`()[]{}<>:;,.\n\\/_- 0123456789") for _ in range(2_000))
        try:
            explain_text(text, entries)
        except TfcrossError as error:
            raise AssertionError(text) from error
