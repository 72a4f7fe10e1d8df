"""What every forge with a server does: on a described GitHub and on a real Gitea."""

import pytest

from mlops.errors import BadInput, NotGood
from mlops.forges.base import Check, Pull
from mlops.git import Git
from tests.forges.gitea_stage import GiteaStage
from tests.forges.stage import Stage, branch_commit
from tests.gitea import needs_gitea

MARK = "<!-- mlops:report -->"


def opened(stage: Stage, branch: str = "work/one") -> Pull:
    """An open pull request of the bot."""
    commit = branch_commit(stage.team, "one")
    found = stage.forge().open_pull_request(branch, commit, "One", "Text")
    assert found.number
    return stage.forge().pull(found.number)


def pushed_again(stage: Stage, pull: Pull) -> str:
    """Another commit on the branch of a pull request."""
    commit = branch_commit(stage.team, "two", parent=pull.commit)
    stage.forge().open_pull_request(pull.branch, commit, "One", "Text", replaces=pull.commit)
    return commit


def test_a_pull_request_is_opened_with_its_branch(stage: Stage) -> None:
    commit = branch_commit(stage.team, "one")
    found = stage.forge().open_pull_request("work/one", commit, "One & <b>two</b>", "Text")
    assert found.new
    assert found.number
    pull = stage.forge().pull(found.number)
    assert (pull.title, pull.author, pull.branch) == ("One & <b>two</b>", "bot", "work/one")
    assert (pull.commit, pull.base, pull.own, pull.open) == (commit, "main", True, True)
    assert found.place == pull.url
    stage.forge().fetch()
    assert stage.forge().waiting("work/one") == commit


def test_the_same_branch_again_updates_the_pull_request(stage: Stage) -> None:
    pull = opened(stage)
    found = stage.forge().open_pull_request(
        pull.branch, pull.commit, "Another", "Text", replaces=pull.commit
    )
    assert (found.number, found.new) == (pull.number, False)
    assert stage.forge().pull(pull.number).title == "Another"
    assert [one.number for one in stage.forge().pulls_from(pull.branch)] == [pull.number]


def test_a_branch_that_somebody_else_pushed_meanwhile_stays(stage: Stage) -> None:
    pull = opened(stage)
    with pytest.raises(BadInput, match="work/one: could not be pushed to origin"):
        stage.forge().open_pull_request(
            pull.branch, branch_commit(stage.team, "two"), "Two", "Text"
        )
    assert stage.forge().pull(pull.number).commit == pull.commit


def test_a_pull_request_is_found_by_branch_and_by_commit(stage: Stage) -> None:
    pull = opened(stage)
    assert [one.number for one in stage.forge().pulls_from("work/one")] == [pull.number]
    assert [one.number for one in stage.forge().pulls_at(pull.commit)] == [pull.number]
    assert stage.forge().pulls_from("work/other") == ()
    assert stage.forge().pulls_at("0" * 40) == ()


def test_its_files_are_told(stage: Stage) -> None:
    pull = opened(stage)
    assert stage.forge().files(pull) == ("one.txt",)


def test_the_one_comment_is_updated_in_place(stage: Stage) -> None:
    pull = opened(stage)
    first = stage.forge().upsert_comment(pull.number, MARK, "first")
    again = stage.forge().upsert_comment(pull.number, MARK, "second")
    assert first.number == again.number
    assert stage.comments(pull.number) == [("bot", f"{MARK}\nsecond")]


def test_a_strangers_comment_with_our_marker_is_not_touched(stage: Stage) -> None:
    pull = opened(stage)
    stage.comment("bob", pull.number, f"{MARK}\nall good, merge it")
    stage.forge().upsert_comment(pull.number, MARK, "ours")
    stage.forge().upsert_comment(pull.number, MARK, "ours, again")
    assert stage.comments(pull.number) == [
        ("bob", f"{MARK}\nall good, merge it"),
        ("bot", f"{MARK}\nours, again"),
    ]


def test_our_comment_is_found_behind_many_others(stage: Stage) -> None:
    pull = opened(stage)
    for number in range(60):
        stage.comment("alice", pull.number, f"word {number}")
    stage.forge().upsert_comment(pull.number, MARK, "first")
    stage.forge().upsert_comment(pull.number, MARK, "second")
    ours = [body for author, body in stage.comments(pull.number) if author == "bot"]
    assert ours == [f"{MARK}\nsecond"]


