"""Releases: from which commit, with which number, and the whole story with real parts."""

import contextlib
import io
import json
import shutil
from pathlib import Path

import pytest

from mlops import cli
from mlops.environments.releases import check_source, release
from mlops.environments.rules import check_change
from mlops.errors import BadInput, NotGood
from mlops.forges import forge_of
from tests.environments.shelf import message, shelf_of
from tests.team import Team

RAW = "data-contracts/toy-points/raw"


def refusal(team: Team) -> str:
    """What a release says that is refused before anything is built."""
    with pytest.raises(BadInput) as caught:
        release(team.repo, "toy")
    return str(caught.value)


def push_elsewhere(team: Team, *names: str) -> None:
    """Commit and push from another clone of the forge."""
    other = team.root.parent / "other"
    team.git("clone", "--quiet", str(team.forge), str(other))
    clone = Team(other, team.forge, team.stores)
    clone.git("config", "user.name", "Another")
    clone.git("config", "user.email", "another@example.com")
    for name in names:
        clone.write(name, "words\n")
        clone.commit(f"Add {name}")
    shutil.rmtree(other)


def test_a_dirty_work_tree_is_refused_with_every_file_named(team: Team) -> None:
    team.write("apps/toy/service.yaml", "service: toy\n")
    team.write("notes.txt", "words\n")
    assert refusal(team) == message("release-dirty-work-tree")


def test_of_many_files_the_rest_is_counted(team: Team) -> None:
    for number in range(15):
        team.write(f"notes-{number:02}.txt", "words\n")
    lines = refusal(team).splitlines()
    assert len(lines) == 11
    assert lines[-1] == message("release-many-uncommitted")


def test_a_branch_behind_its_remote_is_refused(team: Team) -> None:
    push_elsewhere(team, "one.md", "two.md")
    assert refusal(team) == message("release-behind-its-remote")


def test_a_commit_checked_out_that_main_has_left_behind_is_refused(team: Team) -> None:
    team.git("switch", "--quiet", "--detach", "HEAD")
    push_elsewhere(team, "one.md")
    assert refusal(team) == message("release-detached-behind")


def test_a_commit_that_the_forge_does_not_have_is_refused(team: Team) -> None:
    team.write("notes.txt", "words\n")
    team.commit("Not pushed", push=False)
    assert refusal(team) == message("release-not-pushed")


def test_a_branch_that_is_not_merged_is_refused_even_when_pushed(team: Team) -> None:
    team.git("switch", "--quiet", "--create", "work")
    team.write("notes.txt", "words\n")
    team.commit("Work")
    assert refusal(team) == message("release-other-branch")


def test_head_as_main_holds_it_is_good_in_a_detached_clone_too(team: Team) -> None:
    team.git("switch", "--quiet", "--detach", "origin/main")
    check_source(team.repo, forge_of(team.repo))


def test_an_unknown_service_is_told_before_anything_is_built(team: Team) -> None:
    assert team.mlops("release", "nix").returncode == 2


# With real parts


def ingest(team: Team, month: str) -> None:
    run(team, "data", "ingest", "toy-points", f"{RAW}/{month}.csv")
    team.commit(f"Pin {month}")


def run(team: Team, *args: str) -> str:
    """A command that has to end well, in this process to save the imports; its output."""
    code, told = outcome(team, *args)
    assert code == 0, told
    return told


def outcome(team: Team, *args: str) -> tuple[int, str]:
    """Exit code and output of a command."""
    told = io.StringIO()
    with contextlib.chdir(team.root), contextlib.redirect_stdout(told):
        return cli.run(args), told.getvalue()


def proposed(team: Team, *args: str) -> dict[str, object]:
    """A release, promotion or rollback by the command, as JSON."""
    told: dict[str, object] = json.loads(run(team, *args, "--json"))
    return told


def merge(team: Team, *args: str) -> dict[str, object]:
    """Propose by the command, then merge as the forge's button does, held to the rules."""
    told = proposed(team, *args)
    base = team.git("rev-parse", "HEAD")
    shelf_of(team).merge(str(told["branch"]), f"{told['kind']} {told['release']}")
    assert check_change(team.repo, base, "HEAD").problems == ()
    return told


def text_of(told: dict[str, object]) -> str:
    return Path(str(told["text"])).read_text()


def held(team: Team, environment: str) -> int | None:
    found = team.repo.release(environment, "toy")
    return found.release if found else None


def widen_gates(team: Team) -> None:
    """February differs from January: a model of both meets wider gates only."""
    path = "models/toy-line/model.yaml"
    text = (team.root / path).read_text()
    team.write(path, text.replace("mae, max: 3.0", "mae, max: 9.0").replace("max: 4.0", "max: 9.0"))
    team.commit("Wider gates")


