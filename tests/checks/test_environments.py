"""Part `environments`: a change of environments/ as a result that the report is made from."""

from mlops.checks.context import Context, Share
from mlops.checks.environments import run
from mlops.checks.planning import planned
from mlops.commands.render import render
from mlops.git import NOTHING
from mlops.specs.result import Result
from tests.checks.wrong_changes import write_two_releases
from tests.environments.shelf import shelf_of
from tests.environments.test_rules import made_at, put
from tests.team import Team


def checked(team: Team, base: str = "origin/main") -> Result:
    """The result for what the clone's branch changes."""
    repo = team.repo
    plan = planned(repo, base)
    share = next((one for one in plan.shares if one.part == "environments"), None)
    return run(
        Context(
            repo, plan.base, plan.head, plan.changed, plan.affected, share or Share("environments")
        )
    )


def branch(team: Team) -> None:
    """What is on the forge now is the base of what follows."""
    team.git("fetch", "--quiet", "origin")


def said(result: Result) -> str:
    return "\n".join(f"{one.path}: {one.what}" for one in result.problems)


def failed(result: Result) -> list[str]:
    return [check.gate for check in result.checks if not check.passed]


def rendered(team: Team, message: str) -> None:
    render(team.repo, as_json=True)
    team.commit(message, push=False)


def test_a_promotion_is_told_with_its_facts_differences_and_the_way_back(team: Team) -> None:
    shelf = shelf_of(team)
    shelf.put(1, "dev", "staging", "prod")
    base = shelf.put(2, "dev", "staging")
    branch(team)
    shelf.put(2, "prod")
    found = checked(team, base)
    assert (found.outcome, said(found)) == ("good", "")
    assert found.summary.startswith("promotion: toy in prod: all ")
    told = found.environment
    assert told is not None
    assert (told.kind, told.environment, told.service, told.release) == (
        "promotion", "prod", "toy", 2,
    )  # fmt: skip
    assert any(text.startswith("bento: ") for text in told.differences)
    assert {fact.name for fact in told.facts} == {
        "age of the evidence", "time served in staging", "answers in staging", "freeze",
        "way back", "approval",
    }  # fmt: skip
    assert told.undo[-1] == "mlops rollback toy --env prod --to 1"
    (file,) = told.rendered
    assert file.path == "environments/prod/toy/manifests.yaml"
    assert file.lines == file.diff.count("\n") > 0


def test_settings_are_told_in_words_with_the_rendered_difference(team: Team) -> None:
    shelf_of(team, image=True).put(1, "dev")
    branch(team)
    path = "environments/dev/toy/settings.yaml"
    team.write(path, (team.root / path).read_text() + "replicas: {min: 3, max: 9}\n")
    rendered(team, "More replicas")
    found = checked(team)
    assert (found.outcome, said(found)) == ("good", "")
    told = found.environment
    assert told is not None
    assert told.kind == "settings"
    assert any(text.startswith("settings replicas.min: ") for text in told.differences)
    assert any("+  minReplicas: 3" in file.diff for file in told.rendered)
    (undo,) = told.undo
    assert undo.endswith("-- environments/dev/toy)")


def test_another_base_shows_what_later_releases_render_to(team: Team) -> None:
    shelf_of(team, image=True).put(1, "dev")
    branch(team)
    path = "infra/base/deployment.yaml"
    text = (team.root / path).read_text()
    assert "terminationGracePeriodSeconds: " in text
    head, _, rest = text.partition("terminationGracePeriodSeconds: ")
    team.write(path, f"{head}terminationGracePeriodSeconds: 77{rest[rest.index(chr(10)) :]}")
    team.commit("Another base", push=False)
    found = checked(team)
    assert (found.outcome, said(found)) == ("good", "")
    told = found.environment
    assert told is not None
    assert told.kind == "base of later releases"
    (file,) = told.rendered
    assert file.path == "environments/dev/toy/manifests.yaml"
    changed = [line for line in file.diff.splitlines() if line[:1] in "+-"][2:]
    assert [line[0] for line in changed] == ["-", "+"]
    assert "terminationGracePeriodSeconds: 77" in changed[1]


