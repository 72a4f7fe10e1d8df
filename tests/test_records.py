"""Records on the remote: appended by many at once, none lost, readable by anybody."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops import records
from mlops.errors import BadInput
from mlops.git import Git
from mlops.records import Record
from tests.team import Team, git, make_team

COMMIT = "a" * 40
APPENDER = """
import sys
from pathlib import Path
from mlops.git import Git
from mlops.records import Record, append
folder, remote, environment, count = sys.argv[1:]
for number in range(1, int(count) + 1):
    append(
        Git(Path(folder)),
        remote,
        Record(
            kind="serving", environment=environment, service="toy", release=number,
            at="2024-01-01T00:00:00.000Z", commit="a" * 40,
        ),
    )
"""


def record(release: int, detail: str = "") -> Record:
    return Record(
        kind="serving",
        environment="dev",
        service="toy",
        release=release,
        at="2024-01-01T00:00:00.000Z",
        commit=COMMIT,
        detail=detail,
    )


def test_a_remote_without_records_has_none(team: Team) -> None:
    assert records.read(team.repo.git, "origin") == []


def test_records_come_back_in_the_order_they_were_appended(team: Team) -> None:
    for release in (3, 1, 2):
        records.append(team.repo.git, "origin", record(release))
    assert [entry.release for entry in records.read(team.repo.git, "origin")] == [3, 1, 2]


def test_records_of_one_place_are_told_without_the_others(team: Team) -> None:
    named = "serving dev/toy release 1"
    other = record(1, named).model_copy(update={"service": "toy-2"})
    elsewhere = record(1, named).model_copy(update={"environment": "staging"})
    for one in (record(1), other, elsewhere, record(2, "[a-z]* \n/ release")):
        records.append(team.repo.git, "origin", one)
    told = records.read(team.repo.git, "origin", ("dev", "toy"))
    assert told == [record(1), record(2, "[a-z]* \n/ release")]
    assert records.read(team.repo.git, "origin", ("staging", "toy")) == [elsewhere]
    assert records.read(team.repo.git, "origin", ("prod", "toy")) == []
    assert len(records.read(team.repo.git, "origin")) == 4


def test_a_record_appended_again_after_a_kill_stands_once(team: Team) -> None:
    first = records.append(team.repo.git, "origin", record(1))
    assert records.append(team.repo.git, "origin", record(1)) == first
    assert len(records.read(team.repo.git, "origin")) == 1


def test_another_clone_reads_them_and_git_log_shows_them(team: Team, tmp_path: Path) -> None:
    records.append(team.repo.git, "origin", record(7))
    git(tmp_path, "clone", "--quiet", str(team.forge), "other")
    assert records.read(Git(tmp_path / "other"), "origin") == [record(7)]
    subject = git(team.forge, "log", "-1", "--format=%s", records.REF)
    assert subject == "serving dev/toy release 7"


def test_a_clone_that_cannot_reach_the_remote_reads_what_it_fetched_before(team: Team) -> None:
    records.append(team.repo.git, "origin", record(1))
    records.read(team.repo.git, "origin")
    away = str(team.root / "nowhere")
    assert records.read(team.repo.git, away) == [record(1)]
    team.git("update-ref", "-d", records.REF)
    with pytest.raises(BadInput, match="could not be read"):
        records.read(team.repo.git, away)


def test_appending_changes_neither_branch_nor_index_nor_work_tree(team: Team) -> None:
    before = (team.git("rev-parse", "HEAD"), team.git("status", "--porcelain"))
    records.append(team.repo.git, "origin", record(1))
    assert (team.git("rev-parse", "HEAD"), team.git("status", "--porcelain")) == before


@pytest.mark.slow
def test_three_followers_appending_at_once_from_two_repositories_all_succeed(
    team: Team, tmp_path: Path
) -> None:
    git(tmp_path, "clone", "--quiet", "--bare", str(team.forge), "mirror.git")
    places = {"dev": team.root, "staging": team.root, "prod": tmp_path / "mirror.git"}
    running = [
        subprocess.Popen(
            [sys.executable, "-c", APPENDER, str(folder), str(team.forge), environment, "6"],
            stderr=subprocess.PIPE,
        )
        for environment, folder in places.items()
    ]
    ends = [(process.communicate(timeout=120)[1], process.returncode) for process in running]
    assert [code for _, code in ends] == [0, 0, 0], ends
    found = records.read(team.repo.git, "origin")
    for environment in places:
        releases = [entry.release for entry in found if entry.environment == environment]
        assert releases == [1, 2, 3, 4, 5, 6]


def test_a_remote_that_refuses_is_named_with_what_to_check(team: Team) -> None:
    with pytest.raises(BadInput) as raised:
        records.append(team.repo.git, str(team.root / "nowhere"), record(1), patience=0)
    problem = raised.value.problems[0]
    assert problem.path == str(team.root / "nowhere")
    assert problem.fix == "check that this account may push it"


@settings(max_examples=10, deadline=None)
@given(details=st.lists(st.text(max_size=40), min_size=1, max_size=4, unique=True))
def test_any_text_in_a_record_comes_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, details: list[str]
) -> None:
    team = make_team(tmp_path_factory.mktemp("records"))
    written = [record(number, detail) for number, detail in enumerate(details, 1)]
    for entry in written:
        records.append(team.repo.git, "origin", entry)
    assert records.read(team.repo.git, "origin") == written
