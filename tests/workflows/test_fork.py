"""A fork's pull request whose data its runs cannot read: red, evaluated by a maintainer, green.

The workflows run by act, the forge is a real Gitea and the fork is one there. What neither can
show: that GitHub waits for the approval of the environment `fork-evaluation`, that a fork's token
is read-only, and that the failed jobs run again by themselves (tests/forges shows the requests).
"""

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from mlops.commands.comment import STATUS
from mlops.files import load_yaml
from mlops.forges.base import Pull
from mlops.forges.login import login
from mlops.report.evaluated import EVALUATION
from mlops.report.page import HEAD
from tests.forges.fixtures import gitea_stage
from tests.forges.gitea_stage import GiteaStage
from tests.gitea import needs_gitea
from tests.team import ROOT, Team
from tests.workflows.harness import Ran, Server, add_template, run
from tests.workflows.mended import mended

__all__ = ["gitea_stage"]
BRANCH = "another-seed"
CONTRACT = "data-contracts/toy-points.odcs.yaml"
CHANGES = (
    ("models/toy-line/model.yaml", "seed: 3", "seed: 4"),
    (CONTRACT, "with noise", "with a little noise"),
    (CONTRACT, "version: 1.0.0", "version: 1.0.1"),
)
PAGE = "data-toy-points.html"
RAW = Path("data-contracts/toy-points/raw/2024-01.csv")


@dataclass(frozen=True)
class Fork:
    """The repository, alice's pull request from her fork, and where the data is."""

    stage: GiteaStage
    pull: Pull
    data: Path
    runner: Path

    @property
    def team(self) -> Team:
        """The clone that act runs."""
        return self.stage.team

    @property
    def server(self) -> Server:
        """The forge, with the token of a workflow."""
        server = self.stage.server
        return Server(server.url, self.stage.repository, server.token("bot"))

    def own_run(self, name: str) -> Ran:
        """pr.yaml for the fork's head, where the data cannot be read."""
        away = self.data.rename(self.data.with_name("away"))
        self.team.git("switch", "--quiet", BRANCH)
        pull = self.pull
        told = {"number": pull.number, "title": pull.title, "user": {"login": pull.author}}
        try:
            return run(
                self.team, "pull_request", "pr.yaml", payload={"pull_request": told},
                server=self.server, out=self.team.root.parent / name, runner=self.runner,
            )  # fmt: skip
        finally:
            away.rename(self.data)

    def evaluated(self) -> Ran:
        """evaluate-fork.yaml on main, where the data can be read."""
        self.team.git("switch", "--quiet", "main")
        return run(
            self.team, "workflow_dispatch", "evaluate-fork.yaml", server=self.server,
            inputs={"pull-request": str(self.pull.number), "commit": self.pull.commit},
            out=self.team.root.parent / "evaluated", runner=self.runner,
        )  # fmt: skip

    def said(self) -> dict[str, str]:
        """What is said of the commit, by name."""
        return {check.name: check.state for check in self.stage.forge().checks(self.pull.commit)}


def pin_data_without_raw_files(team: Team) -> Path:
    """Pin a month of data that lies in a store alone; the store."""
    store, raw = team.stores.with_name("remote"), team.stores.with_name("month.csv")
    text = (team.root / "mlops.toml").read_text()
    stores = f'root = ".mlops"\ndata = "{store}"'
    team.write("mlops.toml", text.replace('root = "../stores"', stores))
    (team.root / RAW).rename(raw)
    done = team.mlops("data", "ingest", "toy-points", str(raw))
    assert done.returncode == 0, done.stderr
    assert store.is_dir()
    return store


def push(stage: GiteaStage, user: str, repository: str, refs: str) -> None:
    """Push as a person, to a repository of theirs."""
    server = stage.server
    env = login(server.url, server.token(user), os.environ)
    stage.team.repo.git.run("push", "--quiet", f"{server.url}/{repository}.git", refs, env=env)


