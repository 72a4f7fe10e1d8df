"""Rollbacks against a real forge."""

from collections.abc import Callable
from typing import Any

import pytest

from mlops.environments.rollback import Overtaken, RolledBack, roll_back
from mlops.environments.rules import check_change
from mlops.errors import MlopsError, NotGood
from tests.environments.shelf import Shelf, message, shelf_of
from tests.team import Team


@pytest.fixture
def shelf(team: Team) -> Shelf:
    return shelf_of(team)


def back(shelf: Shelf, environment: str = "prod", **options: Any) -> RolledBack:
    return roll_back(shelf.team.repo, "toy", environment, **options)


def put_all(shelf: Shelf, *numbers: int) -> None:
    for number in numbers:
        shelf.put(number, "dev", "staging", "prod")


def test_the_default_is_the_release_before_byte_for_byte(shelf: Shelf) -> None:
    put_all(shelf, 1, 2)
    found = back(shelf, reason="worse on weekends").release
    assert found.pull_request.branch == "rollback/toy-prod-to-1"
    shelf.merge(found.pull_request.branch)
    assert shelf.held("prod") == shelf.made(1).release
    text = (shelf.team.root / "environments/prod/toy/release.yaml").read_text()
    assert text == shelf.made(1).release_text
    decision = shelf.team.repo.decision("prod", "toy")
    assert decision is not None
    assert (decision.kind, decision.reason) == ("rollback", "worse on weekends")
    assert decision.champion is not None
    assert decision.champion.release == 2


def test_the_one_after_goes_further_back_and_not_to_what_was_withdrawn(shelf: Shelf) -> None:
    put_all(shelf, 1, 2, 3)
    shelf.merge(back(shelf).release.pull_request.branch)
    assert back(shelf).release.proposal.release.release == 1


def test_it_is_rendered_against_todays_settings(team: Team) -> None:
    shelf = shelf_of(team, image=True)
    put_all(shelf, 1, 2)
    path = "environments/prod/toy/settings.yaml"
    settings = (shelf.team.root / path).read_text()
    shelf.team.write(path, f"{settings}hosts: [today.example.com]\n")
    shelf.team.mlops("render")
    shelf.team.commit("A host")
    found = back(shelf).release
    assert found.proposal.plain_revert is None
    shelf.merge(found.pull_request.branch)
    manifests = (shelf.team.root / "environments/prod/toy/manifests.yaml").read_text()
    assert "today.example.com" in manifests
    assert shelf.made(1).release.image is not None
    assert shelf.made(1).release.image.digest in manifests  # type: ignore[union-attr]  # it has one


def test_a_plain_revert_is_named_when_it_gives_the_same_and_it_does(shelf: Shelf) -> None:
    put_all(shelf, 1, 2)
    found = back(shelf).release
    revert = found.proposal.plain_revert
    assert revert is not None
    text = (shelf.team.stores / "pull-requests" / "rollback__toy-prod-to-1.md").read_text()
    assert f"`git revert {revert.commit[:12]}` puts the same release back" in text
    base = shelf.team.git("rev-parse", "HEAD")
    shelf.team.git("revert", "--no-edit", revert.commit)
    assert check_change(shelf.team.repo, base, "HEAD").problems == ()
    for name in ("release.yaml", "manifests.yaml"):
        path = f"environments/prod/toy/{name}"
        theirs = shelf.team.git("show", f"{found.pull_request.commit}:{path}")
        assert shelf.team.git("show", f"HEAD:{path}") == theirs


def test_a_plain_revert_is_not_named_when_another_environment_needs_its_evidence(
    shelf: Shelf,
) -> None:
    shelf.put(1, "dev", "staging")
    shelf.put(2, "dev")
    assert back(shelf, "dev").release.proposal.plain_revert is not None
    shelf.put(2, "staging")
    assert back(shelf, "dev").release.proposal.plain_revert is None


def test_a_release_file_that_cannot_be_read_is_rolled_back_too(shelf: Shelf) -> None:
    put_all(shelf, 1, 2)
    shelf.team.write("environments/prod/toy/release.yaml", "release: [broken\n")
    shelf.team.commit("Broken")
    assert back(shelf).release.proposal.release.release == 2


def test_one_that_was_withdrawn_comes_back_with_a_reason(shelf: Shelf) -> None:
    put_all(shelf, 1, 2)
    commit = shelf.revert()
    with pytest.raises(NotGood) as caught:
        back(shelf, number=2)
    values = {"day": shelf.day(commit), "commit": commit[:12]}
    assert str(caught.value) == message("rollback-to-withdrawn", **values)
    found = back(shelf, number=2, reason="it was the weather").release
    assert found.proposal.plain_revert is None
    shelf.merge(found.pull_request.branch)
    assert shelf.held("prod") == shelf.made(2).release


