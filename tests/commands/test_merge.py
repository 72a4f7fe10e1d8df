"""mlops merge: the bot's releases at exactly the commit that is green, and nothing else."""

import pytest

from mlops.cli import run
from mlops.commands.render import render
from mlops.forges.base import Pull
from mlops.repository import release_path
from tests.environments.shelf import message, shelf_of
from tests.forges.github_stage import GitHubStage
from tests.forges.hub import Said
from tests.forges.stage import Stage, branch_commit
from tests.releases import files_of, make_decision

CHECK = "checks-pass"
BRANCH = "release/toy-1"


def release(stage: Stage, user: str = "bot") -> Pull:
    """An open pull request with the first release of the toy service to dev."""
    team, made = stage.team, shelf_of(stage.team).made(1)
    team.git("checkout", "--quiet", "-b", BRANCH)
    for path, content in files_of(made, "dev", make_decision(made, "dev")).items():
        team.write(path, content)
    render(team.repo, as_json=True)
    commit = team.commit("Release toy 1 to dev", push=False)
    team.git("checkout", "--quiet", "main")
    found = stage.forge(user).open_pull_request(BRANCH, commit, "Release toy 1 to dev", "Text")
    assert found.number
    return stage.forge().pull(found.number)


def call(stage: Stage, monkeypatch: pytest.MonkeyPatch, pull: Pull, *more: str) -> int:
    """The command as the bot runs it in the clone."""
    monkeypatch.chdir(stage.team.root)
    monkeypatch.setenv("FORGE_TOKEN", stage.environment()["FORGE_TOKEN"])
    return run(["merge", *(more or ("--pull-request", str(pull.number))), "--commit", pull.commit])


def test_a_green_release_is_merged_and_a_second_run_says_so(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pull = release(stage)
    stage.check(pull.commit, CHECK, "success")
    capsys.readouterr()
    assert call(stage, monkeypatch, pull) == 0, capsys.readouterr().err
    forge = stage.forge()
    forge.fetch()
    merged = forge.main()
    assert stage.team.repo.commit(merged).tree.read(release_path("dev", "toy"))
    subject = stage.team.git("log", "-1", "--format=%s", merged)
    assert subject == f"Release toy 1 to dev (#{pull.number})"
    assert call(stage, monkeypatch, pull) == 0
    assert capsys.readouterr().out == (
        f"pull request {pull.number} is merged, as {merged[:12]}\n"
        f"pull request {pull.number} is merged already, as {merged[:12]}\n"
    )


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (None, "has not said anything"),
        ("pending", "is still running"),
        ("failure", "has failed"),
    ],
)
def test_a_release_whose_check_is_not_green_is_not_merged(
    github_stage: GitHubStage,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    state: str | None,
    words: str,
) -> None:
    pull = release(github_stage)
    if state:
        github_stage.check(pull.commit, CHECK, state)
    assert call(github_stage, monkeypatch, pull) == 1
    assert capsys.readouterr().err == (
        f"commit {pull.commit[:12]}: the required check checks-pass {words}; "
        "wait for it, or look at what it says, then run this again\n"
    )
    assert github_stage.forge().pull(pull.number).open


