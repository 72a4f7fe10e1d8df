"""A promotion on a forge: opened, approved, merged at that commit, reverted."""

import os

import pytest

from mlops.environments.promotion import promote
from mlops.forges.login import login
from mlops.forges.ruleset import read_ruleset
from mlops.repository import release_path
from tests.environments.shelf import shelf_of
from tests.forges.stage import Stage

CHECK = "checks-pass"


def sign_in(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Git and the tool of this process be the bot's."""
    token = stage.environment()["FORGE_TOKEN"]
    monkeypatch.setenv("FORGE_TOKEN", token)
    for name, value in login(stage.team.repo.project.forge.url or "", token, os.environ).items():
        monkeypatch.setenv(name, value)


def test_a_promotion_is_opened_approved_merged_and_reverted(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in(stage, monkeypatch)
    shelf = shelf_of(stage.team)
    shelf.put(1, "dev")
    stage.protect(CHECK)
    forge = stage.forge()

    found = promote(stage.team.repo, "toy", "staging")
    opened = found.pull_request
    assert opened.number
    pull = forge.pull(opened.number)
    assert (pull.title, pull.author) == ("Promote toy 1 to staging", "bot")
    assert forge.files(pull) == tuple(
        f"environments/staging/toy/{name}.yaml" for name in ("decision", "manifests", "release")
    )
    assert promote(stage.team.repo, "toy", "staging").pull_request.number == pull.number

    stage.check(pull.commit, CHECK, "success")
    stage.review("alice", pull.number, approve=True)
    assert forge.approvals(pull) == ("alice",)
    required = read_ruleset(stage.team.repo).required_on(stage.kind)
    assert all(each.met(forge.checks(pull.commit)) for each in required)

    forge.merge(pull, pull.commit, f"{pull.title} (#{pull.number})")
    forge.fetch()
    merged = forge.main()
    assert forge.pull(pull.number).squashed == merged
    there = stage.team.repo.commit(merged).release("staging", "toy")
    assert there == shelf.made(1).release

    git = stage.team.git
    git("merge", "--quiet", "--ff-only", "origin/main")
    git("revert", "--no-edit", "HEAD")
    git("push", "--quiet", "origin", "HEAD:refs/heads/undo")
    reverted = stage.team.repo.git.head()
    number = forge.open_pull_request("undo", reverted, "Undo", "Text", replaces=reverted).number
    assert number
    stage.check(reverted, CHECK, "success")
    forge.merge(forge.pull(number), reverted, f"Undo (#{number})")
    forge.fetch()
    after = stage.team.repo.commit(forge.main())
    assert after.tree.read(release_path("staging", "toy")) is None
