"""What a try is measured on: windows of the training rows by time, never the holdout."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops.errors import BadInput
from mlops.repository import Layout
from mlops.search.folds import Fold, folded, folds_of
from mlops.specs.search import Folds, Search, Whole
from mlops.training.holdout import split_rows
from mlops.training.metrics import rounded, value
from mlops.training.rows import records
from mlops.tree import WorkTree
from tests.search.toy import searching
from tests.team import PROJECT, Team
from tests.training.points import MODEL, candidate, pin, points

SPEC = Layout(WorkTree(PROJECT)).model(MODEL)


def search(count: int, days: int) -> Search:
    return Search(
        metric="mae",
        trials=1,
        folds=Folds(count=count, days=days),
        space={"rounds": Whole(type="int", min=1, max=50)},
    )


@given(
    days=st.integers(1, 5),
    count=st.integers(1, 5),
    hours=st.lists(st.integers(0, 40 * 24), min_size=1, max_size=200),
)
def test_a_window_is_predicted_from_older_rows_alone_and_windows_cover_the_newest_days(
    days: int, count: int, hours: list[int]
) -> None:
    moments = pd.Timestamp("2024-01-01") + pd.to_timedelta(sorted(hours), unit="h")
    rows = pd.DataFrame({"moment": moments})
    try:
        folds = folds_of(SPEC, search(count, days), rows)
    except BadInput:
        return
    assert len(folds) == count
    assert folds[-1].end == len(rows)
    newest = rows["moment"].max().normalize() + pd.Timedelta(days=1)
    for place, fold in enumerate(folds):
        assert 0 < fold.start < fold.end
        begins = newest - pd.Timedelta(days=days * (count - place))
        assert rows["moment"][: fold.start].max() < begins
        window = rows["moment"][fold.start : fold.end]
        assert begins <= window.min()
        assert window.max() < begins + pd.Timedelta(days=days)


def test_the_holdout_has_no_say(team: Team) -> None:
    searching(team)
    repo = team.repo
    before = folded(repo, repo, MODEL, search(2, 3))
    rows = points()
    held = len(split_rows(SPEC, rows).holdout)
    rows.loc[len(rows) - held :, "y"] = -1000.0
    pin(team, rows)
    repo = team.repo
    after = folded(repo, repo, MODEL, search(2, 3))
    assert np.array_equal(before.x, after.x)
    assert before.measure({"rounds": 20}) == after.measure({"rounds": 20})


def test_days_that_are_not_there_are_told(team: Team) -> None:
    repo = searching(team).repo
    with pytest.raises(BadInput) as refused:
        folded(repo, repo, MODEL, search(4, 7))
    assert str(refused.value) == (
        "models/toy-line/model.yaml: `search.folds` asks for 4 windows of 7 days with rows in each "
        "and before them, and the training rows of toy-points go from 2024-01-01 to 2024-01-16; "
        "lower `count` or `days`, or ingest more data"
    )


def test_a_window_predicts_as_training_on_the_rows_before_it_does(team: Team) -> None:
    repo = searching(team).repo
    rows = folded(repo, repo, MODEL, search(1, 4))
    (fold,) = rows.folds
    assert fold == Fold(12 * 24, 16 * 24)
    older = points()[: 16 * 24]  # its newest four days are the holdout then
    made = candidate(repo, older, team.root.parent / "artifact")
    p = made.scorer.score(records(made.split.holdout, made.scorer.features))
    y = made.split.holdout["y"].to_numpy(dtype=np.float64)
    assert rows.measure({}) == (rounded(value("mae", y, p)),)


def test_parameters_that_training_refuses_are_told_with_the_way_out(team: Team) -> None:
    repo = searching(team).repo
    rows = folded(repo, repo, MODEL, search(1, 3))
    with pytest.raises(BadInput) as refused:
        rows.measure({"num_leaves": 1})
    said = str(refused.value)
    assert said.startswith("models/toy-line/train.py: fails with {'num_leaves': 1, ")
    assert said.endswith("correct it, or take these values out of `search.space` in model.yaml")


def test_a_metric_that_is_undefined_on_a_window_is_told(team: Team) -> None:
    repo = searching(team).repo
    rows = folded(repo, repo, MODEL, search(1, 3))
    nothing = replace(rows, y=np.zeros(len(rows.y)), metric="mape")  # mape leaves zeros out
    with pytest.raises(BadInput, match=r"`search.metric` is mape, undefined on the 72 rows of"):
        nothing.measure({})
