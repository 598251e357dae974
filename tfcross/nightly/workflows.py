"""Workflow files that run the nightly builds on a CI service and publish them as its pages."""

from __future__ import annotations

import math

from tfcross.errors import TfcrossError, known
from tfcross.nightly.matrix import Matrix
from tfcross.render import render

KINDS = ("github", "gitlab")
#: Minutes that a service gives a job if it is asked for more, and those that setting up may take.
_LIMIT, _SETTING_UP = 360, 30


def workflow(kind: str, matrix: Matrix) -> str:
    """The text of a workflow file for ``kind``, with time enough for the whole matrix."""
    if kind not in KINDS:
        raise TfcrossError(f"--workflow {kind}: unknown service. {known(KINDS)}")
    worst = len(matrix.cells) * (matrix.retries + 1) * matrix.timeout / 60
    minutes = min(_LIMIT, math.ceil(worst) + _SETTING_UP)
    releases = sorted({cell.release for cell in matrix.cells})
    return render(f"nightly/{kind}.yml.j2", minutes=minutes, releases=releases)
