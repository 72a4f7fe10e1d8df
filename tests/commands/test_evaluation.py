"""A fork's commit from red to green: `mlops report` and `mlops comment` around an evaluation."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from mlops.cli import run
from mlops.commands.comment import STATUS
from mlops.data.pin import pin_of, pin_path, to_dvc
from mlops.forges.base import Check
from mlops.report.evaluated import EVALUATION
from mlops.specs.result import Result
from tests.forges.github_stage import GitHubStage
from tests.forges.hub_answers import add_pull, add_workflow_run
from tests.report.results import FAILED_GATE, model
from tests.team import Team, git

CHANGED = {"models/toy-line/more.py": b"SLOPE = 2\n"}
RUN = "https://forge.example/team/toy/actions/runs/7"
TOLD = "What could not be read here was evaluated by [a maintainer's run]"


@dataclass(frozen=True)
class Fork:
    """A stranger's pull request, and the results of its run below `folder`."""

    stage: GitHubStage
    commit: str
    number: int
    base: str
    shares: list[dict[str, object]]
    folder: Path

    def results(self, **outcomes: str) -> Path:
        """One file for each share; parts that are not named are good."""
        folder = self.folder / "-".join(["results", *(f"{k}-{v[:5]}" for k, v in outcomes.items())])
        folder.mkdir(exist_ok=True)
        for share in self.shares:
            known = {key: share[key] for key in ("part", "shard", "of")}
            outcome = outcomes.get(str(share["part"]), "good")
            told = {"base": self.base, "head": self.commit, "outcome": outcome, "summary": "seen"}
            result = Result.model_validate({**known, **told, "seconds": 1.0})
            name = "{part}-{shard}-of-{of}.json".format(**known)
            (folder / name).write_text(result.model_dump_json())
        return folder

    def evaluated(self, state: str = "success", user: str = "app", commit: str = "") -> None:
        """A status as a maintainer's run, or somebody else, sets it."""
        forge = self.stage.forge(user)
        forge.set_status(commit or self.commit, EVALUATION, state, "told", RUN)  # type: ignore[arg-type]  # as given

    def report(self, results: Path, commit: str = "") -> int:
        """The last job of the pull request's own run, where the commit is checked out."""
        where = ("--base", "origin/main", "--out", str(self.folder / "report"))
        return run(["report", str(results), *where, "--commit", commit or self.commit])

    def comment(self, results: Path, *more: str) -> int:
        """What trusted code tells on the pull request, with main checked out."""
        return run(["comment", str(results), "--commit", self.commit, *more])

    @property
    def told(self) -> str:
        """The report as written."""
        return (self.folder / "report" / "comment.md").read_text()

    @property
    def said(self) -> tuple[Check, ...]:
        """The statuses of the commit."""
        return self.stage.forge().checks(self.commit)


