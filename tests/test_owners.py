"""CODEOWNERS says what mlops.toml and each env.yaml say."""

import json

import pytest

from mlops import owners
from mlops.errors import BadInput
from mlops.repository import Repository
from tests.team import ROOT, Team


def lines(team: Team) -> list[str]:
    """The rules of the file, without its head."""
    return [line for line in owners.codeowners(team.repo).splitlines() if not line.startswith("#")]


def with_owners(team: Team, environment: str, *names: str) -> None:
    """Give an environment owners of its own."""
    file = team.root / f"environments/{environment}/env.yaml"
    kept = [line for line in file.read_text().splitlines() if not line.startswith("owners")]
    file.write_text("\n".join([*kept, f"owners: {json.dumps(names)}", ""]))


def test_the_templates_own_file_is_current() -> None:
    assert list(owners.stale(Repository.at(ROOT))) == []


def test_an_environment_belongs_to_its_own_owners(team: Team) -> None:
    with_owners(team, "prod", "@example/on-call", "boss@example.com")
    assert "/environments/prod/ @example/on-call boss@example.com" in lines(team)


def test_what_a_release_to_the_first_environment_writes_belongs_to_nobody(team: Team) -> None:
    found = lines(team)
    for file in ("release.yaml", "decision.yaml", "manifests.yaml"):
        assert found.index(f"/environments/dev/*/{file}") > found.index(
            next(line for line in found if line.startswith("/environments/dev/ "))
        )
    assert "/apps/*/evidence/" in found
    assert not any(line.startswith("/environments/prod/*") for line in found)


def test_the_tool_and_the_workflows_belong_to_the_projects_owners_last(team: Team) -> None:
    assert lines(team)[-3:] == [
        f"/{folder}/ @example/toys" for folder in (".github", "scripts", "infra")
    ]


def test_every_owner_that_the_forge_would_not_read_is_told(team: Team) -> None:
    with_owners(team, "dev", "ml team")
    with_owners(team, "prod", "@example/ops\n* @evil")
    with pytest.raises(BadInput) as caught:
        owners.codeowners(team.repo)
    fix = "write @user, @org/team or an e-mail address"
    assert [str(problem) for problem in caught.value.problems] == [
        f"environments/dev/env.yaml: owner 'ml team' is not one; {fix}",
        f"environments/prod/env.yaml: owner '@example/ops\\n* @evil' is not one; {fix}",
    ]


def test_a_file_that_the_forge_would_ignore_for_its_size_is_refused(team: Team) -> None:
    with_owners(team, "prod", *(f"@example/team-{number:06}" for number in range(170_000)))
    with pytest.raises(BadInput, match="would be larger than 3000000 bytes; name teams"):
        owners.codeowners(team.repo)


def test_a_missing_file_is_told_on_a_forge_that_reads_it(team: Team) -> None:
    assert list(owners.stale(team.repo)) == []
    text = (team.root / "mlops.toml").read_text().replace('"local"', '"github"')
    team.write("mlops.toml", text)
    assert [str(problem) for problem in owners.stale(team.repo)] == [
        ".github/CODEOWNERS: is missing; mlops init, and commit what it wrote"
    ]
    team.write(".github/CODEOWNERS", owners.codeowners(team.repo))
    assert list(owners.stale(team.repo)) == []
