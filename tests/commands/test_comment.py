"""mlops comment: hostile results become one comment and a status on the right commit."""

import json
from pathlib import Path

import pytest

from mlops import digests
from mlops.cli import run
from mlops.commands.comment import MARKER, STATUS
from mlops.forges.base import Check, Pull
from mlops.report.page import HEAD
from mlops.specs.result import Result
from tests.environments.shelf import message
from tests.forges.github_stage import GitHubStage
from tests.forges.hub import Said
from tests.forges.hub_answers import add_pull
from tests.forges.stage import Stage, branch_commit
from tests.report.results import dataset
from tests.team import git

RUN = "https://github.com/o/r/actions/runs/7"
CHANGED = {"models/toy-line/more.py": b"SLOPE = 2\n"}


@pytest.fixture(autouse=True)
def _no_token_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FORGE_TOKEN", "GITHUB_TOKEN", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)


def opened(stage: Stage) -> Pull:
    """An open pull request of the bot that changes a model."""
    commit = stage.team.repo.git.commit_files("HEAD", CHANGED, "Say what it is")
    found = stage.forge().open_pull_request("work/one", commit, "One", "Text")
    assert found.number
    return stage.forge().pull(found.number)


def results(stage: Stage, commit: str, folder: Path, outcome: str = "good") -> Path:
    """What the jobs of a run would hand over, one file for each share of the plan."""
    team = stage.team
    base = team.repo.git.merge_base("origin/main", commit)
    team.git("checkout", "--quiet", commit)
    told = json.loads(team.mlops("plan", "--base", "origin/main", "--json").stdout)
    team.git("checkout", "--quiet", "main")
    assert told["shares"]
    folder.mkdir()
    for share in told["shares"]:
        result = Result.model_validate(
            {
                "part": share["part"],
                "shard": share["shard"],
                "of": share["of"],
                "base": base,
                "head": commit,
                "outcome": outcome,
                "summary": "looked at",
                "seconds": 1.0,
            }
        )
        name = f"{share['part']}-{share['shard']}-of-{share['of']}.json"
        (folder / name).write_text(result.model_dump_json())
    return folder


def call(stage: Stage, monkeypatch: pytest.MonkeyPatch, *args: str, user: str = "bot") -> int:
    """The command as somebody runs it in the clone."""
    monkeypatch.chdir(stage.team.root)
    monkeypatch.setenv("FORGE_TOKEN", stage.environment(user)["FORGE_TOKEN"])
    return run(["comment", *args])


