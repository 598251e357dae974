from __future__ import annotations

import signal

import pytest
from nights import Nights, nights
from project_build import Run, readme_words, run_scons

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as behind `&`; what is started here would inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def built() -> Run:
    """The README's command, really run: ten minutes in a clean clone, seconds in one that is built."""
    run = run_scons(*readme_words())
    assert run.status == 0, run.out[-4000:] + run.err[-4000:]
    return run


@pytest.fixture(scope="session")
def published(built: Run, tmp_path_factory: pytest.TempPathFactory) -> Nights:
    """Nights that were really built and published: a minute, as nothing is left to compile."""
    return nights(tmp_path_factory.mktemp("nights"))