@pytest.mark.slow
def test_from_data_to_prod_and_back_by_git_revert(team: Team) -> None:
    ingest(team, "2024-01")
    run(team, "train", "toy-line")
    first = merge(team, "release", "toy")
    assert (first["branch"], first["release"], first["new"]) == ("release/toy-1", 1, True)
    assert "than the stated baseline (better)" in text_of(first)
    one = team.repo.release("dev", "toy")
    assert one is not None
    assert team.repo.evidence("toy", one.evidence.digest).models[0].digest == one.models[0].digest
    assert run(team, "release", "toy").startswith("dev holds release 1 of toy, which has this very")
    merge(team, "promote", "toy", "--to", "staging")
    merge(team, "promote", "toy", "--to", "prod")
    serving = team.git("rev-parse", "HEAD:environments/prod/toy")

    widen_gates(team)
    ingest(team, "2024-02")
    run(team, "train", "toy-line")
    second = merge(team, "release", "toy")
    assert (second["release"], second["replaces"]) == (2, 1)
    merge(team, "promote", "toy", "--to", "staging")
    promoted = merge(team, "promote", "toy", "--to", "prod")
    assert "than what serves now" in text_of(promoted)
    assert "696 rows more" in text_of(promoted)
    assert "Pin 2024-02" in text_of(promoted)
    assert [held(team, name) for name in ("dev", "staging", "prod")] == [2, 2, 2]
    assert "dev and prod: the same release 2" in run(team, "diff", "dev", "prod")

    base = team.git("rev-parse", "HEAD")
    shelf_of(team).revert()
    verdict = check_change(team.repo, base, "HEAD")
    assert (verdict.kind, verdict.problems) == ("rollback", ())
    assert team.git("rev-parse", "HEAD:environments/prod/toy") == serving

    told = json.loads(run(team, "history", "toy", "--env", "prod", "--json"))
    entries = told["services"]["toy"]["prod"]
    assert [(entry["kind"], entry["release"]) for entry in entries] == [
        ("revert", 1),
        ("promotion", 2),
        ("promotion", 1),
    ]
    assert [bool(entry["withdrawn"]) for entry in entries] == [False, True, False]
    differing = run(team, "diff", "prod", "staging")
    assert "toy: prod holds release 1, staging holds release 2\n" in differing
    assert "dataset toy-points: " in differing
    refused = team.mlops("promote", "toy", "--to", "prod")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "release 2 was taken back in prod" in refused.stderr

    rolled = proposed(team, "rollback", "toy", "--env", "staging", "--with-data")
    assert rolled["data_branch"] == "rollback/toy-data-of-1"
    team.git("fetch", "--quiet", "origin")
    pins = team.git("diff", "--name-only", "HEAD", "origin/rollback/toy-data-of-1")
    assert pins == "data-contracts/toy-points.dvc"


@pytest.mark.slow
def test_a_release_that_waits_stays_the_same_until_something_else_answers(team: Team) -> None:
    ingest(team, "2024-01")
    run(team, "train", "toy-line")
    first = proposed(team, "release", "toy")
    again = proposed(team, "release", "toy")
    assert (again["commit"], again["new"]) == (first["commit"], False)
    release_file = f"{first['branch']}:environments/dev/toy/release.yaml"
    before = team.git("show", f"origin/{release_file}")
    team.write("README.md", "words\n")
    team.commit("Words")
    moved = proposed(team, "release", "toy")
    assert (moved["branch"], moved["new"]) == ("release/toy-1", True)
    assert team.git("show", f"origin/{release_file}") == before
    team.write("apps/toy/service.py", (team.root / "apps/toy/service.py").read_text() + "\n# 2\n")
    source = team.commit("Change the service")
    overtaken = proposed(team, "release", "toy")
    assert (overtaken["branch"], overtaken["new"]) == ("release/toy-1", True)
    assert f"commit: {source}" in team.git("show", f"origin/{release_file}")
    assert team.git("status", "--porcelain") == ""


@pytest.mark.slow
def test_gates_that_are_not_met_are_all_told_and_nothing_is_pushed(team: Team) -> None:
    path = "models/toy-line/model.yaml"
    text = (team.root / path).read_text()
    team.write(path, text.replace("max: 3.0", "max: 0.01").replace("size_mb: 1", "size_mb: 0.0001"))
    team.commit("Gates that nothing meets")
    ingest(team, "2024-01")
    run(team, "train", "toy-line")
    done = team.mlops("release", "toy")
    problems = [line for line in done.stderr.splitlines() if line.startswith("models/")]
    assert done.returncode == 1
    assert [line.split("`")[1] for line in problems] == ["absolute mae", "size"]
    assert "release" not in team.git("ls-remote", "--heads", "origin")
    assert not (team.stores / "pull-requests").exists()


@pytest.mark.slow
def test_content_that_was_taken_back_is_not_released_as_something_new(team: Team) -> None:
    ingest(team, "2024-01")
    run(team, "train", "toy-line")
    merge(team, "release", "toy")
    team.write("apps/toy/service.py", (team.root / "apps/toy/service.py").read_text() + "\n# 2\n")
    team.commit("Change the service")
    merge(team, "release", "toy")
    commit = shelf_of(team).revert()
    with pytest.raises(NotGood) as caught:
        release(team.repo, "toy")
    values = {"day": shelf_of(team).day(commit), "commit": commit[:12]}
    assert str(caught.value) == message("release-held-before", **values)
    text = (team.root / "apps/toy/service.py").read_text()
    team.write("apps/toy/service.py", text + "# 3\n")
    team.commit("Correct it")
    assert proposed(team, "release", "toy")["release"] == 3
