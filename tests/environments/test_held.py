"""What an environment held, with who confirmed it."""

import json
import subprocess

import pytest

from mlops.environments.held import Held, held
from mlops.environments.rollback import roll_back
from mlops.records import Record, append
from tests.environments.shelf import Shelf, shelf_of
from tests.team import Team


@pytest.fixture
def shelf(team: Team) -> Shelf:
    return shelf_of(team)


def told(shelf: Shelf, *records: Record, environment: str = "prod") -> list[Held]:
    return held(shelf.team.repo.git, "HEAD", environment, "toy", records)


def serving(release: int, at: str, commit: str, environment: str = "prod") -> Record:
    return Record(
        kind="serving",
        environment=environment,
        service="toy",
        release=release,
        at=at,
        commit=commit,
    )


def test_release_promotion_revert_rollback_and_removal_are_told_apart(shelf: Shelf) -> None:
    shelf.put(1, "dev", "staging", "prod")
    shelf.put(2, "dev", "staging", "prod")
    shelf.revert()
    assert [entry.kind for entry in told(shelf)] == ["revert", "promotion", "promotion"]
    found = roll_back(shelf.team.repo, "toy", "prod", number=2, reason="it was the weather")
    shelf.merge(found.release.pull_request.branch)
    newest = told(shelf)[0]
    assert (newest.kind, newest.why) == ("rollback", "it was the weather")
    assert told(shelf, environment="dev")[-1].kind == "release"
    (shelf.team.root / "environments/prod/toy/release.yaml").unlink()
    shelf.team.commit("Take it away")
    assert (told(shelf)[0].kind, told(shelf)[0].release) == ("removed", None)


def test_a_record_confirms_the_entry_that_was_current_at_its_commit(shelf: Shelf) -> None:
    first = shelf.put(1, "prod")
    second = shelf.put(2, "prod")
    third = shelf.revert()
    found = told(
        shelf,
        serving(1, "2024-01-01T10:00:00+00:00", first),
        serving(1, "2024-01-01T11:00:00+00:00", first),
        serving(2, "2024-01-02T10:00:00+00:00", second, environment="dev"),
        serving(1, "2024-01-03T10:00:00+00:00", third),
    )
    assert [entry.confirmed for entry in found] == [
        "2024-01-03T10:00:00+00:00",
        None,
        "2024-01-01T10:00:00+00:00",
    ]


def test_a_record_of_another_release_or_an_unknown_commit_confirms_nothing(shelf: Shelf) -> None:
    commit = shelf.put(1, "prod")
    found = told(shelf, serving(2, "2024-01-01T10:00:00+00:00", commit))
    assert found[0].confirmed is None
    found = told(shelf, serving(1, "2024-01-01T10:00:00+00:00", "9" * 40))
    assert found[0].confirmed is None


def test_the_command_tells_newest_first_with_marks_and_what_was_confirmed(shelf: Shelf) -> None:
    first = shelf.put(1, "prod")
    shelf.put(2, "prod")
    append(shelf.team.repo.git, "origin", serving(1, "2024-01-01T10:00:00+00:00", first))
    shelf.revert()
    lines = shelf.team.mlops("history", "toy", "--env", "prod").stdout.splitlines()
    assert lines[0] == "toy in prod"
    assert lines[1].split()[:4] == ["now", "release", "1", "revert"]
    assert lines[2].strip() == "intended, not confirmed"
    assert lines[4].split()[:3] == ["release", "2", "promotion"]
    assert lines[4].endswith(", withdrawn")
    assert lines[8].strip().startswith("serving since 2024-01-01 10:00:00 UTC")
    assert lines[10].startswith("  release 2 is withdrawn: release 1 took its place on ")


def test_history_is_told_as_intended_when_the_records_cannot_be_read(shelf: Shelf) -> None:
    shelf.put(1, "prod")
    shelf.team.git("remote", "set-url", "origin", str(shelf.team.forge / "nowhere"))
    done = shelf.team.mlops("history", "--json")
    assert done.returncode == 0
    assert "could not be read" in done.stderr
    assert json.loads(done.stdout)["services"]["toy"]["prod"][0]["release"] == 1


def test_control_characters_of_a_subject_do_not_reach_the_terminal(shelf: Shelf) -> None:
    shelf.put(1, "prod")
    shelf.team.git("commit", "--quiet", "--amend", "--message", "Red \x1b[31m [bold]words")
    shelf.team.git("push", "--quiet", "--force", "origin", "main")
    told_words = shelf.team.mlops("history", "toy", "--env", "prod").stdout
    assert "\x1b" not in told_words
    assert "<U+001B>[31m" in "".join(told_words.split())


def diff(shelf: Shelf, *args: str) -> subprocess.CompletedProcess[str]:
    return shelf.team.mlops("diff", *args)


def test_diff_tells_what_differs_the_same_and_what_is_not_there(shelf: Shelf) -> None:
    shelf.put(1, "dev", "staging")
    assert diff(shelf, "dev", "staging").stdout == "toy: dev and staging: the same release 1\n"
    shelf.put(2, "dev")
    lines = diff(shelf, "staging", "dev").stdout.splitlines()
    assert lines[0] == "toy: staging holds release 1, dev holds release 2"
    assert any(line.startswith("  bento: ") for line in lines)
    assert diff(shelf, "1", "2").stdout.splitlines()[1:] == lines[1:]
    assert diff(shelf, "dev", "prod").stdout == "toy: dev holds release 2, prod holds no release\n"
    found = json.loads(diff(shelf, "1", "2", "toy", "--json").stdout)["services"]["toy"]
    assert (found["a"]["release"], found["b"]["release"]) == (1, 2)
    assert {one["part"] for one in found["differences"]} == {"bento", "code"}


UNKNOWN = {
    ("1", "7"): "apps/toy: no environment has ever held release 7; name one of 1",
    ("qa", "dev"): "environments/qa: is not an environment of this project; "
    "name one of dev, staging, prod, or add it to mlops.toml",
    ("dev", "prod", "nix"): "apps/nix: is not a service of this project; name one of toy",
}


@pytest.mark.parametrize("args", UNKNOWN, ids=" ".join)
def test_diff_of_what_is_not_there_is_refused(shelf: Shelf, args: tuple[str, ...]) -> None:
    shelf.put(1, "dev")
    done = diff(shelf, *args)
    assert (done.returncode, done.stderr) == (2, f"{UNKNOWN[args]}\n")