def test_the_report_is_one_comment_updated_in_place_and_a_status(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pull = opened(stage)
    good = results(stage, pull.commit, tmp_path / "results")
    number = ("--pull-request", str(pull.number))
    assert call(stage, monkeypatch, str(tmp_path / "none"), "--commit", pull.commit, *number) == 0
    assert call(stage, monkeypatch, str(good), "--commit", pull.commit) == 0
    ((author, body),) = stage.comments(pull.number)
    assert author == "bot"
    assert body.startswith(f"{MARKER}\n")
    assert "**Good.**" in body
    assert Check(STATUS, "success") in stage.forge().checks(pull.commit)


def test_a_share_of_the_plan_without_a_result_is_missed(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pull = opened(stage)
    found = results(stage, pull.commit, tmp_path / "results")
    next(found.iterdir()).unlink()
    assert call(stage, monkeypatch, str(found), "--commit", pull.commit) == 0
    ((_, body),) = stage.comments(pull.number)
    assert "**Not good" in body
    assert "no result: the job was cancelled, died, or was refused" in body
    assert Check(STATUS, "failure") in stage.forge().checks(pull.commit)


def test_results_of_the_merge_that_the_forge_made_are_taken(
    github_stage: GitHubStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = github_stage
    pull = opened(stage)
    found = results(stage, pull.commit, tmp_path / "results")
    for file in found.iterdir():
        file.write_text(file.read_text().replace(pull.commit, "f" * 40))
    stage.team.write("elsewhere.md", "main goes on\n")
    stage.team.commit("Main goes on")
    assert call(stage, monkeypatch, str(found), "--commit", pull.commit) == 0
    assert "**Good.**" in stage.comments(pull.number)[0][1]


def test_results_for_a_base_that_main_never_held_are_not_taken(
    github_stage: GitHubStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = github_stage
    pull = opened(stage)
    found = results(stage, pull.commit, tmp_path / "results")
    for file in found.iterdir():
        told = json.loads(file.read_text())
        file.write_text(json.dumps({**told, "base": pull.commit}))
    assert call(stage, monkeypatch, str(found), "--commit", pull.commit) == 0
    assert "**Not good" in stage.comments(pull.number)[0][1]


def test_a_forks_pull_request_is_found_by_its_commit_and_said_to_be_one(
    github_stage: GitHubStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage, team = github_stage, github_stage.team
    commit = team.repo.git.commit_files("HEAD", CHANGED, "Say what it is")
    number = add_pull(stage.hub, "stranger", "main", commit=commit)["number"]
    git(team.root, "push", "--quiet", "origin", f"{commit}:refs/pull/{number}/head")
    found = results(stage, commit, tmp_path / "results")
    assert call(stage, monkeypatch, str(found), "--commit", commit, user="app") == 0
    ((author, body),) = stage.comments(number)
    assert author == "github-actions[bot]"
    assert "made by code of a fork" in body
    assert call(stage, monkeypatch, str(found), "--commit", commit, user="app") == 0
    assert len(stage.comments(number)) == 1


@pytest.mark.parametrize(
    ("content", "url", "told"),
    [
        (HEAD, RUN, f"[`data-toy-points.html`](<{RUN}#artifacts>) in `results-policy-1-of-1`"),
        (HEAD, None, "`mlops data validate toy-points --page toy-points.html` writes each rule"),
        (f"{HEAD}<script>", RUN, "`data-toy-points.html`: has another head or other elements"),
    ],
    ids=["in a run", "without a run", "with a program"],
)
def test_the_page_of_a_broken_dataset_is_linked_in_the_run_or_named_by_its_command(
    github_stage: GitHubStage,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    content: str,
    url: str | None,
    told: str,
) -> None:
    stage = github_stage
    pull = opened(stage)
    found = results(stage, pull.commit, tmp_path / "results")
    file = found / "policy-1-of-1.json"
    data = dataset(failed=1).model_copy(update={"page": digests.of_bytes(content.encode())})
    share = Result.model_validate_json(file.read_text()).model_copy(update={"datasets": (data,)})
    file.write_text(share.model_dump_json())
    (found / "data-toy-points.html").write_text(content)
    run_url = ("--run-url", url) if url else ()
    assert call(stage, monkeypatch, str(found), "--commit", pull.commit, *run_url) == 0
    ((_, body),) = stage.comments(pull.number)
    assert told in body
    assert body.count("data-toy-points.html`](") == (told.startswith("["))


def test_a_commit_that_no_pull_request_is_at_needs_no_comment(
    stage: Stage,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    commit = branch_commit(stage.team, "one")
    assert call(stage, monkeypatch, str(tmp_path), "--commit", commit) == 0
    told = f"nothing to tell: {commit[:12]} is the head of no open pull request\n"
    assert capsys.readouterr().out == told


def test_a_head_that_moved_is_told_and_gets_nothing(
    stage: Stage,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pull = opened(stage)
    later = branch_commit(stage.team, "two", parent=pull.commit)
    stage.forge().open_pull_request("work/one", later, "One", "Text", replaces=pull.commit)
    number = ("--pull-request", str(pull.number))
    assert call(stage, monkeypatch, str(tmp_path), "--commit", pull.commit, *number) == 1
    expected = message("forge-head-moved", number=pull.number, commit=pull.commit[:12])
    assert capsys.readouterr().err == f"{expected}\n"
    assert stage.comments(pull.number) == []


def test_a_pull_request_that_is_gone_is_told(
    stage: Stage,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    args = ("--commit", "0" * 40, "--pull-request", "99")
    assert call(stage, monkeypatch, str(tmp_path), *args) == 2
    forge = stage.team.repo.project.forge
    host = (forge.url or "").removeprefix("http://")
    expected = message("forge-pull-request-gone", repository=forge.repository, host=host)
    assert capsys.readouterr().err == f"{expected}\n"


def test_a_repository_that_is_not_there_is_told(
    stage: Stage,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    forge = stage.team.repo.project.forge
    text = (stage.team.root / "mlops.toml").read_text()
    stage.team.write("mlops.toml", text.replace(forge.repository or "", "bot/nowhere"))
    args = ("--commit", "0" * 40, "--pull-request", "1")
    assert call(stage, monkeypatch, str(tmp_path), *args) == 2
    host = (forge.url or "").removeprefix("http://")
    expected = message("forge-repository-not-found", host=host)
    assert capsys.readouterr().err == f"{expected}\n"


def test_without_a_token_it_is_said_which_variable_holds_one(
    github_stage: GitHubStage,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(github_stage.team.root)
    assert run(["comment", str(tmp_path), "--commit", "0" * 40]) == 2
    assert capsys.readouterr().err == message("forge-token-missing") + "\n"


def test_a_token_that_is_not_known_is_told_and_not_shown(
    github_stage: GitHubStage,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    args = (str(tmp_path), "--commit", "0" * 40)
    assert call(github_stage, monkeypatch, *args, user="nobody") == 2
    told = capsys.readouterr()
    assert "token-of-nobody" not in told.out + told.err
    assert told.err.endswith(
        "that has not expired and has the permission `pull requests: read` on team/toy\n"
    )


def test_a_busy_forge_is_asked_again(
    github_stage: GitHubStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pull = opened(github_stage)
    busy = Said(503, {"message": "busy"}, headers={"Retry-After": "0"})
    github_stage.hub.busy = [
        busy,
        Said(429, {"message": "slow down"}, headers={"Retry-After": "0"}),
    ]
    assert call(github_stage, monkeypatch, str(tmp_path / "none"), "--commit", pull.commit) == 0
    assert len(github_stage.comments(pull.number)) == 1


def test_the_local_forge_has_no_comments(
    github_stage: GitHubStage,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    team = github_stage.team
    team.write("mlops.toml", team.git("show", "HEAD^:mlops.toml"))
    assert call(github_stage, monkeypatch, str(tmp_path), "--commit", "0" * 40) == 2
    assert capsys.readouterr().err == message("forge-not-hosted") + "\n"


def test_a_fork_gets_its_report_in_a_job_before_anybody_has_called_init(
    github_stage: GitHubStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = github_stage
    pull = opened(stage)
    stage.team.write("mlops.toml", stage.team.git("show", "HEAD^:mlops.toml"))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_SERVER_URL", stage.server.url)
    monkeypatch.setenv("GITHUB_REPOSITORY", "team/toy")
    monkeypatch.setenv("FORGE_TOKEN", "token-of-app")
    monkeypatch.chdir(stage.team.root)
    assert run(["comment", str(tmp_path / "none"), "--commit", pull.commit]) == 0
    assert [author for author, _ in stage.comments(pull.number)] == ["github-actions[bot]"]


def test_a_short_commit_is_refused(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    github_stage: GitHubStage,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert call(github_stage, monkeypatch, str(tmp_path), "--commit", "main") == 2
    assert capsys.readouterr().err == (
        "--commit: 'main' is not a full commit; write the 40 hex digits of `git rev-parse`\n"
    )
