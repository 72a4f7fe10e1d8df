"""A challenger against a champion or the baseline."""

from pathlib import Path

import pytest

from mlops.repository import Layout
from mlops.scoring.scorer import Scorer
from mlops.specs.model import Model, RelativeGate
from mlops.training import baseline, gates
from mlops.training.comparison import compare, pair_of, paired_metrics
from mlops.training.metrics import value
from mlops.tree import WorkTree
from tests.team import PROJECT, Team
from tests.training.points import MODEL, Candidate, candidate, points

LAYOUT = Layout(WorkTree(PROJECT))
SPEC = LAYOUT.model(MODEL)


class Changed(WorkTree):
    """The toy project with one text replaced."""

    def __init__(self, old: str, new: str) -> None:
        super().__init__(PROJECT)
        self.old, self.new = old.encode(), new.encode()

    def read(self, path: str) -> bytes | None:
        content = super().read(path)
        return content.replace(self.old, self.new) if content else content


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Candidate:
    return candidate(LAYOUT, points(), tmp_path_factory.mktemp("good"))


@pytest.fixture(scope="module")
def poor(tmp_path_factory: pytest.TempPathFactory) -> Scorer:
    layout = Layout(Changed("rounds: 40", "rounds: 4"))
    return candidate(layout, points(), tmp_path_factory.mktemp("poor")).scorer


def asking(max_worse: float, metric: str = "mae") -> Model:
    relative = (RelativeGate(metric=metric, max_worse=max_worse),)
    return SPEC.model_copy(update={"gates": SPEC.gates.model_copy(update={"relative": relative})})


def test_a_worse_candidate_is_refused_and_the_better_one_passes(
    good: Candidate, poor: Scorer
) -> None:
    (worse,) = compare(SPEC, good.split, poor, good.scorer)
    (better,) = compare(SPEC, good.split, good.scorer, poor)
    assert (worse.passed, better.passed) == (False, True)
    assert worse.low > 0 > better.high
    (result,) = gates.relative(SPEC, (worse,))
    assert not result.passed
    assert "at most 5% worse is asked" in result.detail


def test_how_much_worse_is_allowed_decides(good: Candidate, poor: Scorer) -> None:
    (found,) = compare(asking(0.0), good.split, poor, good.scorer)
    share = found.high / found.champion_value
    assert compare(asking(share * 1.01), good.split, poor, good.scorer)[0].passed
    assert not compare(asking(share * 0.99), good.split, poor, good.scorer)[0].passed


def test_a_model_against_itself_differs_by_0_and_passes(good: Candidate) -> None:
    (found,) = compare(asking(0.0), good.split, good.scorer, good.scorer)
    assert (found.difference, found.low, found.high, found.passed) == (0, 0, 0, True)


def test_every_metric_and_each_slice_is_paired_on_the_same_rows(
    good: Candidate, poor: Scorer
) -> None:
    (whole,) = compare(SPEC, good.split, poor, good.scorer)
    found = paired_metrics(SPEC, good.split, pair_of(SPEC, good.split, poor, good.scorer))
    every, parts = [one for one in found if not one.column], [one for one in found if one.column]
    assert {one.metric for one in every} >= {"mae", "rmse", "bias"}
    (mae,) = (one for one in every if one.metric == "mae")
    assert (mae.difference, mae.low, mae.high) == (whole.difference, whole.low, whole.high)
    assert {(one.column, one.value, one.metric) for one in parts} == {
        ("side", "left", "mae"),
        ("side", "right", "mae"),
    }
    assert sum(one.rows for one in parts) == len(good.split.holdout)
    weighted = sum(one.rows * one.difference for one in parts) / len(good.split.holdout)
    assert weighted == pytest.approx(mae.difference, rel=1e-3)


def test_without_a_champion_the_baseline_is_compared_with(good: Candidate) -> None:
    (found,) = compare(SPEC, good.split, good.scorer, None)
    y = good.split.holdout["y"].to_numpy()
    expected = value("mae", y, baseline.predictions(SPEC, good.split))
    assert found.champion == "baseline"
    assert found.champion_value == pytest.approx(expected, rel=1e-5)
    assert found.rows == len(good.split.holdout)
    assert found.measured_on == good.split.digest


def test_the_baseline_is_the_mean_of_the_group_and_of_all_for_an_unseen_one(
    good: Candidate,
) -> None:
    split = good.split
    split = type(split)(split.train[split.train["side"] == "left"], split.holdout, split.digest)
    found = baseline.predictions(SPEC, split)
    assert set(found.round(9)) == {round(float(split.train["y"].mean()), 9)}


def test_two_feature_codes_are_compared_side_by_side(good: Candidate, tmp_path: Path) -> None:
    layout = Layout(Changed('float(record.side == "right")', "0.0"))
    blind = candidate(layout, points(), tmp_path).scorer
    (found,) = compare(SPEC, good.split, blind, good.scorer)
    assert blind.features.digest != good.scorer.features.digest
    assert found.difference > 1


def test_a_relative_gate_on_bias_is_refused_when_the_file_is_read(team: Team) -> None:
    path = "models/toy-line/model.yaml"
    text = (team.root / path).read_text()
    team.write(path, text.replace("{metric: mae, max_worse: 0.05}", "{metric: bias}"))
    done = team.mlops("evaluate", MODEL)
    assert done.returncode == 2
    assert "no relative gate on bias: give it a min and a max" in done.stderr
