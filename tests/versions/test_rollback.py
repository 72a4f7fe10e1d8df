"""The pin goes back, and who learned from what is taken back is named."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from mlops.cli import run
from mlops.data import pin as pins
from mlops.data.derive import derive
from mlops.errors import BadInput, Exit, NotGood
from mlops.specs.release import DatasetPin
from mlops.versions.history import named
from mlops.versions.rollback import roll_back
from tests.data.test_ingest import FEBRUARY, JANUARY, ingested
from tests.derived import NAME, add_derived
from tests.releases import Made, files_of, make_decision, release_of
from tests.team import Team
from tests.versions.conftest import PATH, short


def test_a_rollback_pins_the_bytes_that_were_and_names_what_learned_and_where_it_serves(
    versions: tuple[Team, str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    team, first, second = versions
    monkeypatch.chdir(team.root)
    bytes_of_first = named(team.repo, "toy-points", first).content
    put(team, holding(team, 1, first), "dev", "staging", "prod")
    put(team, holding(team, 2, second), "dev", "staging")
    assert run(["data", "rollback", "toy-points"]) == Exit.DONE
    told = capsys.readouterr().out
    assert (team.root / PATH).read_bytes() == bytes_of_first
    assert team.git("status", "--porcelain") == f"M {PATH}"
    assert f"{short(second)}  toy-line 2 in toy release 2, serves dev, staging" in told
    assert "toy release 1" not in told
    for line in (
        "mlops rollback toy --env staging --to 1",
        "mlops rollback toy --env dev --to 1",
        "mlops retrain toy-line",
        f"git add {PATH}",
    ):
        assert f"  {line}\n" in told
    assert run(["data", "rollback", "toy-points"]) == Exit.DONE, "run again it says the same"
    assert capsys.readouterr().out == told
    team.commit("Back")
    assert run(["data", "rollback", "toy-points"]) == Exit.NOT_GOOD
    assert (
        "no version was pinned before this one, or each of them was taken back"
        in capsys.readouterr().err
    )
    assert run(["data", "log", "toy-points", "--json"]) == Exit.DONE
    listed = json.loads(capsys.readouterr().out)["versions"]
    assert [each["digest"] for each in listed] == [first, second, first]
    assert listed[0]["back"]
    assert [each["release"] for each in listed[1]["releases"]] == [2]


def test_a_pin_that_is_in_no_commit_is_not_overwritten(versions: tuple[Team, str, str]) -> None:
    team, first, _ = versions
    (team.root / PATH).write_bytes((team.root / PATH).read_bytes() + b"# by hand\n")
    with pytest.raises(NotGood) as refused:
        roll_back(team.repo, "toy-points", short(first))
    assert str(refused.value.problems[0]) == (
        f"{PATH}: is not the one of HEAD; commit it, or take it back: git restore --source=HEAD "
        f"--staged --worktree {PATH}"
    )


def test_a_version_whose_content_nobody_has_is_not_gone_back_to(team: Team, tmp_path: Path) -> None:
    elsewhere = tmp_path / "january.csv"  # not in Git: it cannot be ingested again
    elsewhere.write_bytes((team.root / JANUARY).read_bytes())
    ingested(team, elsewhere)
    team.commit("January")
    first = pins.read_pin(team.repo, "toy-points")
    second = ingested(team, FEBRUARY)
    team.commit("February")
    pins.stored(team.repo, first).unlink()
    (team.stores / "dvc/files/md5" / first.md5[:2] / first.md5[2:]).unlink()
    with pytest.raises(BadInput, match="which is neither in"):
        roll_back(team.repo, "toy-points")
    assert pins.read_pin(team.repo, "toy-points").digest == second
    assert team.git("status", "--porcelain") == ""


def holding(team: Team, number: int, digest: str, dataset: str = "toy-points") -> Made:
    """A release that learned from a version."""
    made = release_of(team, number)
    pin = DatasetPin(name=dataset, digest=digest, contract="1.0.0")
    return replace(made, release=made.release.model_copy(update={"datasets": (pin,)}))


def put(team: Team, made: Made, *environments: str) -> None:
    for environment in environments:
        for path, content in files_of(made, environment, make_decision(made, environment)).items():
            team.write(path, content)
        team.commit(f"Put {made.release.release} into {environment}")


def test_what_learned_from_a_dataset_made_of_the_version_is_named_too(team: Team) -> None:
    """Releases that hold a derived version are free of a bad source as soon as that one is."""
    add_derived(team)
    pinned = []
    for number, file in enumerate((JANUARY, FEBRUARY), start=1):
        ingested(team, file)
        pinned.append(derive(team.repo, NAME).new.digest)
        team.commit(f"Ingest {file.name}")
        put(team, holding(team, number, pinned[-1], NAME), "dev", "staging")
    done = roll_back(team.repo, "toy-points")
    assert [(one.digest, one.holds, one.release, one.serves) for one in done.consumers] == [
        (done.taken_back[-1].digest, pinned[-1], 2, ("dev", "staging"))
    ]
    assert [way.command for way in done.ways_back] == [
        "mlops rollback toy --env staging --to 1",
        "mlops rollback toy --env dev --to 1",
    ]
