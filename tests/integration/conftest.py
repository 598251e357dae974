from __future__ import annotations

import pytest
from project_build import Run, readme_words, run_scons


@pytest.fixture(scope="session")
def built() -> Run:
    """The README's command, really run: ten minutes in a clean clone, seconds in one that is built."""
    run = run_scons(*readme_words())
    assert run.status == 0, run.out[-4000:] + run.err[-4000:]
    return run
