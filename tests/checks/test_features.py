"""What a change does to the contract of a model's features."""

import pytest

from mlops.checks.features import features_contract
from mlops.data.contract import features_path
from mlops.errors import BadInput
from tests.checks.contexts import context_of
from tests.team import PROJECT, Team
from tests.training.points import MODEL

PATH = features_path(MODEL)
CONTRACT = (PROJECT / PATH).read_text()
NARROWER = CONTRACT.replace("maximum: 100", "maximum: 9")


def test_a_contract_that_stays_is_not_told(team: Team) -> None:
    assert features_contract(context_of(team, "models"), MODEL, ()) == (None, (), ())


def test_a_narrower_limit_asks_for_a_major_version_and_names_the_services(team: Team) -> None:
    team.write(PATH, NARROWER)
    changed, problems, _ = features_contract(context_of(team, "models"), MODEL, ("toy",))
    assert changed is not None
    assert (changed.of, changed.needs, changed.services) == ("features", "major", ("toy",))
    assert list(map(str, problems)) == [
        (
            f"{PATH}: the version stays 1.0.0, but the change breaks what was good: x: was at most "
            "100, is at most 9. Model toy-line (service toy) reads it; write `version: 2.0.0`"
        )
    ]
    team.write(PATH, NARROWER.replace("version: 1.0.0", "version: 2.0.0"))
    assert features_contract(context_of(team, "models"), MODEL, ("toy",))[1] == ()


def test_a_contract_that_is_taken_away_is_told_and_one_that_never_was_with_the_way_out(
    team: Team,
) -> None:
    (team.root / PATH).unlink()
    gone = "toy-line had a contract of its features, which is taken away"
    assert features_contract(context_of(team, "models"), MODEL, ()) == (None, (), (gone,))
    team.commit("No contract")
    changed, problems, (note,) = features_contract(context_of(team, "models"), MODEL, ())
    assert (changed, problems) == (None, ())
    assert note.endswith("run `mlops contract draft toy-line`, correct it")


def test_other_features_than_the_code_gives_are_refused(team: Team) -> None:
    team.write(PATH, CONTRACT.replace("name: x", "name: z"))
    with pytest.raises(BadInput, match="has the features z, is_right, and COLUMNS of"):
        features_contract(context_of(team, "models"), MODEL, ())
