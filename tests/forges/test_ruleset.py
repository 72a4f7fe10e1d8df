"""The ruleset's file is one that GitHub takes, and doctor tells how the forge differs from it."""

import json
from copy import deepcopy
from typing import Any

import pytest

from mlops.commands.doctor import doctor
from mlops.errors import BadInput
from mlops.forges.ruleset import PATH, Required, gitea_values, read_ruleset
from tests.forges.described import description
from tests.forges.gitea_stage import GiteaStage
from tests.forges.github_stage import GitHubStage
from tests.forges.stage import Stage
from tests.gitea import needs_gitea
from tests.team import ROOT, Team

RULE = "the forge holds its main branch to the ruleset"


def shipped() -> dict[str, Any]:
    """The file of the template."""
    value: dict[str, Any] = json.loads((ROOT / PATH).read_text())
    return value


def told(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> list[str]:
    """What doctor says of the ruleset: its line, and those below it."""
    monkeypatch.setenv("FORGE_TOKEN", stage.environment()["FORGE_TOKEN"])
    capsys.readouterr()
    doctor(stage.team.repo)
    lines = capsys.readouterr().out.splitlines()
    first = next(place for place, line in enumerate(lines) if line.endswith(RULE))
    below = []
    for line in lines[first + 1 :]:
        if not line.startswith("        "):
            break
        below.append(line.strip())
    return [lines[first], *below]


def test_github_takes_the_file_as_it_is() -> None:
    found = description()
    operation = found.operation("POST", "/repos/team/toy/rulesets")
    assert operation
    assert found.wrong_request(operation, {}, shipped()) == []


def test_the_file_requires_the_one_check_and_nobody_may_bypass_it(team: Team) -> None:
    team.write(PATH, (ROOT / PATH).read_text())
    ruleset = read_ruleset(team.repo)
    assert ruleset.required == (Required("checks-pass", 15368),)
    assert ruleset.get("bypass_actors") == []
    assert ruleset.get("pull_request.require_code_owner_review") is True
    assert ruleset.get("pull_request.dismiss_stale_reviews_on_push") is True


@pytest.mark.parametrize("content", ["{", "[]", '{"name": "main", "rules": []}'])
def test_a_file_that_is_no_ruleset_is_told(team: Team, content: str) -> None:
    team.write(PATH, content)
    with pytest.raises(
        BadInput, match=r"^\.github/rulesets/main\.json: is not a ruleset in GitHub's form"
    ):
        read_ruleset(team.repo)


def test_a_forge_with_the_same_ruleset_lacks_nothing(
    github_stage: GitHubStage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    github_stage.hub.rulesets = [{**shipped(), "name": "another"}, shipped()]
    assert told(github_stage, monkeypatch, capsys) == [f"ok    {RULE}"]


def test_a_forge_without_it_is_told_how_to_have_it(
    github_stage: GitHubStage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told(github_stage, monkeypatch, capsys) == [
        f"lack  {RULE}",
        "ruleset main: is not on the forge; import .github/rulesets/main.json in Settings, Rules, Rulesets",
    ]


def test_each_difference_is_one_line(
    github_stage: GitHubStage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = deepcopy(shipped())
    found["enforcement"] = "evaluate"
    found["bypass_actors"] = [
        {"actor_id": 5, "actor_type": "RepositoryRole", "bypass_mode": "always"}
    ]
    found["rules"] = [rule for rule in found["rules"] if rule["type"] != "deletion"]
    found["rules"].append({"type": "required_signatures"})
    pulls = next(rule for rule in found["rules"] if rule["type"] == "pull_request")
    pulls["parameters"]["require_code_owner_review"] = False
    github_stage.hub.rulesets = [found]
    there = "there, or import .github/rulesets/main.json in Settings, Rules, Rulesets"
    actor = json.dumps(json.dumps(found["bypass_actors"][0], sort_keys=True))
    assert told(github_stage, monkeypatch, capsys) == [
        f"lack  {RULE}",
        f'ruleset main: `enforcement` is "evaluate"; make it "active" {there}',
        f"ruleset main: `bypass_actors` is [{actor}]; make it [] {there}",
        f"ruleset main: `deletion` is not set; make it true {there}",
        f"ruleset main: `pull_request.require_code_owner_review` is false; make it true {there}",
        "ruleset main: has the rule `required_signatures` beside the file's; take it out there, or add it to .github/rulesets/main.json",
    ]


def test_what_the_token_may_not_see_is_said_and_lacks_nothing(
    github_stage: GitHubStage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    github_stage.hub.rulesets = [{k: v for k, v in shipped().items() if k != "bypass_actors"}]
    assert told(github_stage, monkeypatch, capsys) == [
        f"ok    {RULE}",
        "`bypass_actors` was not compared: the forge does not show it to this token",
    ]


def test_without_a_token_it_is_said_and_lacks_nothing(
    github_stage: GitHubStage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("FORGE_TOKEN", "GITHUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    doctor(github_stage.team.repo)
    out = capsys.readouterr().out
    note = "not compared with .github/rulesets/main.json: FORGE_TOKEN is not set"
    assert f"ok    {RULE}\n        {note}\n" in out


@needs_gitea
def test_gitea_is_compared_in_what_it_has(
    gitea_stage: GiteaStage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stage = gitea_stage
    assert told(stage, monkeypatch, capsys) == [
        f"lack  {RULE}",
        "protection of main: is not on the forge; protect main in Settings, Branches",
    ]
    wanted = gitea_values(read_ruleset(stage.team.repo))
    values = {**wanted, "rule_name": "main", "dismiss_stale_approvals": False}
    stage.ask("bot", "POST", "/branch_protections", json=values)
    assert told(stage, monkeypatch, capsys) == [
        f"lack  {RULE}",
        "protection of main: `dismiss_stale_approvals` is false; set it to true in Settings, Branches",
    ]
    stage.ask("bot", "PATCH", "/branch_protections/main", json={"dismiss_stale_approvals": True})
    assert told(stage, monkeypatch, capsys) == [f"ok    {RULE}"]


@needs_gitea
def test_a_gitea_token_that_may_not_read_it_is_said_and_lacks_nothing(
    gitea_stage: GiteaStage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORGE_TOKEN", gitea_stage.environment("alice")["FORGE_TOKEN"])
    doctor(gitea_stage.team.repo)
    out = capsys.readouterr().out
    assert f"ok    {RULE}\n        not compared with .github/rulesets/main.json: " in out