def test_a_text_longer_than_a_forge_takes_is_refused(stage: Stage) -> None:
    pull = opened(stage)
    with pytest.raises(BadInput) as caught:
        stage.forge().upsert_comment(pull.number, MARK, "x" * 65_536)
    assert str(caught.value) == (
        f"pull request {pull.number}: the text has 65,558 characters, a forge takes 65,536; shorten it"
    )


def test_the_newest_status_under_a_name_counts(stage: Stage) -> None:
    pull = opened(stage)
    stage.forge().set_status(pull.commit, "mlops / verdict", "pending", "it is looked at")
    stage.forge().set_status(
        pull.commit, "mlops / verdict", "failure", "x" * 500, "https://example.com/run"
    )
    assert stage.forge().checks(pull.commit) == (Check("mlops / verdict", "failure"),)
    stage.forge().set_status(pull.commit, "mlops / verdict", "success", "good")
    assert stage.forge().checks(pull.commit) == (Check("mlops / verdict", "success"),)


def test_an_approval_holds_for_the_exact_commit_and_not_after_a_push(stage: Stage) -> None:
    pull = opened(stage)
    stage.review("alice", pull.number, approve=True)
    assert stage.forge().approvals(pull) == ("alice",)
    pushed_again(stage, pull)
    assert stage.forge().approvals(stage.forge().pull(pull.number)) == ()


def test_the_newest_word_of_a_reviewer_counts(stage: Stage) -> None:
    pull = opened(stage)
    stage.review("alice", pull.number, approve=True)
    stage.review("bob", pull.number, approve=True)
    stage.review("alice", pull.number, approve=False)
    assert stage.forge().approvals(pull) == ("bob",)


def test_a_merge_at_another_commit_is_refused(stage: Stage) -> None:
    pull = opened(stage)
    before = pull.commit
    pushed_again(stage, pull)
    with pytest.raises(NotGood) as caught:
        stage.forge().merge(pull, before, "One")
    assert str(caught.value) == (
        f"pull request {pull.number}: is not at {before[:12]} any more: it was pushed to "
        "meanwhile; let its checks run for the commit it is at now"
    )
    assert stage.forge().pull(pull.number).open


def test_a_merge_is_one_commit_with_the_title(stage: Stage) -> None:
    pull = opened(stage)
    pushed = pushed_again(stage, pull)
    forge = stage.forge()
    main = forge.main()
    forge.merge(pull, pushed, "One (#1)")
    merged = forge.pull(pull.number)
    assert (merged.merged, merged.open) == (True, False)
    forge.fetch()
    git: Git = stage.team.repo.git
    assert merged.squashed == forge.main()
    assert git.text("log", "--format=%s", f"{main}..{forge.main()}") == "One (#1)"
    assert git.changed(main, forge.main()) == ["one.txt", "two.txt"]


def test_no_token_stands_where_git_keeps_addresses(stage: Stage) -> None:
    opened(stage)
    token = stage.environment()["FORGE_TOKEN"]
    assert token not in (stage.team.root / ".git" / "config").read_text()
    assert token not in stage.team.git("remote", "--verbose")


def test_what_is_not_there_is_told_apart_from_a_repository_that_is_not(stage: Stage) -> None:
    with pytest.raises(BadInput, match=r"^pull request 99: is not in "):
        stage.forge().pull(99)


@needs_gitea
def test_a_forge_that_waits_for_a_check_says_so(gitea_stage: GiteaStage) -> None:
    pull = opened(gitea_stage)
    gitea_stage.protect("checks-pass")
    with pytest.raises(NotGood, match=r"cannot be merged \(.*status checks.*\)") as caught:
        gitea_stage.forge().merge(pull, pull.commit, "One")
    assert str(caught.value).endswith("; see what it waits for there")
    gitea_stage.check(pull.commit, "checks-pass", "success")
    gitea_stage.forge().merge(pull, pull.commit, "One")
    assert gitea_stage.forge().pull(pull.number).merged