def test_the_word_of_another_than_the_required_app_does_not_count(
    github_stage: GitHubStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    pull = release(github_stage)
    github_stage.forge("alice").set_status(pull.commit, CHECK, "success", "all good")
    assert call(github_stage, monkeypatch, pull) == 1
    assert github_stage.forge().pull(pull.number).open


def test_a_release_that_a_person_opened_is_for_people(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pull = release(stage, "alice")
    stage.check(pull.commit, CHECK, "success")
    assert call(stage, monkeypatch, pull) == 1
    assert capsys.readouterr().err == (
        f"pull request {pull.number}: was opened by alice, not by bot; "
        "have it approved and merge it by hand\n"
    )


def test_what_is_no_release_is_for_people(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    commit = branch_commit(stage.team, "one")
    number = stage.forge().open_pull_request("work/one", commit, "One", "Text").number
    assert number
    stage.check(commit, CHECK, "success")
    assert call(stage, monkeypatch, stage.forge().pull(number)) == 1
    assert capsys.readouterr().err == (
        f"pull request {number}: touches no environment, only releases merge themselves; "
        "have it approved and merge it by hand\n"
    )


def test_a_change_of_settings_is_for_people(
    github_stage: GitHubStage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stage = github_stage
    path = "environments/dev/toy/settings.yaml"
    files = {path: b"service: toy\nlocal_port: 8123\n"}
    commit = stage.team.repo.git.commit_files("HEAD", files, "Another port")
    number = stage.forge().open_pull_request("work/port", commit, "Port", "Text").number
    assert number
    assert call(stage, monkeypatch, stage.forge().pull(number)) == 1
    assert "is of the kind settings, only releases merge themselves" in capsys.readouterr().err


def test_a_release_that_started_from_an_older_main_is_not_merged(
    github_stage: GitHubStage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stage = github_stage
    pull = release(stage)
    stage.check(pull.commit, CHECK, "success")
    stage.team.write("elsewhere.md", "main goes on\n")
    main = stage.team.commit("Main goes on")
    assert call(stage, monkeypatch, pull) == 1
    assert capsys.readouterr().err == (
        f"pull request {pull.number}: started from another commit than {main[:12]}, where main "
        "is now; let `mlops release` open it again on main, or merge by hand\n"
    )


def test_the_run_of_a_release_that_main_has_overtaken_leaves_it_to_the_newer_one(
    github_stage: GitHubStage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stage = github_stage
    pull = release(stage)
    stage.team.write("elsewhere.md", "main goes on\n")
    main = stage.team.commit("Main goes on")
    capsys.readouterr()
    assert call(stage, monkeypatch, pull, "--skip-behind") == 0
    assert capsys.readouterr().out == (
        f"pull request {pull.number} started from another commit than {main[:12]}, where main "
        "is now: the run of that commit opens it again\n"
    )
    assert stage.forge().pull(pull.number).open


def test_without_a_number_it_is_the_bots_own_of_that_head(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pull = release(stage)
    forge = stage.forge("alice")
    other = forge.open_pull_request("alice/same", pull.commit, "The same", "Text")
    stage.check(pull.commit, CHECK, "success")
    capsys.readouterr()
    assert call(stage, monkeypatch, pull, "--skip-behind") == 0
    assert capsys.readouterr().out.startswith(f"pull request {pull.number} is merged, as ")
    assert other.number
    assert stage.forge().pull(other.number).open
    assert call(stage, monkeypatch, pull, "--skip-behind") == 0
    assert capsys.readouterr().out == (
        f"nothing to merge: {pull.commit[:12]} is the head of no open pull request of bot\n"
    )


def test_of_two_pull_requests_with_one_head_none_is_merged(
    github_stage: GitHubStage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stage = github_stage
    pull = release(stage)
    other = stage.forge().open_pull_request("release/twice", pull.commit, "The same", "Text")
    stage.check(pull.commit, CHECK, "success")
    assert call(stage, monkeypatch, pull, "--skip-behind") == 1
    told = capsys.readouterr().err
    assert f"is the head of the pull requests {other.number} and {pull.number}; close all" in told


def test_a_release_pushed_to_meanwhile_is_not_merged(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pull = release(stage)
    stage.check(pull.commit, CHECK, "success")
    later = branch_commit(stage.team, "more", parent=pull.commit)
    stage.forge().open_pull_request(BRANCH, later, "Release", "Text", replaces=pull.commit)
    assert call(stage, monkeypatch, pull) == 1
    expected = message("forge-head-moved", number=pull.number, commit=pull.commit[:12])
    assert capsys.readouterr().err == f"{expected}\n"
    assert stage.forge().pull(pull.number).open


def test_a_refusal_of_the_forge_is_told_and_one_for_now_is_tried_again(
    github_stage: GitHubStage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stage = github_stage
    pull = release(stage)
    stage.check(pull.commit, CHECK, "success")
    waits = Said(405, {"message": "At least 1 approving review is required."})
    stage.hub.merge_refusals = [waits]
    assert call(stage, monkeypatch, pull) == 1
    assert capsys.readouterr().err == (
        f"pull request {pull.number}: cannot be merged (At least 1 approving review is required.); "
        "see what it waits for there\n"
    )
    again = "Base branch was modified. Review and try the merge again."
    stage.hub.merge_refusals = [Said(405, {"message": again})]
    assert call(stage, monkeypatch, pull) == 0


def test_a_merge_whose_answer_was_lost_is_done(
    github_stage: GitHubStage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stage = github_stage
    pull = release(stage)
    stage.check(pull.commit, CHECK, "success")
    stage.hub.lost = [("PUT", "/pulls/{pull_number}/merge")]
    assert call(stage, monkeypatch, pull) == 0, capsys.readouterr().err
    assert stage.forge().pull(pull.number).merged
    assert stage.team.git("ls-remote", "origin", "main").split()[0] != pull.commit


def test_without_a_bot_nothing_merges_itself(
    github_stage: GitHubStage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stage = github_stage
    pull = release(stage)
    text = (stage.team.root / "mlops.toml").read_text()
    stage.team.write("mlops.toml", text.replace('bot = "bot"\n', ""))
    assert call(stage, monkeypatch, pull) == 2
    assert capsys.readouterr().err == message("forge-bot-missing") + "\n"


def test_a_forge_without_a_repository_is_told(
    github_stage: GitHubStage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stage = github_stage
    pull = release(stage)
    text = (stage.team.root / "mlops.toml").read_text()
    stage.team.write("mlops.toml", text.replace('repository = "team/toy"\n', ""))
    assert call(stage, monkeypatch, pull) == 2
    assert capsys.readouterr().err == message("forge-repository-missing") + "\n"
