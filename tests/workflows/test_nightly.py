"""nightly.yaml, run for real on a Gitea, and what a pull request of the next day has from it.

`packages` is left out: it asks an index on the internet for known weaknesses.
"""

import os
import shutil

import pytest

from mlops.files import load_yaml
from mlops.forges.login import login
from tests.forges.fixtures import gitea_stage
from tests.forges.gitea_stage import GiteaStage
from tests.gitea import needs_gitea
from tests.team import ROOT
from tests.workflows.harness import Ran, Server, add_template, pin_data, run
from tests.workflows.mended import mended

__all__ = ["gitea_stage"]
FEATURES = "models/toy-line/features.py"
PARTS = ("contracts", "environments", "models", "policy", "tests")
TESTS = f"""\
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def test_features_are_there() -> None:
    assert (ROOT / "{FEATURES}").read_text()


@pytest.mark.slow
def test_words_are_there() -> None:
    assert (ROOT / "mlops.toml").read_text()
"""
LINTERS = """\
repos:
  - repo: local
    hooks:
      - id: merge-conflict
        name: no merge conflict
        entry: scripts/locked check-merge-conflict --assume-in-merge
        language: unsupported
        types: [text]
"""


@pytest.fixture
def night(gitea_stage: GiteaStage) -> GiteaStage:
    """A small project that has a suite of its own, in a repository that strangers cannot read."""
    stage, team = gitea_stage, gitea_stage.team
    shutil.rmtree(team.root / ".github")
    add_template(team)
    pin_data(team)
    team.write("tests/test_toy.py", TESTS)
    team.write("benchmarks/none.py", '"""A folder that the type checker is told of."""\n')
    team.write(".pre-commit-config.yaml", LINTERS)
    team.write("docs/words.md", "See [the settings](../mlops.toml).\n")
    team.commit("Start with the template", push=False)
    push(stage, "HEAD:refs/heads/main")
    stage.ask("bot", "PATCH", "", json={"private": True})
    return stage


def push(stage: GiteaStage, refs: str) -> None:
    """Push as the bot."""
    server = stage.server
    env = login(server.url, server.token("bot"), os.environ)
    stage.team.repo.git.run("push", "--quiet", "origin", refs, env=env)


def happened(stage: GiteaStage, event: str, workflow: str, job: str | None = None) -> Ran:
    """A run of a workflow in the repository."""
    folder = stage.team.root.parent
    shutil.rmtree(folder / "actions", ignore_errors=True)
    server = Server(stage.server.url, stage.repository, stage.server.token("bot"))
    return run(
        stage.team, event, workflow, job=job, server=server, runner=mended(folder),
        out=folder / (job or event),
    )  # fmt: skip


@needs_gitea
def test_the_night_checks_everything_and_publishes_what_each_test_reaches_for_the_day(
    night: GiteaStage,
) -> None:
    team = night.team
    checked = happened(night, "schedule", "nightly.yaml", "report")
    parts = {result["part"]: result["outcome"] for result in checked.results().values()}
    # The small project has not all that linters look for in the template; the rest is good.
    assert parts == dict.fromkeys(PARTS, "good") | {"code": parts.get("code")}, checked.log
    assert "toy-line" in checked.summary
    assert "report" in checked.artifacts

    linked = happened(night, "schedule", "nightly.yaml", "links")
    assert linked.code == 0, linked.log
    assert "1 links, 0 lead nowhere" in linked.log

    recorded = happened(night, "schedule", "nightly.yaml", "publish")
    assert recorded.code == 0, recorded.log
    assert "no merge conflict" in recorded.log
    assert f"{night.server.url}/{night.repository}" in recorded.log  # where it was pushed to

    team.git("switch", "--quiet", "--create", "change")
    team.write(FEATURES, (team.root / FEATURES).read_text() + "\n\nMORE = 1\n")
    team.commit("Say more", push=False)
    day = happened(night, "pull_request", "pr.yaml")
    assert day.code == 0, day.log
    (check,) = day.results()["tests-1-of-1"]["checks"]
    assert "1 of 2 tests reach what changed" in check["detail"]


def test_what_the_suite_leaves_is_published_by_a_job_that_runs_git_alone() -> None:
    jobs = load_yaml(
        (ROOT / ".github/workflows/nightly.yaml").read_text().replace("\non:", '\n"on":', 1),
        "nightly",
    )["jobs"]
    writing = [
        name for name, job in jobs.items() if "write" in str(job["permissions"].get("contents"))
    ]
    assert writing == ["publish"]
    lines = [line for step in jobs["publish"]["steps"] for line in step.get("run", "").splitlines()]
    assert lines
    assert {line.split()[0] for line in lines} == {"git"}
    setup = next(step for step in jobs["suite"]["steps"] if "/setup" in step.get("uses", ""))
    assert setup["with"]["cache"] == "false"