@pytest.fixture
def fork(github_stage: GitHubStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fork:
    """A fork's commit, checked out by the job that reports, with the token of a workflow."""
    team = github_stage.team
    commit = team.repo.git.commit_files("HEAD", CHANGED, "Say what it is")
    number = add_pull(github_stage.hub, "stranger", "main", commit=commit)["number"]
    git(team.root, "push", "--quiet", "origin", f"{commit}:refs/pull/{number}/head")
    team.git("checkout", "--quiet", commit)
    told = json.loads(team.mlops("plan", "--base", "origin/main", "--json").stdout)
    base = team.repo.git.merge_base("origin/main", commit)
    monkeypatch.chdir(team.root)
    for name in ("GITHUB_TOKEN", "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("FORGE_TOKEN", "token-of-app")
    assert base
    return Fork(github_stage, commit, number, base, told["shares"], tmp_path)


def test_without_an_evaluation_what_could_not_be_read_blocks(fork: Fork) -> None:
    assert fork.report(fork.results(models="not evaluated")) == 1
    assert fork.told.startswith("**Not evaluated: 1 thing to do.**")


def test_after_a_maintainers_evaluation_of_this_commit_it_passes_and_says_so(fork: Fork) -> None:
    fork.evaluated()
    assert fork.report(fork.results(models="not evaluated")) == 0
    assert fork.told.startswith("**Good.**")
    assert f"{TOLD}(<{RUN}>): commit `{fork.commit[:12]}`." in fork.told
    assert "| models | **not evaluated** |" in fork.told


def test_what_is_not_good_blocks_whatever_an_evaluation_says(fork: Fork) -> None:
    fork.evaluated()
    assert fork.report(fork.results(models="not evaluated", policy="not good")) == 1
    assert fork.told.startswith("**Not good")
    assert TOLD not in fork.told


def test_a_share_without_a_result_blocks_whatever_an_evaluation_says(fork: Fork) -> None:
    fork.evaluated()
    results = fork.results(models="not evaluated")
    next(results.glob("policy-*.json")).unlink()
    assert fork.report(results) == 1


def test_a_failed_gate_of_a_model_is_not_good_whatever_its_result_says(fork: Fork) -> None:
    fork.evaluated()
    results = fork.results(models="not evaluated")
    file = next(results.glob("models-*.json"))
    measured = model(gates=(FAILED_GATE,)).model_dump(mode="json", exclude_none=True)
    file.write_text(json.dumps({**json.loads(file.read_text()), "models": [measured]}))
    assert fork.report(results) == 1


@pytest.mark.parametrize("user", ["alice", "stranger"])
def test_an_evaluation_that_somebody_else_claims_is_none(fork: Fork, user: str) -> None:
    fork.evaluated(user=user)
    assert fork.report(fork.results(models="not evaluated")) == 1


@pytest.mark.parametrize("state", ["failure", "pending"])
def test_an_evaluation_that_found_it_otherwise_later_is_none(fork: Fork, state: str) -> None:
    fork.evaluated()
    fork.evaluated(state)
    assert fork.report(fork.results(models="not evaluated")) == 1


def test_an_evaluation_of_another_commit_is_none(fork: Fork) -> None:
    fork.evaluated(commit=fork.base)
    assert fork.report(fork.results(models="not evaluated")) == 1


def test_a_commit_that_is_not_what_was_checked_out_is_refused(
    fork: Fork, capsys: pytest.CaptureFixture[str]
) -> None:
    fork.evaluated(commit=fork.base)
    assert fork.report(fork.results(models="not evaluated"), commit=fork.base) == 2
    assert capsys.readouterr().err == (
        f"--commit: {fork.base[:12]} is not what was checked out; name the head of the pull "
        "request that HEAD merges\n"
    )


def test_the_head_that_a_forges_merge_was_made_of_is_the_commit(fork: Fork) -> None:
    git_of, team = fork.stage.team.repo.git, fork.stage.team
    tree = git_of.text("rev-parse", "HEAD^{tree}")
    merged = team.git("commit-tree", tree, "-p", fork.base, "-p", fork.commit, "-m", "Merge")
    team.git("checkout", "--quiet", merged)
    fork.evaluated()
    results = fork.results(models="not evaluated")
    for file in results.iterdir():
        file.write_text(file.read_text().replace(fork.commit, merged))
    assert fork.report(results) == 0


def test_a_forge_that_cannot_be_asked_leaves_it_not_evaluated_and_is_told(
    fork: Fork, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fork.evaluated()
    monkeypatch.delenv("FORGE_TOKEN")
    assert fork.report(fork.results(models="not evaluated")) == 1
    told = capsys.readouterr().err
    assert "whether it was evaluated elsewhere is not known: FORGE_TOKEN: is not set" in told
    assert fork.told.startswith("**Not evaluated")


def test_the_forge_is_not_asked_when_all_is_good(fork: Fork) -> None:
    assert fork.report(fork.results()) == 0
    assert fork.stage.hub.seen == []


def test_a_maintainers_run_tells_comment_and_status_and_lets_the_failed_jobs_run_again(
    fork: Fork, capsys: pytest.CaptureFixture[str]
) -> None:
    add_workflow_run(fork.stage.hub, fork.commit, "failure")
    number = ("--pull-request", str(fork.number), "--run-url", RUN, "--evaluation")
    assert fork.comment(fork.results(), *number) == 0
    assert set(fork.said) == {Check(STATUS, "success"), Check(EVALUATION, "success")}
    assert fork.stage.hub.workflow_runs[0]["conclusion"] is None
    assert capsys.readouterr().out.splitlines()[-1] == (
        "the failed jobs of https://github.com/team/toy/actions/runs/1 run again"
    )
    assert fork.report(fork.results(models="not evaluated")) == 0
    assert f"(<{RUN}>)" in fork.told


def test_a_maintainers_run_that_does_not_find_it_good_lets_nothing_run_again(fork: Fork) -> None:
    add_workflow_run(fork.stage.hub, fork.commit, "failure")
    number = ("--pull-request", str(fork.number), "--run-url", RUN, "--evaluation")
    assert fork.comment(fork.results(models="not good"), *number) == 0
    assert Check(EVALUATION, "failure") in fork.said
    assert fork.stage.hub.workflow_runs[0]["conclusion"] == "failure"


def test_the_forks_own_run_does_not_write_over_what_the_evaluation_told(
    fork: Fork, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fork.comment(fork.results(), "--run-url", RUN, "--evaluation") == 0
    before = fork.stage.comments(fork.number)
    capsys.readouterr()
    assert fork.comment(fork.results(models="not evaluated")) == 0
    told = f"pull request {fork.number}: evaluated by {RUN}, whose comment stays\n"
    assert capsys.readouterr().out == told
    assert fork.stage.comments(fork.number) == before
    assert Check(STATUS, "success") in fork.said


def test_what_the_forks_own_run_found_not_good_is_told_after_an_evaluation_too(fork: Fork) -> None:
    assert fork.comment(fork.results(), "--run-url", RUN, "--evaluation") == 0
    assert fork.comment(fork.results(models="not evaluated", policy="not good")) == 0
    assert "**Not good" in fork.stage.comments(fork.number)[0][1]
    assert Check(STATUS, "failure") in fork.said


@pytest.mark.parametrize(
    ("options", "artifacts"),
    [((), "artifact `report`"), (("--evaluation",), "an artifact `results-...` for each share")],
)
def test_the_comment_names_the_artifacts_that_its_run_has(
    fork: Fork, options: tuple[str, ...], artifacts: str
) -> None:
    assert fork.comment(fork.results(), "--run-url", RUN, *options) == 0
    ((_, text),) = fork.stage.comments(fork.number)
    assert f"Full evidence: [this run](<{RUN}>), {artifacts}" in text


def test_only_a_maintainers_run_tells_an_evaluation(fork: Fork) -> None:
    assert fork.comment(fork.results(), "--run-url", RUN) == 0
    assert fork.said == (Check(STATUS, "success"),)


def test_a_share_that_cannot_read_its_data_leaves_the_verdict_to_the_report(team: Team) -> None:
    pin = pin_of("toy-points", b"a table that nobody has", rows=1, contract="1.0.0")
    team.write(pin_path("toy-points"), to_dvc(pin))
    team.commit("Pin what is elsewhere", push=False)
    share = ("check", "--base", "origin/main", "--part", "contracts")
    alone = team.mlops(*share)
    handed_over = team.mlops(*share, "--out", "results")
    assert (alone.returncode, handed_over.returncode) == (1, 0)
    for said in (alone, handed_over):
        assert said.stdout.startswith("not evaluated contracts")
        assert "neither in ../stores/datasets nor in the DVC remote" in said.stderr
