"""What a maintainer's run says of a commit, and the failed jobs that run again after it."""

import pytest

from mlops.errors import NotGood
from mlops.forges.base import Pull, Status
from mlops.report.evaluated import EVALUATION, Evaluation, evaluation_of
from tests.forges.gitea_stage import GiteaStage
from tests.forges.github_stage import GitHubStage
from tests.forges.hub_answers import add_workflow_run
from tests.forges.stage import Stage, branch_commit
from tests.gitea import needs_gitea

RUN = "https://forge.example/team/toy/actions/runs/7"
RERUN = "POST /repos/{owner}/{repo}/actions/runs/{run_id}/rerun-failed-jobs"


def opened(stage: Stage) -> Pull:
    """An open pull request of the bot."""
    commit = branch_commit(stage.team, "one")
    number = stage.forge().open_pull_request("work/one", commit, "One", "Text").number
    assert number
    return stage.forge().pull(number)


def test_the_newest_status_of_ones_own_counts_and_nobody_elses(stage: Stage) -> None:
    commit, forge = opened(stage).commit, stage.forge()
    assert forge.own_status(commit, EVALUATION) is None
    stage.forge("bob").set_status(commit, EVALUATION, "success", "believe me", RUN)
    assert forge.own_status(commit, EVALUATION) is None
    forge.set_status(commit, EVALUATION, "failure", "not good")
    assert forge.own_status(commit, EVALUATION) == Status("failure", None)
    forge.set_status(commit, "another name", "success", "good")
    forge.set_status(commit, EVALUATION, "success", "good", RUN)
    stage.forge("bob").set_status(commit, EVALUATION, "failure", "I do not like it")
    assert forge.own_status(commit, EVALUATION) == Status("success", RUN)


def test_an_evaluation_is_of_one_commit_and_only_a_good_one_is_one(stage: Stage) -> None:
    pull, forge = opened(stage), stage.forge()
    forge.set_status(pull.commit, EVALUATION, "success", "good", RUN)
    assert evaluation_of(forge, pull.commit) == Evaluation(pull.commit, RUN)
    later = branch_commit(stage.team, "two", parent=pull.commit)
    forge.open_pull_request(pull.branch, later, "One", "Text", replaces=pull.commit)
    assert evaluation_of(forge, later) is None
    forge.set_status(pull.commit, EVALUATION, "pending", "not evaluated", RUN)
    assert evaluation_of(forge, pull.commit) is None


def test_it_is_found_behind_many_other_words(github_stage: GitHubStage) -> None:
    commit, forge = opened(github_stage).commit, github_stage.forge()
    forge.set_status(commit, EVALUATION, "success", "good", RUN)
    for number in range(120):
        forge.set_status(commit, f"word {number}", "failure", "a word")
    assert evaluation_of(forge, commit) == Evaluation(commit, RUN)


def test_the_failed_jobs_of_the_newest_run_of_that_commit_run_again(
    github_stage: GitHubStage,
) -> None:
    commit, hub = opened(github_stage).commit, github_stage.hub
    add_workflow_run(hub, commit, "failure")
    newest = add_workflow_run(hub, commit, "failure")
    add_workflow_run(hub, commit, "failure", event="merge_group")
    add_workflow_run(hub, "f" * 40, "failure")
    told = github_stage.forge().run_again("pr.yaml", commit)
    assert told == f"the failed jobs of https://github.com/team/toy/actions/runs/{newest} run again"
    assert [run["conclusion"] for run in hub.workflow_runs].count(None) == 1
    assert hub.workflow_runs[newest - 1]["conclusion"] is None


@pytest.mark.parametrize(
    ("conclusion", "told"),
    [
        (None, "is still running: if it ends red, run its failed jobs again"),
        ("success", "is green already"),
        ("action_required", "waits for a maintainer to let it run: do so"),
        ("stale", "ended otherwise: run it again there"),
    ],
)
def test_a_run_that_has_not_failed_is_left_alone_and_told(
    github_stage: GitHubStage, conclusion: str | None, told: str
) -> None:
    commit, hub = opened(github_stage).commit, github_stage.hub
    add_workflow_run(hub, commit, conclusion)
    said = github_stage.forge().run_again("pr.yaml", commit)
    assert said == f"https://github.com/team/toy/actions/runs/1 {told}"
    assert RERUN not in hub.seen


def test_without_a_run_there_is_nothing_to_run_again(github_stage: GitHubStage) -> None:
    commit = opened(github_stage).commit
    told = f"pr.yaml has not run for {commit[:12]}: it will find what is said of it now"
    assert github_stage.forge().run_again("pr.yaml", commit) == told


def test_a_run_whose_answer_was_lost_is_not_told_as_refused(github_stage: GitHubStage) -> None:
    commit, hub = opened(github_stage).commit, github_stage.hub
    add_workflow_run(hub, commit, "failure")
    hub.lost = [("POST", "/actions/runs/{run_id}/rerun-failed-jobs")]
    assert github_stage.forge().run_again("pr.yaml", commit).endswith("/runs/1 run again")
    assert hub.seen.count(RERUN) == 2


def test_a_run_that_is_too_old_to_run_again_is_told_with_the_way_out(
    github_stage: GitHubStage,
) -> None:
    commit, hub = opened(github_stage).commit, github_stage.hub
    add_workflow_run(hub, commit, "failure", old=True)
    with pytest.raises(NotGood) as caught:
        github_stage.forge().run_again("pr.yaml", commit)
    assert str(caught.value) == (
        "https://github.com/team/toy/actions/runs/1: its failed jobs cannot be run again (Unable "
        "to re-run: it was created over a month ago); give the token `actions: write`; after a "
        "month close and reopen the pull request"
    )


@needs_gitea
def test_gitea_says_in_a_line_that_it_starts_nothing_again(gitea_stage: GiteaStage) -> None:
    commit = opened(gitea_stage).commit
    told = f"Gitea starts no run again by itself: let pr.yaml run once more for {commit[:12]}"
    assert gitea_stage.forge().run_again("pr.yaml", commit) == told
