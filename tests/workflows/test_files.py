"""What holds for every workflow file; act does not look at most of this."""

import re
from pathlib import Path
from typing import Any

import pytest

from mlops.environments.notifications import ROLLBACK_FILE
from mlops.files import load_yaml
from tests.team import ROOT

FOLDER = ROOT / ".github" / "workflows"
FILES = sorted(FOLDER.glob("*.yaml"))
REUSABLE = [file for file in FILES if file.name.startswith("reusable-")]
ENTRIES = [file for file in FILES if file not in REUSABLE]
IDENTITY = {("id-token", "write")}
PINNED = re.compile(r"uses: (\./\S+|[\w./-]+@[0-9a-f]{40} # v\d+(\.\d+)+)$")


def read(file: Path) -> dict[str, Any]:
    """A workflow; its triggers are under "on"."""
    found: dict[str, Any] = load_yaml(file.read_text().replace("\non:", '\n"on":', 1), file.name)
    return found


def steps(file: Path) -> list[dict[str, Any]]:
    """Every step of every job."""
    return [step for job in read(file)["jobs"].values() for step in job.get("steps", [])]


def name(file: Path) -> str:
    return file.name


@pytest.mark.parametrize("file", FILES, ids=name)
def test_nothing_is_allowed_at_the_top(file: Path) -> None:
    assert read(file)["permissions"] == {}


@pytest.mark.parametrize("file", FILES, ids=name)
def test_every_job_has_a_time_limit(file: Path) -> None:
    for job in read(file)["jobs"].values():
        assert "uses" in job or "timeout-minutes" in job


@pytest.mark.parametrize("file", FILES, ids=name)
def test_every_action_is_pinned_with_its_version_beside_it(file: Path) -> None:
    for line in file.read_text().splitlines():
        if re.match(r"\s*(- )?uses:", line):
            assert PINNED.search(line), line


@pytest.mark.parametrize("file", FILES, ids=name)
def test_no_expression_stands_in_a_shell_and_no_checkout_keeps_a_credential(file: Path) -> None:
    for step in steps(file):
        assert "${{" not in step.get("run", "")
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


@pytest.mark.parametrize("file", ENTRIES, ids=name)
def test_every_workflow_that_starts_by_itself_has_a_concurrency_group(file: Path) -> None:
    assert "group" in read(file)["concurrency"]


@pytest.mark.parametrize("file", REUSABLE, ids=name)
def test_a_reusable_workflow_runs_one_line_of_mlops(file: Path) -> None:
    jobs = [job for key, job in read(file)["jobs"].items() if key != "image"]
    for job in jobs:
        lines = [step["run"].strip() for step in job["steps"] if "run" in step]
        assert len(lines) == 1
        assert lines[0].startswith("mlops ")
        assert "\n" not in lines[0]


@pytest.mark.parametrize("file", REUSABLE, ids=name)
def test_every_input_output_and_secret_is_described(file: Path) -> None:
    call = read(file)["on"]["workflow_call"]
    for kind in ("inputs", "outputs", "secrets"):
        for key, value in (call.get(kind) or {}).items():
            assert value.get("description"), f"{kind}.{key}"


def test_a_pull_request_calls_and_gates_and_writes_nothing() -> None:
    jobs = read(FOLDER / "pr.yaml")["jobs"]
    gate = jobs.pop("checks-pass")
    assert set(gate["needs"]) == set(jobs)
    assert gate["if"] == "always()"
    for job in jobs.values():
        assert "uses" in job
        # An identity is not a right in the repository, and GitHub gives forks none.
        assert {each for each in job["permissions"].items() if each[1] != "read"} <= IDENTITY


def test_what_a_cluster_tells_takes_back_the_release_it_names_or_nothing() -> None:
    workflow = read(FOLDER / ROLLBACK_FILE)
    inputs = workflow["on"]["workflow_dispatch"]["inputs"]
    assert {"service", "environment", "if-release", "reason"} <= set(inputs)
    given = workflow["jobs"]["rollback"]["with"]
    assert given["if-release"] == "${{ inputs.if-release }}"
    (step,) = (each for each in steps(FOLDER / "reusable-rollback.yaml") if "run" in each)
    assert '--if-release "$IF_RELEASE"' in step["run"]


def test_no_workflow_takes_a_forks_code_with_rights() -> None:
    for file in FILES:
        assert "pull_request_target" not in file.read_text()
        if "workflow_run" in read(file)["on"]:
            refs = [
                step["with"].get("ref") for step in steps(file) if "ref" in step.get("with", {})
            ]
            assert set(refs) <= {"${{ github.event.repository.default_branch }}"}
