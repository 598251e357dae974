"""Workflow files for CI services: their text, and what the services' own schemas say of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tfcross.errors import TfcrossError
from tfcross.nightly.matrix import Matrix, load_matrix
from tfcross.nightly.workflows import workflow

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden" / "nightly"
SCHEMAS = {"github": "vendor.github-workflows", "gitlab": "vendor.gitlab-ci"}


@pytest.fixture(scope="module")
def matrix() -> Matrix:
    return load_matrix(ROOT, ROOT / "nightly.yaml")


@pytest.mark.parametrize("kind", sorted(SCHEMAS))
def test_a_workflow_is_as_it_was_looked_at(kind: str, matrix: Matrix) -> None:
    assert workflow(kind, matrix) == (GOLDEN / f"{kind}.yml").read_text()


def schema_check(path: Path, kind: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", SCHEMAS[kind], path]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("kind", sorted(SCHEMAS))
def test_the_services_schema_accepts_it(kind: str, matrix: Matrix, tmp_path: Path) -> None:
    (tmp_path / "workflow.yml").write_text(workflow(kind, matrix))
    check = schema_check(tmp_path / "workflow.yml", kind)
    assert check.returncode == 0, check.stdout + check.stderr


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        pytest.param("github", "runs-on:", "runs_on:", id="github"),
        pytest.param("gitlab", "stage: nightly", "stage: {}", id="gitlab"),
    ],
)
def test_the_services_schema_refuses_a_broken_one(
    kind: str, good: str, bad: str, matrix: Matrix, tmp_path: Path
) -> None:
    text = workflow(kind, matrix)
    assert good in text
    (tmp_path / "workflow.yml").write_text(text.replace(good, bad))
    assert schema_check(tmp_path / "workflow.yml", kind).returncode == 1


def shell_steps(kind: str, text: str) -> list[str]:
    """What the workflow gives to a shell."""
    document = yaml.safe_load(text)
    if kind == "github":
        return [step["run"] for job in document["jobs"].values() for step in job["steps"] if "run" in step]
    jobs = [job for job in document.values() if isinstance(job, dict)]
    return [line for job in jobs for key in ("before_script", "script") for line in job.get(key, [])]


@pytest.mark.parametrize("kind", sorted(SCHEMAS))
def test_its_steps_are_shell_and_its_commands_are_the_scripts_own(kind: str, matrix: Matrix) -> None:
    steps = shell_steps(kind, workflow(kind, matrix))
    for step in steps:
        subprocess.run(["dash", "-n", "-c", step], check=True)
    commands = [step for step in steps if "scripts/nightly.py" in step]
    assert all("./bootstrap scripts/nightly.py --" in step for step in commands)
    assert [("--verify" in step, "--folder" in step) for step in commands] == [
        (True, False),
        (False, True),
        (True, False),
    ]


@pytest.mark.parametrize("kind", sorted(SCHEMAS))
def test_the_store_is_kept_between_runs(kind: str, matrix: Matrix) -> None:
    document = yaml.safe_load(workflow(kind, matrix))
    if kind == "github":
        job = document["jobs"]["build"]
        paths = [step["with"]["path"] for step in job["steps"] if "actions/cache" in step.get("uses", "")]
        assert paths == [job["env"]["TFCROSS_CACHE"], "out/nightly", "out/nightly"]
    else:
        job = document["pages"]
        assert job["variables"]["TFCROSS_CACHE"] == "$CI_PROJECT_DIR/.cache/tfcross"
        assert [cache["paths"] for cache in job["cache"]] == [[".cache/tfcross"], ["public"]]


def test_a_job_has_time_for_every_attempt_of_every_build(matrix: Matrix) -> None:
    small = Matrix(keep_days=1, timeout=60 * 20, retries=1, cells=matrix.cells[:2])
    assert "timeout-minutes: 110\n" in workflow("github", small)


def test_an_unknown_service_is_refused_with_those_there_are(matrix: Matrix) -> None:
    with pytest.raises(TfcrossError) as raised:
        workflow("jenkins", matrix)
    assert str(raised.value) == "--workflow jenkins: unknown service. Known: github, gitlab."
