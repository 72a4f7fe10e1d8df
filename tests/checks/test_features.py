"""What a change does to the contract of a model's features."""

import pytest

from mlops.checks.features import features_contract
from mlops.data.contract import features_path
from mlops.errors import BadInput
from tests.checks.contexts import context_of
from tests.team import Team
from tests.training.test_features_contract import CONTRACT, MODEL

PATH = features_path(MODEL)


@pytest.fixture
def held(team: Team) -> Team:
    team.write(PATH, CONTRACT)
    team.commit("A contract for the features")
    team.git("fetch", "--quiet", "origin")
    return team


def test_a_model_without_a_contract_is_told_as_a_note(team: Team) -> None:
    changed, problems, (note,) = features_contract(context_of(team, "models"), MODEL, ())
    assert (changed, problems) == (None, ())
    assert note.endswith("run `mlops contract draft toy-line`, correct it")


def test_a_contract_that_stays_is_not_told(held: Team) -> None:
    assert features_contract(context_of(held, "models"), MODEL, ()) == (None, (), ())


def test_a_narrower_limit_asks_for_a_major_version_and_names_the_services(held: Team) -> None:
    held.write(PATH, CONTRACT.replace("maximum: 10", "maximum: 9"))
    changed, problems, _ = features_contract(context_of(held, "models"), MODEL, ("toy",))
    assert changed is not None
    assert (changed.of, changed.needs, changed.services) == ("features", "major", ("toy",))
    assert list(map(str, problems)) == [
        (
            f"{PATH}: the version stays 1.0.0, but the change breaks what was good: x: was at most 10, "
            "is at most 9. Model toy-line (service toy) reads it; write `version: 2.0.0`"
        )
    ]
    held.write(PATH, CONTRACT.replace("maximum: 10", "maximum: 9").replace("1.0.0", "2.0.0"))
    assert features_contract(context_of(held, "models"), MODEL, ("toy",))[1] == ()


def test_a_contract_that_is_taken_away_is_told(held: Team) -> None:
    (held.root / PATH).unlink()
    assert features_contract(context_of(held, "models"), MODEL, ())[2] == (
        "toy-line had a contract of its features, which is taken away",
    )


def test_other_features_than_the_code_gives_are_refused(held: Team) -> None:
    held.write(PATH, CONTRACT.replace("name: x", "name: z"))
    with pytest.raises(BadInput, match="has the features z, is_right, and COLUMNS of"):
        features_contract(context_of(held, "models"), MODEL, ())
