"""Promotions against a real forge: what is pushed, and what is refused with which words."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mlops.environments.promotion import promote
from mlops.environments.proposal import Proposed
from mlops.errors import BadInput, MlopsError, NotGood
from tests.environments.shelf import Shelf, message, shelf_of
from tests.team import Team


@pytest.fixture
def shelf(team: Team) -> Shelf:
    return shelf_of(team)


def to_prod(shelf: Shelf, **options: object) -> Proposed:
    return promote(shelf.team.repo, "toy", "prod", **options)  # type: ignore[arg-type]  # as given


def branches(shelf: Shelf) -> list[str]:
    """Branches on the forge beside main."""
    told = shelf.team.git("ls-remote", "--heads", "origin").splitlines()
    return [line.split("refs/heads/")[1] for line in told if not line.endswith("/main")]


def test_a_promotion_is_one_commit_with_one_services_files_and_the_same_bytes(shelf: Shelf) -> None:
    shelf.put(1, "dev", "staging")
    before = shelf.team.git("rev-parse", "HEAD")
    found = to_prod(shelf)
    branch, git = found.pull_request.branch, shelf.team.git
    assert branch == "promote/toy-1-to-prod"
    assert branches(shelf) == [branch]
    assert git("rev-parse", f"origin/{branch}^") == before
    assert git("diff", "--name-only", before, f"origin/{branch}").splitlines() == [
        "environments/prod/toy/decision.yaml",
        "environments/prod/toy/manifests.yaml",
        "environments/prod/toy/release.yaml",
    ]
    staged = git("show", "HEAD:environments/staging/toy/release.yaml")
    assert git("show", f"origin/{branch}:environments/prod/toy/release.yaml") == staged
    assert git("log", "-1", "--format=%s", f"origin/{branch}") == "Promote toy 1 to prod"


def test_nothing_in_the_clone_changes(shelf: Shelf) -> None:
    shelf.put(1, "dev", "staging")
    before = shelf.team.git("for-each-ref", "refs/heads"), shelf.team.git("rev-parse", "HEAD")
    shelf.team.write("notes.txt", "in the middle of something else\n")
    to_prod(shelf)
    after = shelf.team.git("for-each-ref", "refs/heads"), shelf.team.git("rev-parse", "HEAD")
    assert after == before
    assert shelf.team.git("status", "--porcelain") == "?? notes.txt"


def test_it_takes_what_the_forge_holds_however_old_the_clone_is(shelf: Shelf) -> None:
    shelf.put(1, "dev", "staging")
    shelf.team.git("reset", "--quiet", "--hard", "HEAD~2")
    shelf.team.git("update-ref", "refs/remotes/origin/main", "HEAD")
    assert to_prod(shelf).proposal.release.release == 1


def test_run_twice_it_is_the_same_branch_and_says_so(shelf: Shelf) -> None:
    shelf.put(1, "dev", "staging")
    first, second = to_prod(shelf), to_prod(shelf)
    assert first.pull_request.new
    assert not second.pull_request.new
    assert first.pull_request.commit == second.pull_request.commit


def test_after_main_moved_on_the_branch_is_made_anew_on_it(shelf: Shelf) -> None:
    shelf.put(1, "dev", "staging")
    first = to_prod(shelf)
    shelf.team.write("README.md", "words\n")
    moved = shelf.team.commit("Words")
    second = to_prod(shelf)
    assert second.pull_request.commit != first.pull_request.commit
    assert shelf.team.git("rev-parse", "origin/promote/toy-1-to-prod^") == moved


def test_the_merged_promotion_passes_the_rules_and_so_does_its_plain_revert(shelf: Shelf) -> None:
    from mlops.environments.rules import check_change

    shelf.put(1, "dev", "staging")
    shelf.merge(to_prod(shelf).pull_request.branch)
    shelf.put(2, "dev", "staging")
    before = shelf.team.git("rev-parse", "HEAD")
    folder = "HEAD:environments/prod/toy"
    served = shelf.team.git("rev-parse", folder)
    shelf.merge(to_prod(shelf).pull_request.branch)
    assert check_change(shelf.team.repo, before, "HEAD").problems == ()
    merged = shelf.team.git("rev-parse", "HEAD")
    shelf.revert()
    verdict = check_change(shelf.team.repo, merged, "HEAD")
    assert (verdict.kind, verdict.problems) == ("rollback", ())
    assert shelf.team.git("rev-parse", folder) == served


def test_a_withdrawn_release_is_promoted_again_with_a_reason_that_is_kept(shelf: Shelf) -> None:
    shelf.put(1, "dev", "staging", "prod")
    shelf.put(2, "dev", "staging", "prod")
    shelf.revert()
    found = to_prod(shelf, again="the feed was broken, not the model")
    branch = found.pull_request.branch
    told = shelf.team.git("show", f"origin/{branch}:environments/prod/toy/decision.yaml")
    assert "reason: the feed was broken, not the model" in told
    shelf.merge(branch)
    assert shelf.held("prod") == shelf.made(2).release


def test_a_branch_with_other_content_is_not_overwritten(shelf: Shelf) -> None:
    shelf.put(1, "dev", "staging")
    found = to_prod(shelf)
    shelf.team.git("switch", "--quiet", found.pull_request.branch)
    shelf.team.write("notes.txt", "somebody's own\n")
    theirs = shelf.team.commit("On top")
    with pytest.raises(BadInput) as caught:
        to_prod(shelf)
    assert str(caught.value) == message("promote-branch-taken")
    assert shelf.team.git("ls-remote", "origin", found.pull_request.branch).split()[0] == theirs


def test_a_text_that_was_not_written_before_a_kill_is_written_the_next_time(shelf: Shelf) -> None:
    shelf.put(1, "dev", "staging")
    place = Path(to_prod(shelf).pull_request.place)
    place.unlink()
    assert not to_prod(shelf).pull_request.new
    assert place.read_text().startswith("# Promote toy 1 to prod\n")


@pytest.mark.slow
def test_killed_at_any_moment_it_leaves_all_as_it_was_or_done(shelf: Shelf) -> None:
    shelf.put(1, "dev", "staging")
    refs = shelf.team.git("for-each-ref", "refs/heads")
    for pause in (0.1, 0.3, 0.5, 0.7, 0.9, 1.2):
        started = subprocess.Popen(
            [sys.executable, "-m", "mlops", "promote", "toy", "--to", "prod"],
            cwd=shelf.team.root,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        with contextlib.suppress(subprocess.TimeoutExpired):
            started.wait(timeout=pause)
        started.kill()
        started.wait()
        assert shelf.team.git("for-each-ref", "refs/heads") == refs
        assert shelf.team.git("status", "--porcelain") == ""
        assert branches(shelf) in ([], ["promote/toy-1-to-prod"])
    assert Path(to_prod(shelf).pull_request.place).is_file()


Case = tuple[str, Callable[[Shelf], object], dict[str, object]]


def freeze(shelf: Shelf) -> None:
    shelf.put(1, "dev", "staging")
    path = "environments/prod/env.yaml"
    window = "freeze: [{start: 2020-01-01, end: 2999-12-31, reason: holidays}]\n"
    shelf.team.write(path, (shelf.team.root / path).read_text() + window)
    shelf.team.commit("Holidays")


def older(shelf: Shelf) -> None:
    shelf.put(2, "dev", "staging")
    shelf.put(3, "prod")


def rolled_back_before(shelf: Shelf) -> None:
    shelf.put(1, "dev", "staging", "prod")
    shelf.put(2, "dev", "prod")


REFUSALS: list[Case] = [
    ("promote-skips-an-environment", lambda shelf: shelf.put(1, "dev"), {}),
    ("promote-already-there", lambda shelf: shelf.put(1, "dev", "staging", "prod"), {}),
    ("promote-number-nowhere", lambda shelf: shelf.put(1, "dev", "staging"), {"number": 7}),
    ("promote-frozen", freeze, {}),
    ("promote-older", older, {}),
    ("promote-older-held-before", rolled_back_before, {}),
]


@pytest.mark.parametrize(("reason", "arrange", "options"), REFUSALS, ids=[c[0] for c in REFUSALS])
def test_a_promotion_that_is_refused_says_why_and_pushes_nothing(
    shelf: Shelf, reason: str, arrange: Callable[[Shelf], object], options: dict[str, object]
) -> None:
    arrange(shelf)
    with pytest.raises(NotGood) as caught:
        to_prod(shelf, **options)
    assert str(caught.value) == message(reason)
    assert branches(shelf) == []


def test_another_number_than_the_one_asked_for_is_refused(shelf: Shelf) -> None:
    shelf.put(1, "dev", "staging")
    shelf.put(2, "dev")
    with pytest.raises(NotGood) as caught:
        to_prod(shelf, number=2)
    assert str(caught.value) == message("promote-another-number")


def test_a_withdrawn_release_is_not_offered_again(shelf: Shelf) -> None:
    shelf.put(1, "dev", "staging", "prod")
    shelf.put(2, "dev", "staging", "prod")
    commit = shelf.revert()
    with pytest.raises(NotGood) as caught:
        to_prod(shelf)
    values = {"day": shelf.day(commit), "commit": commit[:12]}
    assert str(caught.value) == message("promote-withdrawn", **values)


@pytest.mark.parametrize(
    ("reason", "environment"),
    [
        ("promote-nothing-released", "staging"),
        ("promote-into-the-first", "dev"),
        ("promote-unknown-environment", "qa"),
    ],
)
def test_where_nothing_can_come_from_is_told(shelf: Shelf, reason: str, environment: str) -> None:
    with pytest.raises(MlopsError) as caught:
        promote(shelf.team.repo, "toy", environment)
    assert str(caught.value) == message(reason)


def test_two_commands_at_once_on_one_clone_are_refused(shelf: Shelf) -> None:
    shelf.put(1, "dev", "staging")
    lock = shelf.team.root / ".git" / "mlops.lock"
    with shelf.team.repo.exclusive("mlops promote"):
        done = shelf.team.mlops("promote", "toy", "--to", "prod")
    expected = message("promote-two-at-once", lock=lock, process=os.getpid())
    assert (done.returncode, done.stderr.strip()) == (2, expected)
    assert branches(shelf) == []


def test_the_command_says_what_was_done_and_what_to_do_next(shelf: Shelf) -> None:
    shelf.put(1, "dev", "staging")
    done = shelf.team.mlops("promote", "toy", "--to", "prod")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(
        "promotion: toy release 1 in prod, in place of nothing\n"
        "  branch  promote/toy-1-to-prod (pushed)\n"
    )
    assert "git merge --squash origin/promote/toy-1-to-prod\n" in done.stdout
    refused = shelf.team.mlops("promote", "toy", "--to", "staging")
    assert (refused.returncode, refused.stdout) == (1, "")
