from __future__ import annotations

import os

import pytest

from tfcross import capacity


def test_the_cores_are_those_that_this_process_may_use() -> None:
    assert capacity.core_count() == len(os.sched_getaffinity(0))


def test_where_a_system_does_not_say_that_they_are_all_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a Mac."""
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 7)
    assert capacity.core_count() == 7
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert capacity.core_count() == 1


@pytest.mark.parametrize(
    ("cores", "memory", "jobs"),
    [
        pytest.param(8, 64.0, 8, id="as many as there are cores"),
        pytest.param(8, 7.7, 3, id="no more than the memory carries"),
        pytest.param(8, 1.0, 1, id="one always"),
        pytest.param(8, None, 8, id="a machine that does not tell its memory"),
    ],
)
def test_jobs_are_for_cores_and_memory(
    cores: int, memory: float | None, jobs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capacity, "core_count", lambda: cores)
    monkeypatch.setattr(capacity, "memory_gib", lambda: memory)
    assert capacity.job_count() == jobs


def test_a_system_without_the_name_for_its_memory_does_not_tell_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(name: str) -> int:
        raise ValueError("unrecognized configuration name")

    assert (capacity.memory_gib() or 0) > 0.1
    monkeypatch.setattr(os, "sysconf", unknown)
    assert capacity.memory_gib() is None


def test_a_peak_is_in_kib_on_every_system() -> None:
    assert capacity.peak_kib(2048, "linux") == 2048
    assert capacity.peak_kib(2048 * 1024, "darwin") == 2048
