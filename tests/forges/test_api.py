"""Asking a forge: what is repeated and what is not, refusals in the one form, no token shown."""

import time
from pathlib import Path

import pytest

from mlops.errors import BadInput
from mlops.forges import hosted_of
from mlops.forges.api import Api, Ask, Unsure
from mlops.forges.base import Check, Pull
from mlops.forges.github import GitHub
from mlops.forges.hosted import Address
from mlops.git import Git
from tests.forges.github_stage import GitHubStage
from tests.forges.hub import Said
from tests.forges.hub_answers import add_pull
from tests.forges.stage import branch_commit
from tests.team import Team, free_port

MARK = "<!-- mlops:report -->"
BUSY = Said(502, {"message": "Bad gateway"})
POST_COMMENT = "POST /repos/{owner}/{repo}/issues/{issue_number}/comments"


def opened(stage: GitHubStage) -> Pull:
    commit = branch_commit(stage.team, "one")
    number = stage.forge().open_pull_request("work/one", commit, "One", "Text").number
    assert number
    return stage.forge().pull(number)


def api_of(stage: GitHubStage, waits: list[float]) -> Api:
    """An interface that notes for how long it would have waited."""
    base = f"{stage.server.url}/api/v3"
    return Api(base, "team/toy", "token-of-bot", headers={}, sleep=waits.append)


def ask(method: str = "GET", path: str = "/repos/team/toy") -> Ask:
    return Ask(method, path, "team/toy", "`metadata: read`")


def test_it_waits_longer_each_time_and_as_long_as_it_is_asked_to(github_stage: GitHubStage) -> None:
    waits: list[float] = []
    said = Said(429, {"message": "slow down"}, headers={"Retry-After": "7"})
    github_stage.hub.busy = [BUSY, BUSY, said]
    assert api_of(github_stage, waits).send(ask()).status == 200
    assert waits == [0.5, 1.0, 7.0]


def test_a_rate_limit_is_waited_for_when_that_is_soon(github_stage: GitHubStage) -> None:
    waits: list[float] = []
    reset = str(int(time.time()) + 20)
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": reset}
    github_stage.hub.busy = [Said(403, {"message": "API rate limit exceeded"}, headers=headers)]
    assert api_of(github_stage, waits).send(ask()).status == 200
    assert 15 < waits[0] <= 20


def test_a_forge_that_asks_for_an_hour_is_given_up_at_once(github_stage: GitHubStage) -> None:
    waits: list[float] = []
    said = Said(429, {"message": "slow down"}, headers={"Retry-After": "3600"})
    github_stage.hub.busy = [said]
    with pytest.raises(BadInput, match=r"is busy \(429: slow down\); try again later$"):
        api_of(github_stage, waits).send(ask())
    assert waits == []


def test_a_request_that_must_not_be_done_twice_is_not_sent_twice(github_stage: GitHubStage) -> None:
    github_stage.hub.busy = [BUSY]
    with pytest.raises(Unsure):
        api_of(github_stage, []).send(ask("POST", "/repos/team/toy/issues/1/comments"))
    assert github_stage.hub.seen == [POST_COMMENT]
    github_stage.hub.wrong.clear()  # it had no body


def test_a_comment_whose_answer_was_lost_is_not_written_again(github_stage: GitHubStage) -> None:
    pull, hub = opened(github_stage), github_stage.hub
    hub.lost = [("POST", "/issues/{issue_number}/comments")]
    github_stage.forge().upsert_comment(pull.number, MARK, "report")
    assert github_stage.comments(pull.number) == [("bot", f"{MARK}\nreport")]
    assert hub.seen.count(POST_COMMENT) == 1


def test_the_reason_of_a_refusal_is_told_without_the_token(github_stage: GitHubStage) -> None:
    errors = [{"resource": "PullRequest", "field": "head", "code": "invalid"}, "no token-of-bot"]
    value = {"message": "Validation\nFailed \x1b[31m", "errors": errors}
    github_stage.hub.busy = [Said(422, value)]
    with pytest.raises(BadInput) as caught:
        github_stage.forge().update_pull(1, "T", "B")
    host = github_stage.server.url.removeprefix("http://")
    assert str(caught.value) == (
        f"pull request 1: {host} refuses (422: Validation Failed <U+001B>[31m, head: invalid, "
        "no ***); correct that, then run this again"
    )


def test_a_token_without_a_permission_is_told_which_one(github_stage: GitHubStage) -> None:
    github_stage.hub.busy = [Said(403, {"message": "Resource not accessible by integration"})]
    with pytest.raises(BadInput) as caught:
        github_stage.forge().set_status("0" * 40, "x", "success", "text")
    assert str(caught.value) == (
        "commit 000000000000: the token may not do this (403: Resource not accessible by "
        "integration); give the token the permission `commit statuses: write` on team/toy"
    )


