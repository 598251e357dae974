"""Why the link flags are what they are: registrations of a small archive, linked with and without them."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_library import APP, FLAGS, WHOLE, make_library, run


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An output folder, and the app's object beside it."""
    root = make_library(tmp_path_factory.mktemp("out") / "folder")
    (root / "app.cc").write_text(APP)
    run("g++", *FLAGS.compile_arguments(str(root)), "-c", root / "app.cc", "-o", root / "app.cc.o")
    return root


def link_and_run(output: Path, arguments: list[str]) -> list[str]:
    app = output / "app"
    run("g++", output / "app.cc.o", *arguments, "-o", app)
    return run(app).splitlines()


def test_without_the_flags_the_linker_drops_every_registration(output: Path) -> None:
    plain = [a for a in FLAGS.link_arguments(str(output)) if "whole-archive" not in a]
    assert link_and_run(output, plain) == []


def test_with_the_emitted_flags_every_registration_is_there(output: Path) -> None:
    assert link_and_run(output, FLAGS.link_arguments(str(output))) == WHOLE


def test_dropping_unused_sections_drops_no_registration(output: Path) -> None:
    assert "-Wl,--gc-sections" in FLAGS.link_arguments(str(output))
    kept = [a for a in FLAGS.link_arguments(str(output)) if a != "-Wl,--gc-sections"]
    assert link_and_run(output, kept) == WHOLE
    larger = (output / "app").stat().st_size
    assert link_and_run(output, FLAGS.link_arguments(str(output))) == WHOLE
    assert (output / "app").stat().st_size < larger


def test_a_dependency_gives_only_what_is_used(output: Path) -> None:
    link_and_run(output, FLAGS.link_arguments(str(output)))
    assert "unused_of_the_dependency" not in run("nm", output / "app")
