"""Reading every file, and telling all that is wrong."""

import shutil

import pytest

from mlops.environments.parsing import unreadable, unreadable_among
from mlops.repository import Repository
from tests.releases import evidence_text, make_evidence
from tests.team import ROOT, Team

INVALID = ROOT / "tests" / "fixtures" / "invalid"
REASONS = sorted(folder.name for folder in INVALID.glob("environment-*"))


def lay_over(team: Team, reason: str) -> None:
    """Copy a fixture's files over the clone's and take those away that it names as missing."""
    folder = INVALID / reason
    if (folder / "environments").is_dir():
        shutil.copytree(folder / "environments", team.root / "environments", dirs_exist_ok=True)
    missing = folder / "missing.txt"
    for path in missing.read_text().splitlines() if missing.exists() else []:
        (team.root / path).unlink()


def changed_in(repo: Repository) -> list[str]:
    """All files with a spec, as if all had changed."""
    folders = ("apps", "models", "data-contracts", "environments")
    return ["mlops.toml", *(path for folder in folders for path in repo.tree.files(folder))]


@pytest.mark.parametrize("reason", REASONS)
def test_all_that_is_wrong_with_the_environments_is_told_at_once(team: Team, reason: str) -> None:
    lay_over(team, reason)
    said = "".join(f"{problem}\n" for problem in unreadable(team.repo, changed_in(team.repo)))
    assert said == (INVALID / reason / "message.txt").read_text()


def test_the_project_the_tests_use_can_be_read(team: Team) -> None:
    assert unreadable(team.repo, changed_in(team.repo)) == []


def test_the_template_itself_can_be_read() -> None:
    repo = Repository.at(ROOT)
    assert unreadable(repo, changed_in(repo)) == []


def test_what_is_wrong_with_sources_and_evidence_is_told_too(team: Team) -> None:
    team.write("apps/toy/service.yaml", "service: toy\n")
    team.write("models/toy-line/model.yaml", "model: [\n")
    team.write("apps/toy/evidence/00.json", "{not json")
    evidence = make_evidence(source_tree="sha256:" + "0" * 64)
    team.write("apps/toy/evidence/01.json", evidence_text(evidence))
    told = [problem.path for problem in unreadable_among(team.repo, changed_in(team.repo))]
    assert {
        "apps/toy/service.yaml",
        "models/toy-line/model.yaml",
        "apps/toy/evidence/00.json",
    } <= set(told)
    assert "apps/toy/evidence/01.json" not in told


def test_what_is_wrong_with_one_service_stops_no_other(team: Team) -> None:
    team.write("environments/dev/other/settings.yaml", "service: [\n")
    team.write("environments/prod/env.yaml", "name: [\n")
    settings = "environments/dev/toy/settings.yaml"
    assert unreadable(team.repo, [settings, "models/toy-line/model.yaml"]) == []
    told = unreadable(team.repo, ["environments/dev/other/manifests.yaml", settings])
    assert [problem.path for problem in told] == ["environments/dev/other/settings.yaml"]
    told = unreadable(team.repo, ["mlops.toml"])
    assert [problem.path for problem in told] == ["environments/prod/env.yaml"]


def test_a_commit_is_told_of_like_the_work_tree(team: Team) -> None:
    lay_over(team, "environment-not-yaml")
    (team.root / "environments/staging/env.yaml").unlink()
    changed = changed_in(team.repo)
    told = unreadable(team.repo, changed)
    team.commit("Wrong", push=False)
    assert unreadable(team.repo.commit("HEAD"), changed) == told
    assert len(told) > 3