REFUSALS: list[tuple[str, Callable[[Shelf], object], dict[str, Any]]] = [
    ("rollback-never-held-any", lambda shelf: None, {}),
    ("rollback-nothing-before", lambda shelf: put_all(shelf, 1), {}),
    ("rollback-never-held", lambda shelf: put_all(shelf, 1, 2), {"number": 7}),
    ("rollback-already-there", lambda shelf: put_all(shelf, 1, 2), {"number": 2}),
]


@pytest.mark.parametrize(("reason", "arrange", "options"), REFUSALS, ids=[c[0] for c in REFUSALS])
def test_a_rollback_that_is_refused_says_why_and_pushes_nothing(
    shelf: Shelf, reason: str, arrange: Callable[[Shelf], object], options: dict[str, Any]
) -> None:
    arrange(shelf)
    with pytest.raises(MlopsError) as caught:
        back(shelf, **options)
    assert str(caught.value) == message(reason)
    assert "rollback" not in shelf.team.git("ls-remote", "--heads", "origin")


def test_a_rollback_to_what_can_no_longer_be_served_is_refused(shelf: Shelf) -> None:
    put_all(shelf, 1, 2)
    name = shelf.made(1).release.bento.removeprefix("sha256:")
    folder = shelf.team.stores / "bentos" / "toy" / name
    folder.rename(folder.with_name("gone"))
    with pytest.raises(NotGood) as caught:
        back(shelf)
    assert str(caught.value) == message("rollback-artifacts-gone", bento=name)
    assert "rollback" not in shelf.team.git("ls-remote", "--heads", "origin")


def test_an_abort_of_the_release_that_is_held_opens_the_pull_request_once(shelf: Shelf) -> None:
    put_all(shelf, 1, 2)
    first = back(shelf, if_release=2, reason="aborted").release
    assert first.pull_request.branch == "rollback/toy-prod-to-1"
    again = back(shelf, if_release=2, reason="aborted").release
    assert not again.pull_request.new
    assert again.pull_request.commit == first.pull_request.commit


def test_an_abort_that_is_late_changes_nothing_and_says_so(shelf: Shelf) -> None:
    put_all(shelf, 1, 2, 3)
    done = shelf.team.mlops("rollback", "toy", "--env", "prod", "--if-release", "2")
    assert (done.returncode, done.stdout) == (
        0,
        "environments/prod/toy: holds release 3 by now, not 2; nothing is to be done\n",
    )
    with pytest.raises(Overtaken):
        back(shelf, if_release=1)
    assert "rollback" not in shelf.team.git("ls-remote", "--heads", "origin")


def test_an_abort_where_nothing_was_ever_held_changes_nothing(shelf: Shelf) -> None:
    with pytest.raises(Overtaken, match="holds no release that can be read by now, not 2"):
        back(shelf, if_release=2)


@pytest.mark.slow
def test_an_abort_after_other_settings_is_not_blamed_on_the_release(team: Team) -> None:
    shelf = shelf_of(team, image=True)
    put_all(shelf, 1, 2)
    path = "environments/prod/toy/settings.yaml"
    team.write(path, f"{(team.root / path).read_text()}hosts: [today.example.com]\n")
    team.mlops("render")
    commit = team.commit("A host")
    with pytest.raises(NotGood) as caught:
        back(shelf, if_release=2)
    assert str(caught.value) == message("rollback-aborted-by-settings", commit=commit[:12])


HOSTILE = [
    "$(id)",
    "../prod/toy",
    "*",
    "--help",
    "toy\n::set-output",
    "toy;id",
    "",
    "TOY",
    ":(top)",
]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("where", ["service", "environment"])
def test_what_an_event_calls_a_name_and_is_none_is_refused(
    shelf: Shelf, text: str, where: str
) -> None:
    named = {"service": "toy", "environment": "prod"} | {where: text}
    done = shelf.team.mlops(
        "rollback", "--env", named["environment"], "--if-release", "2", "--", named["service"]
    )
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "is not a name: lower-case letters, digits and single hyphens" in line


@pytest.mark.parametrize("number", ["none", "Object", "0", "-1", "1;id", "--env", "<nil>", "1.5"])
def test_what_an_event_calls_a_release_and_is_none_is_refused(shelf: Shelf, number: str) -> None:
    done = shelf.team.mlops("rollback", "--env", "prod", "--if-release", number, "--", "toy")
    assert done.returncode == 2
    assert done.stdout == ""


def test_the_command_names_the_plain_revert(shelf: Shelf) -> None:
    put_all(shelf, 1, 2)
    done = shelf.team.mlops("rollback", "toy", "--env", "prod", "--with-data")
    assert done.returncode == 0, done.stderr
    commit = shelf.team.git("rev-parse", "HEAD")[:12]
    assert f"  or      git revert {commit} (does the same, without a tool)\n" in done.stdout
    assert done.stdout.endswith("The data pins are those of that release already.\n")
