"""The store: names, locks, stamps, and what a killed run leaves."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from tfcross.files import write_json
from tfcross.releases.release import Source
from tfcross.sources.store import Store, write_stamps
from tfcross.treehash import FileSet

SHA = "0123456789abcdef" * 4


def _source(*patches: Path) -> Source:
    return Source("x", "1.0", "MIT", SHA, FileSet(), (), patches)


def _tree(store: Store, source: Source) -> Path:
    folder = store.folder(source)
    (folder / source.name).mkdir(parents=True)
    write_stamps(folder, source, "Debian sid x 1.0")
    return folder


def test_a_tree_is_found_by_source_version_and_content(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert store.tree(_source()) is None
    _tree(store, _source())
    tree = store.tree(_source())
    assert tree is not None
    assert tree.path == tmp_path / "trees/x-1.0-0123456789abcdef/x"
    assert (tree.origin, tree.sha256, tree.pinned) == ("Debian sid x 1.0", SHA, True)


def test_patches_are_part_of_a_trees_name_and_stamp(tmp_path: Path) -> None:
    patch = tmp_path / "x-fix.patch"
    patch.write_text("one")
    store = Store(tmp_path)
    first = store.folder(_source(patch))
    assert json.loads((_tree(store, _source(patch)) / "stamp.json").read_text())["patches"] == ["x-fix.patch"]
    patch.write_text("two")
    assert len({store.folder(_source()), first, store.folder(_source(patch))}) == 3
    assert store.tree(_source(patch)) is None


def test_the_stamp_does_not_depend_on_the_origin(tmp_path: Path) -> None:
    write_stamps(tmp_path / "a", _source(), "Debian sid x 1.0")
    write_stamps(tmp_path / "b", _source(), "https://example.org/x.tar.gz")
    assert (tmp_path / "a/stamp.json").read_bytes() == (tmp_path / "b/stamp.json").read_bytes()


def test_an_override_has_a_stamp_that_follows_its_content(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    other = store.override(_source(), tmp_path, "f" * 64)
    assert (other.path, other.origin, other.pinned) == (tmp_path, f"local {tmp_path}", False)
    assert other.stamp.is_file()
    assert store.override(_source(), tmp_path, SHA).stamp != other.stamp
    assert store.override(_source(), tmp_path, SHA).pinned


def test_one_holder_of_a_lock_at_a_time(tmp_path: Path) -> None:
    store = Store(tmp_path)
    order: list[str] = []
    started = threading.Event()

    def second() -> None:
        started.set()
        with store.lock("x"):
            order.append("second")

    with store.lock("x"):
        thread = threading.Thread(target=second)
        thread.start()
        started.wait()
        thread.join(0.1)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_a_temporary_folder_is_gone_after_an_error(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with pytest.raises(RuntimeError), store.temporary(tmp_path / "trees/x") as folder:
        (folder / "file").write_text("")
        raise RuntimeError
    assert list((tmp_path / "trees").iterdir()) == []


def test_what_a_killed_run_left_is_removed_by_the_next(tmp_path: Path) -> None:
    (tmp_path / "trees/.x.killed/x").mkdir(parents=True)
    (tmp_path / "trees/.y.running").mkdir(parents=True)
    with Store(tmp_path).temporary(tmp_path / "trees/x"):
        pass
    assert [path.name for path in (tmp_path / "trees").iterdir()] == [".y.running"]


def test_a_kept_file_is_whole_and_read_only(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.part(SHA).write_text("content")
    file = store.keep_file(store.part(SHA), SHA)
    assert file == tmp_path / "files" / SHA
    assert file.stat().st_mode & 0o777 == 0o444
    assert not store.part(SHA).exists()


def test_json_is_written_whole(tmp_path: Path) -> None:
    write_json(tmp_path / "new/a.json", {"b": 1, "a": "ö"})
    assert json.loads((tmp_path / "new/a.json").read_text()) == {"a": "ö", "b": 1}
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.json"]