@pytest.fixture
def fork(gitea_stage: GiteaStage) -> Fork:
    """A change of the model, by somebody who may not write here."""
    stage, team = gitea_stage, gitea_stage.team
    shutil.rmtree(team.root / ".github")
    add_template(team)
    data = pin_data_without_raw_files(team)
    rendered = team.mlops("render")
    assert rendered.returncode == 0, rendered.stderr
    team.commit("Start with the template", push=False)
    push(stage, "bot", stage.repository, "HEAD:refs/heads/main")
    ask(stage, "DELETE", f"{stage.repository}/collaborators/alice")
    theirs = ask(stage, "POST", f"{stage.repository}/forks", {}, user="alice")["full_name"]
    team.git("switch", "--quiet", "--create", BRANCH)
    for path, old, new in CHANGES:
        text = (team.root / path).read_text()
        assert old in text
        team.write(path, text.replace(old, new))
    team.commit("Try another seed, and say what the data is", push=False)
    push(stage, "alice", theirs, f"HEAD:refs/heads/{BRANCH}")
    asked = {"title": "Another seed", "head": f"alice:{BRANCH}", "base": "main"}
    number = ask(stage, "POST", f"{stage.repository}/pulls", asked, user="alice")["number"]
    pull = stage.forge().pull(number)
    assert (pull.own, pull.author) == (False, "alice")
    return Fork(stage, pull, data, mended(team.root.parent))


def ask(
    stage: GiteaStage, method: str, path: str, values: object = None, user: str = "bot"
) -> dict[str, Any]:
    """An answer of the server to a person."""
    answer = httpx.request(
        method,
        f"{stage.server.url}/api/v1/repos/{path}",
        json=values,
        headers={"Authorization": f"Bearer {stage.server.token(user)}"},
        trust_env=False,
        timeout=30,
    )
    answer.raise_for_status()
    return dict(answer.json()) if answer.content else {}


@needs_gitea
def test_a_forks_commit_is_red_until_a_maintainer_has_it_evaluated_and_then_green(
    fork: Fork,
) -> None:
    runs = rf"{fork.server.url}/{fork.stage.repository}/actions/runs/\d+"
    before = fork.own_run("before")
    assert before.code == 1, before.log
    assert before.results()["models-1-of-1"]["outcome"] == "not evaluated"
    assert "found:  plan success, check success, report failure" in before.log
    assert "**Not evaluated" in before.summary
    assert "workflow evaluate-fork" in before.summary
    assert PAGE not in before.summary

    done = fork.evaluated()
    assert done.code == 0, done.log
    assert done.results()["models-1-of-1"]["outcome"] == "good"
    assert fork.said() == {STATUS: "success", EVALUATION: "success"}
    ((author, body),) = fork.stage.comments(fork.pull.number)
    assert author == "bot"
    assert "**Good.**" in body
    (page,) = done.out.glob(f"artifacts/*/results-contracts-1-of-1/{PAGE}")
    assert page.read_text().startswith(HEAD)
    link = rf"\[`{PAGE}`\]\(<{runs}#artifacts>\) in `results-contracts-1-of-1` \|"
    assert re.search(link, body), body
    assert f"let pr.yaml run once more for {fork.pull.commit[:12]}" in done.log

    after = fork.own_run("after")
    assert after.code == 0, after.log
    assert after.results()["models-1-of-1"]["outcome"] == "not evaluated"
    assert "found:  plan success, check success, report success" in after.log
    words = rf"evaluated by \[a maintainer's run\]\(<{runs}>\): commit `{fork.pull.commit[:12]}`"
    assert re.search(words, after.summary), after.summary


def test_a_forks_code_runs_without_a_right_to_write_and_keeps_no_cache() -> None:
    text = (ROOT / ".github/workflows/evaluate-fork.yaml").read_text()
    jobs = load_yaml(text.replace("\non:", '\n"on":', 1), "evaluate-fork.yaml")["jobs"]
    assert jobs.pop("allow")["environment"] == "fork-evaluation"
    told = jobs.pop("comment")
    refs = [step["with"].get("ref") for step in told["steps"] if "checkout@" in str(step)]
    assert refs == ["${{ github.event.repository.default_branch }}"]
    assert set(jobs) == {"plan", "check"}
    for job in jobs.values():
        assert job["with"]["cache"] is False
        assert "allow" in job["needs"]
        assert set(job["permissions"].items()) <= {("contents", "read"), ("id-token", "write")}
