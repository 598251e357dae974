"""What goes where in an output folder."""

from __future__ import annotations

import os
from pathlib import Path

from tfcross.stages.output import Parts, copy_parts
from tfcross.treehash import FileSet, hash_folder


def made(folder: Path, name: str, mode: int = 0o644) -> str:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"the content of {name}\n")
    path.chmod(mode)
    return str(path)


def test_each_kind_has_its_folder_whatever_its_files_are_called(tmp_path: Path) -> None:
    build, stage, folder = tmp_path / "bin" / "build", tmp_path / "stage", tmp_path / "out"
    header = made(stage, "include/tensorflow/core/public/session.h")
    parts = Parts(
        libraries=[made(build, "libcore.a"), made(build, "bin/libtensorflow_inference.dylib")],
        headers=made(build, "stamp.a"),
        programs=[made(build, "benchmark.so", mode=0o755)],
        graphs=[made(build, "digits.graph")],
        sizes=made(build, "app.pb"),
        checked=[made(build, "bin/app.checked")],
        proofs=[made(build, "bin/proof.txt")],
    )
    folder.mkdir()
    copy_parts(stage, parts, folder)
    assert sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()) == [
        "bin/benchmark.so",
        "include/tensorflow/core/public/session.h",
        "lib/libcore.a",
        "lib/libtensorflow_inference.dylib",
        "model/digits.graph",
    ]
    assert (folder / "lib/libcore.a").read_text() == "the content of libcore.a\n"
    assert os.access(folder / "bin/benchmark.so", os.X_OK)
    assert hash_folder(folder / "include", FileSet()) == hash_folder(Path(header).parents[3], FileSet())


def test_an_output_folder_without_programs_or_graphs_has_no_folder_for_them(tmp_path: Path) -> None:
    made(tmp_path / "stage", "include/session.h")
    parts = Parts([made(tmp_path, "libcore.a")], "stamp", [], [], "app.sizes", [], [])
    (tmp_path / "out").mkdir()
    copy_parts(tmp_path / "stage", parts, tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["include", "lib"]


def test_an_output_folder_waits_for_all_of_its_parts() -> None:
    parts = Parts(["lib.a"], "headers", ["program"], ["graph"], "sizes", ["checked"], ["proof"])
    assert parts.nodes == ["lib.a", "headers", "sizes", "checked", "program", "graph", "proof"]