def test_two_services_releases_in_one_change_are_refused(team: Team) -> None:
    shelf = shelf_of(team)
    branch(team)
    write_two_releases(team, shelf)
    rendered(team, "Two releases")
    found = checked(team)
    assert found.outcome == "not good"
    assert failed(found) == ["one kind"]
    assert "the change touches 2 services (other, toy)" in said(found)
    assert found.summary.endswith("the change touches 2 services (other, toy)")


def test_a_release_edited_by_hand_is_refused(team: Team) -> None:
    shelf = shelf_of(team)
    shelf.put(1, "dev", "staging")
    branch(team)
    path = "environments/staging/toy/release.yaml"
    text = (team.root / path).read_text()
    team.write(path, text.replace(shelf.made(1).release.bento, "sha256:" + "2" * 64))
    rendered(team, "By hand")
    found = checked(team)
    assert found.outcome == "not good"
    assert "is not byte for byte the release 1 that dev holds" in said(found)


def test_a_manifest_edited_by_hand_is_refused(team: Team) -> None:
    shelf_of(team, image=True).put(1, "dev")
    branch(team)
    path = "environments/dev/toy/manifests.yaml"
    team.write(path, (team.root / path).read_text() + "# by hand\n")
    team.commit("By hand", push=False)
    found = checked(team)
    assert found.outcome == "not good"
    assert f"{path}: is not what the files beside it render to" in said(found)


def test_bytes_that_the_previous_environment_never_held_are_refused(team: Team) -> None:
    shelf = shelf_of(team)
    shelf.put(1, "dev", "staging")
    branch(team)
    base = team.git("rev-parse", "HEAD")
    shelf.put(2, "prod")
    found = checked(team, base)
    assert found.outcome == "not good"
    assert "release 2 is in no environment before prod (staging holds release 1)" in said(found)


def test_a_comparison_that_cannot_be_made_here_is_not_evaluated(team: Team) -> None:
    made = made_at(team, bare=False)
    put(team, made, "dev", push=True)
    put(team, made, "staging")
    found = checked(team)
    assert found.outcome == "not evaluated"
    assert failed(found) == ["comparison with the champion"]
    assert "comparison not evaluated: file is missing" in said(found)


def test_files_that_cannot_be_read_are_all_told(team: Team) -> None:
    shelf_of(team).put(1, "dev")
    branch(team)
    for name in ("release.yaml", "settings.yaml"):
        team.write(f"environments/dev/toy/{name}", "service: [toy\n")
    team.commit("Broken", push=False)
    found = checked(team)
    assert found.outcome == "not good"
    assert failed(found) == ["files can be read"]
    assert {one.path for one in found.problems} == {
        "environments/dev/toy/release.yaml", "environments/dev/toy/settings.yaml",
    }  # fmt: skip


def test_a_repository_without_prod_is_checked_by_what_it_has(team: Team) -> None:
    settings = (team.root / "mlops.toml").read_text()
    team.write("mlops.toml", settings.replace('"staging", "prod"', '"staging"'))
    team.git("rm", "-r", "--quiet", "environments/prod")
    team.commit("No prod")
    branch(team)
    base = team.git("rev-parse", "HEAD")
    shelf_of(team).put(1, "dev")
    found = checked(team, base)
    assert (found.outcome, said(found)) == ("good", "")


def test_a_first_commit_has_nothing_to_be_compared_with(team: Team) -> None:
    found = checked(team, "HEAD~1")
    assert found.base == NOTHING
    assert (found.outcome, said(found)) == ("good", "")
    assert [check.gate for check in found.checks] == [
        "files can be read",
        "manifests are current",
        "files for the clusters are current",
    ]
