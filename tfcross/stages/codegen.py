"""Generated sources: protos by protoc, small headers from templates."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from tfcross.files import write_if_changed
from tfcross.releases.coreset import Generated
from tfcross.render import render
from tfcross.scons.actions import Runner


def run_protoc(
    runner: Runner, protoc: str, names: Sequence[str], roots: Sequence[str], folder: Path, stamp: Path
) -> None:
    """Generate C++ for ``names`` into ``folder``; files that come out as they were keep their time."""
    fresh = folder.with_name(folder.name + ".part")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    imports = [f"-I{root}" for root in roots]
    runner.run([protoc, *imports, f"--cpp_out={fresh}", *names], f"{len(names)} protos")
    digest = hashlib.sha256()
    for name in names:
        for made in proto_files(name):
            text = (fresh / made).read_text(encoding="utf-8")
            write_if_changed(folder / made, text)
            digest.update(text.encode())
    shutil.rmtree(fresh)
    write_if_changed(stamp, digest.hexdigest() + "\n")


def proto_files(name: str) -> tuple[str, str]:
    """``a/b.proto`` → ``a/b.pb.h``, ``a/b.pb.cc``."""
    return name.removesuffix(".proto") + ".pb.h", name.removesuffix(".proto") + ".pb.cc"


def write_generated(headers: Mapping[str, Generated], folder: Path) -> None:
    """The release's generated headers, below ``folder``."""
    for name, header in headers.items():
        write_if_changed(folder / name, render(header.template, **header.values))
