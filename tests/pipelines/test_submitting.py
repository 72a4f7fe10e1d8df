"""A run on a cluster: what it would lack is told before, how it ended after."""

import pytest

from mlops.cli import run
from mlops.cluster.kubectl import Kubectl
from mlops.errors import BadInput, Exit
from mlops.pipelines.submitting import submit, tell
from tests.forges.fixtures import gitea, gitea_stage, github_stage, stage
from tests.forges.stage import Stage, branch_commit
from tests.team import Team

__all__ = ["gitea", "gitea_stage", "github_stage", "stage"]


def test_all_that_a_run_would_lack_is_told_and_no_cluster_asked(team: Team) -> None:
    team.write("new.txt", "x\n")
    commit = team.commit("Not pushed", push=False)
    with pytest.raises(BadInput) as refused:
        submit(team.repo, Kubectl("nowhere"), "toy-line", commit)
    assert [str(each) for each in refused.value.problems] == [
        (
            "mlops.toml: `workflows.image` is missing, and the steps run in it; make it as "
            "docs/pipelines.md says and write it there by its digest"
        ),
        (
            "mlops.toml: names no stores that a pod could reach, so what it makes would be gone with "
            "it; mlops init --registry URL --data URL"
        ),
        (
            f"{commit[:12]}: is on no branch of origin, which the cluster reads; push it, then run "
            "this again"
        ),
    ]


def test_a_search_that_model_yaml_does_not_have_is_told_before(team: Team) -> None:
    with pytest.raises(BadInput, match=r"has no `search`; add one, as docs/tuning.md says"):
        submit(team.repo, Kubectl("nowhere"), "toy-line", team.git("rev-parse", "HEAD"), tune=True)


def test_several_raw_files_of_one_dataset_are_refused(team: Team) -> None:
    commit = team.git("rev-parse", "HEAD")
    with pytest.raises(BadInput) as refused:
        submit(team.repo, Kubectl("nowhere"), "toy-line", commit, ["a.csv", "b.csv"])
    assert str(refused.value) == (
        "--raw: is given more than once for toy-points, and a run takes one file of each; "
        "submit a run for each file, oldest first"
    )


@pytest.mark.parametrize(("status", "state"), [("Succeeded", "success"), ("Error", "failure")])
def test_a_commit_is_told_how_its_run_ended(stage: Stage, status: str, state: str) -> None:
    commit, forge = branch_commit(stage.team, "one"), stage.forge()
    forge.open_pull_request("work/one", commit, "One", "Text")
    tell(forge, "toy-line", commit, status)
    found = forge.own_status(commit, "pipeline toy-line")
    assert found is not None
    assert found.state == state


def test_what_is_no_end_of_a_run_is_refused(stage: Stage) -> None:
    with pytest.raises(BadInput) as refused:
        tell(stage.forge(), "toy-line", "a" * 40, "Running")
    assert str(refused.value.problems[0]) == (
        "--status: 'Running' is no end of a run; name one of Succeeded, Failed, Error"
    )


def test_a_forge_without_a_server_is_told_nothing(
    team: Team, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(team.root)
    assert run(["pipeline", "tell", "toy-line", "--status", "Failed"]) == Exit.DONE
    assert "there is nobody to tell" in capsys.readouterr().out