def test_a_repository_that_moved_is_told_and_not_followed(github_stage: GitHubStage) -> None:
    headers = {"Location": "https://elsewhere.example/repos/1"}
    github_stage.hub.busy = [Said(301, {"message": "Moved Permanently"}, headers=headers)]
    with pytest.raises(
        BadInput, match=r"^team/toy: has moved to another place on .* \(301\); correct"
    ):
        github_stage.forge().pull(1)


def test_an_answer_of_something_else_is_told(github_stage: GitHubStage) -> None:
    github_stage.hub.busy = [Said(200, {"hello": "I am no forge"})]
    with pytest.raises(
        BadInput, match=r"does not answer as a forge does .*; check `kind` and `url`"
    ):
        github_stage.forge().pull(1)
    github_stage.hub.wrong.clear()


def test_a_forge_that_is_not_there_is_told(team: Team) -> None:
    address = Address(f"http://127.0.0.1:{free_port()}", "team/toy")
    with pytest.raises(BadInput, match=r"^127\.0\.0\.1:\d+: cannot be reached \(.*\); check `url`"):
        GitHub(team.repo, address, "secret").pull(1)


@pytest.mark.slow
def test_ten_thousand_files_are_told_where_the_forge_lists_three_thousand(
    github_stage: GitHubStage,
) -> None:
    git: Git = github_stage.team.repo.git
    files: dict[str, bytes | None] = {f"many/{number:05}.txt": b"x\n" for number in range(10_000)}
    blob = git.run("hash-object", "-w", "--stdin", stdin=b"x\n").decode().strip()
    lines = "".join(f"100644 blob {blob}\t{path.removeprefix('many/')}\n" for path in files)
    many = git.run("mktree", stdin=lines.encode()).decode().strip()
    root = git.text("ls-tree", "HEAD") + f"\n040000 tree {many}\tmany\n"
    tree = git.run("mktree", stdin=root.encode()).decode().strip()
    commit = git.text("commit-tree", tree, "-p", "HEAD", "-m", "Many")
    number = github_stage.forge().open_pull_request("work/many", commit, "Many", "Text").number
    assert number
    hub = github_stage.hub
    hub.listed = [{"filename": path} for path in list(files)[:3000]]
    found = github_stage.forge().files(github_stage.forge().pull(number))
    assert found == tuple(sorted(files))


def test_both_names_of_a_renamed_file_are_told(github_stage: GitHubStage) -> None:
    pull = opened(github_stage)
    github_stage.hub.listed = [
        {"filename": "new.txt", "previous_filename": "old.txt", "status": "renamed"}
    ]
    assert github_stage.forge().files(pull) == ("new.txt", "old.txt")


def test_more_checks_than_a_page_holds_are_all_told(github_stage: GitHubStage) -> None:
    commit = branch_commit(github_stage.team, "one")
    for number in range(150):
        github_stage.check(commit, f"check-{number}", "success")
    github_stage.check(commit, "last", "skipped")
    found = github_stage.forge().checks(commit)
    assert len(found) == 151
    assert Check("last", "failure", 15368) in found


def test_the_pull_request_of_a_deleted_account_is_read(github_stage: GitHubStage) -> None:
    pull = add_pull(github_stage.hub, "x", "main", commit="1" * 40)
    pull["user"] = None
    assert github_stage.forge().pull(1).author == "ghost"
    github_stage.hub.wrong.clear()  # the description does not say that there may be none


def test_git_logs_in_at_the_forge_alone_and_the_token_is_no_argument(
    github_stage: GitHubStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlops.forges.login import login

    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "none"))
    env = login("https://forge.example", "se cret'$x", {"GIT_CONFIG_COUNT": "0"})
    git = github_stage.team.repo.git
    asked = git.run("credential", "fill", stdin=b"url=https://forge.example/team/toy\n", env=env)
    assert b"password=se cret'$x\n" in asked
    assert not any("se cret" in value for name, value in env.items() if name != "MLOPS_GIT_TOKEN")
    other = {**env, "GIT_ASKPASS": "true"}
    asked = git.run("credential", "fill", stdin=b"url=https://other.example/x\n", env=other)
    assert b"se cret" not in asked


def test_the_first_variable_with_a_token_counts(
    github_stage: GitHubStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORGE_TOKEN", " ")
    monkeypatch.setenv("GITHUB_TOKEN", "token-of-bot\n")
    pull = opened(github_stage)
    assert hosted_of(github_stage.team.repo).pull(pull.number).author == "bot"
