"""The published folder: dated folders, the latest good builds, retention, the index and its sums."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
from pathlib import Path

import pytest
from published import REVISION, V6, V7, publish, result

from tfcross.errors import TfcrossError
from tfcross.nightly.audit import check_folder
from tfcross.nightly.folder import begin_run, done_before, opened, published_days, remove_old
from tfcross.nightly.index import make_index
from tfcross.nightly.night import publish_index
from tfcross.nightly.result import build_key, load_result

PACKAGE = "tensorflow-core-2.14.1-PI-armv7.tar.gz"
OTHER = "f" * 64


def latest_date(folder: Path, cell: str = V7) -> str:
    return load_result(folder / "latest" / cell / "result.json").date


def test_a_build_is_in_its_days_folder_and_the_latest_one(tmp_path: Path) -> None:
    publish(tmp_path, result(V7, "2026-11-24"))
    names = ["SHA256SUMS", "log.txt", "manifest.json", "result.json", "sizes.html", "sizes.json", PACKAGE,
             f"{PACKAGE}.sha256"]  # fmt: skip
    for folder in (tmp_path / "2026-11-24" / V7, tmp_path / "latest" / V7):
        assert sorted(path.name for path in folder.iterdir()) == names
    assert not [path for path in tmp_path.rglob("*") if path.is_symlink()]
    assert not (tmp_path / ".incoming").exists()


def test_a_broken_build_leaves_the_latest_one(tmp_path: Path) -> None:
    publish(tmp_path, result(V7, "2026-11-24"), result(V7, "2026-11-25", "failed"))
    assert latest_date(tmp_path) == "2026-11-24"
    assert load_result(tmp_path / "2026-11-25" / V7 / "result.json").status == "failed"


def test_a_build_that_broke_again_on_the_same_day_leaves_the_latest_one(tmp_path: Path) -> None:
    publish(tmp_path, result(V7, "2026-11-24"))
    publish(tmp_path, result(V7, "2026-11-24", "failed"))
    assert (tmp_path / "latest" / V7 / PACKAGE).read_text() == f"{PACKAGE} of 2026-11-24\n"
    assert check_folder(tmp_path) == []


def test_a_build_of_an_earlier_day_does_not_replace_a_newer_one(tmp_path: Path) -> None:
    publish(tmp_path, result(V7, "2026-11-25"), result(V7, "2026-11-24"))
    assert latest_date(tmp_path) == "2026-11-25"
    assert published_days(tmp_path) == ["2026-11-24", "2026-11-25"]


def test_the_newest_days_are_kept_and_the_latest_build_outlives_its_day(tmp_path: Path) -> None:
    publish(tmp_path, result(V6, "2026-11-20"), *[result(V7, f"2026-11-{day}") for day in (21, 22, 23)])
    for name in ("2026-11-01", "2026-11-02x", "site"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "mine").touch()
    with opened(tmp_path):
        assert remove_old(tmp_path, 2) == ["2026-11-20", "2026-11-21"]
        publish_index(tmp_path, 2)
    names = ["2026-11-01", "2026-11-02x", "2026-11-22", "2026-11-23"]
    assert sorted(path.name for path in tmp_path.glob("20*")) == names
    assert (tmp_path / "site" / "mine").exists()
    assert latest_date(tmp_path, V6) == "2026-11-20"
    assert check_folder(tmp_path) == []


def test_a_run_that_was_killed_while_it_replaced_the_latest_build_is_mended(tmp_path: Path) -> None:
    publish(tmp_path, result(V7, "2026-11-24"))
    away = tmp_path / ".incoming" / "replaced" / "latest"
    away.mkdir(parents=True)
    (tmp_path / "latest" / V7).rename(away / V7)
    half = tmp_path / ".incoming" / "2026-11-25" / V7
    half.mkdir(parents=True)
    with opened(tmp_path):
        assert latest_date(tmp_path) == "2026-11-24"
        assert not half.exists()


def test_two_runs_do_not_publish_at_once(tmp_path: Path) -> None:
    handle = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    with pytest.raises(TfcrossError) as raised, opened(tmp_path):
        pass
    os.close(handle)
    assert str(raised.value) == f"{tmp_path}: another run publishes into it; wait for its end."


def test_only_a_good_build_of_the_same_inputs_was_done_before(tmp_path: Path) -> None:
    day = "2026-11-24"
    publish(tmp_path, result(V7, day), result(V6, day, "failed"))
    assert done_before(tmp_path, day, V7, "k") is not None
    assert done_before(tmp_path, day, V7, "another") is None
    assert done_before(tmp_path, day, V7, "") is None
    assert done_before(tmp_path, day, V6, "k") is None
    assert done_before(tmp_path, "2026-11-25", V7, "k") is None


def test_the_key_changes_with_words_models_and_checkout(tmp_path: Path) -> None:
    (tmp_path / "a.pb").write_text("one")
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "b.pb").write_text("one")
    models = ["a.pb", "saved"]
    keys = [build_key(["A=1"], tmp_path, models, "s"), build_key(["A=2"], tmp_path, models, "s")]
    keys.append(build_key(["A=1"], tmp_path, models, "t"))
    (tmp_path / "saved" / "b.pb").write_text("two")
    keys.append(build_key(["A=1"], tmp_path, models, "s"))
    assert len(set(keys)) == 4
    assert build_key(["A=1"], tmp_path, models, "") == ""


def test_the_index_tells_all_days_and_what_was_not_run(tmp_path: Path) -> None:
    publish(tmp_path, result(V7, "2026-11-24"), result(V7, "2026-11-25", "timeout"))
    with opened(tmp_path):
        begin_run(tmp_path, "2026-11-25", REVISION, {V6: "PI"})
        publish_index(tmp_path, 14)
    index = json.loads((tmp_path / "index.json").read_text())
    told = [(day["date"], [(cell["cell"], cell["status"]) for cell in day["cells"]]) for day in index["days"]]
    assert told == [
        ("2026-11-24", [(V7, "passed")]),
        ("2026-11-25", [(V7, "timeout"), (V6, "not run")]),
    ]
    assert index["latest"][V7]["path"] == f"latest/{V7}"
    assert index["latest"][V7]["date"] == "2026-11-24"
    assert index["targets"] == {"PI": "failing"}
    assert index == make_index(tmp_path)


@pytest.mark.parametrize(
    ("ends", "verdict"),
    [
        pytest.param(("passed", "passed"), "passing", id="all"),
        pytest.param(("passed", "failed"), "1 of 2 passing", id="one"),
        pytest.param(("timeout", "failed"), "failing", id="none"),
    ],
)
def test_a_target_is_as_good_as_its_builds(tmp_path: Path, ends: tuple[str, str], verdict: str) -> None:
    publish(tmp_path, *[result(cell, "2026-11-24", end) for cell, end in zip((V7, V6), ends, strict=True)])
    assert make_index(tmp_path)["targets"] == {"PI": verdict}
    badge = (tmp_path / "badges" / "PI.svg").read_text()
    assert f'aria-label="PI: {verdict}"' in badge


def test_badges_of_builds_that_no_kept_day_has_go(tmp_path: Path) -> None:
    publish(tmp_path, result(V6, "2026-11-23"), result(V7, "2026-11-24"))
    with opened(tmp_path):
        remove_old(tmp_path, 1)
        publish_index(tmp_path, 1)
    assert sorted(path.name for path in (tmp_path / "badges").iterdir()) == [f"{V7}.svg", "PI.svg"]


def test_the_sums_are_those_that_sha256sum_checks(tmp_path: Path) -> None:
    publish(tmp_path, result(V7, "2026-11-24"))
    for folder in (tmp_path, tmp_path / "latest" / V7):
        check = ["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"]
        subprocess.run(check, cwd=folder, check=True)


def test_a_published_folder_is_as_it_was(tmp_path: Path) -> None:
    publish(tmp_path, result(V7, "2026-11-24"), result(V6, "2026-11-25", "failed"))
    assert check_folder(tmp_path) == []


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("index.html", id="page"),
        pytest.param("badges/PI.svg", id="badge"),
        pytest.param("2026-11-24/run.json", id="run"),
        pytest.param(f"2026-11-24/{V7}/log.txt", id="log"),
        pytest.param(f"latest/{V7}/{PACKAGE}", id="package"),
    ],
)
def test_a_file_that_was_edited_is_told_with_both_sums(tmp_path: Path, name: str) -> None:
    publish(tmp_path, result(V7, "2026-11-24"))
    path = tmp_path / name
    content = path.read_bytes()
    path.unlink()  # it may be a link to a file of the other folder
    path.write_bytes(content + b" ")
    (line,) = check_folder(tmp_path)
    assert line.startswith(f"{name}: sha256 is ")
    assert line.endswith(f"SHA256SUMS has {line.split()[-1]}")
    assert line.split()[-1] != line.split()[3]


@pytest.mark.parametrize(
    "name", [pytest.param(PACKAGE, id="package"), pytest.param("SHA256SUMS", id="list of sums")]
)
def test_a_file_that_is_missing_is_told(tmp_path: Path, name: str) -> None:
    publish(tmp_path, result(V7, "2026-11-24"))
    (tmp_path / "2026-11-24" / V7 / name).unlink()
    assert f"2026-11-24/{V7}/{name}: missing" in check_folder(tmp_path)


def test_a_file_that_nobody_published_is_told(tmp_path: Path) -> None:
    publish(tmp_path, result(V7, "2026-11-24"))
    (tmp_path / "latest" / V7 / "extra.tar.gz").touch()
    (tmp_path / "CNAME").write_text("the server's own\n")
    assert check_folder(tmp_path) == [f"latest/{V7}/extra.tar.gz: in no SHA256SUMS"]


def test_an_index_that_tells_something_else_than_the_results_is_told(tmp_path: Path) -> None:
    publish(tmp_path, result(V7, "2026-11-24"))
    index = json.loads((tmp_path / "index.json").read_text())
    index["days"][0]["cells"][0]["package"]["sha256"] = OTHER
    (tmp_path / "index.json").write_text(json.dumps(index))
    told = check_folder(tmp_path)
    assert told[0] == "index.json: its days are not what the results in the folder tell"
    assert told[1].startswith("index.json: sha256 is ")


def test_a_result_that_tells_another_package_is_told_even_if_its_sums_were_mended(tmp_path: Path) -> None:
    publish(tmp_path, result(V7, "2026-11-24"))
    build = tmp_path / "2026-11-24" / V7
    text = (build / "result.json").read_text()
    digest = load_result(build / "result.json").package["sha256"]
    (build / "result.json").unlink()
    (build / "result.json").write_text(text.replace(digest, OTHER))
    for folder in (build, tmp_path):
        names = [line.split("  ")[1] for line in (folder / "SHA256SUMS").read_text().splitlines()]
        sums = subprocess.run(["sha256sum", *names], cwd=folder, capture_output=True, text=True, check=True)
        (folder / "SHA256SUMS").unlink()
        (folder / "SHA256SUMS").write_text(sums.stdout)
        if folder == build:
            publish_index(tmp_path, 14)
    assert check_folder(tmp_path) == [
        f"2026-11-24/{V7}/result.json: tells another sha256 of {PACKAGE} than SHA256SUMS"
    ]


@pytest.mark.parametrize(
    "text",
    [pytest.param("nonsense\n", id="no sums"), pytest.param(f"{OTHER}  ../../etc/x\n", id="elsewhere")],
)
def test_sums_that_are_none_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "SHA256SUMS").write_text(text)
    with pytest.raises(TfcrossError) as raised:
        check_folder(tmp_path)
    assert str(raised.value) == f"{tmp_path}/SHA256SUMS: not a list of sums; publish again."
