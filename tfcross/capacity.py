"""This machine's cores and memory, and how many jobs they carry; in units that are the same everywhere."""

from __future__ import annotations

import os
import sys

#: Most a compile may need; the number of jobs follows from it and the machine's memory.
GIB_PER_JOB = 2


def core_count() -> int:
    """The cores that this process may use; where a system does not say that, all there are."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def memory_gib() -> float | None:
    """The machine's memory; None where it does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    except (ValueError, OSError):
        return None


def job_count() -> int:
    """As many jobs as there are cores, but no more than the memory carries."""
    cores, memory = core_count(), memory_gib()
    return cores if memory is None else max(1, min(cores, int(memory / GIB_PER_JOB)))


def peak_kib(max_rss: int, system: str = sys.platform) -> int:
    """``ru_maxrss`` in KiB: Linux counts in these, macOS in bytes."""
    return max_rss // 1024 if system == "darwin" else max_rss
