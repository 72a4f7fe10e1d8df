"""mlops check, as a person types it."""

import json
import shutil

import pytest

from tests.environments.test_parsing import lay_over
from tests.releases import files_of, make_decision, make_release
from tests.team import ROOT, Team

INVALID = ROOT / "tests" / "fixtures" / "invalid"


def start(team: Team) -> None:
    """A branch with one release, rendered but not yet on the remote's main."""
    made = make_release(commit=team.git("rev-parse", "HEAD"), image=True)
    for path, content in files_of(made, "dev", make_decision(made, "dev")).items():
        team.write(path, content)
    assert team.mlops("render").returncode == 0
    team.commit("Release 1", push=False)


def test_a_good_release_is_told_as_good_with_every_check(team: Team) -> None:
    start(team)
    said = team.mlops("check")
    assert said.stderr == ""
    assert said.returncode == 0
    assert said.stdout.splitlines()[-1] == "release: toy in dev: good"
    assert "gates of the evidence" in said.stdout


def test_a_bad_one_ends_with_1_and_its_reason(team: Team) -> None:
    start(team)
    path = team.root / "environments/dev/toy/manifests.yaml"
    path.write_text(path.read_text() + "# by hand\n")
    team.commit("By hand", push=False)
    said = team.mlops("check")
    assert said.returncode == 1
    assert said.stderr.startswith("environments/dev/toy/manifests.yaml: is not what")
    assert said.stdout.splitlines()[-1] == "release: toy in dev: not good"


def test_unreadable_files_end_with_2_and_all_of_them_are_told(team: Team) -> None:
    lay_over(team, "environment-not-yaml")
    said = team.mlops("check")
    assert said.returncode == 2
    assert len(said.stderr.splitlines()) == 4


def test_what_is_not_committed_is_said_to_be_not_judged(team: Team) -> None:
    team.write("environments/dev/toy/settings.yaml", "service: toy\nlocal_port: 18301\n")
    said = team.mlops("check")
    assert said.returncode == 0
    assert "1 uncommitted file was read but not judged" in said.stdout
    assert "nothing in environments/ differs from origin/main" in said.stdout


def test_a_branch_behind_its_base_is_told_so(team: Team) -> None:
    team.write("README.md", "one\n")
    team.commit("One")
    team.git("fetch", "--quiet", "origin")
    team.git("reset", "--quiet", "--hard", "HEAD~1")
    team.write("README.md", "two\n")
    team.commit("Two", push=False)
    assert "the branch is behind origin/main: git rebase origin/main" in team.mlops("check").stdout


def test_machines_get_one_json_object(team: Team) -> None:
    start(team)
    told = json.loads(team.mlops("check", "--json").stdout)
    assert (told["kind"], told["environment"], told["service"]) == ("release", "dev", "toy")
    assert told["good"] is True
    assert told["problems"] == []


@pytest.mark.parametrize(
    ("reason", "file", "path", "code"),
    [
        ("check-binary-yaml", "settings.yaml", "environments/dev/toy/settings.yaml", 2),
        ("check-unpinned-action", "pr.yaml", ".github/workflows/pr.yaml", 1),
    ],
)
def test_each_part_has_its_line_and_a_bad_file_its_exact_message(
    team: Team, reason: str, file: str, path: str, code: int
) -> None:
    (team.root / path).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(INVALID / reason / file, team.root / path)
    team.commit("Wrong", push=False)
    said = team.mlops("check")
    assert said.returncode == code
    assert (INVALID / reason / "message.txt").read_text() in said.stderr
    assert [line for line in said.stdout.splitlines() if line.startswith("not good      policy ")]
    assert said.stdout.splitlines()[-1].endswith(": not good")


def test_a_change_of_nothing_is_good(team: Team) -> None:
    said = team.mlops("check")
    assert said.returncode == 0
    assert said.stdout.splitlines() == [
        "nothing differs from origin/main",
        "change since origin/main: good",
    ]


def test_machines_get_every_part_as_it_is_in_a_result_file(team: Team) -> None:
    team.write("infra/other.yaml", "a:   1\n")
    told = json.loads(team.mlops("check", "--json").stdout)
    assert (told["good"], told["outcome"]) == (False, "not good")
    assert "policy" in [part["part"] for part in told["parts"]]
