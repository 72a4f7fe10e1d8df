"""The split: by time, disjoint, named by content."""

import random

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops.errors import BadInput
from mlops.repository import Layout
from mlops.specs.model import Model
from mlops.training.holdout import digest_of_rows, split, split_rows
from mlops.tree import WorkTree
from tests.team import PROJECT, Team
from tests.training.points import MODEL, pin, points

SPEC = Layout(WorkTree(PROJECT)).model(MODEL)


def with_days(days: int) -> Model:
    data = SPEC.data.model_copy(update={"holdout_days": days})
    return SPEC.model_copy(update={"data": data})


@given(
    st.integers(1, 8),
    st.lists(st.integers(0, 24 * 30), min_size=1, max_size=60, unique=True),
    st.randoms(use_true_random=False),
)
def test_evaluated_rows_are_disjoint_from_training_rows_and_later(
    days: int, hours: list[int], chance: random.Random
) -> None:
    rows = pd.DataFrame(
        {
            "moment": pd.Timestamp("2024-03-01") + pd.to_timedelta([*hours, 24 * 40], unit="h"),
            "x": 1.0,
            "side": "left",
            "y": 2.0,
        }
    )
    chance.shuffle(order := list(range(len(rows))))
    made = split_rows(with_days(days), rows.iloc[order])
    assert len(made.train) + len(made.holdout) == len(rows)
    assert made.train["moment"].max() < made.holdout["moment"].min()
    assert made.holdout["moment"].dt.normalize().nunique() <= days
    assert made.digest == split_rows(with_days(days), rows).digest


def test_the_holdout_is_the_last_days_whole() -> None:
    made = split_rows(with_days(4), points(days=10))
    assert len(made.holdout) == 4 * 24
    assert made.holdout["moment"].iloc[0] == pd.Timestamp("2024-01-07")


def test_a_changed_value_gives_the_holdout_another_digest() -> None:
    rows = points(days=6)
    before = split_rows(SPEC, rows).digest
    rows.loc[rows.index[-1:], "y"] = 0.0001
    assert split_rows(SPEC, rows).digest != before


def test_the_digest_knows_missing_values_and_moments() -> None:
    rows = pd.DataFrame({"moment": [pd.Timestamp("2024-01-01"), pd.NaT], "x": [1.0, None]})
    assert digest_of_rows(rows) == digest_of_rows(rows.copy())
    assert digest_of_rows(rows) != digest_of_rows(rows.fillna({"x": 0.0}))


def test_a_commit_is_split_with_the_data_it_pins(team: Team) -> None:
    pin(team, points(days=10))
    old = team.commit("Ten days")
    pin(team, points(days=12))
    repo = team.repo
    assert len(split(repo, repo.commit(old), MODEL).train) == 6 * 24
    assert len(split(repo, repo, MODEL).train) == 8 * 24


def test_too_few_days_to_train_on_are_told() -> None:
    with pytest.raises(BadInput) as raised:
        split_rows(SPEC, points(days=3))
    assert str(raised.value) == (
        "models/toy-line/model.yaml: `data.holdout_days` is 4, and dataset toy-points starts on "
        "2024-01-01 and ends on 2024-01-03; lower it, or ingest more data"
    )
